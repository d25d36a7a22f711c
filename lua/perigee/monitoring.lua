--- The monitoring port: requests from the core, documents from perigee.monitor, answers as HTTP.
local core = require "perigee.core"
local monitor = require "perigee.monitor"
local process = require "perigee.monitor.process"
local response = require "perigee.monitor.response"
local scheduler = require "perigee.scheduler"
local source = require "perigee.source"

local SAMPLE_MS = 1000

local FAILED = {
  status = 500, headers = { { "Content-Type", "text/plain; charset=utf-8" } }, body = "internal error",
}

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
    local ok, answer = pcall(served.handle, served, request)
    if not ok then
      core.log("error", "monitoring: " .. tostring(answer))
      answer = FAILED
    end
    core.http_answer(request.id, response.text(answer, request))
  end
end

return { new = new }
