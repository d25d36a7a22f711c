-- A subscriber that reads steadily but slower than a publisher writes is not cut: the publisher waits for it (CP-135), also
-- when the two live on different workers, where the publisher's worker hears of it only by letter.
local server = require "spec.support.server"
local socket = require "socket"

local PAYLOAD, MESSAGES = 1024, 50000
local READ_BYTES, READ_EVERY = 64 * 1024, 0.002 -- seconds: 32 MB/s at most
local DEADLINE = 60

local function connect(port)
  local s = assert(socket.connect("127.0.0.1", port))
  s:settimeout(5)
  assert(s:receive("*l"))
  s:send('CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
  assert.are.equal("PONG", s:receive("*l"))
  return s
end

-- Writes as fast as the server takes it and reads at a pace. @return number  bytes that arrived
local function flood(publisher, subscriber)
  local message = ("PUB flood %d\r\n%s\r\n"):format(PAYLOAD, ("x"):rep(PAYLOAD))
  local batch = message:rep(200)
  local left, at, got, next_read = MESSAGES / 200, 1, 0, socket.gettime()
  local want = MESSAGES * #("MSG flood 1 %d\r\n%s\r\n"):format(PAYLOAD, ("x"):rep(PAYLOAD))
  publisher:settimeout(0)
  subscriber:settimeout(0)
  local deadline = socket.gettime() + DEADLINE
  while got < want and socket.gettime() < deadline do
    local readable, writable = socket.select({ subscriber }, left > 0 and { publisher } or nil, READ_EVERY)
    if left > 0 and writable[1] then
      local sent, _, partial = publisher:send(batch, at)
      at = (sent or partial) + 1
      if at > #batch then left, at = left - 1, 1 end
    end
    if readable[1] and socket.gettime() >= next_read then
      local whole, failure, part = subscriber:receive(READ_BYTES)
      if failure == "closed" then return got end
      got = got + #(whole or part)
      next_read = next_read + READ_EVERY
    end
  end
  return got, want
end

describe("a subscriber that reads slower than a publisher writes", function()
  for _, workers in ipairs { 1, 2 } do
    it(("is waited for, with %d workers"):format(workers), function()
      local running = assert(server.start(assert(server.perigee()),
        { config = ("workers: %d\nmax_pending: 16MB"):format(workers) }))
      finally(function() running:stop() end)
      local subscriber, publisher = connect(running.port), connect(running.port)
      subscriber:send("SUB flood 1\r\nPING\r\n")
      assert.are.equal("PONG", subscriber:receive("*l"))
      local got, want = flood(publisher, subscriber)
      assert.is_true(got >= want, "cut off after " .. got .. " bytes") -- a PING of the server may be among them
    end)
  end
end)
