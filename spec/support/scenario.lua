--- Runs scenarios and writes down what was seen.
--
-- A scenario file (spec/parity/scenarios) returns `{ topic = "...", group, group, ... }`. A group is one server:
-- `{ config = text, flags = {...}, files = {...}, scenario, scenario, ... }`, or `{ server = false, ... }` for scenarios
-- that only run commands, or `{ fresh = true, ... }` for a server of its own for each scenario. A scenario is
-- `{ name = "a sentence", covers = { "CP-060" }, run = function(t) ... end, differs = { {pattern, reason} } }`.
-- `differs` names lines of the transcript in which Perigee is different on purpose; with `pending = reason` a scenario
-- is recorded, but not replayed yet.
--
-- What `run` gets is a *trial*: it makes connections, asks the monitoring port, and everything that is sent and seen
-- becomes a line of the transcript, in the order of the script.
local http = require "spec.support.http"
local json = require "dkjson"
local normalise = require "spec.support.normalise"
local process = require "spec.support.process"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

local Trial = {}
Trial.__index = Trial

--- Adds a line of its own to the transcript.
function Trial:note(text)
  assert(not text:find("\n", 1, true), "a transcript is made of lines")
  self.lines[#self.lines + 1] = text
end

--- Runs `body`; the lines that it adds to the transcript are sorted, for what has no order of its own.
function Trial:unordered(body)
  local lines = self.lines
  self.lines = {}
  local ok, why = pcall(body)
  local added = self.lines
  self.lines = lines
  table.sort(added)
  for _, line in ipairs(added) do self:note(line) end
  if not ok then error(why, 0) end
end

-- Hides the ports of this run in what is shown.
local function hide_ports(self, text)
  if self.server then
    text = text:gsub("%f[%d]" .. self.server.port .. "%f[%D]", "<port>")
    text = text:gsub("%f[%d]" .. self.server.http_port .. "%f[%D]", "<http>")
  end
  return text
end

local function show(self, bytes)
  if bytes:find("^INFO {") then bytes = normalise.info(bytes) end
  return hide_ports(self, normalise.printable(bytes))
end

--- A connection of this name whose INFO has been read.
-- @param options {quiet=true: not in the transcript, raw=true: INFO is not read, receive_buffer=bytes}|nil
function Trial:connect(name, options)
  options = options or {}
  local conn, why = wire.connect(self.server.port, not options.quiet and function(mark, bytes)
    self:note(mark == "=" and ("%s closed"):format(name) or ("%s%s %s"):format(name, mark, show(self, bytes)))
  end or nil, options.receive_buffer)
  if not conn then error(why, 0) end
  conn.name = name
  self.connections[#self.connections + 1] = conn
  if not options.raw then
    local item, failed = conn:next()
    if not item then error(("%s: no INFO: %s"):format(name, failed), 0) end
    conn.info = json.decode(item:match("{.*}") or "{}")
    conn.cid = conn.info.client_id
  end
  return conn
end

--- A connection that has sent CONNECT with these members (JSON text, on top of not verbose, not pedantic) and PING.
function Trial:client(name, members, options)
  local conn = self:connect(name, options)
  conn:send(('CONNECT {"verbose":false,"pedantic":false%s}\r\n'):format(members and "," .. members or ""))
  conn:sync()
  return conn
end

--- Asks the monitoring port; status, type and body go into the transcript.
-- `{cid}` and the like in the path should be filled in by the caller; `shown` is what the transcript says instead.
-- @param options {shown=path, volatile={name=form}, method=, only={members}, headers={names}}
function Trial:http(path, options)
  options = options or {}
  local answer, why = http.get(self.server.http_port, path, options.method)
  if not answer then error(why, 0) end
  local shown = options.shown or path
  self:note(("http> %s %s"):format(options.method or "GET", shown))
  self:note(("http< %s %s"):format(answer.status, answer.headers["content-type"] or "-"))
  for _, name in ipairs(options.headers or {}) do
    self:note(("http< %s: %s"):format(name, answer.headers[name:lower()] or "-"))
  end
  if not answer.json then
    for line in (answer.body .. "\n"):gmatch("(.-)\n") do self:note("http< " .. hide_ports(self, line)) end
    return answer
  end
  for _, line in ipairs(normalise.document(answer.json, path, options.volatile)) do
    local member = line:match("^[%w_]+")
    if not options.only or options.only[member] then self:note("http< " .. hide_ports(self, line)) end
  end
  return answer
end

--- Asks until `accept(document)` returns something true, and returns that. Not in the transcript.
-- A server that does not know the path at all is not asked again.
function Trial:poll(path, accept, seconds)
  local result, why = process.wait_for(function()
    local answer = http.get(self.server.http_port, path)
    if answer and answer.status == 404 then error(path .. " is not found", 0) end
    return answer and answer.json and accept(answer.json)
  end, seconds or 5, "expected answer of " .. path)
  if not result then error(why, 0) end
  return result
end

--- Notes why a connection was closed, as /connz tells it; `cid` is the connection's.
function Trial:close_reason(conn)
  local reason = self:poll("/connz?state=closed&cid=" .. conn.cid, function(document)
    local entry = document.connections and document.connections[1]
    return entry and entry.reason
  end)
  self:note(("%s reason: %s"):format(conn.name, reason))
end

--- Runs the program with arguments to its end; exit code and output go into the transcript.
-- @param options {config=text, files={}, only=pattern of the lines that count, sorted=true: by line,
-- shown=arguments for the transcript}|nil
function Trial:command(arguments, options)
  options = options or {}
  local result, why = server.run(self.program, {
    arguments = arguments, config = options.config, files = options.files,
  })
  if not result then error(why, 0) end
  self:note("$ nats-server " .. table.concat(options.shown or arguments, " "))
  for _, stream in ipairs { "stdout", "stderr" } do
    local text = normalise.output(result[stream], result)
    local lines = {}
    for line in (options.sorted and text:gsub("^nats%-server: ", "") or text):gmatch("[^\n]+") do
      if not options.only or line:find(options.only) then lines[#lines + 1] = line end
    end
    if options.sorted then table.sort(lines) end
    for _, line in ipairs(lines) do self:note(stream .. ": " .. normalise.printable(line)) end
  end
  self:note(result.code and ("exit code %d"):format(result.code) or ("ended by signal %s"):format(result.signal))
end

--- Sends the server a signal (`TERM`, `USR2`, ...).
function Trial:signal(name)
  self:note("signal " .. name)
  self.server.process:kill(name)
end

--- Waits for the server's end and notes its exit code.
function Trial:exit(seconds)
  local ended, why = self.server.process:wait(seconds)
  if not ended then error(why, 0) end
  self:note("exit code " .. tostring(self.server.process.code))
end

--- Waits for a line of the log that matches, and notes the text of it from the match on.
function Trial:logged(pattern, seconds)
  local text, why = process.wait_for(function()
    return self.server:log_text():match(pattern)
  end, seconds, "log line " .. pattern)
  if not text then error(why .. "\n" .. self.server:log_text(), 0) end
  self:note("log: " .. hide_ports(self, normalise.printable(text)))
end

--- Runs one scenario; returns its transcript, or nil and what went wrong (with the transcript up to there).
-- @param program  from server.perigee() or server.reference()
-- @param running  the group's server, or nil
local function run(scenario, program, running)
  local trial = setmetatable({ lines = {}, connections = {}, program = program, server = running }, Trial)
  local ok, why = xpcall(function() scenario.run(trial) end, function(message)
    return type(message) == "string" and message:find("^%S+%.lua:") and debug.traceback(message, 2) or message
  end)
  for _, conn in ipairs(trial.connections) do conn:close() end
  if ok then return trial.lines end
  return nil, ("%s\nuntil then:\n  %s"):format(tostring(why), table.concat(trial.lines, "\n  "))
end

--- Starts the server of a group; `false` if it needs none.
local function start_group(group, program)
  if group.server == false then return false end
  return server.start(program, group)
end

--- Runs all scenarios of a topic against a program, one server for each group (or, with `fresh`, each scenario).
-- @param visit function(scenario, lines|nil, why|nil)
local function run_topic(topic, program, visit)
  for _, group in ipairs(topic) do
    local running, why
    for _, scenario in ipairs(group) do
      if running == nil then running, why = start_group(group, program) end
      if running == nil then
        visit(scenario, nil, why)
      else
        visit(scenario, run(scenario, program, running or nil))
      end
      if group.fresh and running then running:stop() running = nil end
    end
    if running then running:stop() end
  end
end

return { run = run, start_group = start_group, run_topic = run_topic }
