--- Addresses to listen on: a port, or a host and a port in one string.
local text = require "perigee.config.text"

--- Splits "host:port" at the last colon; an IPv6 host stands in brackets, which are dropped.
-- @return host, port as strings | nil
local function split(address)
  local host, port = address:match("^%[([^%[%]]*)%]:([^:%[%]]*)$")
  if host then return host, port end
  host, port = address:match("^([^:%[%]]*):([^:%[%]]*)$")
  return host, port
end

--- Reads "host:port".
-- @return host, port as a number | nil, message
local function parse(address)
  local host, port = split(address)
  if not host then return nil, "could not parse address string " .. text.quote(address) end
  local digits = port:match("^[+-]?%d+$")
  local number = digits and tonumber((digits:gsub("^%+", "")))
  if not number or math.abs(number) >= 2 ^ 63 then return nil, "could not parse port " .. text.quote(port) end
  return host, number
end

return { parse = parse, split = split }
