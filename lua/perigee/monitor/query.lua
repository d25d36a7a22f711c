--- The query string of a monitoring request, and its parameters as values, with Go's messages for what they are not.
local text = require "perigee.config.text"

local BOOLEANS = {
  ["1"] = true, t = true, T = true, ["true"] = true, TRUE = true, True = true,
  ["0"] = false, f = false, F = false, ["false"] = false, FALSE = false, False = false,
}
local STATES = { open = "open", closed = "closed", any = "all", all = "all" }
local EXACT = 2 ^ 53

--- Text without percent escapes, or nil if one is broken. `plus` says whether "+" is a blank.
local function unescape(escaped, plus)
  if plus then escaped = escaped:gsub("%+", " ") end
  if escaped:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  return (escaped:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- The parameters of a query string by name, the first of each. Pairs with a broken escape or a semicolon are left out.
local function parse(query)
  local parameters = {}
  for pair in (query or ""):gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name, value = unescape(name, true), unescape(value, true)
    if name and value and not pair:find(";", 1, true) and parameters[name] == nil then parameters[name] = value end
  end
  return parameters
end

local function wrong(kind, name, reader, value, why)
  return nil, ("Error decoding %s for '%s': strconv.%s: parsing %s: %s"):format(kind, name, reader, text.quote(value), why)
end

--- The functions below return the value of a parameter, its default if it is missing or empty, or nil and a message.

local function boolean(parameters, name)
  local value = parameters[name] or ""
  if value == "" then return false end
  if BOOLEANS[value] == nil then return wrong("boolean", name, "ParseBool", value, "invalid syntax") end
  return BOOLEANS[value]
end

-- Whether digits stand for more than `limit`, which is written without leading zeros.
local function exceeds(digits, limit)
  if #digits ~= #limit then return #digits > #limit end
  return digits > limit
end

-- The value of digits that fit: a number, or a cdata of the type of `zero` where a number would not be exact.
local function value_of(digits, zero, sign)
  local value = zero
  for digit in digits:gmatch("%d") do value = value * 10 + sign * tonumber(digit) end
  local number = tonumber(value)
  return math.abs(number) < EXACT and number or value
end

local function int(parameters, name)
  local value = parameters[name] or ""
  if value == "" then return 0 end
  local sign, digits = value:match("^([+-]?)0*(%d+)$")
  if not digits then return wrong("int", name, "Atoi", value, "invalid syntax") end
  if exceeds(digits, sign == "-" and "9223372036854775808" or "9223372036854775807") then
    return wrong("int", name, "Atoi", value, "value out of range")
  end
  return value_of(digits, 0LL, sign == "-" and -1 or 1)
end

local function uint64(parameters, name)
  local value = parameters[name] or ""
  if value == "" then return 0 end
  local digits = value:match("^0*(%d+)$")
  if not digits then return wrong("uint64", name, "ParseUint", value, "invalid syntax") end
  if exceeds(digits, "18446744073709551615") then return wrong("uint64", name, "ParseUint", value, "value out of range") end
  return value_of(digits, 0ULL, 1)
end

--- "open", "closed" or "all".
local function state(parameters)
  local value = parameters.state or ""
  if value == "" then return "open" end
  local found = STATES[value:lower()]
  if not found then return nil, "Error decoding state for " .. value end
  return found
end

--- false, "list" or "detail".
local function subs(parameters)
  if (parameters.subs or ""):lower() == "detail" then return "detail" end
  local listed, problem = boolean(parameters, "subs")
  if problem then return nil, problem end
  return listed and "list"
end

--- Reads several parameters in the order given, each { name, reader }, and stops at the first that is wrong.
-- @return table by name | nil, message
local function read(parameters, ...)
  local values = {}
  for _, parameter in ipairs { ... } do
    local value, problem = parameter[2](parameters, parameter[1])
    if problem then return nil, problem end
    values[parameter[1]] = value
  end
  return values
end

return {
  unescape = unescape, parse = parse, boolean = boolean, int = int, uint64 = uint64, state = state, subs = subs, read = read,
}
