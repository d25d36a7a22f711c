--- The lexer of the NATS configuration language: text in, one item at a time out.
--
-- A state is a function that consumes some input and returns the next state. What comes after a value depends on where
-- the value stands (top level, transparent braces, map, array); that state waits on a stack while the value is read. The
-- stack is the only thing that grows with nesting, and it is bounded.
--
-- An item is {type=, text=, line=, column=}. Types: key, string, bool, integer, float, datetime, variable, include,
-- map_start, map_end, array_start, array_end, eof, error. After eof and error nothing follows.
local characters = require "perigee.config.characters"
local cursor = require "perigee.config.lexer_cursor"
local values = require "perigee.config.lexer_values"

local byte, find, sub, lower = string.byte, string.find, string.sub, string.lower
local space_width, character_width = characters.space_width, characters.character_width

local top, braces, key, map_key, array_value, value

local function after_top_value(self)
  while true do
    self:skip_blanks()
    local next_character = self:character()
    if self:comment() then return top end
    if self:at_end() or find(next_character, "^[\n\r;,}]") then
      self:advance()
      return top
    end
    -- A lone slash after a value is skipped like a blank.
    if next_character ~= "/" then
      return self:fail_at_character("Expected a top-level value to end with a new line, comment or EOF, but got '@' instead.")
    end
    self:advance()
  end
end

-- The start of an entry, at top level or within transparent braces.
local function entry(self, here, after)
  self:skip_space()
  self:mark()
  if self:comment() then return here end
  if self.position > #self.text then return self:emit("eof") end
  if self:at_end() or self:character() == "/" then
    self:advance()
    return self:fail("Unexpected EOF.")
  end
  self:push(after)
  return key
end

local function open_braces(self, outer)
  if self:fail_if_too_deep() then return nil end
  self:push(outer)
  self:advance()
  return braces
end

function top(self)
  self:skip_space()
  if self:character() == "{" then return open_braces(self, top) end
  return entry(self, top, after_top_value)
end

local function end_of_braces(self)
  while true do
    if self:comment() then return braces end
    local next_character = self:character()
    if next_character == ";" or next_character == "," then
      self:advance()
      return braces
    end
    if next_character == "}" then
      self:advance()
      return self:pop()
    end
    if not find(next_character, "^[\n\r \t/]") then
      return self:fail_at_character("Expected a block-level to end with a '}', but got '@' instead.")
    end
    self:advance()
  end
end

local function after_braces_value(self)
  while true do
    self:skip_blanks()
    local next_character = self:character()
    if next_character == "}" then return end_of_braces end
    if find(next_character, "^[\n\r;,]") then
      self:advance()
      return braces
    end
    if not self:comment() then
      if next_character ~= "/" then
        return self:fail_at_character(
          "Expected a block-level value to end with a new line, comment or EOF, but got '@' instead.")
      end
      self:advance()
    end
  end
end

function braces(self)
  self:skip_space()
  local next_character = self:character()
  if next_character == "{" then return open_braces(self, end_of_braces) end
  if next_character == "}" then
    self:advance()
    return self:pop()
  end
  return entry(self, braces, after_braces_value)
end

-- The end of a bare key: its first space, separator or the end of the input.
local function bare_key_end(text, position)
  while true do
    position = find(text, "[%z\t-\r =:\194-\227]", position)
    if not position then return #text + 1 end
    if byte(text, position) < 194 or space_width(text, position) then return position end
    position = position + 1
  end
end

-- A bare key that is the word include, followed by a space, is the keyword.
local function key_or_include(self, after_key, after_include)
  if space_width(self.text, self.position) and lower(sub(self.text, self.start, self.position - 1)) == "include" then
    if after_include then self:push(after_include) end
    self:skip_blanks()
    return values.include
  end
  self:emit("key")
  return after_key
end

local function quoted_key(self, after_key, complaint)
  local quote = self:character()
  self:advance()
  self:mark()
  local last = find(self.text, quote == "'" and "['%z]" or '["%z]', self.position)
  self.position = last or #self.text + 1
  if self:at_end() then return self:fail(complaint[quote]) end
  self:emit("key")
  self:advance()
  return after_key
