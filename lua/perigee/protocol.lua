--- The client protocol without a server: bytes to operations, by the parser that the server uses.
--
--   local operation, rest = protocol.parse("PUB greet 5\r\nhello\r\nPING\r\n")
--   -- {verb="PUB", subject="greet", size=5, payload="hello", arguments="greet 5"}, 21
--
-- An operation has `verb`, `arguments` (the text behind it, if there is any) and, as its verb has them, `subject`, `reply`,
-- `queue`, `sid`, `max`, `size`, `header_size`, `header`, `payload`.
local pure = require "perigee.ffi_pure"

local MAX_CONTROL_LINE = 4096

-- Adds header and payload, which stand behind the control line.
local function take_payload(operation, bytes, start)
  local stop = start + operation.size
  if #bytes < stop + 1 then
    if bytes:sub(stop, stop) ~= "" and bytes:sub(stop, stop) ~= "\r" then return nil, "bad end of payload" end
    return nil, "partial"
  end
  if bytes:sub(stop, stop + 1) ~= "\r\n" then return nil, "bad end of payload" end
  local header_size = operation.header_size or 0
  if operation.header_size then operation.header = bytes:sub(start, start + header_size - 1) end
  operation.payload = bytes:sub(start + header_size, stop - 1)
  return stop + 2
end

--- Parses the operation that begins at `position` (default 1).
-- @param max_control_line number|nil  bytes that arguments may have (default 4096)
-- @return operation, position of the next one
-- @return nil, "partial" when bytes are missing
-- @return nil, "unknown operation" | "line too long" | "bad arguments" | "bad end of payload", message for a log or nil
local function parse(bytes, position, max_control_line)
  position = position or 1
  local operation, failure, message = pure.parse_operation(bytes, position, max_control_line or MAX_CONTROL_LINE)
  if not operation then return nil, failure, message end
  local after = position + operation.line_size
  operation.line_size = nil
  if not operation.size then return operation, after end
  after, failure = take_payload(operation, bytes, after)
  if not after then return nil, failure end
  return operation, after
end

--- All operations of a text, in order.
-- @return list, position behind the last whole one | nil, failure, message
local function parse_all(bytes, max_control_line)
  local list, position = {}, 1
  while position <= #bytes do
    local operation, after, message = parse(bytes, position, max_control_line)
    if operation then
      list[#list + 1], position = operation, after
    elseif after == "partial" then
      break
    else
      return nil, after, message
    end
  end
  return list, position
end

return { parse = parse, parse_all = parse_all }
