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
  },
}
