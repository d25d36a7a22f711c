-- Clients that ask for more than they read. Whatever the server says counts against max_pending, not only deliveries.
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

local CHUNK, LIMIT = 256 * 1024, 64 * 1024 * 1024
local RECEIVE_BUFFER = 4096

-- Sends `text` again and again, reading nothing, until the server closes; false: it took everything.
local function flood(connection, text)
  local chunk = text:rep(math.floor(CHUNK / #text))
  connection.sock:settimeout(10)
  for _ = 1, LIMIT / CHUNK do
    local sent, why = connection.sock:send(chunk)
    if not sent then return why ~= "timeout" end
  end
  return false
end

local function closed_for(running, cid)
  return process.wait_for(function()
    local connz = assert(http.get(running.http_port, "/connz?state=closed&cid=" .. cid)).json
    local c = connz.connections[1]
    return c and c.reason
  end)
end

for workers = 1, 2 do
  describe(("A consumer that never reads, on a server of %d worker(s) with little to pend"):format(workers), function()
    it("stalls its producer before it is cut off", function()
      local running = assert(server.start(assert(server.perigee()),
        { config = ("workers: %d\nmax_pending: 96KB\nmax_payload: 8KB\n"):format(workers) }))
      local consumer = wire.connect(running.port, nil, RECEIVE_BUFFER)
      local cid = consumer:expect():match('"client_id":(%d+)')
      consumer:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
      consumer:sync()
      local producer = wire.connect(running.port)
      producer:send('CONNECT {"verbose":false}\r\n')
      local payload = ("x"):rep(4000)
      local message = ("PUB a %d\r\n%s\r\n"):format(#payload, payload)
      local reason, stalls
      for _ = 1, 10000 do
        producer:send(message)
        producer:sync()
        local closed = assert(http.get(running.http_port, "/connz?state=closed&cid=" .. cid)).json.connections[1]
        if closed then
          reason, stalls = closed.reason, closed.stalls
          break
        end
      end
      producer:close()
      consumer:close()
      running:stop()
      assert.equal("Slow Consumer (Pending Bytes)", reason)
      assert.is_true((stalls or 0) > 0, "the producer was never stalled")
    end)
  end)

  describe(("A client that never reads, on a server of %d worker(s)"):format(workers), function()
    local running

    setup(function()
      running = assert(server.start(assert(server.perigee()),
        { config = ("workers: %d\nmax_pending: 1MB\nmax_payload: 64KB\n"):format(workers) }))
    end)

    teardown(function() running:stop() end)

    local function cut_off(options, text)
      local connection = wire.connect(running.port, nil, RECEIVE_BUFFER)
      local cid = connection:expect():match('"client_id":(%d+)')
      connection:send(("CONNECT %s\r\n"):format(options))
      local over = flood(connection, text)
      local reason = closed_for(running, cid)
      connection:close()
      assert.is_true(over, "everything was taken")
      assert.equal("Slow Consumer (Pending Bytes)", reason)
    end

    it("is cut off while it sends PING", function() cut_off('{"verbose":false}', "PING\r\n") end)

    it("is cut off while it is told +OK", function() cut_off('{"verbose":true}', "SUB a 1\r\n") end)

    it("is cut off while its subscriptions are refused", function() cut_off('{"verbose":false}', "SUB a..b 1\r\n") end)

    it("is cut off while it is told that publishing is forbidden", function()
      cut_off('{"verbose":false}', "PUB $GR.\1\1\1\1\1\1 0\r\n\r\n")
    end)

    it("is cut off while it hears that nobody responds", function()
      cut_off('{"verbose":false,"headers":true,"no_responders":true}\r\nSUB reply 1', "PUB nobody reply 0\r\n\r\n")
    end)

    it("is counted, and others are served", function()
      local varz = assert(http.get(running.http_port, "/varz")).json
      assert.equal(5, varz.slow_consumers)
      local other = wire.connect(running.port)
      other:expect()
      other:send('CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\n')
      assert.same({ "MSG a 1 2\r\nhi\r\n" }, other:sync())
      other:close()
    end)
  end)
end
