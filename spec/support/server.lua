--- A server under test: started on free ports, waited for, stopped by its process id.
-- Which program is run is the caller's choice: `server.perigee()` or `server.reference()`. Both are called by the name
-- nats-server, so that their own texts are comparable.
local socket = require "socket"
local process = require "spec.support.process"
local tcp_table = require "spec.support.tcp_table"

local ATTEMPTS = 3
local ENVIRONMENT = {
  PERIGEE_SPEC_PORT = "4222", PERIGEE_SPEC_NAME = "from-outside", PERIGEE_SPEC_CYCLE = "$PERIGEE_SPEC_CYCLE",
  PERIGEE_SPEC_OTHER = "$PERIGEE_SPEC_PORT",
}
local START_SECONDS = 20

local Server = {}
Server.__index = Server

local function free_port()
  local probe = assert(socket.bind("127.0.0.1", 0))
  local _, port = probe:getsockname()
  probe:close()
  return tonumber(port)
end

local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  local pwd = io.popen("pwd")
  local here = pwd:read("*l")
  pwd:close()
  return here .. "/" .. path
end

local function program(label, path)
  local file = io.open(path, "rb")
  if not file then return nil, ("%s is not there: %s"):format(label, path) end
  file:close()
  return { label = label, path = absolute(path) }
end

--- The program of this project: PERIGEE_BIN, or build/perigee.
local function perigee()
  return program("perigee", os.getenv("PERIGEE_BIN") or "build/perigee")
end

--- The real server that fixtures are recorded from: NATS_SERVER_BIN, or nats-server in the PATH.
local function reference()
  local path = os.getenv("NATS_SERVER_BIN")
  if not path then
    local which = io.popen("command -v nats-server 2>/dev/null")
    path = which:read("*l") or "nats-server"
    which:close()
  end
  return program("nats-server", path)
end

-- Everything a run writes goes into one directory, which also holds the name the program is called by.
local function prepare(what)
  local directory = process.make_dir()
  local name = directory .. "/nats-server"
  os.execute(("ln -s '%s' '%s'"):format(what.path, name))
  return directory, name
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function fill(text, places)
  return (text:gsub("{(%l+)}", places))
end

-- Arguments of a start: where to listen, and the configuration if there is one.
local function arguments(self, options)
  local places = { port = self.port, http = self.http_port, dir = self.directory }
  local list = { "-a", "127.0.0.1", "-p", tostring(self.port), "-m", tostring(self.http_port) }
  for name, text in pairs(options.files or {}) do write_file(self.directory .. "/" .. name, fill(text, places)) end
  if options.config then
    write_file(self.directory .. "/server.conf", fill(options.config, places))
    list[#list + 1], list[#list + 2] = "-c", self.directory .. "/server.conf"
  end
  for _, flag in ipairs(options.flags or {}) do list[#list + 1] = fill(flag, places) end
  return list
end

-- Whether it is this server that listens on a port, and not another one that was quicker.
local function listens(self, port)
  local inode = tcp_table.listener(port)
  return inode ~= nil and self.process:holds(inode)
end

-- Flags for every start of Perigee, by the environment: the same specs with another number of workers.
local function flags_from_outside(what)
  local list = {}
  for flag in (what.label == "perigee" and os.getenv("PERIGEE_FLAGS") or ""):gmatch("%S+") do list[#list + 1] = flag end
  return list
end

local function attempt(what, options)
  local directory, name = prepare(what)
  local self = setmetatable({ port = free_port(), http_port = free_port(), directory = directory }, Server)
  self.log = directory .. "/log"
  local list = arguments(self, options)
  for _, flag in ipairs(flags_from_outside(what)) do list[#list + 1] = flag end
  self.process = process.start(name, list, { stdout = self.log })
  local up = process.wait_for(function()
    if self.process:ended() then return "ended" end
    return listens(self, self.port) and listens(self, self.http_port) and "listens"
  end, START_SECONDS)
  if up == "listens" then return self end
  local why = ("%s did not start:\n%s"):format(what.label, process.read_file(self.log))
  self:stop()
  return nil, why
end

--- Starts a server and waits until it listens for clients and for monitoring.
-- @param what  from perigee() or reference()
-- @param options {config=text, files={name=text}, flags={...}}; `{port}`, `{http}` and `{dir}` are filled in
local function start(what, options)
  local self, why
  for _ = 1, ATTEMPTS do
    self, why = attempt(what, options)
    if self then return self end
    if not why:find("address already in use", 1, true) then break end
  end
  return nil, why
end

--- Runs the program to its end, which it is brought to after ten seconds; a few variables are in its environment.
-- Returns {code=, signal=, stdout=, stderr=}.
-- @param options {config=, files=, arguments={...}}
local function run(what, options)
  local directory, name = prepare(what)
  local places = { dir = directory, port = free_port(), http = free_port() }
  for file, text in pairs(options.files or {}) do write_file(directory .. "/" .. file, fill(text, places)) end
  if options.config then write_file(directory .. "/server.conf", fill(options.config, places)) end
  local list = {}
  for i, argument in ipairs(options.arguments) do list[i] = fill(argument, places) end
  local child = process.start(name, list,
    { stdout = directory .. "/stdout", stderr = directory .. "/stderr", directory = directory, environment = ENVIRONMENT })
  local ended, why = child:wait(options.seconds or 10)
  child:stop("KILL")
  local result = {
    code = child.code, signal = child.signal, directory = directory, ports = places,
    stdout = process.read_file(directory .. "/stdout"), stderr = process.read_file(directory .. "/stderr"),
  }
  process.remove_dir(directory)
  if not ended then return nil, why .. "\n" .. result.stderr end
  return result
end

function Server:log_text() return process.read_file(self.log) end

function Server:stop()
  self.process:stop("TERM")
  if self.directory then process.remove_dir(self.directory) end
  self.directory = nil
end

return { perigee = perigee, reference = reference, start = start, run = run, free_port = free_port }
