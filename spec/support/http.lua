--- One HTTP request to the monitoring port.
local socket = require "socket"
local json = require "dkjson"

--- Sends bytes as a request and returns {status=, headers={lower-case name=value}, body=, json=decoded or nil}.
local function request(port, bytes, seconds)
  local sock, why = socket.connect("127.0.0.1", port)
  if not sock then return nil, ("cannot connect to monitoring port %d: %s"):format(port, why) end
  sock:settimeout(seconds or 10)
  sock:send(bytes)
  local answer, failed, part = sock:receive("*a")
  sock:close()
  answer = answer or part
  local head, body = answer:match("^(.-\r\n)\r\n(.*)$")
  if not head then return nil, ("no answer from the monitoring port: %s %q"):format(failed or "", answer:sub(1, 200)) end
  local result = { status = tonumber(head:match("^HTTP/1%.%d (%d+)")), headers = {}, body = body }
  for name, value in head:gmatch("\n([%w-]+):%s*(.-)\r") do result.headers[name:lower()] = value end
  if (result.headers["content-type"] or ""):find("json", 1, true) then result.json = json.decode(body, 1, json.null) end
  return result
end

--- A request of a method (default GET) for a path with its query.
local function get(port, path, method)
  local form = "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n"
  return request(port, form:format(method or "GET", path, port))
end

return { request = request, get = get }
