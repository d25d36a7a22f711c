-- Documents of /connz. Each scenario names its connections and asks for them alone, for others come and go beside it.
local http = require "spec.support.http"
local LIST = { connections = true, num_connections = true, total = true, offset = true, limit = true, now = true, server_id = true }
local COUNTS = { num_connections = true, total = true, offset = true, limit = true }

local function bad(name, covers, query)
  return {
    name = "a bad request for connections is refused: " .. name, covers = covers,
    run = function(t) t:http("/connz?" .. query, { headers = { "Access-Control-Allow-Origin" } }) end,
  }
end

-- Four clients that differ in everything that one can sort by.
local function crowd(t)
  local clients = {}
  for i, name in ipairs { "anna", "bert", "carl", "dora" } do
    local conn = t:client(name, ('"name":"%s"'):format(name), { quiet = true })
    for sid = 1, i do conn:send(("SUB crowd.%s.%d %d\r\n"):format(name, sid, sid)) end
    for _ = 1, 5 - i do conn:send(("PUB nobody %d\r\n%s\r\n"):format(i * i, ("x"):rep(i * i))) end
    conn:sync()
    clients[i] = conn
  end
  local order = { 3, 1, 4, 2 }
  local sender = t:client("sender", '"name":"sender"', { quiet = true })
  for count, i in ipairs(order) do
    for _ = 1, count do sender:send(("PUB crowd.%s.1 %d\r\n%s\r\n"):format(clients[i].name, 10 * count, ("y"):rep(10 * count))) end
    sender:sync()
  end
  for _, conn in ipairs(clients) do conn:sync() end
  sender:close()
  t:poll("/varz", function(found) return found.connections == 4 end)
  return clients
end

local function names(document)
  local list = {}
  for i, entry in ipairs(document.connections) do list[i] = entry.name or "?" end
  return table.concat(list, " ")
end

local function sorted(key, about)
  return {
    name = ("connections are sorted by %s: %s"):format(key, about), covers = { "MO23" },
    run = function(t)
      crowd(t)
      local answer = t:http("/connz?sort=" .. key, { only = COUNTS })
      t:note(names(answer.json))
    end,
  }
end

