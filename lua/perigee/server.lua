--- The running server: from options to listeners, and from signals to the end.
local admission = require "perigee.admission"
local closed = require "perigee.closed"
local core = require "perigee.core"
local identity = require "perigee.identity"
local info = require "perigee.info"
local lame_duck = require "perigee.lame_duck"
local path = require "perigee.config.path"
local ports_file = require "perigee.ports_file"
local process = require "perigee.process"
local redact = require "perigee.config.redact"
local scheduler = require "perigee.scheduler"
local version = require "perigee.version"

local SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTERM = 1, 2, 10, 12, 15
local LARGE_PAYLOAD = 8 * 1024 * 1024

local server = {}

local function say(...) core.log("info", string.format(...)) end

local function host_port(host, port)
  return (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port)
end

local function banner(program)
  local o, me = server.options, server.identity
  say("Starting %s", program)
  say("  Version:  %s", me.version)
  say("  Perigee:  %s", me.perigee)
  core.log("debug", "  Runtime:  " .. me.go)
  say("  Name:     %s", me.name)
  say("  ID:       %s", me.id)
  say("  Workers:  %d", o.workers)
  if o.config_file then say("Using configuration file: %s (%s)", o.config_file, o.config_digest) end
  if o.max_payload > LARGE_PAYLOAD then
    core.log("warn", "Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance")
  end
end

local function info_lines()
  local described, message = info.describe(server.options, server.identity)
  if not described then return nil, message end
  server.identity.host, server.identity.port = described.host, described.port
  local head, tail = info.template(described)
  local connected_head, connected_tail = info.connected_template(described, { name = "$G" })
  return { head = head, tail = tail }, { head = connected_head, tail = connected_tail }
end

local function bind_monitoring()
  local o = server.options
  local port = o.http_port
  if not port or port == 0 then return true end
  local listener, message = core.bind(o.http_host, port == -1 and 0 or port)
  if not listener then return nil, "Can't start monitoring: can't listen to the monitor port: " .. message end
  server.http = listener
  scheduler.on("http", require("perigee.monitoring").new(server))
  say("Starting http monitor on %s", host_port(o.http_host, listener.port))
  return true
end

--- From here on the options hold the real port, which INFO names.
local function bind_clients()
  local o = server.options
  local listener, message = core.bind(o.host, o.port)
  if not listener then
    return nil, ('Error listening on port: %s, "%s"'):format(host_port(o.host, o.port), message)
  end
  server.clients = listener
  o.port = listener.port
  return true
end

local function start_workers()
  local o = server.options
  o.first, o.connected = info_lines()
  if not o.first then return nil, o.connected end
  if #o.mappings > 0 then
    local ok, message = core.set_mappings(0, o.mappings)
    if not ok then return nil, message end
  end
  return core.start(o.workers, o)
end

local function accept()
  if server.http then core.accept_http(server.http) end
  core.accept_clients(server.clients)
  server.ready = true
  say("Listening for client connections on %s", host_port(server.options.host, server.clients.port))
  say("Server is ready")
end

-- What failed is logged; the server goes on.
local function complain(ok, message)
  if not ok then core.log("error", message) end
end

local function write_ports_file(program)
  local directory = server.options.ports_file_dir or ""
  if directory == "" then return end
  complain(ports_file.write(directory, program, { nats = server.clients, monitoring = server.http }))
end

local function fatal(message)
  core.log("fatal", message)
  core.log_flush()
  return 1
end

local function shut_down()
  if server.stopping then return end
  server.stopping = true
  say("Initiating Shutdown...")
  complain(ports_file.remove())
  scheduler.stop()
end

local SIGNAL_NAMES = { [SIGHUP] = "hangup", [SIGINT] = "interrupt", [SIGUSR1] = "user defined signal 1",
  [SIGUSR2] = "user defined signal 2", [SIGTERM] = "terminated" }

local on_signal = {
  [SIGINT] = shut_down,
  [SIGTERM] = function() if not lame_duck.active() then shut_down() end end,
  [SIGUSR1] = function()
    local reopened, message = core.log_reopen()
    if message then return core.log("error", "File log not re-opened: " .. message) end
    say(reopened and "File log re-opened" or "File log re-open ignored, not a file logger")
  end,
  [SIGUSR2] = function() lame_duck.enter(server, shut_down) end,
  [SIGHUP] = function()
    core.log("error", "Failed to reload server configuration: " .. (server.options.config_file
      and "reload is not supported by this version of perigee yet, the server goes on with what it was started with"
      or "can only reload config when a file is provided using -c or --config"))
  end,
}

local function handle_events()
  scheduler.on("connect", admission.on_connect)
  scheduler.on("closed", closed.on_closed)
  scheduler.on("signal", function(event)
    core.log("info", ('Trapped "%s" signal'):format(SIGNAL_NAMES[event.number]))
    on_signal[event.number]()
  end)
end

--- Which configured listeners do not listen.
local function not_ready()
  return server.ready and not lame_duck.active() and {} or { "server" }
end

--- Starts, serves until the end, stops.
-- @param arguments table  the command line, the program's path at 0
-- @return number  the exit code
local function run(options, notices, arguments)
  server.options, server.not_ready = options, not_ready
  core.catch_signals()
  core.raise_descriptor_limit()
  local ok, message = core.log_configure(options)
  if not ok then
    io.stderr:write(os.date("%Y/%m/%d %H:%M:%S "), "error opening file: ", message, "\n")
    return 1
  end
  server.identity = identity.new(options, version)
  server.identity.config_load_ns, server.identity.config_digest = core.wall_ns(), options.config_digest or ""
  server.identity.cores, server.identity.workers = core.cores(), options.workers
  server.identity.command_line = redact.arguments(arguments)
  banner(path.base_name(arguments[0]) == "nats-server" and "nats-server" or "perigee")
  for _, notice in ipairs(notices or {}) do core.log("warn", notice) end
  if (options.pid_file or "") ~= "" then
    ok, message = process.write_file(options.pid_file, tostring(process.pid()), true)
    if not ok then return fatal("Could not write pidfile: " .. message) end
  end
  closed.keep(options.max_closed_clients)
  handle_events()
  for _, step in ipairs { bind_monitoring, bind_clients, start_workers } do
    ok, message = step()
    if not ok then return fatal(message) end
  end
  accept()
  write_ports_file(arguments[0])
  scheduler.run()
  core.stop()
  say("Server Exiting..")
  core.log_flush()
  return 0
end

return { run = run }
