--- Characters as the configuration language sees them: bytes of UTF-8, with Unicode white space between items.
local byte, find, sub = string.byte, string.find, string.sub

-- White space beyond ASCII, by its encoding: U+0085, U+00A0, U+1680, U+2000..200A, U+2028, U+2029, U+202F, U+205F, U+3000.
local WIDE_SPACES = {
  ["\194\133"] = 2, ["\194\160"] = 2, ["\225\154\128"] = 3, ["\226\128\168"] = 3, ["\226\128\169"] = 3,
  ["\226\128\175"] = 3, ["\226\129\159"] = 3, ["\227\128\128"] = 3,
}
for last = 128, 138 do WIDE_SPACES["\226\128" .. string.char(last)] = 3 end

--- The number of bytes of the white space that begins at `position`, or nil if none does.
local function space_width(text, position)
  local first = byte(text, position)
  if not first then return nil end
  if first == 32 or (first >= 9 and first <= 13) then return 1 end
  if first < 194 then return nil end
  return WIDE_SPACES[sub(text, position, position + 1)] or WIDE_SPACES[sub(text, position, position + 2)]
end

--- The first position from `position` on that holds no white space.
local function skip_space(text, position)
  while true do
    local _, last = find(text, "^[\t-\r ]+", position)
    position = last and last + 1 or position
    local width = space_width(text, position)
    if not width then return position end
    position = position + width
  end
end

local function continues(text, from, to)
  for position = from, to do
    local code = byte(text, position)
    if not code or code < 128 or code > 191 then return false end
  end
  return true
end

-- For a leading byte: width, and the bounds of the byte after it (which rule out overlong forms and surrogates).
local function shape(first)
  if first < 128 then return 1 end
  if first >= 194 and first <= 223 then return 2, 128, 191 end
  if first == 224 then return 3, 160, 191 end
  if first == 237 then return 3, 128, 159 end
  if first >= 225 and first <= 239 then return 3, 128, 191 end
  if first == 240 then return 4, 144, 191 end
  if first >= 241 and first <= 243 then return 4, 128, 191 end
  if first == 244 then return 4, 128, 143 end
  return nil
end

--- The width in bytes of the character at `position`, and whether it is valid UTF-8 (if not, the width is 1).
-- At the end of the text the width is 0.
local function character_width(text, position)
  local first = byte(text, position)
  if not first then return 0, true end
  local width, low, high = shape(first)
  if width == 1 then return 1, true end
  local second = byte(text, position + 1)
  if not width or not second or second < low or second > high then return 1, false end
  if not continues(text, position + 2, position + width - 1) then return 1, false end
  return width, true
end

--- The character at `position` as it is printed in an error message.
local function shown(text, position)
  local width, valid = character_width(text, position)
  if width == 0 then return "\0" end
  if not valid then return "\239\191\189" end
  local character = sub(text, position, position + width - 1)
  return character == "\n" and "\\n" or character
end

return {
  space_width = space_width,
  skip_space = skip_space,
  character_width = character_width,
  shown = shown,
}
