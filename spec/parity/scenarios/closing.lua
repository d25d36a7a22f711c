-- Why connections end, as the list of closed ones and the log tell it; reasons that other scenarios are about are seen
-- there.
local shapes = require "spec.support.shapes"

return {
  topic = "closing",
  {
    {
      name = "a client that ends its connection has the reason Client Closed",
      covers = { "CP-230" },
      run = function(t)
        local a = t:client("a")
        a:close()
        t:close_reason(a)
      end,
    },
    {
      name = "a client that resets its connection has the reason Read Error",
      covers = { "CP-230" },
      run = function(t)
        local a = t:client("a")
        a:reset()
        t:close_reason(a)
      end,
    },
    shapes.closes("naming an account has the reason Authentication Failure", { "CP-230", "CP-032" },
      'CONNECT {"verbose":false,"account":"X"}\r\n'),
    {
      name = "the first reason counts: what follows an error that closes is not acted on",
      covers = { "CP-230", "CP-138" },
      run = function(t)
        local a, b = t:connect("a"), t:client("b")
        b:send("SUB > 1\r\n")
        b:sync()
        a:send("PUB one 0\r\n\r\nFOO\r\nPUB two 0\r\n\r\n-ERR 'x'\r\nCONNECT {\r\n")
        a:closed()
        t:close_reason(a)
        b:sync()
      end,
    },
    {
      name = "an error that closes is flushed behind everything before it",
      covers = { "CP-138" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB big 1\r\n" .. ("PUB big 100000\r\n" .. ("x"):rep(100000) .. "\r\n"):rep(20) .. "FOO\r\n")
        local items = a:closed()
        t:note(("items: %d, the last one: %s"):format(#items, items[#items]:match("%C+")))
        t:close_reason(a)
      end,
    },
  },
  {
    about = "the log",
    flags = { "-D" },
    fresh = true,
    {
      name = "the log tells the reason of each end",
      covers = { "CP-230", "CP-174" },
      run = function(t)
        local a = t:client("a")
        a:close()
        t:logged("%[DBG%] 127%.0%.0%.1:%d+ %- cid:%d+ %- (Client connection created)")
        t:logged("%[DBG%] 127%.0%.0%.1:%d+ %- cid:%d+ %- (Client connection closed: Client Closed)")
        t:connect("b", { quiet = true }):send("FOO\r\n")
        t:logged("%[DBG%] 127%.0%.0%.1:%d+ %- cid:%d+ %- (Client connection closed: Protocol Violation)")
        local c = t:client("c")
        t:signal("TERM")
        c:closed()
        t:exit()
        t:logged("%[DBG%] 127%.0%.0%.1:%d+ %- cid:%d+ %- (Client connection closed: Server Shutdown)")
      end,
    },
  },
  {
    about = "too many subscriptions",
    config = "max_subscriptions: 3",
    {
      name = "without users a CONNECT does not look at how many subscriptions there are",
      covers = { "CP-085" },
      run = function(t)
        local a = t:connect("a")
        a:send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n")
        a:sync()
        a:send('CONNECT {"verbose":false}\r\nSUB d 4\r\nPUB a 0\r\n\r\n')
        a:sync()
        t:logged("%[ERR%] 127%.0%.0%.1:%d+ %- cid:%d+ %- (maximum subscriptions exceeded)")
      end,
    },
    {
      name = "a CONNECT that finds fewer subscriptions than there may be goes on with them",
      covers = { "CP-085", "CP-031" },
      run = function(t)
        local a = t:connect("a")
        a:send("SUB a 1\r\nSUB b 2\r\n")
        a:sync()
        a:send('CONNECT {"verbose":false}\r\nPUB a 0\r\n\r\nSUB c 3\r\nSUB d 4\r\n')
        a:sync()
      end,
    },
    {
      name = "a repeated CONNECT drops subscriptions before their number is looked at",
      covers = { "CP-085", "CP-031" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n")
        a:sync()
        a:send('CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 0\r\n\r\n')
        a:sync()
      end,
    },
  },
}
