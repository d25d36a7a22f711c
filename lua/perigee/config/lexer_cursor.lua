--- The lexer's place in the text: position, line, what was read of the current item, and the stack of waiting states.
--
-- lexer.lua and lexer_values.lua hold the states; this holds what both use.
local characters = require "perigee.config.characters"

local byte, find, sub = string.byte, string.find, string.sub

local MAX_NESTING = 256

local cursor = {}
cursor.__index = cursor

-- Counts the lines before the current position. Positions never decrease between two calls.
local function count_lines(self)
  local from = self.counted
  while true do
    local newline = find(self.text, "\n", from, true)
    if not newline or newline >= self.position then break end
    self.line, self.line_start, from = self.line + 1, newline - 1, newline + 1
  end
  self.counted = from
end

function cursor:character() return sub(self.text, self.position, self.position) end

--- Whether the input ends here. A NUL byte ends it nearly everywhere, as in Go.
function cursor:at_end()
  local code = byte(self.text, self.position)
  return code == nil or code == 0
end

function cursor:advance()
  if self.position <= #self.text then self.position = self.position + 1 end
end

--- The next item begins here.
function cursor:mark()
  count_lines(self)
  self.start, self.start_line = self.position, self.line_start
end

--- Ends an item at the current position. The column counts bytes from the preceding newline (from 0 on the first line).
function cursor:emit(kind, text)
  text = text or sub(self.text, self.start, self.position - 1)
  count_lines(self)
  self.item = { type = kind, text = text, line = self.line, column = self.position - 1 - self.start_line - #text }
  self:mark()
end

function cursor:fail(format, ...)
  count_lines(self)
  self.item = { type = "error", text = format:format(...), line = self.line, column = 0 }
  return nil
end

--- Fails on the character at the current position, which stands for the @ in the message. It counts as read: a newline
-- belongs to the next line already.
function cursor:fail_at_character(message)
  local text = characters.shown(self.text, self.position)
  self:advance()
  return self:fail("%s", (message:gsub("@", function() return text end)))
end

--- Leaves a state on the stack, to go on with when the value that begins now has been read.
function cursor:push(state) self.stack[#self.stack + 1] = state end

function cursor:pop() return table.remove(self.stack) end

--- Fails if the stack is full.
function cursor:fail_if_too_deep()
  if #self.stack < MAX_NESTING then return false end
  self:fail("Nesting is deeper than %d levels.", MAX_NESTING)
  return true
end

--- Skips a comment if one begins here; true if one did.
function cursor:comment()
  local text, position = self.text, self.position
  local first = byte(text, position)
  if first ~= 35 and not (first == 47 and byte(text, position + 1) == 47) then return false end
  self.position = find(text, "[\n\r%z]", position) or #text + 1
  self:mark()
  return true
end

function cursor:skip_blanks()
  local _, last = find(self.text, "^[ \t]+", self.position)
  if last then self.position = last + 1 end
end

function cursor:skip_space() self.position = characters.skip_space(self.text, self.position) end

--- The next item.
function cursor:next()
  self.item = nil
  repeat self.state = self.state(self) until self.item
  return self.item
end

local function new(text, state)
  return setmetatable({
    text = text, position = 1, start = 1, start_line = 0,
    line = 1, line_start = 0, counted = 1, stack = {}, state = state,
  }, cursor)
end

return { new = new, MAX_NESTING = MAX_NESTING }
