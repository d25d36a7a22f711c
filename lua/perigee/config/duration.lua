--- Durations as Go writes and reads them: "1h30m", "500ms", "1.5s".
--
-- A duration is a number of nanoseconds. Up to 104 days it is exact; beyond, as exact as a Lua number is. What does not
-- fit into 64 bits (292 years) is refused.
local LIMIT = 2 ^ 63

local UNITS = {
  ns = 1, us = 1e3, ["\194\181s"] = 1e3, ["\206\188s"] = 1e3, ms = 1e6, s = 1e9, m = 60e9, h = 3600e9,
}

-- Quotes like Go's time package: everything that is not plain ASCII becomes \xHH.
local function quote(text)
  local escaped = text:gsub('[%c\127-\255"\\]', function(character)
    if character == '"' or character == "\\" then return "\\" .. character end
    return character == "\127" and character or ("\\x%02x"):format(character:byte())
  end)
  return '"' .. escaped .. '"'
end

local function invalid(text) return nil, "time: invalid duration " .. quote(text) end

-- One number with its unit at `position`. Returns nanoseconds and the position after it.
local function part(text, position)
  local whole, after = text:match("^(%d*)()", position)
  local fraction, rest = text:match("^%.(%d*)()", after)
  if (whole == "" and (fraction or "") == "") or tonumber(whole == "" and "0" or whole) >= LIMIT then
    return invalid(text)
  end
  rest = rest or after
  local unit, following = text:match("^([^%.%d]*)()", rest)
  if unit == "" then return nil, "time: missing unit in duration " .. quote(text) end
  local factor = UNITS[unit]
  if not factor then return nil, ("time: unknown unit %s in duration %s"):format(quote(unit), quote(text)) end
  local value = tonumber(whole == "" and "0" or whole) * factor
  if fraction and fraction ~= "" then
    -- Digits beyond the eighteenth are far below a nanosecond.
    fraction = fraction:sub(1, 18)
    value = value + math.floor(tonumber(fraction) * (factor / 10 ^ #fraction))
  end
  return value, following
end

--- Reads a duration.
-- @return number of nanoseconds | nil, message
local function parse(text)
  local sign, start = text:match("^([+-]?)()")
  if text:sub(start) == "0" then return 0 end
  if start > #text then return invalid(text) end
  local total, position = 0, start
  while position <= #text do
    if not text:find("^[%.%d]", position) then return invalid(text) end
    local value, following = part(text, position)
    if not value then return nil, following end
    total, position = total + value, following
    if total >= LIMIT then return invalid(text) end
  end
  return sign == "-" and -total or total
end

local function trim_zeros(text) return (text:gsub("%.?0+$", "")) end

-- A value with as many decimals as it needs.
local function decimal(value, decimals)
  local text = ("%." .. decimals .. "f"):format(value)
  return text:find(".", 1, true) and trim_zeros(text) or text
end

--- Writes a duration: "2m0s", "1h0m0s", "1.5s", "500ms", "0s".
local function format(nanoseconds)
  if nanoseconds == 0 then return "0s" end
  local sign = nanoseconds < 0 and "-" or ""
  local value = math.abs(nanoseconds)
  if value < 1e3 then return sign .. ("%dns"):format(value) end
  if value < 1e6 then return sign .. decimal(value / 1e3, 3) .. "\194\181s" end
  if value < 1e9 then return sign .. decimal(value / 1e6, 6) .. "ms" end
  local seconds = math.floor(value / 1e9)
  local rest = value - seconds * 1e9
  local text = ("%d"):format(seconds % 60)
  if rest > 0 then text = text .. trim_zeros((".%09d"):format(rest)) end
  text = text .. "s"
  local minutes = math.floor(seconds / 60)
  if minutes == 0 then return sign .. text end
  if minutes < 60 then return ("%s%dm%s"):format(sign, minutes, text) end
  return ("%s%.0fh%dm%s"):format(sign, math.floor(minutes / 60), minutes % 60, text)
end

return { parse = parse, format = format }
