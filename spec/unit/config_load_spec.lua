local config = require "perigee.config"

local function world(files, more)
  local it = {
    readfile = function(path)
      local text = (files or {})[path]
      if not text then return nil, ("open %s: no such file or directory"):format(path) end
      return text
    end,
    getenv = function() end,
    cores = function() return 2 end,
    version = "0.1.0",
  }
  for key, value in pairs(more or {}) do it[key] = value end
  return it
end

-- Loads with a file called a.conf that holds `text` (none if nil), and other arguments.
local function load(text, ...)
  local argv = { [0] = "/usr/bin/nats-server", ... }
  if text then
    table.insert(argv, 1, "-c")
    table.insert(argv, 2, "a.conf")
  end
  return config.load(argv, world { ["a.conf"] = text })
end

local function running(...)
  local result = load(...)
  assert.equal("run", result.action, result.text)
  return result.options, result
end

local function failing(...)
  local result = load(...)
  assert.same({ "exit", "stderr", 1 }, { result.action, result.stream, result.code })
  return result.text
end

describe("loading a configuration", function()
  it("without arguments runs with the defaults", function()
    local options, result = running(nil)
    assert.equal(4222, options.port)
    assert.equal(2, options.workers)
    assert.is_nil(options.config_file)
    assert.same({}, result.warnings)
    assert.same({}, result.notices)
  end)

  it("lets flags win over the file, and the file over defaults", function()
    local options = running("port: 1\nhost: h\ndebug: true\nlogtime: false", "-p", "2")
    assert.same({ 2, "h", true, false, 1048576 }, { options.port, options.host, options.debug, options.logtime, options.max_payload })
    assert.equal("a.conf", options.config_file)
    assert.matches("^sha256:%x+$", options.config_digest)
  end)

  it("lets boolean flags switch off what the file switches on", function()
    local options = running("debug: true\ntrace_verbose: true\nlogtime: true", "-DV=false", "-VV=false", "-T=false")
    assert.same({ false, false, false, false }, { options.debug, options.trace, options.trace_verbose, options.logtime })
  end)

  it("takes a flag's 0 and empty string for the default", function()
    local options = running("port: 1\nhost: h", "-p", "0", "-a", "")
    assert.same({ 4222, "0.0.0.0" }, { options.port, options.host })
  end)

  it("starts with warnings, and hands them over", function()
    local _, result = running("ping_interval: 5\nsyslog: true")
    assert.same({ 'a.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a duration' },
      result.warnings)
    assert.same({ "a.conf:2:1: syslog is not supported by this version of perigee yet and is ignored" }, result.notices)
  end)

  it("warns of a file without values", function()
    local _, result = running("# nothing")
    assert.same({ "a.conf: config has no values or is empty" }, result.warnings)
  end)

  it("hands the flags over for a reload", function()
    local _, result = running("port: 1\nhost: h", "-p", "2")
    local built = config.build(result.flags, world { ["a.conf"] = "host: i\nport: 3" })
    assert.same({ "i", 2 }, { built.options.host, built.options.port })
    local refused, message = config.build(result.flags, world { ["a.conf"] = "host: 1" })
    assert.is_nil(refused)
    assert.equal("a.conf:1:0: interface conversion: interface {} is int64, not string\n", message)
  end)

  it("asks the core about mappings if it can", function()
    local result = config.load({ [0] = "perigee", "-c", "a.conf" }, world({ ["a.conf"] = "mappings { a: b }" },
      { check_mapping = function() return nil, "no" end }))
    assert.equal('perigee: a.conf:1:11: Error adding mapping for "a" to "b" : no\n\n', result.text)
  end)
end)

describe("a configuration that is refused", function()
  it("shows all problems under the name of the program", function()
    assert.equal('nats-server: a.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a '
      .. 'duration\na.conf:2:1: unknown field "foo"\na.conf:3:1: unknown field "bar"\n\n',
      failing("ping_interval: 5\nfoo: 1\nbar: 2"))
    local result = config.load({ [0] = "./perigee", "-c", "a.conf" }, world { ["a.conf"] = "foo: 1" })
    assert.equal('perigee: a.conf:1:0: unknown field "foo"\n\n', result.text)
  end)

  it("does not exist or does not parse", function()
    assert.equal("nats-server: open b.conf: no such file or directory\n", failing(nil, "-c", "b.conf"))
    assert.equal("nats-server: Parse error on line 1: 'Unexpected key separator '=''\n", failing("= 1"))
  end)

  it("breaks a rule that spans options", function()
    assert.equal("nats-server: max_payload (2000000) cannot be higher than max_pending (1000000)\n",
      failing("max_payload: 2m\nmax_pending: 1m"))
    assert.equal("nats-server: lame duck grace period (1m0s) should be strictly lower than lame duck duration (30s)\n",
      failing("lame_duck_duration: 30s\nlame_duck_grace_period: '1m'"))
    assert.equal("nats-server: lame duck grace period (10m0s) should be strictly lower than lame duck duration (2m0s)\n",
      failing("lame_duck_grace_period: '10m'"))
    assert.equal("nats-server: server name cannot contain spaces\n", failing(nil, "-n", "a b"))
    assert.equal("nats-server: workers (65) must be between 1 and 64\n", failing(nil, "--workers", "65"))
    assert.equal("nats-server: workers (-1) must be between 1 and 64\n", failing(nil, "--workers", "-1"))
  end)
end)

