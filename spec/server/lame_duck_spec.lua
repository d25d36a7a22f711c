-- Lame duck mode: no new clients, those that are there are told and closed one by one, and then the server ends.
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"
local socket = require "socket"
local wire = require "spec.support.wire"

local SECONDS = 60
local SHORT = "lame_duck_duration: 30s, lame_duck_grace_period: 10ms"
local LONG = "lame_duck_duration: 60s, lame_duck_grace_period: 30s"

describe("In lame duck mode a server", function()
  local running

  after_each(function()
    if running then running:stop() end
    running = nil
  end)

  local function start(config) running = assert(server.start(assert(server.perigee()), { config = config })) end

  -- A client that has sent its first PING; with protocol 1 it takes INFO from then on.
  local function client(protocol)
    local connection = wire.connect(running.port)
    connection:expect()
    connection:send(('CONNECT {"verbose":false,"protocol":%d}\r\nPING\r\n'):format(protocol or 1))
    connection:expect(protocol == 0 and 1 or 2)
    return connection
  end

  local function logged(text)
    assert(process.wait_for(function() return running:log_text():find(text, 1, true) end, SECONDS),
      text .. " is not in\n" .. running:log_text())
  end

  local function ends()
    assert(running.process:wait(SECONDS))
    assert.equal(0, running.process.code)
    local log = running:log_text()
    assert.truthy(log:find("Initiating Shutdown...", 1, true) and log:find("Server Exiting..", 1, true), log)
  end

  it("ends at once when it has no clients", function()
    start(LONG)
    running.process:kill("USR2")
    ends()
    logged "[INF] Entering lame duck mode, stop accepting new clients"
    assert.is_nil(running:log_text():find("Closing existing clients", 1, true))
  end)

  it("ends at once when its clients have gone before", function()
    start(LONG)
    client():close()
    assert(process.wait_for(function()
      return http.get(running.http_port, "/varz").json.connections == 0
    end, SECONDS))
    running.process:kill("USR2")
    ends()
  end)

  it("tells the clients that take INFO, and serves them on", function()
    start(LONG)
    local new, old = client(1), client(0)
    local unready = wire.connect(running.port)
    unready:expect()
    running.process:kill("USR2")
    local info = new:expect(1, SECONDS)
    assert.truthy(info:find('^INFO {.*"ldm":true'), info)
    assert.is_nil(info:find("connect_info", 1, true))
    new:send("SUB a 1\r\n")
    new:sync()
    old:send("PUB a 2\r\nhi\r\n")
    assert.same({}, old:sync())
    assert.equal("MSG a 1 2\r\nhi\r\n", new:expect())
    unready:send('CONNECT {"verbose":false,"protocol":1}\r\n')
    local first = unready:sync()
    assert.same({}, first)
    running.process:kill("INT")
    ends()
  end)

  it("accepts nobody else", function()
    start(LONG)
    local first = client()
    running.process:kill("USR2")
    first:expect(1, SECONDS)
    assert.is_nil((wire.connect(running.port)))
    assert.equal(200, http.get(running.http_port, "/varz").status)
  end)

  it("is not stopped by SIGTERM, nor by the same again, but by SIGINT", function()
    start(LONG)
    local first = client()
    running.process:kill("USR2")
    first:expect(1, SECONDS)
    running.process:kill("TERM")
    logged 'Trapped "terminated" signal'
    running.process:kill("USR2")
    assert(process.wait_for(function()
      return select(2, running:log_text():gsub('Trapped "user defined signal 2" signal', "")) == 2
    end, SECONDS))
    assert.same({}, first:sync())
    assert.equal(1, select(2, running:log_text():gsub("Entering lame duck mode", "")))
    running.process:kill("INT")
    first:closed(SECONDS)
    ends()
  end)

  it("closes its clients one by one when the grace period is over, and ends", function()
    start(SHORT)
    local clients, at = {}, {}
    for i = 1, 4 do clients[i] = client() end
    running.process:kill("USR2")
    for i = 1, 4 do assert.truthy(clients[i]:expect(1, SECONDS):find('"ldm":true', 1, true)) end
    -- Four clients within 30 s: half a second to a second from one to the next.
    local open = 4
    while open > 0 do
      for i = 1, 4 do
        if not at[i] then
          local _, why = clients[i]:next(0.01) -- a PING may come
          if why == "closed" then
            at[i] = socket.gettime()
            open = open - 1
          end
        end
      end
    end
    table.sort(at)
    assert.is_true(at[4] - at[1] > 1.2, ("all were closed within %.3f s"):format(at[4] - at[1]))
    logged "[INF] Closing existing clients"
    ends()
  end)

  it("shows those clients as closed by its shutdown", function()
    start(SHORT)
    local first, second = client(), client()
    running.process:kill("USR2")
    assert(process.wait_for(function()
      local answer = http.get(running.http_port, "/connz?state=closed")
      local found = answer and answer.json and answer.json.connections[1]
      return found and found.reason == "Server Shutdown"
    end, SECONDS))
    first:close()
    second:close()
    ends()
  end)
end)
