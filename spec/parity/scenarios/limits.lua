local shapes = require "spec.support.shapes"
local closes = shapes.closes

local CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n'
local LINE = 128

-- Arguments of exactly `size` bytes between `before` and `after`.
local function sized(before, after, size)
  return before .. ("x"):rep(size - #before - #after) .. after
end

local function line_exceeded(name, bytes)
  return closes("a control line above its maximum closes: " .. name, { "CP-044", "CP-230" }, CONNECT .. bytes)
end

-- A subscriber that does not read, and a publisher that sends more than may be pending for it.
local function overwhelm(t, subscriber)
  local b = t:client("b", nil, { quiet = true })
  local one = "PUB flood 65536\r\n" .. ("x"):rep(65536) .. "\r\n"
  for _ = 1, 400 do
    b:send(one)
    b:sync()
    local closed = t:poll("/varz", function(found) return found end).slow_consumers > 0
    if closed then break end
  end
  t:close_reason(subscriber)
end

return {
  topic = "limits",
  {
    about = "sizes",
    config = "max_control_line: 128\nmax_payload: 1000",
    line_exceeded("PUB", "PUB " .. sized("", " 0", LINE + 1) .. "\r\n"),
    line_exceeded("HPUB", "HPUB " .. sized("", " 12 12", LINE + 1) .. "\r\n"),
    line_exceeded("SUB", "SUB " .. sized("", " 1", LINE + 1) .. "\r\n"),
    line_exceeded("UNSUB", "UNSUB " .. sized("", "", LINE + 1) .. "\r\n"),
    line_exceeded("CONNECT", "CONNECT " .. sized('{"name":"', '"}', LINE + 1) .. "\r\n"),
    line_exceeded("INFO", "INFO " .. sized('{"name":"', '"}', LINE + 1) .. "\r\n"),
    line_exceeded("one that does not end", "SUB " .. ("x"):rep(LINE + 1)),
    shapes.answers("control lines of just their maximum are fine", { "CP-044" },
      "SUB " .. sized("", " 1", LINE) .. "\r\nPUB " .. sized("", " 0", LINE) .. "\r\n\r\nUNSUB " .. sized("", "", LINE) .. "\r\n"),
    {
      name = "a control line of just its maximum is fine when its line feed comes later",
      covers = { "CP-044", "CP-043" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB " .. sized("", " 1", LINE) .. "\r")
        a:taken()
        a:send("\n")
        a:sync()
      end,
    },
    {
      name = "a control line is too long however it is split",
      covers = { "CP-044", "CP-043" },
      run = function(t)
        local a = t:connect("a")
        a:send_split("SUB " .. ("x"):rep(LINE + 1), 50)
        a:closed()
        t:close_reason(a)
      end,
    },
    {
      name = "INFO tells the maximum payload",
      covers = { "CP-008" },
      run = function(t) t:connect("a", { raw = true }):expect() end,
    },
    shapes.answers("a payload of just its maximum is fine", { "CP-045" },
      "SUB foo 1\r\nPUB foo 1000\r\n" .. ("y"):rep(1000) .. "\r\n"),
    closes("a payload above its maximum closes before it was sent", { "CP-045", "CP-230" }, CONNECT .. "PUB foo 1001\r\n"),
    closes("headers count for the maximum payload", { "CP-045", "CP-062" }, CONNECT .. "HPUB foo 12 1001\r\n"),
    closes("a payload of nine digits is too large", { "CP-045", "CP-046" }, CONNECT .. "PUB foo 999999999\r\n"),
  },
  {
    about = "sizes by default",
    shapes.answers("control lines of 4096 bytes are fine by default", { "CP-044" },
      "SUB " .. sized("", " 1", 4096) .. "\r\nPUB " .. sized("", " 0", 4096) .. "\r\n\r\n"),
    closes("a control line of 4097 bytes closes by default", { "CP-044" }, CONNECT .. "SUB " .. sized("", " 1", 4097) .. "\r\n"),
    closes("a payload above a mebibyte closes by default", { "CP-045" }, CONNECT .. "PUB foo 1048577\r\n"),
    {
      name = "the log tells of a payload above the maximum",
      covers = { "CP-045" },
      run = function(t)
        local a = t:connect("a")
        a:send("PUB foo 2000000\r\n")
        a:closed()
        t:logged("%[ERR%] 127%.0%.0%.1:%d+ %- cid:" .. a.cid .. " %- (maximum payload exceeded: [^\n]*)")
      end,
    },
  },
  {
    about = "a negative maximum of connections",
    config = "max_connections: -1",
    {
      name = "a negative maximum of connections refuses everybody",
      covers = { "CP-015" },
      run = function(t) t:connect("a"):closed() end,
    },
  },
  {
    about = "connections",
    config = "max_connections: 2",
    fresh = true,
    {
      name = "a connection above the maximum gets INFO and then an error",
      covers = { "CP-015", "CP-230" },
      run = function(t)
        t:client("a")
        local b = t:client("b")
        local c = t:connect("c")
        c:closed()
        t:close_reason(c)
        b:close()
        t:poll("/varz", function(found) return found.connections == 1 end)
        t:client("d")
      end,
    },
  },
  {
    about = "no connections at all",
    config = "max_connections: 0",
    {
      name = "a maximum of 0 connections refuses everybody",
      covers = { "CP-015" },
      run = function(t) t:connect("a"):closed() end,
    },
  },
  {
    about = "slow consumers",
    config = 'max_pending: 1MB\nmax_payload: 65536\nwrite_deadline: "30s"',
    fresh = true,
    {
      name = "a subscriber with too much pending is closed as a slow consumer and counted",
      covers = { "CP-131", "CP-138", "CP-230", "CP-232", "MO20" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB flood 1\r\n")
        a:sync()
        overwhelm(t, a)
        t:logged("%[INF%] 127%.0%.0%.1:%d+ %- cid:" .. a.cid .. " %- (Slow Consumer Detected: MaxPending of %d+ Exceeded)")
        t:http("/varz", { only = { slow_consumers = true, slow_consumer_stats = true, stale_connections = true } })
      end,
    },
    {
      name = "a slow consumer is told nothing: what it gets is cut off",
      covers = { "CP-131", "CP-138" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB flood 1\r\n")
        a:sync()
        overwhelm(t, a)
        local bytes = {}
        repeat
          local more, why, part = a.sock:receive(65536)
          bytes[#bytes + 1] = more or part
        until why == "closed"
        local tail = table.concat(bytes):sub(-200)
        t:note("an error at its end: " .. tostring(tail:find("-ERR", 1, true) ~= nil))
      end,
    },
    {
      name = "a slow consumer does not harm the one beside it",
      covers = { "CP-131", "CP-135" },
      run = function(t)
        local a, c = t:client("a"), t:client("c", nil, { quiet = true })
        a:send("SUB flood 1\r\n")
        a:sync()
        c:send("SUB other 1\r\n")
        c:sync()
        overwhelm(t, a)
        c:send("PUB other 2\r\nhi\r\n")
        t:note("c got its message: " .. tostring(c:sync()[1] == "MSG other 1 2\r\nhi\r\n"))
      end,
    },
    {
      name = "a subscriber that reads is never slow, however much it gets",
      covers = { "CP-140", "CP-135" },
      run = function(t)
        local a, b = t:client("a", nil, { quiet = true }), t:client("b", nil, { quiet = true })
        a:send("SUB flood 1\r\n")
        a:sync()
        local one, bytes = "PUB flood 65536\r\n" .. ("x"):rep(65536) .. "\r\n", 0
        for _ = 1, 100 do
          b:send(one)
          b:sync()
          bytes = bytes + #a:expect() - #"MSG flood 1 65536\r\n\r\n"
        end
        t:note("bytes: " .. bytes)
        t:http("/varz", { only = { slow_consumers = true } })
      end,
    },
  },
  {
    about = "the list of closed connections",
    config = "max_closed_clients: 3",
    {
      name = "only the latest closed connections are kept",
      covers = { "CP-231", "MO28" },
      run = function(t)
        for i = 1, 5 do
          local a = t:client("a", ('"name":"number %d"'):format(i), { quiet = true })
          a:send(("SUB topic.%d %d\r\n"):format(i, i))
          a:sync()
          a:close()
          t:poll("/varz", function(found) return found.connections == 0 end)
        end
        t:http("/connz?state=closed&subs=1")
      end,
    },
  },
}
