local socket = require "socket"

-- How many PINGs each connection gets while `seconds` pass; each answers its own, and in every tenth of a second sends
-- what `traffic` has for it.
local function count_pings(connections, traffic, seconds)
  local counts, deadline = {}, socket.gettime() + seconds
  for name in pairs(connections) do counts[name] = 0 end
  while socket.gettime() < deadline do
    for name, conn in pairs(connections) do
      if traffic[name] then conn:send(traffic[name]) end
      for _, item in ipairs(conn:listen(0.1 / 8)) do
        if item == "PING\r\n" then
          counts[name] = counts[name] + 1
          conn:send("PONG\r\n")
        end
      end
    end
  end
  return counts
end

-- After how many seconds the next item comes; it is told.
local function waits(conn, most)
  local start = socket.gettime()
  conn:expect(1, most)
  return socket.gettime() - start
end

local function between(seconds, least, most)
  return ("between %g s and %g s: %s"):format(least, most, tostring(seconds >= least and seconds <= most))
end

return {
  topic = "pings",
  {
    about = "a short interval",
    config = 'ping_interval: "250ms"\nping_max: 2',
    {
      name = "a client that answers no PING is stale after the third interval",
      covers = { "CP-150", "CP-151", "CP-230", "CP-232" },
      run = function(t)
        local a = t:client("a")
        a:closed()
        t:close_reason(a)
        t:poll("/varz", function(found) return found.stale_connections > 0 end)
      end,
    },
    {
      name = "a connection that never sent CONNECT is pinged too",
      covers = { "CP-150", "CP-151", "CP-152" },
      run = function(t)
        local a = t:connect("a")
        a:closed()
        t:close_reason(a)
      end,
    },
    {
      name = "a client that answers every PING stays",
      covers = { "CP-150", "CP-151" },
      run = function(t)
        local a = t:client("a")
        for _ = 1, 4 do
          a:expect()
          a:send("PONG\r\n")
        end
      end,
    },
    {
      name = "only PONG clears outstanding pings: other traffic does not keep a client alive",
      covers = { "CP-151", "CP-047" },
      run = function(t)
        local a = t:client("a")
        a:expect(2)
        a:send("+OK\r\n")
        a:closed()
        t:close_reason(a)
      end,
    },
    {
      name = "a PONG after two unanswered pings starts the count anew",
      covers = { "CP-151" },
      run = function(t)
        local a = t:client("a")
        a:expect(2)
        a:send("PONG\r\n")
        a:expect(2)
        a:closed()
        t:close_reason(a)
      end,
    },
  },
  {
    about = "a maximum of one",
    config = 'ping_interval: "250ms"\nping_max: 1',
    {
      name = "with a maximum of one ping a client is stale after the second interval",
      covers = { "CP-151" },
      run = function(t)
        local a = t:client("a")
        a:closed()
        t:close_reason(a)
      end,
    },
  },
  {
    about = "a long interval",
    config = 'ping_interval: "1h"',
    {
      name = "the first PING comes two seconds after CONNECT, however long the interval",
      covers = { "CP-152", "CP-154" },
      run = function(t)
        local a = t:client("a")
        a:expect(1, 4)
        a:send("PONG\r\n")
        a:sync()
      end,
    },
    {
      name = "a request for a subscriber whose round trip is not known has it measured, but not in its first two seconds",
      covers = { "CP-153", "CP-154" },
      run = function(t)
        local start = socket.gettime()
        local a, b = t:connect("a"), t:client("b", nil, { quiet = true })
        a:send("SUB service 1\r\n")
        a:sync()
        local function request(reply)
          b:send(("PUB service %s 0\r\n\r\n"):format(reply))
          b:sync()
          a:sync()
        end
        request("_INBOX.123456789")
        a:listen(start + 2.1 - socket.gettime())
        request("_INBOX.12345678")
        request("_INBOX.123456789")
        a:send("PONG\r\n")
        a:sync()
        request("_INBOX.123456789")
      end,
    },
  },
  {
    about = "three seconds",
    config = 'ping_interval: "3s"\nping_max: 5',
    {
      name = "before CONNECT the first PING comes after the interval, behind each CONNECT after two seconds and a little",
      covers = { "CP-152" },
      run = function(t)
        local start = socket.gettime()
        local a, b, c = t:connect("a"), t:client("b"), t:client("c")
        local first, behind = waits(b, 5), socket.gettime()
        t:note("connected: " .. between(first, 1.9, 2.7))
        c:expect()
        c:send('PONG\r\nCONNECT {"verbose":false}\r\n')
        a:expect()
        t:note("not connected: " .. between(socket.gettime() - start, 2.9, 4.4))
        c:expect()
        t:note("connected again: " .. between(socket.gettime() - behind, 1.9, 2.7))
        b:expect()
        t:note("connected once: " .. between(socket.gettime() - behind, 2.9, 4.4))
      end,
    },
  },
  {
    about = "half a second",
    config = 'ping_interval: "500ms"\nping_max: 3',
    {
      name = "who publishes, subscribes or pings within the interval is pinged once only",
      covers = { "CP-150", "CP-152" },
      run = function(t)
        local list, quiet = {}, { quiet = true }
        for _, name in ipairs { "idle", "PUB", "SUB", "UNSUB", "PING", "PONG" } do list[name] = t:client(name, nil, quiet) end
        local counts = count_pings(list, {
          PUB = "PUB nobody 0\r\n\r\n", SUB = "SUB x 1\r\n", UNSUB = "UNSUB 7\r\n", PING = "PING\r\n", PONG = "PONG\r\n",
        }, 2.8)
        for _, name in ipairs { "PUB", "SUB", "UNSUB", "PING" } do t:note(("%s: pings: %d"):format(name, counts[name])) end
        for _, name in ipairs { "idle", "PONG" } do
          t:note(("%s: pings: at least three: %s"):format(name, tostring(counts[name] >= 3)))
        end
      end,
    },
    {
      name = "a connection that never sent CONNECT is pinged whatever it sends, for its round trip is not known",
      covers = { "CP-150", "CP-153" },
      run = function(t)
        local a = t:connect("a", { quiet = true })
        local pings = 0
        for _ = 1, 100 do
          if not a:send("PUB nobody 0\r\n\r\n") then break end
          for _, item in ipairs(a:listen(0.05)) do
            if item == "PING\r\n" then pings = pings + 1 end
            if item:find("^-ERR") then t:note(item:match("%C+")) end
          end
          if a.gone then break end
        end
        t:note("pings: " .. pings)
        t:close_reason(a)
      end,
    },
    {
      name = "PONGs that nobody asked for are no store for later",
      covers = { "CP-151" },
      run = function(t)
        local a = t:client("a")
        a:send(("PONG\r\n"):rep(20))
        a:closed()
        t:close_reason(a)
      end,
    },
  },
}
