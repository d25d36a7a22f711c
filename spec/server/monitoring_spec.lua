-- Monitoring of a server in use: more of everything than fits into one answer of a worker, and clients that come and go.
local http = require "spec.support.http"
local json = require "dkjson"
local process = require "spec.support.process"
local server = require "spec.support.server"
local socket = require "socket"
local wire = require "spec.support.wire"

local SECONDS = 60
local CONFIG = "workers: 3\nmax_closed_clients: 7\nmax_subs: 0\n"

describe("The monitoring port", function()
  local running, clients

  before_each(function()
    running, clients = assert(server.start(assert(server.perigee()), { config = CONFIG })), {}
  end)

  after_each(function()
    for _, client in ipairs(clients) do client:close() end
    running:stop()
  end)

  local function client(name)
    local connection = assert(wire.connect(running.port))
    connection:send(('CONNECT {"verbose":false,"name":"%s"}\r\n'):format(name or ""))
    connection:sync()
    clients[#clients + 1] = connection
    return connection
  end

  local function get(path)
    local answer = assert(http.get(running.http_port, path))
    assert.equal(200, answer.status, path)
    return answer.json
  end

  -- All entries of a paged list, and how often each key was seen.
  local function all_pages(path, list, key, limit)
    local seen, count, offset = {}, 0, 0
    repeat
      local page = get(("%slimit=%d&offset=%d"):format(path, limit, offset))
      for _, entry in ipairs(page[list]) do
        seen[entry[key]] = (seen[entry[key]] or 0) + 1
        count = count + 1
      end
      offset = offset + limit
    until offset >= page.total
    return seen, count
  end

  it("pages through the connections of all workers, each once", function()
    for i = 1, 100 do client("c" .. i) end
    local seen, count = all_pages("/connz?", "connections", "name", 9)
    assert.equal(100, count)
    for i = 1, 100 do assert.equal(1, seen["c" .. i], "c" .. i) end
    local varz = get "/varz"
    assert.equal(100, varz.connections)
    assert.is_true(varz.total_connections >= 100)
  end)

  it("lists all subscriptions of a connection, however many", function()
    local owner = client "owner"
    for first = 1, 4000, 1000 do
      local lines = {}
      for sid = first, first + 999 do lines[#lines + 1] = ("SUB some.subject.of.middle.length.%d %d\r\n"):format(sid, sid) end
      owner:send(table.concat(lines))
      owner:sync()
    end
    local connz = get "/connz?subs=1"
    assert.equal(4000, connz.connections[1].subscriptions)
    assert.equal(4000, #connz.connections[1].subscriptions_list)
    local seen, count = all_pages("/subsz?subs=1&", "subscriptions_list", "sid", 900)
    assert.equal(4000, count)
    for sid = 1, 4000 do assert.equal(1, seen[tostring(sid)]) end
    assert.equal(4000, get("/subsz").num_subscriptions)
  end)

  it("finds subscriptions that a subject would reach", function()
    local owner = client()
    owner:send("SUB orders.* 1\r\nSUB orders.> q 2\r\nSUB other 3\r\n")
    owner:sync()
    local found = get "/subsz?subs=1&test=orders.new"
    local subjects = {}
    for i, entry in ipairs(found.subscriptions_list) do subjects[i] = entry.subject end
    table.sort(subjects)
    assert.same({ "orders.*", "orders.>" }, subjects)
  end)

  it("remembers as many closed connections as it may, the last ones", function()
    for i = 1, 20 do
      local gone = client("gone" .. i)
      gone:close()
      assert(process.wait_for(function() return get("/varz").connections == 0 end, SECONDS))
    end
    local closed
    assert(process.wait_for(function()
      closed = get "/connz?state=closed&sort=stop"
      return closed.connections[1] and closed.connections[1].name == "gone20"
    end, SECONDS))
    local names = {}
    for i, entry in ipairs(closed.connections) do
      names[i] = entry.name
      assert.equal("Client Closed", entry.reason)
    end
    assert.same({ "gone20", "gone19", "gone18", "gone17", "gone16", "gone15", "gone14" }, names)
    assert.equal(7, closed.total)
    client "open"
    assert.equal(8, get("/connz?state=any").total)
    assert.equal(1, get("/connz").total)
  end)

  it("counts every message, over all workers", function()
    local subscribers = {}
    for i = 1, 6 do
      subscribers[i] = client("s" .. i)
      subscribers[i]:send "SUB count.me 1\r\n"
      subscribers[i]:sync()
    end
    local before = get "/varz"
    local publisher = client "publisher"
    publisher:send(("PUB count.me 5\r\nhello\r\n"):rep(1000))
    publisher:sync()
    for i = 1, 6 do
      for _ = 1, 1000 do assert.equal("MSG count.me 1 5\r\nhello\r\n", (subscribers[i]:expect(1, SECONDS))) end
    end
    local after = get "/varz"
    assert.equal(1000, after.in_msgs - before.in_msgs)
    assert.equal(5000, after.in_bytes - before.in_bytes)
    assert.equal(6000, after.out_msgs - before.out_msgs)
    assert.equal(30000, after.out_bytes - before.out_bytes)
    local out = 0
    for _, entry in ipairs(get("/connz").connections) do out = out + entry.out_msgs end
    assert.equal(6000, out)
    local stat = get("/accstatz").account_statz[1]
    assert.equal("$G", stat.acc)
  end)

  it("answers consistently while clients come and go", function()
    for round = 1, 60 do
      local fresh = client("r" .. round)
      fresh:send(("SUB round.%d 1\r\nPUB round.%d 0\r\n\r\n"):format(round, round))
      if round % 3 == 0 then clients[#clients - 1]:close() end
      local connz = get "/connz?subs=1&limit=1000"
      assert.equal(connz.num_connections, #connz.connections)
      assert.is_true(connz.total >= connz.num_connections)
      for _, entry in ipairs(connz.connections) do
        assert.is_true(entry.subscriptions <= 1)
        assert.equal(entry.subscriptions, entry.subscriptions_list and #entry.subscriptions_list or 0)
      end
      assert.equal("ok", get("/healthz").status)
    end
  end)

  it("answers many at once, and one behind the other on a connection", function()
    local socks, request = {}, "GET /varz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for i = 1, 50 do
      socks[i] = assert(socket.connect("127.0.0.1", running.http_port))
      socks[i]:send(request)
    end
    for i = 1, 50 do
      socks[i]:settimeout(SECONDS)
      local text = assert(socks[i]:receive("*a"))
      socks[i]:close()
      local document = assert(json.decode(text:match("\r\n\r\n(.*)$")))
      assert.truthy(document.server_id)
    end
    local sock = assert(socket.connect("127.0.0.1", running.http_port))
    sock:settimeout(SECONDS)
    local kept = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    sock:send(kept:rep(20) .. request)
    local all = assert(sock:receive("*a"))
    sock:close()
    assert.equal(21, select(2, all:gsub("HTTP/1%.1 200 OK", "")))
    assert.equal(20, select(2, all:gsub('{"status":"ok"}', "")))
  end)

  it("leaves nothing behind of those that ask and go away", function()
    for _ = 1, 100 do
      local sock = assert(socket.connect("127.0.0.1", running.http_port))
      sock:send "GET /connz?subs=1 HTTP/1.1\r\nHost: x\r\n\r\n"
      sock:setoption("linger", { on = true, timeout = 0 })
      sock:close()
    end
    local function descriptors()
      local listing = io.popen(("ls /proc/%d/fd | wc -l"):format(running.process.pid))
      local n = tonumber(listing:read("*l"))
      listing:close()
      return n
    end
    assert(process.wait_for(function() return descriptors() < 60 end, SECONDS), descriptors())
    assert.equal(0, get("/varz").connections)
  end)

  it("does not notice a method it does not serve, a path that is none, nor rubbish", function()
    assert.equal(404, http.get(running.http_port, "/nothing").status)
    assert.equal(400, http.request(running.http_port, "rubbish\r\n\r\n").status)
    assert.equal(400, http.get(running.http_port, "/connz?limit=x").status)
    assert.equal(200, http.get(running.http_port, "/varz").status)
  end)
end)
