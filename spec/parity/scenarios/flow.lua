-- What happens when a subscriber reads slower than others publish.
local http = require "spec.support.http"

local SIZE = 65536

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
local function slow_pair(t)
  local a, b = t:client("a", nil, { quiet = true }), t:client("b", nil, { quiet = true })
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
  },
}
