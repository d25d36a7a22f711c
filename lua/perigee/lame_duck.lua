--- Lame duck mode: no new clients, those that are there are told, and closed one by one in a random order
-- (Go: server.lameDuckMode).
local core = require "perigee.core"
local info = require "perigee.info"
local scheduler = require "perigee.scheduler"

local SERVER_SHUTDOWN = 21
local MAX_STEP_MS = 1000

local entered = false

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
end

local function all_clients()
  local list = {}
  for worker = 0, core.worker_count() - 1 do
    local cursor = 0
    repeat
      local answer = scheduler.request(function(number) core.collect(number, worker, "connections", cursor) end)
      for _, c in ipairs(core.records("connections", answer.data)) do list[#list + 1] = c.id end
      cursor = answer.cursor
    until cursor == 0
  end
  return list
end

local function tell_clients(server)
  local described = info.describe(server.options, server.identity)
  described.ldm = true
  local head, tail = info.template(described)
  core.inform({ head = head, tail = tail })
end

local function close_all(duration_ms)
  local clients = all_clients()
  shuffle(clients)
  local step = math.min(MAX_STEP_MS, duration_ms / math.max(1, #clients))
  for i, id in ipairs(clients) do
    core.close(id, SERVER_SHUTDOWN)
    local wait = step / 2 + math.random() * step / 2
    if i < #clients and wait >= 1 then scheduler.sleep(wait) end
  end
end

--- Enters the mode; `shut_down` is called at its end. A second call does nothing.
local function enter(server, shut_down)
  if entered or not server.ready then return end
  entered = true
  core.log("info", "Entering lame duck mode, stop accepting new clients")
  core.unlisten(server.clients)
  if core.totals().clients > 0 then
    tell_clients(server)
    local grace, whole = tonumber(server.options.lame_duck_grace_period_ns), tonumber(server.options.lame_duck_duration_ns)
    scheduler.sleep(grace / 1e6)
    core.log("info", "Closing existing clients")
    close_all(math.max(1000, (whole - grace) / 1e6))
  end
  shut_down()
end

return { enter = enter, active = function() return entered end }
