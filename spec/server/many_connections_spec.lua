-- Monitoring of a server with thousands of connections on two workers: the pages are right, and messages go on meanwhile.
local cjson = require "cjson"
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"
local socket = require "socket"
local wire = require "spec.support.wire"

local COUNT = 5000
local SECONDS = 60
local STALL_SECONDS = 1 -- the machine may be busy with other tests

-- Holds the connections in a process of its own, which may have that many descriptors.
local function hold(running, count)
  local ffi = require "ffi"
  local path = ffi.new("char[4096]")
  local length = ffi.C.readlink("/proc/self/exe", path, 4096)
  local held = process.start(ffi.string(path, length), { "spec/support/hold_connections.lua", tostring(running.port), tostring(count) },
    { stdout = running.directory .. "/held" })
  assert(process.wait_for(function()
    local text = process.read_file(held.stdout)
    return text:find("ready", 1, true) or held:ended() and error(text, 0)
  end, SECONDS, "held connections"))
  return held
end

describe("Monitoring of thousands of connections", function()
  local running, held

  setup(function()
    running = assert(server.start(assert(server.perigee()), { flags = { "--workers", "2" } }))
    held = hold(running, COUNT)
  end)

  teardown(function()
    if held then held:stop("KILL") end
    if running then running:stop() end
  end)

  local function page(query)
    local answer = assert(http.request(running.http_port,
      ("GET /connz?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(query), SECONDS))
    assert.equal(200, answer.status)
    return cjson.decode(answer.body)
  end

  it("lists each connection once, in the order of the ids", function()
    local document = page("limit=100000")
    assert.same({ COUNT, COUNT, 100000 }, { document.total, document.num_connections, document.limit })
    local names, last = {}, 0
    for _, entry in ipairs(document.connections) do
      assert.is_true(entry.cid > last)
      last, names[entry.name] = entry.cid, true
    end
    for n = 1, COUNT do assert.is_true(names["held " .. n], "connection " .. n .. " is missing") end
  end)

  it("shows the whole in pages without a gap", function()
    local whole, at = page("limit=100000").connections, 0
    for offset = 0, COUNT, 900 do
      local document = page(("limit=900&offset=%d"):format(offset))
      assert.equal(COUNT, document.total)
      for _, entry in ipairs(document.connections) do
        at = at + 1
        assert.equal(whole[at].cid, entry.cid)
      end
    end
    assert.equal(COUNT, at)
  end)

  it("sorts before it cuts pages", function()
    local document = page("limit=500&sort=subs")
    for _, entry in ipairs(document.connections) do assert.equal(9, entry.subscriptions) end
    document = page("limit=500&sort=subs&offset=4500")
    for _, entry in ipairs(document.connections) do assert.equal(0, entry.subscriptions) end
  end)

  it("lists the subscriptions of all connections", function()
    local count = 0
    for _, entry in ipairs(page("limit=100000&subs=1").connections) do
      local listed = entry.subscriptions_list or {}
      assert.equal(entry.subscriptions, #listed)
      count = count + #listed
    end
    assert.equal(COUNT / 10 * 45, count)
    local answer = assert(http.get(running.http_port, "/subsz?subs=1&limit=5"))
    assert.equal(COUNT / 10 * 45, answer.json.total)
  end)

  it("finds one by its id", function()
    local some = page("limit=1&offset=3333").connections[1]
    local document = page("cid=" .. some.cid)
    assert.same({ some.name, 1, COUNT }, { document.connections[1].name, document.num_connections, document.total })
  end)

  -- Repeats `act` while the largest document is made and sent; tells how often, how long it took at most, and the document's size.
  local function meanwhile(act)
    local asked = assert(socket.connect("127.0.0.1", running.http_port))
    asked:send("GET /connz?limit=100000&subs=detail&sort=bytes_to HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    asked:settimeout(0)
    local began, rounds, worst, size = socket.gettime(), 0, 0, 0
    repeat
      local sent = socket.gettime()
      act()
      rounds, worst = rounds + 1, math.max(worst, socket.gettime() - sent)
      local all, ended, part = asked:receive(65536)
      size = size + #(all or part)
    until ended == "closed" or socket.gettime() - began > SECONDS
    asked:close()
    assert.is_true(size > COUNT * 400, "the answer is whole: " .. size)
    return rounds, worst
  end

  it("does not hold up messages", function()
    local client = wire.connect(running.port)
    client:send('CONNECT {"verbose":false}\r\nSUB probe 1\r\n')
    client:sync()
    local rounds, worst = meanwhile(function()
      client:send("PUB probe 2\r\nhi\r\n")
      client:expect()
    end)
    client:close()
    assert.is_true(rounds >= 20, ("only %d messages went through"):format(rounds))
    assert.is_true(worst < STALL_SECONDS, ("a message took %.3f s"):format(worst))
  end)

  it("does not hold up those who connect", function()
    local rounds, worst = meanwhile(function()
      local client = wire.connect(running.port)
      client:expect()
      client:send('CONNECT {"verbose":false}\r\n')
      client:sync()
      client:close()
    end)
    assert.is_true(rounds >= 10, ("only %d clients connected"):format(rounds))
    assert.is_true(worst < STALL_SECONDS, ("a client waited %.3f s"):format(worst))
  end)
end)
