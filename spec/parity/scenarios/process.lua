-- Files and signals of the running process.
local process = require "spec.support.process"
local socket = require "socket"

local function file_of(t, name)
  local path = t.server.directory .. "/" .. name
  return path, process.wait_for(function()
    local found = process.read_file(path)
    return found ~= "" and found
  end)
end

local function mode_of(path)
  local ls = io.popen(("ls -l '%s'"):format(path))
  local mode = ls:read("*l"):match("^%S+"):gsub("[.+]$", "")
  ls:close()
  return mode
end

-- Runs the program once more, with --signal, in the server's own directory.
local function send(t, command, target)
  t:command({ "--signal", command .. "=" .. target:gsub("{dir}", t.server.directory) },
    { shown = { "--signal", command .. "=" .. target } })
end

local function command(name, covers, arguments, options)
  return { name = name, covers = covers, run = function(t) t:command(arguments, options) end }
end

local FATAL = { only = "%[FTL%]" }

return {
  topic = "the process",
  {
    about = "files",
    fresh = true,
    flags = { "--ports_file_dir", "{dir}", "-P", "{dir}/server.pid" },
    {
      name = "the ports file tells where the server listens, and goes with it",
      covers = { "CF-077" },
      run = function(t)
        local path, text = file_of(t, ("nats-server_%d.ports"):format(t.server.process.pid))
        t:note((text:gsub(":" .. t.server.port .. '"', ':<port>"'):gsub(":" .. t.server.http_port .. '"', ':<http>"')))
        t:signal("TERM")
        t:exit()
        t:note("it is there still: " .. tostring(process.read_file(path) ~= ""))
      end,
    },
    {
      name = "the pid file is for its owner",
      covers = { "CF-076" },
      run = function(t)
        local path = file_of(t, "server.pid")
        t:note(mode_of(path))
      end,
    },
    {
      name = "--signal ends the server that a pid file names",
      covers = { "CF-075" },
      run = function(t)
        file_of(t, "server.pid")
        send(t, "quit", "{dir}/server.pid")
        t:exit()
      end,
    },
    {
      name = "a reload without a configuration file is refused, and the server goes on",
      covers = { "CF-072", "CF-140" },
      run = function(t)
        t:signal("HUP")
        t:logged('(Trapped "hangup" signal)')
        t:logged("%[ERR%] (Failed to reload server configuration[^\n]*)")
        t:client("a"):sync()
      end,
    },
  },
  {
    about = "a log file",
    fresh = true,
    flags = { "-l", "{dir}/server.log" },
    {
      name = "the log file is opened anew on request",
      covers = { "CF-073", "CF-083" },
      run = function(t)
        local path = t.server.directory .. "/server.log"
        local moved = path .. ".1"
        assert(os.rename(path, moved))
        t:signal("USR1")
        local text = process.wait_for(function()
          local found = process.read_file(path)
          return found:find("re-opened", 1, true) and found
        end)
        t:note("new: " .. tostring(text and text:match("%[INF%] ([^\n]*)")))
        t:note("old: " .. tostring(process.read_file(moved):match("Server is ready")))
        t:note("standard error: " .. tostring(t.server:log_text():find("INF", 1, true) ~= nil))
      end,
    },
  },
  {
    about = "no log file",
    fresh = true,
    {
      name = "without a log file there is nothing to open anew",
      covers = { "CF-073" },
      run = function(t)
        t:signal("USR1")
        t:logged("%[INF%] (File log[^\n]*)")
      end,
    },
  },
  {
    server = false,
    command("a pid file that cannot be written ends the start", { "CF-076", "CF-101" },
      { "-a", "127.0.0.1", "-p", "{port}", "-P", "/nowhere/to/be/found.pid" }, FATAL),
    command("a log file that cannot be written ends the start", { "CF-083", "CF-101" },
      { "-a", "127.0.0.1", "-p", "{port}", "-l", "/nowhere/to/be/found.log" }, { only = "error opening file" }),
    command("an address of another machine ends the start", { "CF-101" },
      { "-a", "192.0.2.77", "-p", "4222" }, FATAL),
    command("a port above 65535 ends the start", { "CF-101" }, { "-a", "127.0.0.1", "-p", "65536" }, FATAL),
    command("a monitoring port above 65535 ends the start", { "CF-101", "MO3" },
      { "-a", "127.0.0.1", "-p", "{port}", "-m", "65536" }, FATAL),
    command("--signal to a process that is not there", { "CF-075" }, { "--signal", "stop=99999999" }),
    command("--signal to a pid file that is not there", { "CF-075" }, { "--signal", "stop=/nowhere/server.pid" }),
  },
  {
    about = "all addresses",
    fresh = true,
    flags = { "-a", "0.0.0.0" },
    {
      name = "a server that listens everywhere is reached by IPv4 and by IPv6",
      covers = { "CP-001", "CP-005", "CF-110" },
      run = function(t)
        for _, host in ipairs { "127.0.0.1", "::1" } do
          local sock = host == "::1" and socket.tcp6() or socket.tcp()
          sock:settimeout(5)
          assert(sock:connect(host, t.server.port))
          t:note(("%s: %s"):format(host, (sock:receive("*l") or ""):match('"client_ip":"[^"]*"')))
          sock:close()
        end
      end,
    },
  },
}
