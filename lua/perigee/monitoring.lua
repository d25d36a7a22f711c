--- The monitoring port: requests from the core, documents from perigee.monitor, answers as HTTP.
local core = require "perigee.core"
local monitor = require "perigee.monitor"
local process = require "perigee.monitor.process"
local response = require "perigee.monitor.response"
local scheduler = require "perigee.scheduler"
local source = require "perigee.source"

local SAMPLE_MS = 1000

-- Documents that may be as large as the server has connections are made two at a time: each takes ten times its size.
local LARGE_AT_ONCE = 2
local SMALL = { [""] = true, varz = true, healthz = true }

local FAILED = {
  status = 500, headers = { { "Content-Type", "text/plain; charset=utf-8" } }, body = "internal error",
}

local enter, leave = scheduler.gate(LARGE_AT_ONCE)

local function is_small(request) return SMALL[request.path:match("([^/]*)$")] end

-- The whole text of the answer. Every request gets one, for the core waits for it.
local function answer_to(served, request)
  local ok, text = pcall(function() return response.text(served:handle(request), request) end)
  if ok then return text end
  core.log("error", "monitoring: " .. tostring(text))
  return response.text(FAILED, request)
end

-- Usage is that of the last second, so it is measured all the time.
local function measure_usage()
  local measured = process.new()
  scheduler.spawn(function()
    while true do
      measured:sample(core.monotonic_ns())
      scheduler.sleep(SAMPLE_MS)
    end
  end)
  return function() return measured:usage() end
end

--- @param server table  see source.lua; `usage` is set here
-- @return function(event)  the handler of HTTP events
local function new(server)
  server.usage = server.usage or measure_usage()
  local served = monitor.new(source.new(server))
  return function(request)
    local small = is_small(request)
    if not small then enter() end
    core.http_answer(request.id, answer_to(served, request))
    if not small then leave() end
  end
end

return { new = new }
