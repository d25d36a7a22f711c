--- The monitoring port: requests from the core, documents from perigee.monitor, answers as HTTP.
local core = require "perigee.core"
local monitor = require "perigee.monitor"
local process = require "perigee.monitor.process"
local source = require "perigee.source"

local STATUS = { [200] = "OK", [400] = "Bad Request", [404] = "Not Found", [500] = "Internal Server Error",
  [503] = "Service Unavailable" }

local function date() return os.date("!%a, %d %b %Y %H:%M:%S GMT") end

local function response(answer, request)
  local lines = { ("HTTP/1.1 %d %s"):format(answer.status, STATUS[answer.status] or "Unknown") }
  for name, value in pairs(answer.headers) do lines[#lines + 1] = name .. ": " .. value end
  lines[#lines + 1] = "Date: " .. date()
  lines[#lines + 1] = "Content-Length: " .. #answer.body
  if not request.keep_alive then lines[#lines + 1] = "Connection: close" end
  local body = request.method == "HEAD" and "" or answer.body
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

--- @param server table  see source.lua; `usage` is set here
-- @return function(event)  the handler of HTTP events
local function new(server)
  local measure = process.new and process.new(core) or process
  server.usage = server.usage or function() return measure.usage() end
  local from = source.new(server)
  local serve = monitor.new and monitor.new(from) or nil
  return function(request)
    local ok, answer = pcall(function()
      return serve and serve(request) or monitor.handle(request, from)
    end)
    if not ok then
      core.log("error", "monitoring: " .. tostring(answer))
      answer = { status = 500, headers = { ["Content-Type"] = "text/plain; charset=utf-8" }, body = "internal error" }
    end
    core.http_answer(request.id, response(answer, request))
  end
end

return { new = new }
