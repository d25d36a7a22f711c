-- What the program says and how it ends when it does not become a server.

local process = require "spec.support.process"

local function command(name, covers, arguments, options)
  options = options or {}
  return {
    name = name, covers = covers, pending = options.pending,
    run = function(t) t:command(arguments, options) end,
  }
end

local NO_HTTPS = "a monitoring port with TLS is refused as unsupported"
local USAGE = { only = "^flag provided" }
local FLAG = { only = "flag" }

-- With the parts of the output that are the program's own wording left out.
local function flag(name, covers, arguments, options)
  return command(name, covers, arguments, options or FLAG)
end

return {
  topic = "the command line",
  {
    server = false,
    command("-v prints the version", { "CF-053", "CF-101" }, { "-v" }),
    command("--version prints the version", { "CF-053", "CF-050" }, { "--version" }),
    command("the word version prints the version", { "CF-052", "CF-053" }, { "version" }),
    command("the word VERSION prints the version", { "CF-052" }, { "VERSION" }),
    command("another word is refused", { "CF-052", "CF-101" }, { "start" }),
    command("a word behind flags is refused", { "CF-050", "CF-052" }, { "-p", "{port}", "now" }),
    command("the words of the version behind the end of flags", { "CF-050", "CF-052" }, { "--", "version" }),
    {
      name = "-h prints the usage and ends with 0",
      covers = { "CF-051", "CF-101" },
      run = function(t) t:command({ "-h" }, { only = "^Usage" }) end,
    },
    {
      name = "the word help prints the usage",
      covers = { "CF-052" },
      run = function(t) t:command({ "help" }, { only = "^Usage" }) end,
    },
    flag("an unknown flag prints the usage and ends with 0", { "CF-054" }, { "-xyz" }, USAGE),
    flag("a flag without its value is refused", { "CF-050", "CF-054" }, { "-p" }, { only = "^flag needs" }),
    flag("a port that is no number is refused", { "CF-050" }, { "-p", "many" }, { only = "^invalid value" }),
    flag("a flag with three dashes is refused", { "CF-050" }, { "---p", "1" }, { only = "^bad flag" }),
    flag("a bool that is none is refused", { "CF-050" }, { "-D=maybe" }, { only = "^invalid boolean" }),
    command("-t without a file is refused", { "CF-036", "CF-101" }, { "-t" }),
    command("a file that does not exist is refused", { "CF-020", "CF-101" }, { "-c", "nowhere.conf" }),
    command("-t of a file that does not exist is refused", { "CF-020" }, { "-c", "nowhere.conf", "-t" }),
    command("-t of a valid file tells its digest", { "CF-035", "CF-022" }, { "-t", "-c", "server.conf" },
      { config = 'port: 4222\nhost: "127.0.0.1" # here\nmax_payload: 1MB\n' }),
    command("the digest does not depend on layout and comments", { "CF-022" }, { "-t", "-c", "server.conf" },
      { config = "// the same\nmax_payload = 1MB; host = 127.0.0.1\n\n\nport 4222" }),
    command("-t of an empty file fails with a warning", { "CF-037", "CF-034", "CF-018" }, { "-t", "-c", "server.conf" },
      { config = "# nothing\n" }),
    command("--signal of an unknown command is refused", { "CF-075" }, { "--signal", "dance=99999999" }),
    command("--signal to a pid that is no number is refused", { "CF-075" }, { "--signal", "stop=abc" }),
    command("--signal with two equal signs is refused", { "CF-075" }, { "--signal", "stop=1=2" }),
    {
      name = "a port in use ends the start with 1",
      covers = { "CF-101" },
      run = function(t)
        t:command({ "-a", "127.0.0.1", "-p", "{port}", "-m", "{port}" }, { only = "%[FTL%]" })
      end,
    },
    command("a payload above what may be pending is refused", { "CF-130", "CP-131" },
      { "-a", "127.0.0.1", "-p", "{port}", "-c", "server.conf" },
      { config = "max_payload: 2MB\nmax_pending: 1MB\n", only = "^nats%-server:" }),
    command("a server name with a blank is refused", { "CF-130" }, { "-a", "127.0.0.1", "-p", "{port}", "-n", "my server" },
      { only = "^nats%-server:" }),
    command("HTTP and HTTPS together are refused", { "MO3" }, { "-a", "127.0.0.1", "-p", "{port}", "-m", "{http}", "-ms", "{http}" },
      { only = "%[FTL%]", pending = NO_HTTPS }),
    command("HTTPS without certificates is refused", { "MO3" }, { "-a", "127.0.0.1", "-p", "{port}", "-ms", "{http}" },
      { only = "%[FTL%]", pending = NO_HTTPS }),
    command("a bad advertised address is refused", { "CF-110", "CP-009" },
      { "-a", "127.0.0.1", "-p", "{port}", "--client_advertise", "host:port" }, { only = "%[FTL%]" }),
  },
  {
    about = "start-up",
    fresh = true,
    {
      name = "the log of a start and an end",
      covers = { "CF-100", "CF-102", "CF-080", "CF-081", "CP-001", "MO4" },
      run = function(t)
        t:logged("%[%d+%] %d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d%.%d%d%d%d%d%d (%[INF%] Starting nats%-server)\n")
        t:logged("%[INF%]   (Version:  2%.15%.2)\n")
        t:logged("%[INF%] (Starting http monitor on 127%.0%.0%.1:%d+)\n")
        t:logged("%[INF%] (Listening for client connections on 127%.0%.0%.1:%d+)\n")
        t:logged("%[INF%] (Server is ready)\n")
        t:signal("TERM")
        t:exit()
        t:logged("%[INF%] (Initiating Shutdown%.%.%.)\n")
        t:logged("%[INF%] (Server Exiting%.%.)\n")
      end,
    },
  },
  {
    about = "flags against the file",
    config = 'server_name: "from-file"\nping_max: 7\nport: 1\nhost: "0.0.0.0"\nhttp: "127.0.0.1:1"\nclient_advertise: "file:1"\n',
    flags = { "--client_advertise", "flag.example:4333", "-D=false" },
    {
      name = "a flag wins over the file, the file over the default",
      covers = { "CF-055", "CF-110", "CP-009", "MO1", "MO2" },
      run = function(t)
        t:http("/varz", { only = { server_name = true, ping_max = true, host = true, http_host = true, max_payload = true } })
        t:connect("a", { raw = true }):expect()
      end,
    },
  },
  {
    about = "switches against the file",
    config = "debug: true\ntrace: true\n",
    flags = { "-D=false", "-V=false", "-P", "{dir}/server.pid" },
    fresh = true,
    {
      name = "a switch that is off wins over the file",
      covers = { "CF-056", "CF-055", "CF-081" },
      run = function(t)
        t:client("a")
        local log = t.server:log_text()
        t:note(("debug lines: %s, trace lines: %s"):format(
          tostring(log:find("[DBG]", 1, true) ~= nil), tostring(log:find("[TRC]", 1, true) ~= nil)))
      end,
    },
    {
      name = "the pid file holds the process id and nothing else, and stays",
      covers = { "CF-076" },
      run = function(t)
        local path = t.server.directory .. "/server.pid"
        local text = process.wait_for(function()
          local found = process.read_file(path)
          return found ~= "" and found
        end)
        t:note("it is the process id: " .. tostring(text == tostring(t.server.process.pid)))
        t:signal("TERM")
        t:exit()
        t:note("it is there still: " .. tostring(process.read_file(path) == text))
      end,
    },
  },
  {
    about = "trace",
    flags = { "-DV", "-T=false" },
    fresh = true,
    {
      name = "a trace shows what was read and written",
      covers = { "CP-180", "CP-181", "CF-088", "CF-081" },
      run = function(t)
        local a = t:client("a", '"headers":true')
        a:send("SUB foo q 1\r\nPUB foo bar 5\r\nhello\r\nUNSUB 1 3\r\nUNSUB 1\r\n")
        a:sync()
        t:logged("cid:%d+ %- (<<%- %[CONNECT {[^\n]*)")
        t:logged("cid:%d+ %- (<<%- %[PING%])")
        t:logged("cid:%d+ %- (%->> %[PONG%])")
        t:logged("cid:%d+ %- (<<%- %[SUB foo q 1%])")
        t:logged("cid:%d+ %- (<<%- %[PUB foo bar 5%])")
        t:logged('cid:%d+ %- (<<%- MSG_PAYLOAD: %["hello"%])')
        t:logged("cid:%d+ %- (%->> %[MSG foo 1 bar 5%])")
        t:logged("cid:%d+ %- (<<%- %[UNSUB 1 3%])")
        a:send("FOO\r\n")
        a:closed()
        t:logged("cid:%d+ %- (%->> %[%-ERR [^\n]*)")
        t:logged("(Client connection closed: [^\n]*)")
      end,
    },
    {
      name = "a connection's lines in the log begin with its address, cid and what it calls itself",
      covers = { "CP-018", "CF-091" },
      run = function(t)
        t:client("a", '"name":"me","lang":"lua","version":"1.2.3"')
        t:logged('127%.0%.0%.1:%d+ %- cid:%d+ (%- "v1%.2%.3:lua:me"[^\n]*PONG[^\n]*)')
        t:client("b", '"lang":"lua"')
        t:logged('127%.0%.0%.1:%d+ %- cid:%d+ (%- "lua"[^\n]*PONG[^\n]*)')
      end,
    },
    {
      name = "a trace never shows secrets of CONNECT",
      covers = { "CP-038", "CF-090" },
      run = function(t)
        local a = t:client("a", '"user":"joe","pass":"geheim","auth_token":"geheim","sig":"geheim","jwt":"x"')
        a:sync()
        t:logged("cid:%d+ %- (<<%- %[CONNECT {[^\n]*)")
        t:note("secret in the log: " .. tostring(t.server:log_text():find("geheim", 1, true) ~= nil))
      end,
    },
  },
}
