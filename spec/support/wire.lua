--- A raw client: sends bytes as they are and reads one protocol item after the other, each with a deadline.
-- An item is a control line with its CRLF, and for MSG and HMSG the payload with its CRLF too. Nothing is answered by
-- itself; what is sent and read is told to `tell(mark, bytes)` if the caller wants a transcript: `>` sent, `<` read,
-- `=` the connection is closed.
local socket = require "socket"
local process = require "spec.support.process"
local tcp_info = require "spec.support.tcp_info"
local tcp_table = require "spec.support.tcp_table"

local SECONDS = 5

local Wire = {}
Wire.__index = Wire

-- With `receive_buffer` the kernel takes only about so many bytes for a client that does not read.
local function connect(port, tell, receive_buffer)
  local sock = socket.tcp()
  if receive_buffer then sock:setoption("recv-buffer-size", receive_buffer) end
  local connected, why = sock:connect("127.0.0.1", port)
  if not connected then return nil, ("cannot connect to port %d: %s"):format(port, why) end
  sock:setoption("tcp-nodelay", true)
  local _, own_port = sock:getsockname()
  return setmetatable({
    sock = sock, port = port, own_port = tonumber(own_port), buffer = "", tell = tell or function() end,
  }, Wire)
end

-- Adds what arrives before the deadline to the buffer: true if something did, nil if nothing, false once the peer has
-- closed. It waits for one byte only, for receive(n) would wait for all n.
local function fill(self, deadline)
  if self.gone then return false end
  self.sock:settimeout(math.max(0, deadline - socket.gettime()))
  local first, why = self.sock:receive(1)
  if not first then
    if why == "timeout" then return nil end
    self.gone = true
    return false
  end
  self.sock:settimeout(0)
  local rest, _, part = self.sock:receive(65536)
  self.buffer = self.buffer .. first .. (rest or part)
  return true
end

-- The length of the first item in the buffer, or nil if it is not complete yet.
local function item_length(buffer)
  local line_end = buffer:find("\n", 1, true)
  if not line_end then return nil end
  if not buffer:find("^H?MSG ") then return line_end end
  local size = tonumber(buffer:sub(1, line_end):match("(%d+)\r\n$"))
  local whole = line_end + (size or 0) + 2
  return whole <= #buffer and whole or nil
end

--- The next item; nil, "closed" after the last one; nil and a message when nothing came in time.
function Wire:next(seconds)
  local deadline = socket.gettime() + (seconds or SECONDS)
  while true do
    local length = item_length(self.buffer)
    if length then
      local item = self.buffer:sub(1, length)
      self.buffer = self.buffer:sub(length + 1)
      return item
    end
    local more = fill(self, deadline)
    if more == false then return nil, "closed" end
    if more == nil or socket.gettime() > deadline then
      return nil, ("nothing came for %g s; unread: %q"):format(seconds or SECONDS, self.buffer:sub(1, 200))
    end
  end
end

-- The next item, told; an error when there is none.
local function take(self, seconds)
  local item, why = self:next(seconds)
  if not item then
    if why == "closed" then self.tell("=", "closed") end
    error(("%s: %s"):format(self.name or "connection", why), 0)
  end
  self.tell("<", item)
  return item
end

--- Sends bytes in one write. A peer that has closed is no error here: reading will show it.
function Wire:send(bytes)
  self.tell(">", bytes)
  self.sock:settimeout(SECONDS)
  return self.sock:send(bytes)
end

--- Sends bytes in pieces of `size`, each only after the server has read the one before.
function Wire:send_split(bytes, size)
  self.tell(">", bytes)
  self.sock:settimeout(SECONDS)
  for at = 1, #bytes, size do
    if not self.sock:send(bytes:sub(at, at + size - 1)) then return end
    self:taken()
  end
end

--- Waits until the server has read all that was sent, or has closed.
function Wire:taken()
  return process.wait_for(function()
    local left = tcp_table.unread(self.port, self.own_port)
    return left == nil or left == 0
  end, SECONDS, "reader of what was sent")
end

--- Reads `count` items (default 1) and returns them.
function Wire:expect(count, seconds)
  local items = {}
  for i = 1, count or 1 do items[i] = take(self, seconds) end
  return unpack(items)
end

--- Sends PING and reads up to the PONG, so that everything sent before has been acted on. Returns what came before it.
function Wire:sync()
  self:send("PING\r\n")
  local items = {}
  while true do
    local item = take(self)
    if item == "PONG\r\n" then return items end
    items[#items + 1] = item
  end
end

--- Reads up to the end of the connection; returns the items before it.
function Wire:closed(seconds)
  local items = {}
  while true do
    local item, why = self:next(seconds)
    if not item then
      if why ~= "closed" then error(("%s is not closed: %s"):format(self.name or "connection", why), 0) end
      if #self.buffer > 0 then self.tell("<", self.buffer) end
      self.tell("=", "closed")
      return items
    end
    self.tell("<", item)
    items[#items + 1] = item
  end
end

--- Closes so that the server gets a reset instead of an end.
function Wire:reset()
  self.sock:setoption("linger", { on = true, timeout = 0 })
  self:close()
end

--- Takes up to `size` bytes off the socket without looking at them; returns how many, nil once the server has closed.
function Wire:swallow(size)
  self.sock:settimeout(0)
  local whole, why, part = self.sock:receive(size)
  local bytes = whole or part
  if why == "closed" and #bytes == 0 then return nil end
  return #bytes
end

--- The PINGs (or other items) that come within so many seconds, told and returned.
function Wire:listen(seconds)
  local items, deadline = {}, socket.gettime() + seconds
  while true do
    local left = deadline - socket.gettime()
    local item = left > 0 and self:next(left)
    if not item then return items end
    self.tell("<", item)
    items[#items + 1] = item
  end
end

--- TCP segments with data that came in: how often, at least, the server wrote to this connection.
function Wire:segments()
  return tcp_info.segments(self.sock:getfd())
end

function Wire:close()
  self.gone = true
  self.sock:close()
end

return { connect = connect }
