--- The digest of a configuration: SHA-256 of its tree written as canonical JSON, by the rules of Go's encoding/json.
--
-- Two files have the same digest if they mean the same: comments, white space, quoting, size suffixes, includes and the
-- order of keys do not count. Definitions of variables do.
local characters = require "perigee.config.characters"
local numbers = require "perigee.config.numbers"
local sha256 = require "perigee.config.sha256"

-- Variables can refer to variables, so a few lines may stand for an enormous tree. Beyond this there is no digest.
local MAX_BYTES = 64 * 1024 * 1024

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f",
  ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026",
}
for code = 0, 31 do
  local character = string.char(code)
  ESCAPES[character] = ESCAPES[character] or ("\\u%04x"):format(code)
end

-- Line and paragraph separators are escaped, and so is each byte that belongs to no character.
local function escape_wide(text)
  local parts, from, position = {}, 1, 1
  while true do
    position = text:find("[\128-\255]", position)
    if not position then break end
    local width, valid = characters.character_width(text, position)
    local character = text:sub(position, position + width - 1)
    local replacement = not valid and "\\ufffd"
      or character == "\226\128\168" and "\\u2028"
      or character == "\226\128\169" and "\\u2029"
    if replacement then
      parts[#parts + 1] = text:sub(from, position - 1)
      parts[#parts + 1] = replacement
      from = position + width
    end
    position = position + width
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

local function quote(text)
  local escaped = text:gsub('[%z\1-\31"\\<>&]', ESCAPES)
  if escaped:find("[\128-\255]") then escaped = escape_wide(escaped) end
  return '"' .. escaped .. '"'
end

-- The fewest digits that read back as the same number: digits without a point, and the decimal exponent of the first.
local function shortest(value)
  for precision = 0, 16 do
    local text = ("%." .. precision .. "e"):format(value)
    if tonumber(text) == value then
      local mantissa, exponent = text:match("^(.-)e(.*)$")
      return mantissa:gsub("%.", ""), tonumber(exponent)
    end
  end
end

local function format_float(value)
  if value == 0 then return 1 / value < 0 and "-0" or "0" end
  local sign = value < 0 and "-" or ""
  local digits, exponent = shortest(math.abs(value))
  local whole = exponent + 1
  if exponent < -6 or exponent >= 21 then
    local point = #digits > 1 and "." or ""
    return ("%s%s%s%se%s%02d"):format(sign, digits:sub(1, 1), point, digits:sub(2), exponent < 0 and "-" or "+",
      math.abs(exponent)):gsub("e%-0(%d)$", "e-%1")
  end
  if whole <= 0 then return sign .. "0." .. ("0"):rep(-whole) .. digits end
  if whole >= #digits then return sign .. digits .. ("0"):rep(whole - #digits) end
  return sign .. digits:sub(1, whole) .. "." .. digits:sub(whole + 1)
end

local write

local function sorted_keys(map)
  local keys = {}
  for key in map:each() do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local writers = {
  string = function(out, value) out:add(quote(value)) end,
  datetime = function(out, value) out:add('"' .. value .. '"') end,
  bool = function(out, value) out:add(tostring(value)) end,
  int64 = function(out, value) out:add(numbers.format_integer(value)) end,
  float64 = function(out, value) out:add((format_float(value))) end,

  array = function(out, nodes)
    out:add("[")
    for index, node in ipairs(nodes) do
      if index > 1 then out:add(",") end
      write(out, node)
    end
    out:add("]")
  end,

  map = function(out, map)
    out:add("{")
    for index, key in ipairs(sorted_keys(map)) do
      out:add((index > 1 and "," or "") .. quote(key) .. ":")
      write(out, map:get(key))
    end
    out:add("}")
  end,
}

-- Nests no deeper than the lexer lets a text nest, times the variables on the way; `out` stops what grows too large.
function write(out, node)
  if out.full then return end
  writers[node.kind](out, node.value)
end

local function add(self, text)
  self.bytes = self.bytes + #text
  self.full = self.full or self.bytes > MAX_BYTES
  if not self.full then self[#self + 1] = text end
end

--- The canonical JSON of a tree.
-- @return string | nil, message
local function json(map)
  local out = { bytes = 0, full = false, add = add }
  writers.map(out, map)
  if out.full then return nil, ("configuration expands to more than %d bytes"):format(MAX_BYTES) end
  return table.concat(out)
end

--- The digest of a tree: "sha256:" and 64 hexadecimal digits.
-- @return string | nil, message
local function of(map)
  local text, message = json(map)
  if not text then return nil, message end
  return "sha256:" .. sha256.hexadecimal(text .. "\n")
end

return { of = of, json = json }