describe("flags that this version does not act on", function()
  it("refuse the start if they restrict access", function()
    for _, argument in ipairs { "--user=x", "--pass=x", "--auth=x", "--tls", "--tlscert=x", "--tlskey=x", "--tlsverify",
      "--tlscacert=x" } do
      local text = failing(nil, argument)
      assert.matches("^nats%-server: %-%-%w+ restricts access and is not supported", text)
      assert.is_truthy(text:find(argument:match("^[^=]+"), 1, true))
    end
  end)

  it("refuse the start if they open a listener or a link", function()
    for _, argument in ipairs { "--cluster=nats://h:1", "--cluster_listen=x", "--routes=nats://h:1", "-js", "--jetstream",
      "-ms=8443", "--https_port=8443", "--profile=6060" } do
      assert.matches("^nats%-server: %-+%w[%w_]* is not supported by this version", failing(nil, argument))
    end
  end)

  it("are named in a notice otherwise", function()
    local _, result = running(nil, "-s", "-r=udp://h:1", "-sd", "x", "--cluster_name=x", "--no_advertise", "--connect_retries=3",
      "--cluster_advertise=h:1")
    assert.equal(7, #result.notices)
    assert.equal("-s is not supported by this version of perigee yet and is ignored", result.notices[1])
  end)

  it("pass if they ask for nothing", function()
    local _, result = running(nil, "--user=", "-js=false", "--tls=false", "--cluster=", "--routes=", "--profile=0", "-s=false")
    assert.same({}, result.notices)
  end)

  it("can be waived by the file if they are links", function()
    local _, result = running("allow_unsupported: [cluster]", "--cluster=nats://h:1")
    assert.equal("--cluster is not supported by this version of perigee yet and is left out, as allow_unsupported asks",
      result.notices[1])
    assert.matches("%-%-user restricts access", failing("allow_unsupported: [cluster]", "--user=x"))
  end)

  it("switch off what the file asks for", function()
    running("jetstream: true", "-js=false")
    running("tls { cert_file: x }", "--tls=false")
    failing("jetstream: true", "-js=false", "-js")
    failing("authorization { user: x }", "--user=")
  end)
end)

describe("checking a configuration", function()
  it("shows its digest", function()
    local result = load("port: -1", "-t")
    assert.same({ "print", "stderr", 0 }, { result.action, result.stream, result.code })
    assert.equal("nats-server: configuration file a.conf is valid "
      .. "(sha256:7ea4cc5c6864139d814ce940a40ee6546b7ac5285eec3c390a4ce11e34dc1102)\n", result.text)
  end)

  it("needs a file", function()
    assert.equal("nats-server: must specify [-c, --config] option to check configuration file syntax\n", failing(nil, "-t"))
  end)

  it("fails on warnings", function()
    assert.equal("nats-server: a.conf: config has no values or is empty\n\n", failing("", "-t"))
    assert.equal('nats-server: a.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a '
      .. "duration\n\n", failing("ping_interval: 5", "-t"))
  end)

  it("fails on what the server would not start with", function()
    assert.matches("^nats%-server: a.conf:1:0: tls restricts access", failing("tls { cert_file: x }", "-t"))
  end)

  it("passes what is ignored, and names it", function()
    local result = load("syslog: true", "-t")
    assert.equal(0, result.code)
    assert.matches("^a.conf:1:0: syslog is not supported .-\nnats%-server: configuration file a.conf is valid", result.text)
  end)

  it("does not look at rules that span options", function()
    assert.equal(0, load("max_payload: 2m\nmax_pending: 1m", "-t").code)
  end)
end)

describe("asking for something else than running", function()
  it("shows the version", function()
    for _, argument in ipairs { "-v", "--version", "version", "VERSION" } do
      local result = load(nil, argument)
      assert.same({ "print", "stdout", 0, "nats-server: v2.15.2\n" }, { result.action, result.stream, result.code, result.text })
    end
    assert.equal("perigee: v0.1.0 (nats-server v2.15.2)\n", config.load({ [0] = "perigee", "-v" }, world()).text)
  end)

  it("shows the usage", function()
    for _, argument in ipairs { "-h", "--help", "help", "Help" } do
      local result = load(nil, argument)
      assert.same({ "print", "stdout", 0 }, { result.action, result.stream, result.code })
      assert.matches("^\nUsage: nats%-server", result.text)
    end
    assert.matches("^Usage: perigee", config.load({ [0] = "perigee", "help" }, world()).text)
  end)

  it("does not look at the file", function()
    assert.equal("print", load("= 1", "-v").action)
    assert.equal("print", load("= 1", "-h").action)
  end)

  it("with an unknown word fails", function()
    assert.equal('nats-server: unrecognized command: "true"\n', failing(nil, "--no_advertise", "true"))
  end)

  it("with a bad flag shows error and usage, and exits as Go does", function()
    local result = load(nil, "-xyz")
    assert.same({ "exit", "stderr", 0, "flag provided but not defined: -xyz\n" },
      { result.action, result.stream, result.code, result.text })
    assert.matches("^\nUsage", result.usage)
  end)

  it("sends signals", function()
    local function signal(argument)
      return config.load({ [0] = "perigee", "--signal", argument }, world { ["/run/pid"] = "77" })
    end
    for command, name in pairs { stop = "SIGKILL", quit = "SIGINT", term = "SIGTERM", reopen = "SIGUSR1", reload = "SIGHUP",
      ldm = "SIGUSR2" } do
      assert.same({ action = "signal", signal = { command = command, signal = name } }, signal(command))
    end
    assert.equal("12", signal("quit=12").signal.pid)
    assert.equal("77", signal("quit=/run/pid").signal.pid)
    assert.equal('perigee: unknown signal "foo"\n', signal("foo").text)
    assert.equal("perigee: invalid signal parameters: [b c]\n", signal("quit=a=b=c").text)
  end)
end)
