-- A control line is held as long as its end is missing, so there is a bound that no configuration lifts.
local server = require "spec.support.server"
local wire = require "spec.support.wire"

local HIGHEST = 128 * 1024 -- bytes of arguments
local IGNORED = 16 * 1024 -- bytes of blanks, or behind PING

describe("A server whose max_control_line is a megabyte", function()
  local running, connection

  setup(function() running = assert(server.start(assert(server.perigee()), { config = "max_control_line: 1MB\n" })) end)
  teardown(function() running:stop() end)
  before_each(function()
    connection = wire.connect(running.port)
    connection:expect()
  end)
  after_each(function() connection:close() end)

  local function connect_of(size) return ('CONNECT {"verbose":false,"name":"%s"}\r\n'):format(("x"):rep(size - 27)) end

  it("takes arguments of 128 KiB", function()
    connection:send(connect_of(HIGHEST))
    assert.same({}, connection:sync())
  end)

  it("refuses more", function()
    connection:send(connect_of(HIGHEST + 1))
    assert.same({ "-ERR 'maximum control line exceeded'\r\n" }, connection:closed())
  end)

  it("refuses more before the line ends", function()
    connection:send(connect_of(HIGHEST + 2):sub(1, -4))
    assert.same({ "-ERR 'maximum control line exceeded'\r\n" }, connection:closed())
  end)

  it("ignores 16 KiB behind PING, and not more", function()
    connection:send("PING" .. ("x"):rep(IGNORED) .. "\r\n")
    assert.equal("PONG\r\n", connection:expect())
    connection:send("PING" .. ("x"):rep(IGNORED + 1))
    assert.same({ "-ERR 'maximum control line exceeded'\r\n" }, connection:closed())
  end)

  it("ignores 16 KiB of blanks behind a verb, and not more", function()
    connection:send('CONNECT {"verbose":false}\r\nSUB' .. (" "):rep(IGNORED) .. "a 1\r\nPUB a 0\r\n\r\n")
    assert.same({ "MSG a 1 0\r\n\r\n" }, connection:sync())
    connection:send("SUB" .. (" "):rep(IGNORED + 1))
    assert.same({ "-ERR 'maximum control line exceeded'\r\n" }, connection:closed())
  end)
end)