end

local function after_key(self)
  self:skip_space()
  self:mark()
  if self:at_end() then return self:emit("eof") end
  if find(self:character(), "^[=:]") then self:advance() end
  self.in_array = false
  return value
end

local KEY_COMPLAINT = { ["'"] = "Unexpected EOF.", ['"'] = "Unexpected EOF." }

function key(self)
  local first = self:character()
  if first == "=" or first == ":" then return self:fail("Unexpected key separator '%s'", first) end
  if first == "'" or first == '"' then return quoted_key(self, after_key, KEY_COMPLAINT) end
  self:mark()
  self.position = bare_key_end(self.text, self.position + character_width(self.text, self.position))
  return key_or_include(self, after_key)
end

local function after_map_value(self)
  self:skip_blanks()
  if self:comment() then return after_map_value end
  local next_character = self:character()
  if find(next_character, "^[;,\n\r/]") then
    self:advance()
    return map_key
  end
  if next_character == "}" then
    self:advance()
    self:mark()
    self:emit("map_end")
    return self:pop()
  end
  return self:fail_at_character(
    'Expected a map value terminator "," or a map terminator "}", but got \'@\' instead.')
end

local function map_value(self)
  self:skip_space()
  local next_character = self:character()
  if next_character == "," then return self:fail('Unexpected map value terminator ",".') end
  if next_character == "}" then
    self:advance()
    self:mark()
    self:emit("map_end")
    return self:pop()
  end
  self:push(after_map_value)
  self.in_array = false
  return value
end

local function after_map_key(self)
  self:skip_space()
  if find(self:character(), "^[=:]") then self:advance() end
  return map_value
end

local MAP_KEY_COMPLAINT = {
  ["'"] = "Unexpected EOF processing quoted map key.",
  ['"'] = "Unexpected EOF processing double quoted map key.",
}

function map_key(self)
  self:skip_space()
  if self:comment() then return map_key end
  local first = self:character()
  if first == "=" or first == ":" then return self:fail("Unexpected key separator '%s'.", first) end
  if first == "]" then return self:fail("Unexpected array end ']' processing map.") end
  if first == "'" or first == '"' then return quoted_key(self, after_map_key, MAP_KEY_COMPLAINT) end
  if self:at_end() then return self:fail("Unexpected EOF processing map.") end
  if first == "}" then
    self:advance()
    self:mark()
    self:emit("map_end")
    return self:pop()
  end
  if first == "/" then self:advance() end
  self:mark()
  self.position = bare_key_end(self.text, self.position + character_width(self.text, self.position))
  if self:at_end() then return self:fail("Unexpected EOF processing map key.") end
  return key_or_include(self, after_map_key, after_map_value)
end

local function end_array(self)
  self:advance()
  self:mark()
  self:emit("array_end")
  return self:pop()
end

local function after_array_value(self)
  self:skip_blanks()
  if self:comment() then return after_array_value end
  local next_character = self:character()
  if next_character == "]" then return end_array(self) end
  if find(next_character, "^[,\n\r/]") then
    self:advance()
    return array_value
  end
  return self:fail_at_character(
    'Expected an array value terminator "," or an array terminator "]", but got \'@\' instead.')
end

function array_value(self)
  self:skip_space()
  if self:comment() then return array_value end
  local next_character = self:character()
  if next_character == "," or next_character == "/" then return self:fail("Unexpected array value terminator ','.") end
  if next_character == "]" then return end_array(self) end
  self:push(after_array_value)
  self.in_array = true
  return value
end

-- A value; what follows it is on the stack. New lines were skipped already where they are allowed.
function value(self)
  self:skip_blanks()
  local first = self:character()
  if first ~= "[" and first ~= "{" then return values.scalar(self) end
  if self:fail_if_too_deep() then return nil end
  self:advance()
  self:mark()
  self:emit(first == "[" and "array_start" or "map_start")
  return first == "[" and array_value or map_key
end

return {
  --- A lexer over `text`, which has one method for callers: next().
  new = function(text) return cursor.new(text, top) end,
  MAX_NESTING = cursor.MAX_NESTING,
}
