return {
  topic = "publish and subscribe",
  {
    {
      name = "INFO comes first, with its members in order and a blank before its CRLF",
      covers = { "CP-002", "CP-003", "CP-004", "CP-005", "CP-008", "CP-009" },
      run = function(t)
        t:connect("a", { raw = true }):expect()
      end,
    },
    {
      name = "the first PING after CONNECT is answered by PONG and then an INFO with connect_info",
      covers = { "CP-012", "CP-047" },
      run = function(t)
        local a = t:connect("a")
        a:send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
        a:expect(2)
        a:sync()
      end,
    },
    {
      name = "a client of protocol 0 gets no INFO after its first PING",
      covers = { "CP-012", "CP-026" },
      run = function(t)
        local a = t:connect("a")
        a:send('CONNECT {"verbose":false,"protocol":0}\r\nPING\r\n')
        a:expect()
        a:sync()
      end,
    },
    {
      name = "a message reaches its subscriber with its payload, reply and sid",
      covers = { "CP-060", "CP-061", "CP-080" },
      run = function(t)
        local a, b = t:client("a"), t:client("b")
        a:send("SUB greet.* 9\r\n")
        a:sync()
        b:send("PUB greet.joe 5\r\nhello\r\nPUB greet.sue in.box 2\r\nhi\r\nPUB greet.x 0\r\n\r\n")
        b:sync()
        a:expect(3)
        a:sync()
      end,
    },
    {
      name = "a payload is delivered byte for byte",
      covers = { "CP-060" },
      run = function(t)
        local a = t:client("a")
        local all = {}
        for i = 0, 255 do all[#all + 1] = string.char(i) end
        a:send("SUB raw 1\r\nPUB raw 256\r\n" .. table.concat(all) .. "\r\n")
        a:expect()
      end,
    },
    {
      name = "the size in MSG is the publisher's text, leading zeros included",
      covers = { "CP-061" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB z 1\r\nPUB z 0005\r\nhello\r\n")
        a:expect()
      end,
    },
    {
      name = "every matching plain subscription gets one copy, several on one connection too",
      covers = { "CP-069" },
      run = function(t)
        local a, b = t:client("a"), t:client("b")
        b:send("SUB fan 1\r\n")
        b:sync()
        a:send("SUB fan 1\r\n")
        a:sync()
        a:send("PUB fan 1\r\nx\r\n")
        a:sync()
        b:expect()
        local c = t:client("c")
        c:send("SUB many 1\r\nSUB many 2\r\nSUB many 3\r\nPUB many 1\r\nx\r\n")
        t:unordered(function() c:sync() end)
      end,
    },
    {
      name = "UNSUB ends the delivery at once",
      covers = { "CP-087" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo 1\r\nPUB foo 1\r\nx\r\nUNSUB 1\r\nPUB foo 1\r\ny\r\n")
        a:sync()
      end,
    },
    {
      name = "UNSUB with a maximum counts from the SUB on",
      covers = { "CP-088" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo 1\r\nPUB foo 1\r\n1\r\nUNSUB 1 3\r\nPUB foo 1\r\n2\r\nPUB foo 1\r\n3\r\nPUB foo 1\r\n4\r\n")
        a:sync()
        a:send("SUB bar 2\r\nPUB bar 1\r\n1\r\nPUB bar 1\r\n2\r\nUNSUB 2 1\r\nPUB bar 1\r\n3\r\n")
        a:sync()
      end,
    },
    {
      name = "messages of one publisher arrive in their order",
      covers = { "CP-070" },
      run = function(t)
        local a = t:client("a")
        local b = t:client("b", nil, { quiet = true })
        a:send("SUB seq 1\r\n")
        a:sync()
        for i = 1, 20 do b:send(("PUB seq 2\r\n%02d\r\n"):format(i)) end
        b:sync()
        a:expect(20)
      end,
    },
  },
}
