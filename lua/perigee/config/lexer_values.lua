--- The values of the configuration language that are no maps or arrays, and the argument of include.
--
-- The first character decides. Whatever begins like a number and turns out to be none is a bare string, within the limits
-- that Go has: a date or a float that is cut short is an error.
-- Each function gets the lexer at the value's first character, emits one item, and returns the state that follows.
local characters = require "perigee.config.characters"

local byte, find, sub, lower = string.byte, string.find, string.sub, string.lower
local character_width = characters.character_width

local BARE_END = "[%z\n\r\t ;,%]}'\\]"
local NUMBER_END = "^[%z\n\r\t ;,}]"
local SUFFIX = "^[kKmMgGtTpPeE]"
local BOOLEAN = { ["true"] = true, ["false"] = true, on = true, off = true, yes = true, no = true }
local ESCAPES = { t = "\t", n = "\n", r = "\r", ['"'] = '"', ["\\"] = "\\" }
local DATE_AFTER_YEAR = "dd-ddTdd:dd:ddZ"
local DATE_START, DATE_END = 1, #DATE_AFTER_YEAR

-- Go does not end a number at the closing bracket of an array, and takes [1, 2] for an error. JSON needs it.
local function ends_number(lexer)
  local text, position = lexer.text, lexer.position
  return position > #text or find(text, NUMBER_END, position) or (lexer.in_array and sub(text, position, position) == "]")
end

-- Two hexadecimal digits after \x. Returns the byte, or nil after failing.
local function hexadecimal(lexer)
  local text = lexer.text
  for _ = 1, 2 do
    if find(text, "^[\n\r]", lexer.position) then
      lexer.position = lexer.position + 1
      lexer:fail("Expected two hexadecimal digits after '\\x', but hit end of line")
      return nil
    end
    lexer.position = lexer.position + character_width(text, lexer.position)
  end
  local digits = sub(text, lexer.position - 2, lexer.position - 1)
  if find(digits, "^%x%x$") then return string.char(tonumber(digits, 16)) end
  lexer:fail("%s", "Expected two hexadecimal digits after '\\x', but got '" .. digits .. "'")
  return nil
end

