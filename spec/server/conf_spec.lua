-- The example configurations start as they are, and do what their comments say.
local http = require "spec.support.http"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

-- Starts conf/NAME on free ports, with nothing else changed.
local function start(name)
  local pwd = io.popen("pwd")
  local here = pwd:read("*l")
  pwd:close()
  return assert(server.start(assert(server.perigee()), { flags = { "-c", here .. "/conf/" .. name } }))
end

describe("The example configurations", function()
  local running
  after_each(function()
    if running then running:stop() end
    running = nil
  end)

  local function client()
    local connection = wire.connect(running.port)
    connection:send('CONNECT {"verbose":false}\r\n')
    connection:sync()
    return connection
  end

  it("are all started by a spec", function()
    local names = {}
    for name in io.popen("ls conf"):lines() do names[#names + 1] = name end
    assert.same({ "mappings.conf", "perigee.conf" }, names)
  end)

  it("give the server a name and monitoring", function()
    running = start("perigee.conf")
    local info = wire.connect(running.port):expect()
    assert.truthy(info:find('"server_name":"perigee"', 1, true), info)
    local varz = assert(http.get(running.http_port, "/varz"))
    assert.equal("perigee", varz.json.server_name)
  end)

  it("rewrite subjects by name, by token and by partition", function()
    running = start("mappings.conf")
    local connection = client()
    connection:send("SUB > 1\r\n")
    connection:send("PUB orders.old 1\r\na\r\nPUB sensors.t1.attic 1\r\nb\r\nPUB events.ann 1\r\nc\r\nPUB events.ann 1\r\nd\r\n")
    local got = table.concat(connection:sync())
    assert.truthy(got:find("MSG orders.new 1 1\r\na", 1, true), got)
    assert.truthy(got:find("MSG by-place.attic.t1 1 1\r\nb", 1, true), got)
    local first, second = got:match("MSG (events%.ann%.%d) 1 1\r\nc.-MSG (events%.ann%.%d) 1 1\r\nd")
    assert.truthy(first, got)
    assert.equal(first, second)
  end)

  it("divide requests by weight", function()
    running = start("mappings.conf")
    local connection = client()
    connection:send("SUB api.price.* 1\r\n" .. ("PUB api.price 0\r\n\r\n"):rep(1000))
    local got = table.concat(connection:sync())
    local _, old = got:gsub("MSG api%.price%.v1 ", "")
    local _, new = got:gsub("MSG api%.price%.v2 ", "")
    assert.equal(1000, old + new)
    assert.is_true(new > 40 and new < 200, ("%d of 1000 went to the canary"):format(new))
  end)
end)
