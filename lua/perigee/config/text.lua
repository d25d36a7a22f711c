--- Text as error messages show it.
local characters = require "perigee.config.characters"

local ESCAPES = {
  ["\a"] = "\\a", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\v"] = "\\v",
  ['"'] = '\\"', ["\\"] = "\\\\",
}

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
      parts[#parts + 1] = character
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
