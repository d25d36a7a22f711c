-- Accepting connections, and what their sockets are like.
local http = require "spec.support.http"
local process = require "spec.support.process"
local socket = require "socket"

local MESSAGES = 2000

-- The shortest of 20 round trips, in seconds.
local function quickest(conn)
  local best = math.huge
  for _ = 1, 20 do
    local start = socket.gettime()
    conn:sync()
    best = math.min(best, socket.gettime() - start)
  end
  return best
end

return {
  topic = "the listener",
  {
    about = "identity",
    fresh = true,
    {
      name = "client ids are counted from 1 for the whole server and never used twice",
      covers = { "CP-004" },
      run = function(t)
        local shown = {}
        for i = 1, 5 do
          local a = t:connect("a", { quiet = true })
          shown[i] = a.info.client_id
          if i % 2 == 0 then a:close() end
        end
        local first = shown[1]
        for i = 1, 5 do shown[i] = shown[i] - first end
        t:note("ids behind the first: " .. table.concat(shown, " "))
        local found = http.get(t.server.http_port, "/connz?sort=cid").json
        for _, entry in ipairs(found.connections) do t:note("open: " .. entry.cid - first) end
      end,
    },
    {
      name = "INFO tells a client its address",
      covers = { "CP-005" },
      run = function(t)
        local a = t:connect("a", { quiet = true })
        t:note("client_ip: " .. tostring(a.info.client_ip))
        a:send('CONNECT {"protocol":1,"verbose":false}\r\nPING\r\n')
        a:expect()
        t:note("in the second INFO: " .. tostring(a:expect():match('"client_ip":"(.-)"')))
      end,
    },
  },
  {
    about = "writing",
    {
      name = "small messages to one subscriber share writes",
      covers = { "CP-130" },
      run = function(t)
        local a, b = t:client("a", nil, { quiet = true }), t:client("b", nil, { quiet = true })
        a:send("SUB many 1\r\n")
        a:sync()
        local before = a:segments()
        b:send(("PUB many 8\r\n12345678\r\n"):rep(MESSAGES))
        b:sync()
        local seen = a:sync()
        t:note(("messages: %d, less than a tenth as many writes: %s"):format(
          #seen, tostring(a:segments() - before < MESSAGES / 10)))
      end,
    },
    {
      name = "no write waits for others to join it",
      covers = { "CP-130", "CP-001" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB one 1\r\n")
        t:note("a round trip takes below 5 ms: " .. tostring(quickest(a) < 0.005))
        local best = math.huge
        for _ = 1, 20 do
          local start = socket.gettime()
          a:send("PUB one 1\r\nx\r\n")
          a:expect()
          best = math.min(best, socket.gettime() - start)
        end
        t:note("a message takes below 5 ms: " .. tostring(best < 0.005))
      end,
    },
  },
  {
    about = "without descriptors",
    fresh = true,
    {
      name = "a server without descriptors waits, says so, and accepts again once it has some",
      covers = { "CP-017" },
      run = function(t)
        local first = t:client("first", nil, { quiet = true })
        t.server.process:limit_descriptors(2)
        local open = {}
        for i = 1, 6 do open[i] = t:connect("more", { quiet = true, raw = true }) end
        t:logged("%[ERR%] (Temporary Client Accept Error%(accept tcp 127%.0%.0%.1:%d+: accept4: too many open files%), sleeping %d+ms)")
        t:logged("(Temporary Client Accept Error[^\n]*sleeping 40ms)")
        first:sync()
        t:note("those that are connected are served")
        local greeted = 0
        for i = 1, 6 do
          local item = open[i]:next(0.05)
          if item then greeted = greeted + 1 end
        end
        t:note(("greeted: some %s, all %s"):format(tostring(greeted > 0), tostring(greeted == 6)))
        for i = 1, 4 do open[i]:close() end
        local answered = process.wait_for(function()
          local item = open[6]:next(0.01)
          return item and item:match("^INFO")
        end)
        t:note("the last one is greeted in the end: " .. tostring(answered))
      end,
    },
    {
      name = "a server without descriptors can be stopped",
      covers = { "CP-017", "CP-174" },
      run = function(t)
        t.server.process:limit_descriptors(0)
        t:connect("a", { quiet = true, raw = true })
        t:logged("(Temporary Client Accept Error[^\n]*sleeping 640ms)")
        t:signal("TERM")
        t:exit(3)
      end,
    },
  },
}
