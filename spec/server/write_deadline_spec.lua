-- Consumers that take their output too slowly for write_deadline, or not at all.
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"
local socket = require "socket"
local wire = require "spec.support.wire"

local MESSAGES, PAYLOAD = 600, ("x"):rep(60000)
local RECEIVE_BUFFER = 128 * 1024
local DETECTED = "Slow Consumer Detected: WriteDeadline of 1.5s exceeded with %d+ chunks of %d+ total bytes%."
local STATE = "Slow Consumer State: WriteDeadline of 1.5s exceeded with %d+ chunks of %d+ total bytes%."
local RECOVERED = "Slow Consumer Recovered: Flush took %d%.%d%d%ds with %d+ chunks of %d+ total bytes%."

for workers = 1, 2 do
  describe(("On a server of %d worker(s), a consumer"):format(workers), function()
    local running, consumer, cid

    local function start(more)
      running = assert(server.start(assert(server.perigee()),
        { config = ("workers: %d\nwrite_deadline: 1500ms\n%s"):format(workers, more or "") }))
      consumer = wire.connect(running.port, nil, RECEIVE_BUFFER)
      cid = consumer:expect():match('"client_id":(%d+)')
      consumer:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
      consumer:sync()
      local publisher = wire.connect(running.port)
      publisher:expect()
      publisher:send('CONNECT {"verbose":false}\r\n' .. ("PUB a %d\r\n%s\r\n"):format(#PAYLOAD, PAYLOAD):rep(MESSAGES))
      publisher:sync()
      publisher:close()
    end

    after_each(function()
      consumer:close()
      running:stop()
    end)

    local function closed_reason()
      local connz = assert(http.get(running.http_port, "/connz?state=closed&cid=" .. cid)).json
      local c = connz.connections[1]
      return c and c.reason
    end

    -- Takes a little now and then until `done`, for at most ten seconds.
    local function sip(done)
      local deadline = socket.gettime() + 10
      while not done() and socket.gettime() < deadline do
        if not consumer:swallow(100000) then return end
        socket.sleep(0.02)
      end
    end

    local function logged(pattern)
      return process.wait_for(function() return running:log_text():find(pattern) end, 5, pattern)
    end

    it("that takes nothing is cut off", function()
      start()
      assert.equal("Slow Consumer (Write Deadline)", process.wait_for(closed_reason))
      assert.truthy(logged(DETECTED))
    end)

    it("that sips is cut off, too", function()
      start()
      sip(closed_reason)
      assert.equal("Slow Consumer (Write Deadline)", process.wait_for(closed_reason))
    end)

    it("that sips is kept with write_timeout: retry, until it has caught up", function()
      start("write_timeout: retry\n")
      sip(function() return running:log_text():find(STATE) end)
      assert.truthy(logged(DETECTED))
      assert.truthy(logged(STATE))
      process.wait_for(function()
        consumer:swallow(1024 * 1024)
        return running:log_text():find(RECOVERED)
      end, 10)
      assert.truthy(logged(RECOVERED))
      assert.is_nil(closed_reason())
      assert.is_true(assert(http.get(running.http_port, "/varz")).json.slow_consumers >= 2)
    end)

    it("that takes nothing is cut off with write_timeout: retry, too", function()
      start("write_timeout: retry\n")
      assert.equal("Slow Consumer (Write Deadline)", process.wait_for(closed_reason, 10))
    end)
  end)
end
