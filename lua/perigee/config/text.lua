--- Text as error messages show it.
local characters = require "perigee.config.characters"

local ESCAPES = {
  ["\a"] = "\\a", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\v"] = "\\v",
  ['"'] = '\\"', ["\\"] = "\\\\",
}

-- Characters that show nothing or disturb a terminal, and the spaces that are not the common one: first and last.
local HIDDEN = {
  { 0x80, 0xa0 }, { 0xad, 0xad }, { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
  { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xe000, 0xf8ff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
  { 0xe0000, 0x10ffff },
}

-- The escape of a character of several bytes, or nil if it is shown as it is.
local function hidden(character)
  local first = character:byte()
  local code = first % (first >= 240 and 8 or first >= 224 and 16 or 32)
  for index = 2, #character do code = code * 64 + character:byte(index) % 64 end
  for _, range in ipairs(HIDDEN) do
    if code >= range[1] and code <= range[2] then return (code > 0xffff and "\\U%08x" or "\\u%04x"):format(code) end
  end
  return nil
end

--- A string in double quotes, with Go's escapes.
local function quote(text)
  local parts, position = { '"' }, 1
  while position <= #text do
    local width, valid = characters.character_width(text, position)
    local character = text:sub(position, position + width - 1)
    local code = character:byte()
    if ESCAPES[character] then
      parts[#parts + 1] = ESCAPES[character]
    elseif not valid or code < 32 or code == 127 then
      parts[#parts + 1] = ("\\x%02x"):format(code)
    else
      parts[#parts + 1] = width > 1 and hidden(character) or character
    end
    position = position + width
  end
  parts[#parts + 1] = '"'
  return table.concat(parts)
end

local UNITS = { "K", "M", "G", "T", "P", "E" }

--- A number of bytes for people: "512 B", "8.00 MB". A K is 1024.
local function bytes(count)
  count = tonumber(count)
  if count < 1024 then return ("%d B"):format(count) end
  local unit = 0
  while count >= 1024 and unit < #UNITS do
    count, unit = count / 1024, unit + 1
  end
  return ("%.2f %sB"):format(count, UNITS[unit])
end

return { quote = quote, bytes = bytes }
