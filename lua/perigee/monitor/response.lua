--- Answers of monitoring as HTTP/1.x text.
local STATUS = {
  [200] = "OK", [307] = "Temporary Redirect", [400] = "Bad Request", [404] = "Not Found", [500] = "Internal Server Error",
  [503] = "Service Unavailable",
}

--- The value of a Date header.
-- @param seconds since 1970; the default is now
local function date(seconds)
  -- The names are those of the C locale whatever the process' is.
  local t = os.date("!*t", seconds)
  local day = ({ "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" })[t.wday]
  local month = ({ "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" })[t.month]
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(day, t.day, month, t.year, t.hour, t.min, t.sec)
end

-- What is said of the connection: nothing where the version's own rule holds.
local function connection_header(request)
  local old = request.minor == 0
  if old and request.keep_alive then return "keep-alive" end
  if not old and not request.keep_alive then return "close" end
end

--- The whole text of an answer.
-- @param answer table   as a monitor's handle() returns it
-- @param request table  method; minor (of HTTP/1.minor, 1 if nil); keep_alive
-- @param now string|nil the Date header
local function text(answer, request, now)
  local lines = { ("HTTP/1.%d %d %s"):format(request.minor or 1, answer.status, STATUS[answer.status] or "Unknown") }
  for _, header in ipairs(answer.headers) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  lines[#lines + 1] = "Date: " .. (now or date())
  lines[#lines + 1] = "Content-Length: " .. #answer.body
  local connection = connection_header(request)
  if connection then lines[#lines + 1] = "Connection: " .. connection end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (request.method == "HEAD" and "" or answer.body)
end

return { text = text, date = date }
