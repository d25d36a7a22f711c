-- What happens when a subscriber reads slower than others publish.
local http = require "spec.support.http"
local socket = require "socket"

local SIZE = 65536
local BUFFER = 32768 -- what the kernel holds for a slow reader, about

-- The i-th message of a flood, different from all others.
local function message(i)
  local head = ("%08d"):format(i)
  return head .. (head):rep(SIZE / 8 - 1)
end

local function publish(conn, i)
  conn:send(("PUB flood %d\r\n%s\r\n"):format(SIZE, message(i)))
  conn:sync()
end

local function varz(t) return http.get(t.server.http_port, "/varz").json end

-- A subscriber that does not read for the time being, and a publisher.
local function slow_pair(t, options)
  options = options or {}
  local a = t:client("a", options.members, { quiet = true, receive_buffer = options.receive_buffer })
  local b = t:client("b", nil, { quiet = true })
  a:send("SUB flood 1\r\n")
  a:sync()
  return a, b
end

-- What `a` has pending, in whole messages and in their order: how many, and whether all of them are right.
local function read_flood(a)
  local last, right, count = 0, true, 0
  for _, item in ipairs(a:sync()) do
    local number = tonumber(item:match("^MSG flood 1 65536\r\n(%d%d%d%d%d%d%d%d)"))
    right = right and number ~= nil and number > last and item == ("MSG flood 1 65536\r\n%s\r\n"):format(message(number))
    last, count = number or last, count + 1
  end
  return count, right
end

-- Takes `size` bytes off every `pause` seconds until the server closes (returns nil), nothing has come for half a
-- second, or `stop` says so; returns all bytes.
local function sip(a, size, pause, stop)
  local bytes, idle_since = 0, nil
  while true do
    local got = a:swallow(size)
    if not got then return nil, bytes end
    bytes = bytes + got
    if got > 0 then idle_since = nil else idle_since = idle_since or socket.gettime() end
    if idle_since and socket.gettime() - idle_since > 0.5 or stop and stop() then return bytes end
    socket.select(nil, nil, pause)
  end
end

-- Publishes until the server has stalled somebody; false if it never did.
local function fill(t, b)
  for i = 1, 400 do
    publish(b, i)
    if varz(t).stalled_clients > 0 then return true end
  end
  return false
end

-- Whether all that was expected has come; the server's PINGs may be among it.
local function complete(bytes, expected)
  local more = bytes - expected
  return more >= 0 and more <= 60 and more % #"PING\r\n" == 0
end

local function stalls_of(t, a)
  return http.get(t.server.http_port, "/connz?cid=" .. a.cid).json.connections[1].stalls or 0
end