return {
  topic = "monitoring: connections",
  {
    about = "documents",
    fresh = true,
    {
      name = "/connz without connections",
      covers = { "MO21", "MO7" },
      run = function(t) t:http("/connz", { headers = { "Access-Control-Allow-Origin" }, only = COUNTS }) end,
    },
    {
      name = "/connz tells all of a connection",
      covers = { "MO21", "MO29", "MO30", "CP-153" },
      run = function(t)
        t:client("a", '"name":"me","lang":"lua","version":"1.2.3","protocol":1')
        t:http("/connz", { only = LIST })
      end,
    },
    {
      name = "messages, subscriptions and deliveries are activity, PING and PONG are not",
      covers = { "MO30" },
      run = function(t)
        local a, b = t:client("a", nil, { quiet = true }), t:client("b", nil, { quiet = true })
        local function activity(conn)
          return http.get(t.server.http_port, "/connz?cid=" .. conn.cid).json.connections[1].last_activity
        end
        local function note(what, conn, act)
          local before = activity(conn)
          act()
          t:note(("%s: %s"):format(what, tostring(activity(conn) ~= before)))
        end
        note("PING", a, function() a:sync() end)
        note("SUB", a, function() a:send("SUB foo 1\r\n") a:sync() end)
        note("PUB", b, function() b:send("PUB bar 0\r\n\r\n") b:sync() end)
        note("delivery", a, function() b:send("PUB foo 0\r\n\r\n") a:expect() end)
        note("UNSUB", a, function() a:send("UNSUB 1\r\n") a:sync() end)
        note("PUB of another", a, function() b:send("PUB foo 0\r\n\r\n") b:sync() end)
      end,
    },
    {
      name = "/connz tells of a connection that sent nothing",
      covers = { "MO21" },
      run = function(t)
        t:connect("a")
        t:poll("/connz", function(found) return found.total == 1 end)
        t:http("/connz", { only = LIST, volatile = { rtt = "duration" } })
      end,
    },
    {
      name = "/connz lists subscriptions",
      covers = { "MO24" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo.* 1\r\nSUB bar workers 22\r\nUNSUB 22 7\r\nPUB bar 2\r\nhi\r\n")
        a:sync()
        t:http("/connz?subs=1", { only = { connections = true } })
      end,
    },
    {
      name = "/connz lists subscriptions in detail",
      covers = { "MO24" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB bar workers 22\r\nUNSUB 22 7\r\nPUB bar 2\r\nhi\r\n")
        a:sync()
        t:http("/connz?subs=detail", { only = { connections = true } })
      end,
    },
    {
      name = "/connz finds a connection by its cid",
      covers = { "MO26" },
      run = function(t)
        t:client("a", '"name":"a"')
        local b = t:client("b", '"name":"b"')
        t:http("/connz?cid=" .. b.cid, { shown = "/connz of b", only = LIST })
      end,
    },
    {
      name = "/connz finds nobody under an unknown cid",
      covers = { "MO26" },
      run = function(t)
        t:client("a")
        t:http("/connz?cid=999999", { only = LIST })
      end,
    },
    {
      name = "/connz shows the account when it is asked for authentication",
      covers = { "MO25" },
      run = function(t)
        t:client("a")
        t:http("/connz?auth=1", { only = { connections = true } })
      end,
    },
    {
      name = "/connz filters by account",
      covers = { "MO26" },
      run = function(t)
        t:client("a")
        t:http("/connz?acc=$G", { only = COUNTS })
        t:http("/connz?acc=nobody", { only = LIST })
      end,
    },
    {
      name = "closed connections are told with reason, end and last counters",
      covers = { "MO28", "CP-231" },
      run = function(t)
        local a = t:client("a", '"name":"a"')
        a:send("SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        a:sync()
        a:send("FOO\r\n")
        a:closed()
        t:close_reason(a)
        t:http("/connz?state=closed&subs=1", { only = LIST })
        t:http("/connz?state=open", { only = COUNTS })
        t:client("b", '"name":"b"')
        t:http("/connz?state=any", { only = COUNTS })
        t:http("/connz?state=ALL", { only = COUNTS })
      end,
    },
    {
      name = "a closed connection that never sent CONNECT is listed too",
      covers = { "MO28" },
      run = function(t)
        local a = t:connect("a")
        a:close()
        t:poll("/connz?state=closed", function(found) return found.total == 1 end)
        t:http("/connz?state=closed", { only = LIST })
      end,
    },
    {
      name = "/connz pages through its list",
      covers = { "MO22" },
      run = function(t)
        crowd(t)
        for _, query in ipairs { "limit=2", "offset=1&limit=2", "offset=3&limit=2", "offset=4", "offset=99", "limit=0",
          "limit=-5", "offset=-5", "offset=9223372036854775807&limit=9223372036854775807" } do
          local answer = t:http("/connz?" .. query, { only = COUNTS })
          t:note(names(answer.json))
        end
      end,
    },
    sorted("cid", "ascending"), sorted("start", "ascending"), sorted("subs", "most first"),
    sorted("msgs_to", "most first"), sorted("msgs_from", "most first"),
    sorted("bytes_to", "most first"), sorted("bytes_from", "most first"), sorted("last", "latest first"),
    sorted("", "as cid"),
    {
      name = "closed connections are sorted by their end and by their reason",
      covers = { "MO23" },
      run = function(t)
        for i, bytes in ipairs { "FOO\r\n", "PUB foo 99999999\r\n", "-ERR 'x'\r\n" } do
          local a = t:client("a", ('"name":"%d"'):format(i))
          a:send(bytes)
          a:closed()
          t:close_reason(a)
        end
        for _, key in ipairs { "stop", "reason" } do
          t:note(key .. ": " .. names(t:http("/connz?state=closed&sort=" .. key, { only = COUNTS }).json))
        end
      end,
    },
  },
  {
    about = "bad requests",
    bad("cid", { "MO8", "MO26" }, "cid=abc"),
    bad("negative cid", { "MO8" }, "cid=-1"),
    bad("limit", { "MO8", "MO22" }, "limit=many"),
    bad("limit out of range", { "MO8" }, "limit=99999999999999999999"),
    bad("offset", { "MO8", "MO22" }, "offset=1.5"),
    bad("auth", { "MO8", "MO25" }, "auth=yes"),
    bad("subs", { "MO8", "MO24" }, "subs=details"),
    bad("state", { "MO8", "MO28" }, "state=xyz"),
    bad("sort", { "MO8", "MO23" }, "sort=name"),
    bad("sort by stop of open ones", { "MO8", "MO23" }, "sort=stop"),
    bad("sort by reason of open ones", { "MO8", "MO23" }, "sort=reason"),
    bad("sort by stop of all", { "MO8", "MO23" }, "sort=stop&state=any"),
    bad("escaped text", { "MO8" }, "sort=%3Cb%3E%22x"),
  },
}