-- The character that an escape stands for; the backslash was read. Returns nil after failing.
local function escape(lexer)
  local letter = sub(lexer.text, lexer.position, lexer.position)
  if letter == "x" then
    lexer.position = lexer.position + 1
    return hexadecimal(lexer)
  end
  if ESCAPES[letter] then
    lexer.position = lexer.position + 1
    return ESCAPES[letter]
  end
  lexer:fail_at_character("Invalid escape character '@'. Only the following escape characters are allowed: "
    .. [[\xXX, \t, \n, \r, \", \\.]])
  return nil
end

-- Reads up to a character of the set `ending`, replacing escapes. Returns the text, whether it had escapes, and where what
-- follows the last of them begins; nil after failing. The ending is not read.
local function escaped_text(lexer, ending)
  local text, parts, first = lexer.text, nil, lexer.start
  while true do
    local stop = find(text, ending, lexer.position) or #text + 1
    lexer.position = stop
    if byte(text, stop) ~= 92 then
      if not parts then return sub(text, first, stop - 1), false, first end
      parts[#parts + 1] = sub(text, first, stop - 1)
      return table.concat(parts), true, first
    end
    parts = parts or {}
    parts[#parts + 1] = sub(text, first, stop - 1)
    lexer.position = stop + 1
    local replacement = escape(lexer)
    if not replacement then return nil end
    parts[#parts + 1], first = replacement, lexer.position
  end
end

-- A bare string, a boolean or a reference. `lexer.start` is its first character; reading goes on at the current position.
local function bare(lexer)
  local text, had_escapes = escaped_text(lexer, BARE_END)
  if not text then return nil end
  if sub(lexer.text, lexer.position, lexer.position) == "'" then
    lexer:emit("string", text)
    lexer.position = lexer.position + 1
    return lexer:pop()
  end
  if not had_escapes and BOOLEAN[lower(text)] then
    lexer:emit("bool", text)
  elseif not had_escapes and byte(text) == 36 then
    lexer:emit("variable", sub(text, 2))
  else
    lexer:emit("string", text)
  end
  return lexer:pop()
end

local function unterminated(lexer, text, last_part)
  -- Nothing at all after the quote, or after an escape, is reported as a key without a value.
  if lexer.position > #lexer.text and lexer.position == last_part then return lexer:emit("eof", text) end
  return lexer:fail("Unexpected EOF.")
end

local function quoted(lexer, quote)
  lexer.position = lexer.position + 1
  lexer:mark()
  local last_part, text, _ = lexer.position
  if quote == "'" then
    lexer.position = find(lexer.text, "['%z]", lexer.position) or #lexer.text + 1
    text = sub(lexer.text, lexer.start, lexer.position - 1)
  else
    text, _, last_part = escaped_text(lexer, '["\\%z]')
    if not text then return nil end
  end
  if sub(lexer.text, lexer.position, lexer.position) ~= quote then return unterminated(lexer, text, last_part) end
  lexer:emit("string", text)
  lexer.position = lexer.position + 1
  return lexer:pop()
end

-- A block string ends at a closing bracket that is alone on its line. One at the very end of the input counts too, and is
-- never part of the text.
local function block(lexer)
  local text = lexer.text
  lexer.position = lexer.position + 1
  lexer:mark()
  local from = lexer.position
  while true do
    local stop = find(text, "[%z)]", from)
    if not stop or byte(text, stop) == 0 then
      lexer.position = #text + 1
      return lexer:fail("Unexpected EOF processing block.")
    end
    local following = byte(text, stop + 1)
    if stop > lexer.start and byte(text, stop - 1) == 10 and (not following or following == 10 or following == 0) then
      lexer.position = stop
      lexer:emit("string")
      lexer.position = stop + 1
      return lexer:pop()
    end
    from = stop + 1
  end
end

local function datetime(lexer)
  for index = DATE_START, DATE_END do
    local expected = sub(DATE_AFTER_YEAR, index, index)
    local found = sub(lexer.text, lexer.position, lexer.position)
    if expected == "d" and not find(found, "^%d") then
      return lexer:fail_at_character("Expected digit in ISO8601 datetime, but found '@' instead.")
    elseif expected ~= "d" and expected ~= found then
      return lexer:fail_at_character("Expected '" .. expected .. "' in ISO8601 datetime, but found '@' instead.")
    end
    lexer.position = lexer.position + 1
  end
  lexer:emit("datetime")
  return lexer:pop()
end

local function skip(lexer, pattern)
  local _, last = find(lexer.text, pattern, lexer.position)
  lexer.position = last + 1
end

-- A float, or a string of digits and dots that looks like an address; the first dot is the next character.
local function float(lexer)
  lexer.position = lexer.position + 1
  if not find(lexer.text, "^%d", lexer.position) then
    return lexer:fail_at_character("Floats must have a digit after the '.', but got '@' instead.")
  end
  skip(lexer, "^%d+")
  if sub(lexer.text, lexer.position, lexer.position) ~= "." then
    lexer:emit("float")
  else
    skip(lexer, "^[%d.:%-]+")
    lexer:emit("string")
  end
  return lexer:pop()
end

-- An integer with a size suffix, unless something else follows.
local function size(lexer)
  lexer.position = lexer.position + 1
  skip(lexer, "^[bBiI]*")
  if not ends_number(lexer) then return bare(lexer) end
  lexer:emit("integer")
  return lexer:pop()
end

local function number(lexer)
  skip(lexer, "^%d+")
  local text, position = lexer.text, lexer.position
  local following = sub(text, position, position)
  if following == "-" then
    lexer.position = position + 1
    if position - lexer.start ~= 4 then return lexer:fail("All ISO8601 dates must be in full Zulu form.") end
    return datetime(lexer)
  end
  if following == "." then return float(lexer) end
  if find(following, SUFFIX) then return size(lexer) end
  if not ends_number(lexer) then
    -- The character that made it a string is part of it, even a quote or a backslash.
    lexer.position = position + 1
    return bare(lexer)
  end
  lexer:emit("integer")
  return lexer:pop()
end

local function negative(lexer)
  lexer.position = lexer.position + 1
  local following = sub(lexer.text, lexer.position, lexer.position)
  if following == "." then
    lexer.position = lexer.position + 1
    return lexer:fail("Floats must start with a digit, not '.'.")
  end
  if not find(following, "^%d") then return lexer:fail_at_character("Expected a digit but got '@'.") end
  skip(lexer, "^%d+")
  following = sub(lexer.text, lexer.position, lexer.position)
  if following == "." then return float(lexer) end
  if find(following, SUFFIX) then return size(lexer) end
  lexer:emit("integer")
  return lexer:pop()
end

--- A value that is neither a map nor an array.
local function scalar(lexer)
  local first = sub(lexer.text, lexer.position, lexer.position)
  if first == "'" or first == '"' then return quoted(lexer, first) end
  if first == "(" then return block(lexer) end
  lexer:mark()
  if first == "-" then return negative(lexer) end
  if find(first, "^%d") then return number(lexer) end
  if first == "." then return lexer:fail("Floats must start with a digit") end
  if first == "\n" or first == "\r" then
    lexer.position = lexer.position + 1
    return lexer:fail("Expected value but found new line")
  end
  return bare(lexer)
end

local INCLUDE_MISTAKES = {
  ["["] = "start of an array", ["{"] = "start of a map", ["("] = "start of a block", ["-"] = "start of a number",
  ["\\"] = "escape sequence", ["\n"] = "new line", ["\r"] = "new line",
}
for digit = 0, 9 do INCLUDE_MISTAKES[tostring(digit)] = "start of a number" end

local INCLUDE_QUOTES = {
  ["'"] = { "['%z]", "Unexpected EOF in quoted include" },
  ['"'] = { '["%z]', "Unexpected EOF in double quoted include" },
}

--- The path after the keyword include; blanks were skipped.
local function include(lexer)
  local text = lexer.text
  local first = sub(text, lexer.position, lexer.position)
  local mistake, quote = INCLUDE_MISTAKES[first], INCLUDE_QUOTES[first]
  if mistake then
    lexer.position = lexer.position + 1
    return lexer:fail("Expected include value but found %s", mistake)
  end
  if quote then lexer.position = lexer.position + 1 end
  lexer:mark()
  lexer.position = find(text, quote and quote[1] or "[%z\n\r;}\t ']", lexer.position) or #text + 1
  local ending = sub(text, lexer.position, lexer.position)
  if quote and ending ~= first then
    lexer.position = math.min(lexer.position + 1, #text + 1)
    return lexer:fail(quote[2])
  end
  lexer:emit("include")
  if quote or ending == "'" then lexer.position = lexer.position + 1 end
  return lexer:pop()
end

return { scalar = scalar, include = include }
