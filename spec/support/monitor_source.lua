--- A source of monitoring whose content are tables, for specs of the documents.
local source_contract = require "perigee.monitor.source"

local SECOND = 1000000000LL
local NOW = 1704164645LL * SECOND + 123456789

local function identity()
  return {
    id = "NABC", name = "here", version = "2.15.2", perigee = "0.1.0", go = "go1.26", host = "0.0.0.0", port = 4222,
    start_ns = NOW - 3661 * SECOND, config_load_ns = NOW - 3661 * SECOND, config_digest = "", system_account = "$SYS",
    cores = 4, workers = 2, command_line = { "perigee", "-m", "8222" },
  }
end

local function options()
  return {
    host = "0.0.0.0", port = 4222, max_connections = 65536, max_subscriptions = 0, ping_interval_ns = 120e9, ping_max = 2,
    http_host = "0.0.0.0", http_port = 8222, http_base_path = "", max_control_line = 4096, max_payload = 1048576,
    max_pending = 67108864, write_deadline_ns = 10e9, write_timeout = "default", server_tags = {}, server_metadata = {},
  }
end

-- A connection whose id decides about everything that is not given.
local function connection(cid, fields)
  local made = {
    cid = cid, ip = "127.0.0.1", port = 50000 + cid, start_ns = NOW - (100 - cid) * SECOND,
    last_activity_ns = NOW - 10 * SECOND, rtt_ns = 123456, subscriptions = 0, account = "$G",
  }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

-- What the real one does: of open ones only those of the account, and only the states that are wanted.
local function connections(fake, want)
  fake.asked[#fake.asked + 1] = want
  local found = {}
  for _, each in ipairs(fake.open) do
    if want.open and (not want.account or each.account == want.account) then found[#found + 1] = each end
  end
  for _, each in ipairs(fake.closed) do
    if want.closed then found[#found + 1] = each end
  end
  return found
end

--- A source and what can be changed in it: open, closed, subscriptions, missing, queues, options, identity, totals, accounts; and
-- what it was asked: asked, pinged, logged.
local function new()
  local fake = {
    open = {}, closed = {}, subscriptions = {}, missing = {}, queues = {}, asked = {}, pinged = {}, logged = {},
    identity = identity(), options = options(), totals = {}, statistics = { num_subscriptions = 4 },
    accounts = { { name = "$G", subscriptions = 4 }, { name = "$SYS", is_system = true } },
  }
  local source = {
    identity = function() return fake.identity end,
    options = function() return fake.options end,
    now_ns = function() return NOW end,
    breathe = function() end,
    usage = function() return { cpu = 12.5, mem = 11000000 } end,
    totals = function() return fake.totals end,
    accounts = function() return fake.accounts end,
    connections = function(want) return connections(fake, want) end,
    ping = function(each) table.insert(fake.pinged, each.cid) end,
    subscription_statistics = function(account)
      fake.asked[#fake.asked + 1] = { statistics = account or "all" }
      return fake.statistics
    end,
    subscriptions = function(account)
      local found = {}
      for _, each in ipairs(fake.subscriptions) do
        if not account or each.account == account then found[#found + 1] = each end
      end
      return found
    end,
    not_ready = function() return fake.missing end,
    queues = function() return fake.queues end,
    stacks = function() return "worker 0: waits for events\n" end,
    memory = function() return { HeapAlloc = 18446744073709551615ULL, NumGC = 3 } end,
    log = function(level, message) fake.logged[#fake.logged + 1] = level .. ": " .. message end,
  }
  assert(source_contract.check(source))
  return source, fake
end

return { new = new, connection = connection, NOW = NOW, SECOND = SECOND }
