-- What a server counts, whatever way a message takes through it.
local http = require "spec.support.http"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

for workers = 1, 2 do
  describe(("The counters of a server of %d worker(s)"):format(workers), function()
    local running

    before_each(function()
      running = assert(server.start(assert(server.perigee()), { config = ("workers: %d\n"):format(workers) }))
    end)

    after_each(function() running:stop() end)

    local function counted()
      local varz = assert(http.get(running.http_port, "/varz")).json
      return { varz.in_msgs, varz.in_bytes, varz.out_msgs, varz.out_bytes }
    end

    -- One read holds the whole of the smaller ones, and only the beginning of the largest.
    for _, size in ipairs { 10, 66000, 100000, 1000000 } do
      it(("have each message of %d bytes once"):format(size), function()
        local connection = wire.connect(running.port)
        connection:expect()
        connection:send('CONNECT {"verbose":false}\r\nSUB a 1\r\n')
        connection:sync()
        for _ = 1, 5 do connection:send(("PUB a %d\r\n%s\r\n"):format(size, ("x"):rep(size))) end
        assert.equal(5, #connection:sync())
        connection:close()
        assert.same({ 5, 5 * size, 5, 5 * size }, counted())
      end)
    end
  end)
end
