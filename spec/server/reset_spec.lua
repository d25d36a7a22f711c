-- Clients whose connections break instead of ending, or do not end. The server is stopped for a moment, so that what they sent and the
-- reset behind it are both there when it looks.
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"
local tcp_table = require "spec.support.tcp_table"
local wire = require "spec.support.wire"

local LARGE = ("x"):rep(300000)

describe("A server that ends", function()
  it("does not wait for a closed client that takes nothing", function()
    local running = assert(server.start(assert(server.perigee()), {}))
    local consumer = wire.connect(running.port)
    local cid = consumer:expect():match('"client_id":(%d+)')
    consumer:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
    consumer:sync()
    local publisher = wire.connect(running.port)
    publisher:send('CONNECT {"verbose":false}\r\n' .. ("PUB a %d\r\n%s\r\n"):format(#LARGE, LARGE):rep(100))
    publisher:sync()
    consumer:send("WRONG\r\n")
    assert(process.wait_for(function()
      return assert(http.get(running.http_port, "/connz?state=closed&cid=" .. cid)).json.connections[1]
    end))
    running.process:kill("TERM")
    local ended = running.process:wait(4)
    running:stop()
    consumer:close()
    publisher:close()
    assert.is_true(ended)
  end)
end)

for workers = 1, 2 do
  describe(("On a server of %d worker(s), a connection that is reset"):format(workers), function()
    local running

    before_each(function()
      running = assert(server.start(assert(server.perigee()),
        { config = ("workers: %d\nmax_payload: 8MB\n"):format(workers) }))
    end)

    after_each(function() running:stop() end)

    local function signal(name) assert(os.execute(("kill -%s %d"):format(name, running.process.pid))) end

    local function connect()
      local connection = wire.connect(running.port)
      local cid = connection:expect():match('"client_id":(%d+)')
      return connection, cid
    end

    local function closed(cid)
      return process.wait_for(function()
        local connz = assert(http.get(running.http_port, "/connz?state=closed&cid=" .. cid)).json
        return connz.connections[1]
      end)
    end

    local function break_off(options, text)
      local connection, cid = connect()
      connection:send(options)
      connection:sync()
      signal "STOP"
      connection.sock:settimeout(0)
      connection.sock:send(text)
      connection:reset()
      signal "CONT"
      return closed(cid)
    end

    it("with nothing before the reset is closed at once", function()
      local c = break_off('CONNECT {"verbose":false}\r\n', "")
      assert.equal("Read Error", c.reason)
    end)

    it("with one last message is closed at once", function()
      local c = break_off('CONNECT {"verbose":false}\r\n', "PUB a 2\r\nhi\r\n")
      assert.truthy(c)
    end)

    it("with many last messages is closed at once", function()
      local c = break_off('CONNECT {"verbose":false}\r\n', ("PUB a 2\r\nhi\r\n"):rep(20000))
      assert.truthy(c)
    end)

    it("in the middle of a large payload is closed", function()
      local c = break_off('CONNECT {"verbose":false}\r\n', "PUB a 1000000\r\n" .. LARGE)
      assert.truthy(c)
    end)

    it("before CONNECT is closed, however much it sent", function()
      local c = break_off("", ("PUB a 2\r\nhi\r\n"):rep(5000))
      assert.truthy(c)
    end)

    it("with output that it never read is closed at once", function()
      local consumer, cid = connect()
      consumer:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
      consumer:sync()
      local publisher = connect()
      publisher:send('CONNECT {"verbose":false}\r\n' .. ("PUB a %d\r\n%s\r\n"):format(#LARGE, LARGE):rep(100))
      publisher:sync()
      signal "STOP"
      consumer:send("PING\r\n")
      consumer:reset()
      signal "CONT"
      assert.truthy(closed(cid))
      publisher:close()
    end)

    it("after an error that it never read is forgotten before the write deadline", function()
      local consumer, cid = connect()
      consumer:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
      consumer:sync()
      local publisher = connect()
      publisher:send('CONNECT {"verbose":false}\r\n' .. ("PUB a %d\r\n%s\r\n"):format(#LARGE, LARGE):rep(100))
      publisher:sync()
      consumer:send("WRONG\r\n")
      assert.truthy(closed(cid))
      consumer:reset()
      assert.is_true(process.wait_for(function() return tcp_table.unread(running.port, consumer.own_port) == nil end, 5))
      publisher:close()
    end)
  end)
end
