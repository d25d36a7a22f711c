-- How the server starts, says what it does not do, and ends.
local process = require "spec.support.process"
local server = require "spec.support.server"
local unsupported = require "perigee.config.unsupported"
local wire = require "spec.support.wire"

local SECONDS = 60 -- beside other tests a start may take long

local perigee = assert(server.perigee())

-- Runs the program to its end, called by the name nats-server.
local function run(arguments, options)
  options = options or {}
  options.arguments, options.seconds = arguments, SECONDS
  return assert(server.run(perigee, options))
end

-- A log without what differs from run to run.
local function lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line:gsub("^%[%d+%] %d+/%d+/%d+ [%d:.]+ ", "") end
  return list
end

local function has(list, wanted)
  for _, line in ipairs(list) do
    if line == wanted then return true end
  end
  return false
end

describe("A server", function()
  local running

  after_each(function()
    if running then running:stop() end
    running = nil
  end)

  local function start(options) running = assert(server.start(perigee, options or {})) end

  local function logged(pattern)
    local found = process.wait_for(function() return running:log_text():match(pattern) end, SECONDS)
    assert.truthy(found, pattern .. " is not in\n" .. running:log_text())
    return found
  end

  it("says what it is, in nats-server's order, until it is ready", function()
    start { config = "max_payload: 9MB\nsyslog: true\n" }
    logged "Server is ready\n"
    local list = lines(running:log_text())
    assert.equal("[INF] Starting nats-server", list[1])
    assert.equal("[INF]   Version:  2.15.2", list[2])
    local order = {}
    for i, line in ipairs(list) do
      for _, word in ipairs { "Name:", "ID:", "Using configuration file:", "Maximum payloads over 8.00 MB", "Starting http monitor",
        "Listening for client connections", "Server is ready" } do
        if line:find(word, 1, true) then order[#order + 1] = { i, word } end
      end
    end
    local words = {}
    for i, entry in ipairs(order) do words[i] = entry[2] end
    assert.same({ "Name:", "ID:", "Using configuration file:", "Maximum payloads over 8.00 MB", "Starting http monitor",
      "Listening for client connections", "Server is ready" }, words)
    assert.equal("[INF] Server is ready", list[#list])
  end)

  it("is called perigee by that name", function()
    local directory = process.make_dir()
    os.execute(("ln -s '%s' '%s/perigee'"):format(perigee.path, directory))
    local child = process.start(directory .. "/perigee", { "-a", "127.0.0.1", "-p", "-1" }, { stdout = directory .. "/log" })
    local ready = process.wait_for(function()
      return process.read_file(directory .. "/log"):find("Server is ready", 1, true)
    end, SECONDS)
    child:kill("INT")
    local ended = child:wait(SECONDS)
    local list = lines(process.read_file(directory .. "/log"))
    process.remove_dir(directory)
    assert.truthy(ready and ended)
    assert.equal(0, child.code)
    assert.equal("[INF] Starting perigee", list[1])
  end)

  for name, words in pairs { INT = "interrupt", TERM = "terminated" } do
    it(("ends by SIG%s with code 0, having closed its clients"):format(name), function()
      start()
      local client = wire.connect(running.port)
      client:send('CONNECT {"verbose":false}\r\n')
      client:sync()
      running.process:kill(name)
      assert.same({}, client:closed(SECONDS))
      assert(running.process:wait(SECONDS))
      assert.equal(0, running.process.code)
      local list = lines(running:log_text())
      assert.same({ ('[INF] Trapped "%s" signal'):format(words), "[INF] Initiating Shutdown...", "[INF] Server Exiting.." },
        { unpack(list, #list - 2) })
    end)
  end

  it("ends by a signal that comes while it starts", function()
    for _ = 1, 5 do
      local directory = process.make_dir()
      local child = process.start(perigee.path, { "-a", "127.0.0.1", "-p", "-1" }, { stdout = directory .. "/log" })
      process.wait_for(function() return process.read_file(directory .. "/log") ~= "" end, SECONDS)
      child:kill("TERM")
      assert(child:wait(SECONDS))
      process.remove_dir(directory)
      assert.equal(0, child.code)
    end
  end)

  it("writes its process id, and nothing else, to a file of its own", function()
    start { flags = { "-P", "{dir}/pid" } }
    assert.equal(tostring(running.process.pid), process.read_file(running.directory .. "/pid"))
    local stat = io.popen("stat -c %a '" .. running.directory .. "/pid'")
    assert.equal("600", stat:read("*l"))
    stat:close()
  end)

  it("logs to a file, without colours, and to nowhere else", function()
    start { flags = { "-l", "{dir}/file.log", "-T=false" } }
    assert.equal("", running:log_text())
    local text = process.read_file(running.directory .. "/file.log")
    assert.truthy(text:find(("^%%[%d%%] %%[INF%%] Starting nats%%-server\n"):format(running.process.pid)), text)
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("goes on in a new file when the old one was moved away and SIGUSR1 comes", function()
    start { flags = { "-l", "{dir}/file.log" } }
    local path = running.directory .. "/file.log"
    assert(os.rename(path, path .. ".1"))
    running.process:kill("USR1")
    assert(process.wait_for(function() return process.read_file(path):find("[INF] File log re-opened\n", 1, true) end, SECONDS))
    local old = process.read_file(path .. ".1")
    assert.truthy(old:find("Server is ready", 1, true))
    assert.truthy(old:find('Trapped "user defined signal 1" signal', 1, true))
    running.process:kill("INT")
    assert(running.process:wait(SECONDS))
    assert.truthy(process.read_file(path):find("Server Exiting", 1, true))
  end)

  it("says that there is nothing to open anew without a file", function()
    start()
    running.process:kill("USR1")
    logged "%[INF%] File log re%-open ignored, not a file logger\n"
  end)

  it("keeps as many log files as it may", function()
    start { flags = { "-l", "{dir}/file.log", "-DV", "--log_size_limit", "5000" }, config = "log_max_num: 3" }
    local client = wire.connect(running.port)
    for _ = 1, 20 do
      client:send(('CONNECT {"verbose":false}\r\n'):rep(10))
      client:sync()
    end
    local function count()
      local listing = io.popen("ls '" .. running.directory .. "' | grep -c '^file.log'")
      local n = tonumber(listing:read("*l"))
      listing:close()
      return n
    end
    assert(process.wait_for(function() return count() == 3 end, SECONDS), "there are " .. count())
    assert.truthy(process.wait_for(function()
      return process.read_file(running.directory .. "/file.log"):find("Purged log file \"file.log.", 1, true)
    end, SECONDS))
  end)

  it("warns of each option that it does not act on, and starts", function()
    start { config = "syslog: true\nremote_syslog: \"udp://127.0.0.1:1\"\nstore_dir: \"/tmp\"\nallow_unsupported: [cluster]\n" ..
      "cluster { port: 1 }\n" }
    local list = lines(running:log_text():gsub(running.directory:gsub("%p", "%%%0"), "<dir>"))
    for _, line in ipairs {
      "[WRN] <dir>/server.conf:1:0: syslog is not supported by this version of perigee yet and is ignored",
      "[WRN] <dir>/server.conf:2:1: remote_syslog is not supported by this version of perigee yet and is ignored",
      "[WRN] <dir>/server.conf:3:1: store_dir is not supported by this version of perigee yet and is ignored",
      "[WRN] <dir>/server.conf:5:1: cluster is not supported by this version of perigee yet and is left out, as " ..
        "allow_unsupported asks",
    } do
      assert.is_true(has(list, line), line .. " is not in\n" .. running:log_text())
    end
  end)
end)

describe("A start fails with code 1 and says why", function()
  -- A value that asks for something.
  local VALUES = { map = "{ a: 1 }", any = "{ a: 1 }", string = "x", bool = "true", int = "1" }

  local function refused(key, config, message)
    local result = run({ "-a", "127.0.0.1", "-p", "{port}", "-c", "server.conf" }, { config = config })
    assert.equal(1, result.code, config)
    assert.equal("", result.stdout)
    assert.equal("nats-server: server.conf:1:0: " .. message:format(key) .. "\n\n", result.stderr)
  end

  for _, option in ipairs(unsupported.options) do
    if option.class == "security" then
      it(("where %s would restrict access"):format(option.name), function()
        local message = "%s restricts access and is not supported by this version of perigee yet: the server does not start " ..
          "without it"
        refused(option.name, ("%s: %s"):format(option.name, VALUES[option.type]), message)
      end)
    elseif option.class == "link" then
      it(("where %s would open a listener or a link"):format(option.name), function()
        refused(option.name, ("%s: %s"):format(option.name, VALUES[option.type]),
          "%s is not supported by this version of perigee yet (allow_unsupported: [" .. option.name .. "] starts without it)")
      end)
    end
  end

  it("where flags ask for users, TLS or a cluster", function()
    for flag, value in pairs { ["--user"] = "u", ["--pass"] = "p", ["--auth"] = "t", ["--tlscert"] = "x" } do
      local result = run { "-a", "127.0.0.1", "-p", "{port}", flag, value }
      assert.equal(1, result.code)
      assert.equal(("nats-server: %s restricts access and is not supported by this version of perigee yet: the server does " ..
        "not start without it\n\n"):format(flag), result.stderr)
    end
    local result = run { "-a", "127.0.0.1", "-p", "{port}", "-js" }
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("-js is not supported by this version of perigee yet", 1, true), result.stderr)
  end)

  it("where security is to be left out", function()
    local result = run({ "-a", "127.0.0.1", "-p", "{port}", "-c", "server.conf" },
      { config = "allow_unsupported: [authorization]\nauthorization { token: t }\n" })
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find('allow_unsupported: "authorization" restricts access and cannot be left out', 1, true))
    assert.truthy(result.stderr:find("server.conf:2:1: authorization restricts access", 1, true))
  end)

  it("where a file cannot be written", function()
    local result = run { "-a", "127.0.0.1", "-p", "{port}", "-P", "{dir}/none/pid" }
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("[FTL] Could not write pidfile: open " .. result.directory ..
      "/none/pid: no such file or directory\n", 1, true), result.stderr)
    result = run { "-a", "127.0.0.1", "-p", "{port}", "-l", "{dir}/none/log" }
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find(" error opening file: open " .. result.directory ..
      "/none/log: no such file or directory\n", 1, true), result.stderr)
  end)

  it("where a port is taken, out of range, or the host is none", function()
    local result = run { "-a", "127.0.0.1", "-p", "{port}", "-m", "{port}" }
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("[FTL]", 1, true), result.stderr)
    for _, port in ipairs { "65536", "99999", "-2" } do
      result = run { "-a", "127.0.0.1", "-p", port }
      assert.equal(1, result.code, port)
      assert.truthy(result.stderr:find(('[FTL] Error listening on port: 127.0.0.1:%s, "listen tcp: address %s: invalid port"')
        :format(port, port), 1, true), result.stderr)
    end
    result = run { "-a", "300.1.1.1", "-p", "{port}" }
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("[FTL] Error listening on port: 300.1.1.1", 1, true), result.stderr)
  end)
end)

describe("The program", function()
  it("tells its version by the name it is called by", function()
    assert.equal("nats-server: v2.15.2\n", run({ "--version" }).stdout)
    local own = assert(io.popen("'" .. perigee.path .. "' --version"))
    local text = own:read("*a")
    own:close()
    assert.truthy(text:find("^perigee: v%d+%.%d+%.%d+ %(nats%-server v2%.15%.2%)\n$"), text)
  end)

  it("checks a configuration without starting", function()
    local result = run({ "-t", "-c", "server.conf" }, { config = "port: 4222\n" })
    assert.equal(0, result.code)
    assert.truthy(result.stderr:find("^nats%-server: configuration file server%.conf is valid %(sha256:%x+%)\n$"), result.stderr)
    result = run({ "-t", "-c", "server.conf" }, { config = "port: x\n" })
    assert.equal(1, result.code)
  end)

  it("sends signals by process id and by the file that holds it", function()
    local function ends_by(argument)
      local running = assert(server.start(perigee, { flags = { "-P", "{dir}/pid" } }))
      local result = run { "--signal", argument(running) }
      local ended = running.process:wait(SECONDS)
      local code, signal = running.process.code, running.process.signal
      running:stop()
      assert.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
      assert.truthy(ended)
      return code, signal
    end
    assert.equal(0, (ends_by(function(running) return "quit=" .. running.process.pid end)))
    assert.equal(0, (ends_by(function(running) return "term=" .. running.directory .. "/pid" end)))
    assert.equal(0, (ends_by(function(running) return "ldm=" .. running.process.pid end)))
    assert.same({ nil, 9 }, { ends_by(function(running) return "stop=" .. running.process.pid end) })
  end)

  it("says which process a signal could not reach", function()
    local result = run { "--signal", "quit=999999999" }
    assert.equal(1, result.code)
    assert.equal('nats-server: \nsignal "quit" 999999999: no such process\n', result.stderr)
  end)
end)
