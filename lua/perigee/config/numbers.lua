--- Numbers and dates of the configuration language, exact to 64 bits.
local ffi = require "ffi"

local int64 = ffi.typeof("int64_t")
local LARGEST = 9223372036854775807ULL
local LARGEST_EXACT = 9007199254740992ULL -- 2^53: beyond it a Lua number skips integers

local FACTORS = {
  [""] = 1ULL,
  k = 1000ULL, kb = 1024ULL, ki = 1024ULL, kib = 1024ULL,
  m = 1000000ULL, mb = 1048576ULL, mi = 1048576ULL, mib = 1048576ULL,
  g = 1000000000ULL, gb = 1073741824ULL, gi = 1073741824ULL, gib = 1073741824ULL,
  t = 1000000000000ULL, tb = 1099511627776ULL, ti = 1099511627776ULL, tib = 1099511627776ULL,
  p = 1000000000000000ULL, pb = 1125899906842624ULL, pi = 1125899906842624ULL, pib = 1125899906842624ULL,
  e = 1000000000000000000ULL, eb = 1152921504606846976ULL, ei = 1152921504606846976ULL, eib = 1152921504606846976ULL,
}

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

--- An integer with an optional size suffix: "-5", "64kb", "1G".
-- @return number, or a 64-bit integer where a number would not be exact; nil and a message if it is none
local function integer(text)
  local sign, digits, suffix = text:match("^(%-?)0*(%d*)(%a*)$")
  local factor = suffix and FACTORS[suffix:lower()]
  if not factor or not text:find("%d") then return nil, "expected integer, but got '" .. text .. "'" end
  local limit = sign == "-" and LARGEST + 1ULL or LARGEST
  local value = 0ULL
  -- 19 digits always fit into 64 bits without a sign.
  local fits = #digits <= 19
  if fits then
    for digit in digits:gmatch("%d") do value = value * 10ULL + tonumber(digit) end
    fits = value <= limit / factor
  end
  if not fits then return nil, "integer '" .. text .. "' is out of the range" end
  value = value * factor
  if value <= LARGEST_EXACT then
    local magnitude = tonumber(value)
    return (sign == "-" and magnitude > 0) and -magnitude or magnitude
  end
  local signed = ffi.cast(int64, value)
  return sign == "-" and -signed or signed
end

local function float(text)
  local value = tonumber(text)
  if not value then return nil, "expected float, but got '" .. text .. "'" end
  if value == math.huge or value == -math.huge then return nil, "float '" .. text .. "' is out of the range" end
  return value
end

local function days_in(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or DAYS[month] or 0
end

--- A date and time in the form YYYY-MM-DDThh:mm:ssZ, which the lexer has made sure of.
local function datetime(text)
  local year, month, day, hour, minute, second = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)Z$")
  local days = year and days_in(tonumber(year), tonumber(month)) or 0
  local valid = year and tonumber(day) >= 1 and tonumber(day) <= days and tonumber(hour) < 24
    and tonumber(minute) < 60 and tonumber(second) < 60
  if not valid then return nil, "expected Zulu formatted DateTime, but got '" .. text .. "'" end
  return text
end

--- An integer in decimal, whichever way it is held.
local function format_integer(value)
  if type(value) == "number" then return ("%.0f"):format(value) end
  return (tostring(value):gsub("U?LL$", ""))
end

return { integer = integer, float = float, datetime = datetime, format_integer = format_integer }
