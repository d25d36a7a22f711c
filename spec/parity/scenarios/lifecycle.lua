local GRACE = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "10ms"\n'

local socket = require "socket"

-- Connects `count` quiet clients, enters lame duck mode and looks at the first `few` that are closed.
-- Returns the seconds between the first and the last of these, and their numbers in the order of closing.
local function watch_closing(t, count, few)
  local by_socket, sockets, order = {}, {}, {}
  for i = 1, count do
    local conn = t:client("client", nil, { quiet = true })
    by_socket[conn.sock], sockets[i] = { conn = conn, number = i }, conn.sock
  end
  t:signal("USR2")
  local first, last = nil, nil
  while #order < few do
    local readable = socket.select(sockets, nil, 5)
    if #readable == 0 then error("nobody was closed for 5 s", 0) end
    for _, sock in ipairs(readable) do
      local one = by_socket[sock]
      local item, why = one.conn:next(0)
      if not item and why == "closed" then
        last = socket.gettime()
        first = first or last
        order[#order + 1] = one.number
        for i, other in ipairs(sockets) do if other == sock then table.remove(sockets, i) break end end
      end
    end
  end
  return last - first, order
end

return {
  topic = "shutdown and lame duck mode",
  {
    fresh = true,
    {
      name = "SIGTERM closes clients without an error and exits with 0",
      covers = { "CP-174", "CF-071", "CF-101", "CF-102" },
      run = function(t)
        local a = t:client("a", '"protocol":1')
        a:expect()
        t:signal("TERM")
        a:closed()
        t:exit()
      end,
    },
    {
      name = "SIGINT closes clients without an error and exits with 0",
      covers = { "CP-174", "CF-070", "CF-101" },
      run = function(t)
        local a = t:client("a")
        t:signal("INT")
        a:closed()
        t:exit()
      end,
    },
    {
      name = "SIGTERM without clients exits with 0",
      covers = { "CF-071", "CF-102" },
      run = function(t)
        t:signal("TERM")
        t:logged('Trapped "terminated" signal')
        t:logged("Initiating Shutdown...")
        t:logged("Server Exiting..")
        t:exit()
      end,
    },
    {
      name = "pending data is flushed at shutdown",
      covers = { "CP-174", "CP-138" },
      run = function(t)
        local a, b = t:client("a"), t:client("b")
        a:send("SUB foo 1\r\n")
        a:sync()
        b:send("PUB foo 5\r\nhello\r\n")
        b:sync()
        t:signal("TERM")
        a:closed()
        t:exit()
      end,
    },
    {
      name = "SIGUSR2 without clients ends the server at once",
      covers = { "CP-170", "CF-074", "CF-103" },
      run = function(t)
        t:signal("USR2")
        t:logged("Entering lame duck mode, stop accepting new clients")
        t:exit()
      end,
    },
  },
  {
    about = "lame duck",
    config = GRACE,
    fresh = true,
    {
      name = "lame duck mode tells clients by INFO, closes them and exits with 0",
      covers = { "CP-170", "CP-171", "CF-074", "CF-103" },
      run = function(t)
        local a = t:client("a", '"protocol":1')
        a:expect()
        t:signal("USR2")
        a:closed(10)
        t:logged("Closing existing clients")
        t:exit()
      end,
    },
    {
      name = "a client of protocol 0 is closed without INFO in lame duck mode",
      covers = { "CP-170" },
      run = function(t)
        local a = t:client("a", '"protocol":0')
        t:signal("USR2")
        a:closed(10)
        t:exit()
      end,
    },
    {
      name = "lame duck mode closes few clients between half a second and a second apart, the server ends with the last",
      covers = { "CP-171" },
      run = function(t)
        local seconds = watch_closing(t, 4, 4)
        t:note(("between 1.4 and 6 s for four: %s"):format(tostring(seconds > 1.4 and seconds < 6)))
        t:exit()
        t:logged("Closing existing clients")
      end,
    },
    {
      name = "lame duck mode spreads many clients over its duration, in an order of chance",
      covers = { "CP-171" },
      run = function(t)
        local seconds, order = watch_closing(t, 200, 11) -- ten pauses of 75 to 150 ms
        local ascending = true
        for i = 2, #order do ascending = ascending and order[i] > order[i - 1] end
        t:note(("between 0.7 and 5 s for ten: %s"):format(tostring(seconds > 0.7 and seconds < 5)))
        t:note("in the order in which they came: " .. tostring(ascending))
        t:signal("INT")
        t:exit()
      end,
    },
    {
      name = "a client that has not sent PING yet gets no INFO in lame duck mode",
      covers = { "CP-170" },
      run = function(t)
        local a = t:connect("a")
        a:send('CONNECT {"verbose":true,"protocol":1}\r\n')
        a:expect()
        t:signal("USR2")
        a:closed(10)
        t:exit()
      end,
    },
  },
  {
    about = "a long grace period",
    config = 'lame_duck_duration: "60s"\nlame_duck_grace_period: "30s"\n',
    fresh = true,
    {
      name = "in lame duck mode clients are served, new ones refused, and health says so",
      covers = { "CP-170", "CF-103", "MO13", "MO43" },
      run = function(t)
        local a = t:client("a", '"protocol":1')
        a:expect()
        t:signal("USR2")
        a:expect()
        a:send("SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        a:sync()
        t:http("/healthz")
        local refused = pcall(t.connect, t, "b", { quiet = true })
        t:note("a new client: " .. (refused and "accepted" or "refused"))
        t:signal("INT")
        a:closed()
        t:exit()
      end,
    },
    {
      name = "SIGTERM and a second SIGUSR2 are ignored in lame duck mode",
      covers = { "CP-170", "CF-071" },
      run = function(t)
        local a = t:client("a", '"protocol":1')
        a:expect()
        t:signal("USR2")
        a:expect()
        t:signal("USR2")
        t:signal("TERM")
        a:sync()
        a:sync()
        t:signal("INT")
        a:closed()
        t:exit()
      end,
    },
  },
  {
    about = "options",
    server = false,
    {
      name = "a lame duck duration below 30 seconds is refused",
      covers = { "CP-172", "CF-104" },
      run = function(t)
        t:command({ "-c", "server.conf", "-t" }, { config = 'lame_duck_duration: "29s"\n' })
      end,
    },
    {
      name = "a negative grace period is refused",
      covers = { "CP-172", "CF-104" },
      run = function(t)
        t:command({ "-c", "server.conf", "-t" }, { config = 'lame_duck_grace_period: "-1s"\n' })
      end,
    },
    {
      name = "a grace period as long as the duration is refused at start",
      covers = { "CP-172", "CF-104", "CF-130" },
      run = function(t)
        t:command({ "-c", "server.conf", "-a", "127.0.0.1", "-p", "{port}" },
          { config = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "30s"\n' })
      end,
    },
  },
}
