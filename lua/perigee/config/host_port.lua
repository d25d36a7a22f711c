--- "host:port" as Go's net package takes it apart, with its error texts.
local text = require "perigee.config.text"

local function wrong(address, why) return nil, ("address %s: %s"):format(address, why) end

-- An address that begins with a bracket: "[host]:port".
local function split_bracketed(address, colon)
  local close = address:find("]", 1, true)
  if not close then return wrong(address, "missing ']' in address") end
  if close == #address then return wrong(address, "missing port in address") end
  if close + 1 ~= colon then
    return wrong(address, (address:sub(close + 1, close + 1) == ":" and "too many colons" or "missing port") .. " in address")
  end
  return address:sub(2, close - 1), 2, close + 1
end

--- Splits an address at its last colon; an IPv6 host stands in brackets, which are dropped.
-- @return host, port as strings | nil, message
local function split(address)
  local colon = address:match("^.*():")
  if not colon then return wrong(address, "missing port in address") end
  local host, opens_from, closes_from
  if address:sub(1, 1) == "[" then
    host, opens_from, closes_from = split_bracketed(address, colon)
    if not host then return nil, opens_from end
  else
    host, opens_from, closes_from = address:sub(1, colon - 1), 1, 1
    if host:find(":", 1, true) then return wrong(address, "too many colons in address") end
  end
  if address:find("[", opens_from, true) then return wrong(address, "unexpected '[' in address") end
  if address:find("]", closes_from, true) then return wrong(address, "unexpected ']' in address") end
  return host, address:sub(colon + 1)
end

local function trim(word) return word:match("^%s*(.-)%s*$") end

local function port_number(written)
  local digits = written:match("^[+-]?0*(%d+)$")
  if not digits then return nil, ("strconv.Atoi: parsing %s: invalid syntax"):format(text.quote(written)) end
  local number = tonumber(digits)
  if number >= 2 ^ 63 then return nil, ("strconv.Atoi: parsing %s: value out of range"):format(text.quote(written)) end
  return written:sub(1, 1) == "-" and -number or number
end

--- The host and port of an address that may lack a port, or have 0 or -1 for one: then it is `default_port`.
-- @return host, port | nil, message
local function parse(address, default_port)
  local host, port = split(address)
  if not host and port:find("missing port", 1, true) then
    address = address .. ":" .. default_port
    host, port = split(address)
  end
  if not host then return nil, port end
  local number, message = port_number(trim(port))
  if not number then return nil, message end
  if number == 0 or number == -1 then number = default_port end
  return trim(host), number
end

return { split = split, parse = parse }