return {
  topic = "flow",
  {
    about = "with room for everything",
    fresh = true,
    {
      name = "what was written in parts arrives whole and in order",
      covers = { "CP-139", "CP-070", "CP-140" },
      run = function(t)
        local a, b = slow_pair(t)
        for i = 1, 200 do publish(b, i) end
        local count, right = read_flood(a)
        t:note(("messages: %d, whole and in order: %s"):format(count, tostring(right)))
        t:note("slow consumers: " .. varz(t).slow_consumers)
      end,
    },
    {
      name = "bursts of large payloads do not make a subscriber slow that reads",
      covers = { "CP-140" },
      run = function(t)
        local a, b = slow_pair(t)
        local one, length = ("PUB flood 1048576\r\n%s\r\n"):format(("x"):rep(1048576)), #"MSG flood 1 1048576\r\n\r\n" + 1048576
        local bytes = 0
        for _ = 1, 10 do
          for _ = 1, 50 do
            b:send(one)
            bytes = bytes + (a:swallow(4 * 1048576) or 0)
          end
          b:sync()
        end
        bytes = bytes + sip(a, 4 * 1048576, 0)
        t:note("all arrived: " .. tostring(complete(bytes, 500 * length)))
        t:note("slow consumers: " .. varz(t).slow_consumers)
      end,
    },
  },
  {
    about = "a short deadline",
    config = 'write_deadline: "300ms"',
    fresh = true,
    {
      name = "a subscriber that takes nothing for the write deadline is closed and counted",
      covers = { "CP-132", "CP-230", "CP-232" },
      run = function(t)
        local a, b = slow_pair(t)
        for i = 1, 400 do
          publish(b, i)
          if varz(t).slow_consumers > 0 then break end
        end
        t:close_reason(a)
        t:http("/varz", { only = { slow_consumers = true, slow_consumer_stats = true } })
      end,
    },
  },
  {
    about = "a deadline for what is written at once",
    config = 'write_deadline: "500ms"',
    fresh = true,
    {
      name = "a subscriber that reads, but too slowly for what waits to be written, is closed",
      covers = { "CP-132", "CP-230" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        for i = 1, 300 do publish(b, i) end
        local all, some = sip(a, 16384, 0.05)
        t:note(("closed: %s, had read something: %s"):format(tostring(not all), tostring((some or 0) > 16384)))
        t:close_reason(a)
        t:logged("(Slow Consumer Detected: WriteDeadline of 500ms exceeded with) %d+ chunks of %d+ total bytes%.")
      end,
    },
    {
      name = "a subscriber that reads each batch in time is not slow, however long all of it takes",
      covers = { "CP-132", "CP-139" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        local start, bytes = socket.gettime(), 0
        for i = 1, 200 do
          publish(b, i)
          bytes = bytes + sip(a, SIZE, 0.001, function() return true end)
          socket.select(nil, nil, 0.004)
        end
        bytes = bytes + sip(a, SIZE, 0.001)
        t:note(("took longer than the deadline: %s"):format(tostring(socket.gettime() - start > 0.5)))
        t:note("all arrived: " .. tostring(complete(bytes, 200 * (SIZE + #"MSG flood 1 65536\r\n\r\n"))))
        t:note("slow consumers: " .. varz(t).slow_consumers)
      end,
    },
  },
  {
    about = "trying again",
    config = 'write_deadline: "300ms"\nwrite_timeout: retry',
    fresh = true,
    {
      name = "with write_timeout retry a slow reader stays, and the log says when it has recovered",
      covers = { "CP-133", "CP-232" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        for i = 1, 300 do publish(b, i) end
        local expected = 300 * (SIZE + #"MSG flood 1 65536\r\n\r\n")
        local bytes = sip(a, SIZE, 0.05, function() return varz(t).slow_consumers > 1 end) or 0
        t:logged("(Slow Consumer Detected: WriteDeadline of 300ms exceeded with) %d+ chunks of %d+ total bytes%.")
        t:logged("(Slow Consumer State: WriteDeadline of 300ms exceeded with) %d+ chunks of %d+ total bytes%.")
        bytes = bytes + (sip(a, 16 * SIZE, 0) or 0)
        t:note("all arrived: " .. tostring(complete(bytes, expected)))
        t:logged("(Slow Consumer Recovered: Flush took) %d+%.%d%d%ds with %d+ chunks of %d+ total bytes%.")
        t:http("/varz", { only = { connections = true } })
      end,
    },
    {
      name = "with write_timeout retry a subscriber that takes nothing is closed all the same",
      covers = { "CP-133" },
      run = function(t)
        local a, b = slow_pair(t)
        for i = 1, 400 do
          publish(b, i)
          if varz(t).slow_consumers > 0 then break end
        end
        t:close_reason(a)
      end,
    },
  },
  {
    about = "little room",
    config = 'max_pending: 1MB\nmax_payload: 65536\nwrite_deadline: "30s"',
    fresh = true,
    {
      name = "publishers to a subscriber that is nearly full are stalled and counted",
      covers = { "CP-135", "CP-137", "MO20" },
      run = function(t)
        local a, b = slow_pair(t)
        local stalled = false
        for i = 1, 400 do
          publish(b, i)
          if varz(t).stalled_clients > 0 then stalled = true break end
        end
        local entry = http.get(t.server.http_port, "/connz?cid=" .. a.cid).json.connections[1]
        t:note("stalled: " .. tostring(stalled))
        t:note("counted at the subscriber: " .. tostring(entry ~= nil and (entry.stalls or 0) > 0))
        local _, right = read_flood(a)
        t:note("whole and in order: " .. tostring(right))
      end,
    },
    {
      name = "a publisher is stalled for ten milliseconds of what it sends at once, and the log says so",
      covers = { "CP-135", "CP-137" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        t:note("stalled: " .. tostring(fill(t, b)))
        local before, start = stalls_of(t, a), socket.gettime()
        b:send(("PUB flood 8\r\n12345678\r\n"):rep(300))
        for _ = 1, 5 do b:sync() end
        local seconds, more = socket.gettime() - start, stalls_of(t, a) - before
        t:note(("at least 8 ms: %s, below 200 ms: %s"):format(tostring(seconds >= 0.008), tostring(seconds < 0.2)))
        t:note(("for 300 messages stalled some times, not each: %s"):format(tostring(more >= 1 and more < 50)))
        t:logged("%[WRN%] [^\n]*(Producer was stalled for a total of )%d+ms")
      end,
    },
    {
      name = "a stalled publisher goes on as soon as the subscriber is closed",
      covers = { "CP-135" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        t:note("stalled: " .. tostring(fill(t, b)))
        a:close()
        local best = math.huge
        for i = 1, 20 do
          local start = socket.gettime()
          publish(b, i)
          best = math.min(best, socket.gettime() - start)
        end
        t:note("in the end a publish takes less than a stall: " .. tostring(best < 0.002))
      end,
    },
  },
  {
    about = "dropping instead of stalling",
    config = 'max_pending: 1MB\nmax_payload: 65536\nwrite_deadline: "30s"\nno_fast_producer_stall: true',
    fresh = true,
    {
      name = "without stalls a subscriber that is nearly full loses messages and stays",
      covers = { "CP-136" },
      run = function(t)
        local a, b = slow_pair(t)
        for i = 1, 300 do publish(b, i) end
        local count, right = read_flood(a)
        t:note(("some arrived: %s, some did not: %s, whole and in order: %s"):format(
          tostring(count > 10), tostring(count < 300), tostring(right)))
        t:note("slow consumers: " .. varz(t).slow_consumers)
        publish(b, 301)
        t:note("after that: " .. read_flood(a))
      end,
    },
    {
      name = "without stalls a request whose only responder is nearly full is answered 503",
      covers = { "CP-136", "CP-066" },
      run = function(t)
        local a, b = slow_pair(t, { receive_buffer = BUFFER })
        local c = t:client("c", '"headers":true,"no_responders":true')
        a:send("SUB service 2\r\n")
        a:sync()
        c:send("SUB in 1\r\nPUB service in 0\r\n\r\n")
        c:sync()
        for i = 1, 300 do publish(b, i) end
        c:send("PUB service in 0\r\n\r\nPING\r\n")
        t:unordered(function() c:expect(2) end)
        t:note("stalled: " .. varz(t).stalled_clients)
      end,
    },
  },
}
