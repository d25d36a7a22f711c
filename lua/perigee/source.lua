--- What monitoring asks of the running server (the contract of perigee.monitor.source): gathered from the workers.
local closed = require "perigee.closed"
local core = require "perigee.core"
local scheduler = require "perigee.scheduler"

local GLOBAL = "$G"
local NONE = { msgs = 0, bytes = 0 }

--- All records of a kind from all workers, worker by worker, in answers of bounded size.
local function gather(what)
  local all = {}
  for worker = 0, core.worker_count() - 1 do
    local cursor = 0
    repeat
      local answer = scheduler.request(function(number) core.collect(number, worker, what, cursor) end)
      for _, record in ipairs(core.records(what, answer.data)) do all[#all + 1] = record end
      scheduler.breathe()
      cursor = answer.cursor
    until cursor == 0
  end
  return all
end

local function connections(want)
  local list = {}
  if want.open and (not want.account or want.account == GLOBAL) then
    list = gather(want.subscriptions and "connections_with_subscriptions" or "connections")
    for _, c in ipairs(list) do c.account = GLOBAL end
  end
  if want.closed then
    for _, c in ipairs(closed.list()) do list[#list + 1] = c end
  end
  return list
end

local function statistics(account)
  if account and account ~= GLOBAL then return {} end
  local t = core.totals()
  return {
    num_subscriptions = t.subscriptions, num_cache = t.cache_entries, num_inserts = t.index_inserts,
    num_removes = t.index_removes, num_matches = t.index_matches, cache_hits = t.cache_hits, max_fanout = t.fanout_max,
    total_fanout = t.fanout_sum, num_fanout = t.fanout_count,
  }
end

local function totals()
  local t = core.totals()
  return {
    connections = t.clients, total_connections = t.total_clients, in_msgs = t.in_msgs, in_bytes = t.in_bytes,
    out_msgs = t.out_msgs, out_bytes = t.out_bytes, in_client_msgs = t.in_msgs, in_client_bytes = t.in_bytes,
    out_client_msgs = t.out_msgs, out_client_bytes = t.out_bytes, slow_consumers = t.slow_consumers,
    stale_connections = t.stale_connections, stalled_clients = t.stalled_clients, subscriptions = t.subscriptions,
    slow_consumer_stats = { clients = t.slow_consumers }, stale_connection_stats = { clients = t.stale_connections },
  }
end

local function subscriptions(account)
  if account and account ~= "" and account ~= GLOBAL then return {} end
  local list = gather("subscriptions")
  for _, s in ipairs(list) do s.account = GLOBAL end
  return list
end

-- There is a system account, as in the original, but nobody is in it yet.
local function accounts(server)
  local t, system = core.totals(), server.identity.system_account
  local list = { {
    name = GLOBAL, connections = t.clients, subscriptions = t.subscriptions, slow_consumers = t.slow_consumers,
    sent = { msgs = t.out_msgs, bytes = t.out_bytes }, received = { msgs = t.in_msgs, bytes = t.in_bytes },
    update_ns = server.identity.start_ns, mappings = server.options.mappings, statistics = statistics(),
  } }
  if system then
    list[2] = { name = system, is_system = true, sent = NONE, received = NONE, update_ns = server.identity.start_ns }
  end
  return list
end

-- By the names of Go's runtime, for tools that read them. What has no counterpart is 0; Lua's memory counts as in use.
local function memory()
  local heap, lua = core.heap(), collectgarbage "count" * 1024
  local used = heap.used + lua
  return {
    Alloc = used, TotalAlloc = used, Sys = core.resident_bytes(), Mallocs = 0, Frees = 0, HeapAlloc = used,
    HeapSys = heap.mapped + lua, HeapIdle = heap.free, HeapInuse = used, HeapReleased = 0, HeapObjects = 0, StackInuse = 0,
    NextGC = 0, NumGC = 0, PauseTotalNs = 0,
  }
end

--- @param server table  {identity=, options=, usage=, ready=function}
local function new(server)
  return {
    identity = function() return server.identity end,
    options = function() return server.options end,
    now_ns = core.wall_ns,
    breathe = scheduler.breathe,
    usage = server.usage,
    totals = totals,
    accounts = function() return accounts(server) end,
    connections = connections,
    ping = function(connection) core.ping(connection.id) end,
    subscription_statistics = statistics,
    subscriptions = subscriptions,
    not_ready = server.not_ready,
    queues = function() return {} end,
    stacks = function() return "perigee: " .. core.worker_count() .. " workers, one control plane\n" end,
    memory = memory,
    log = core.log,
  }
end

return { new = new }
