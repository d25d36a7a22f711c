local defaults = require "perigee.config.defaults"
local duration = require "perigee.config.duration"
local new_report = require("perigee.config.report").new
local options_of = require "perigee.config.options"
local parser = require "perigee.config.parser"
local schema = require "perigee.config.schema"
local text = require "perigee.config.text"
local unsupported = require "perigee.config.unsupported"

local function processed(config, check_mapping)
  local world = { getenv = function() end, readfile = function(path) return nil, "open " .. path end }
  local map, message = parser.parse_text(config, "a.conf", world)
  assert.is_nil(message)
  local options, report = {}, new_report()
  options_of.process(map, options, report, check_mapping)
  return options, report
end

-- The options of a text that must have nothing wrong with it.
local function options(config)
  local read, report = processed(config)
  assert.same({}, report.errors)
  assert.same({}, report.warnings)
  return read
end

local function errors(config, check_mapping)
  local _, report = processed(config, check_mapping)
  return report.errors
end

local function wrong(config, message, place)
  assert.same({ ("a.conf:%s: %s"):format(place or "1:0", message) }, errors(config))
end

local function wrong_type(config, got, wanted, place)
  wrong(config, ("interface conversion: interface {} is %s, not %s"):format(got, wanted), place)
end

describe("an address to listen on", function()
  it("is a port, or host and port", function()
    assert.same({ "", 4222 }, { options("listen: 4222").host, options("listen: 4222").port })
    for written, expected in pairs { ["127.0.0.1:4333"] = { "127.0.0.1", 4333 }, ["localhost:-1"] = { "localhost", -1 },
      ["'[::1]:4222'"] = { "::1", 4222 }, ["':4222'"] = { "", 4222 }, ["'a:+5'"] = { "a", 5 } } do
      local read = options("listen: " .. written)
      assert.same(expected, { read.host, read.port })
    end
  end)

  it("sets the monitoring address too", function()
    local read = options("http: 'localhost:8222'")
    assert.same({ "localhost", 8222 }, { read.http_host, read.http_port })
    assert.equal(8222, options("monitor_port: 8222").http_port)
  end)

  it("that cannot be read is an error", function()
    wrong("listen: '4222'", 'could not parse address string "4222"')
    wrong("listen: '::1:4222'", 'could not parse address string "::1:4222"')
    wrong("listen: '[::1]'", 'could not parse address string "[::1]"')
    wrong("listen: 'a:b'", 'could not parse port "b"')
    wrong("listen: 'a:'", 'could not parse port ""')
    wrong("http: 'a:99999999999999999999'", 'could not parse port "99999999999999999999"')
    wrong("listen: true", "expected port or host:port, got bool")
    wrong("listen: [1]", "expected port or host:port, got []interface {}")
    wrong("http: {}", "expected port or host:port, got map[string]interface {}")
    wrong("listen: 1.5", "expected port or host:port, got float64")
  end)
end)

describe("plain options", function()
  it("are found in any case and by their aliases", function()
    assert.equal("h", options("HOST: h").host)
    assert.equal("h", options("Net: h").host)
    for _, option in ipairs(schema.options) do
      for _, alias in ipairs(option.aliases or {}) do assert.equal(option, schema.by_name[alias]) end
    end
  end)

  it("take exactly their type", function()
    wrong_type("port: '4222'", "string", "int64")
    wrong_type("port: 4222.0", "float64", "int64")
    wrong_type("host: 1", "int64", "string")
    wrong_type("debug: 'true'", "string", "bool")
    wrong_type("max_payload: 1e6", "string", "int64")
    wrong_type("\npid_file: [x]", "[]interface {}", "string", "2:1")
    wrong_type("logtime: {}", "map[string]interface {}", "bool")
    wrong_type("max_pending: 2016-05-04T18:53:41Z", "time.Time", "int64")
    wrong_type("workers: on", "bool", "int64")
  end)

  it("are each reported, in the order of the file", function()
    local _, report = processed("port: x\nfoo: 1\nping_interval: 5\nhost: 2\nBar: {}")
    assert.same({ "a.conf:1:0: interface conversion: interface {} is string, not int64", 'a.conf:2:1: unknown field "foo"',
      "a.conf:4:1: interface conversion: interface {} is int64, not string", 'a.conf:5:1: unknown field "Bar"' },
      report.errors)
    assert.equal('a.conf:3:1: invalid use of field "ping_interval": ping_interval should be converted to a duration\n'
      .. table.concat(report.errors, "\n") .. "\n", report:problems())
  end)

  it("that nobody knows may be variables", function()
    assert.equal(4333, options("p = 4333\nport: $p").port)
    assert.same({ 'a.conf:2:1: unknown field "q"' }, errors("p = 4333\nq = 1\nport: $p"))
  end)

  it("stay options when they are used as variables", function()
    local read = options("port: 4333\nhttp_port: $port")
    assert.same({ 4333, 4333 }, { read.port, read.http_port })
  end)

  it("are overwritten by later ones that set the same", function()
    assert.equal(2, options("port: 1\nlisten: 'a:2'").port)
    assert.equal(1, options("listen: 'a:2'\nport: 1").port)
  end)
end)

describe("limits", function()
  it("have ranges", function()
    wrong("max_payload: 2147483648", "max_payload value is too big")
    wrong("max_control_line: 3GB", "max_control_line value is too big")
    wrong("max_sub_tokens: 256", "max_sub_tokens value is too big")
    wrong("max_subscription_tokens: 0", "max_subscription_tokens value can not be negative")
    wrong("max_sub_tokens: -1", "max_sub_tokens value can not be negative")
    wrong("workers: 0", "workers must be at least 1")
    wrong("workers: 65", "workers must be at most 64")
    assert.equal(2147483647, options("max_payload: 2147483647").max_payload)
    assert.equal(255, options("max_sub_tokens: 255").max_sub_tokens)
    assert.equal(64, options("workers: 64").workers)
  end)

  it("of connections let nobody in when they are 0", function()
    assert.equal(-1, options("max_connections: 0").max_connections)
    assert.equal(-1, options("max_conn: -1").max_connections)
    assert.equal(7, options("max_conn: 7").max_connections)
  end)
end)

describe("durations", function()
  it("are read as Go writes them", function()
    for written, expected in pairs {
      ["0"] = 0, ["1s"] = 1e9, ["1.5s"] = 1.5e9, ["500ms"] = 5e8, ["2h30m"] = 9e12, ["-1m"] = -60e9, ["+1us"] = 1e3,
      ["1µs"] = 1e3, [".5s"] = 5e8, ["1.s"] = 1e9, ["1.001s"] = 1001e6, ["3ns"] = 3, ["0s"] = 0, ["1m1m"] = 120e9,
    } do
      assert.equal(expected, duration.parse(written))
    end
  end)

  it("are written as Go writes them", function()
    for expected, nanoseconds in pairs {
      ["0s"] = 0, ["1ns"] = 1, ["1.5µs"] = 1500, ["500ms"] = 5e8, ["1.5s"] = 1.5e9, ["2m0s"] = 120e9, ["1h0m0s"] = 3600e9,
      ["-1m30s"] = -90e9, ["100h0m0.000000001s"] = 360000e9 + 1, ["10s"] = 10e9, ["20µs"] = 20000, ["100ms"] = 1e8,
    } do
      assert.equal(expected, duration.format(nanoseconds))
    end
  end)

  it("that are none are explained", function()
    local function fails(written, message)
      local value, found = duration.parse(written)
      assert.is_nil(value)
      assert.equal(message, found)
    end
    fails("", 'time: invalid duration ""')
    fails("-", 'time: invalid duration "-"')
    fails("x", 'time: invalid duration "x"')
    fails(".s", 'time: invalid duration ".s"')
    fails("5", 'time: missing unit in duration "5"')
    fails("1.5", 'time: missing unit in duration "1.5"')
    fails("1d", 'time: unknown unit "d" in duration "1d"')
    fails("1 s", 'time: unknown unit " s" in duration "1 s"')
    fails("1sx", 'time: unknown unit "sx" in duration "1sx"')
    fails("99999999999999999999s", 'time: invalid duration "99999999999999999999s"')
    fails("3000000h", 'time: invalid duration "3000000h"')
    fails('1"\n', [[time: unknown unit "\"\x0a" in duration "1\"\x0a"]])
  end)

  it("may be numbers of seconds where they once were, with a warning", function()
    for _, name in ipairs { "ping_interval", "write_deadline" } do
      local read, report = processed(name .. ": 5")
      assert.equal(5e9, read[name .. "_ns"])
      assert.same({ ('a.conf:1:0: invalid use of field "%s": %s should be converted to a duration'):format(name, name) },
        report.warnings)
    end
    assert.equal(5e15, (processed("ping_interval: 5m")).ping_interval_ns)
    wrong_type("write_deadline: true", "bool", "int64")
    wrong("ping_interval: 9223372036854775807", "error parsing ping_interval: more seconds than a duration can hold")
    wrong("ping_interval: 5x", 'error parsing ping_interval: time: unknown unit "x" in duration "5x"')
  end)

  it("of the lame duck are strings in their range", function()
    assert.equal(30e9, options("lame_duck_duration: 30s").lame_duck_duration_ns)
    wrong("lame_duck_duration: 29s", "invalid lame_duck_duration of 29s, minimum is 30 seconds")
    wrong("lame_duck_duration: 'x'", 'error parsing lame_duck_duration: time: invalid duration "x"')
    wrong_type("lame_duck_duration: 30", "int64", "string")
    wrong("lame_duck_grace_period: '-1s'", "invalid lame_duck_grace_period, needs to be positive")
    wrong("lame_duck_grace_period: 'x'", 'error parsing lame_duck_grace_period: time: invalid duration "x"')
  end)
end)

describe("options with forms of their own", function()
  it("trace_verbose and trace_headers set trace", function()
    assert.same({ trace = true, trace_verbose = true }, options("trace_verbose: on"))
    assert.same({ trace = false, trace_headers = false }, options("trace: true\ntrace_headers: off"))
    wrong_type("trace_verbose: 1", "int64", "bool")
  end)

  it("write_timeout is one of three words", function()
    assert.equal("retry", options("write_timeout: retry").write_timeout)
    wrong("write_timeout: never", "write_timeout must be 'default', 'close' or 'retry'")
    wrong_type("write_timeout: 5", "int64", "string")
  end)

  it("server_name has no blanks", function()
    assert.equal("a", options("server_name: a").server_name)
    wrong("server_name: 'a b'", "server name cannot contain spaces")
  end)

  it("server_tags are trimmed, in lower case, and each once", function()
    assert.same({ "a" }, options("server_tags: ' A '").server_tags)
    assert.same({ "a", "b" }, options("server_tags: [A, ' b ', a, '']").server_tags)
    wrong("server_tags: 1", "error parsing tags: unsupported type int64")
    wrong("server_tags: [a, 1 ]", "error parsing tags: unsupported type *conf.token where string is expected")
  end)

  it("server_metadata keeps its order", function()
    assert.same({ { name = "z", value = "1" }, { name = "a", value = "x" } },
      options("server_metadata { z: '1', a: x }").server_metadata)
    wrong("server_metadata: x", "error parsing metadata: unsupported type string")
    wrong_type("server_metadata { a: 1 }", "int64", "string", "1:18")
  end)
end)

describe("mappings", function()
  local function mapped(config) return options(config).mappings end

  it("are a list in the order of the file", function()
    assert.same({
      { source = "foo", destinations = { { subject = "bar", weight = 100 } } },
      { source = "a.*", destinations = { { subject = "b.$1", weight = 20 }, { subject = "c.$1", weight = 30, cluster = "east" } } },
      { source = "x", destinations = { { subject = "y", weight = 0 } } },
    }, mapped("mappings {\n foo: bar\n a.*: [{dest: b.$1, weight: 20%}, {Destination: 'c.$1', weight: 30, cluster: east}]\n"
      .. " x: {destination: y, weight: '0'}\n}"))
  end)

  it("are checked by what knows transforms", function()
    local function check(source, destination)
      if destination == "bad" then return nil, "no " .. source end
      return true
    end
    assert.same({ 'a.conf:1:8: Error adding mapping for "foo" to "bad" : no foo' }, errors("maps { 'foo': bad }", check))
    assert.same({ 'a.conf:1:8: Error adding mapping for "foo" : no foo' },
      errors("maps { 'foo': {dest: bad, weight: 1} }", check))
  end)

  it("that make no sense are explained", function()
    wrong_type("mappings: x", "string", "map[string]interface {}")
    wrong("maps { 'a..b': x }", 'Subject "a..b" is not a valid subject')
    wrong("maps { 'a b': x }", 'Subject "a b" is not a valid subject')
    wrong("maps { '>.a': x }", 'Subject ">.a" is not a valid subject')
    wrong("maps { '': x }", 'Subject "" is not a valid subject')
    wrong("maps { a: 1 }", "Expected an entry for the mapping destination", "1:7")
    wrong("maps { a: [x] }", "Expected an entry for the mapping destination", "1:11")
    wrong("maps { a: {dest: x} }", 'Missing weight for mapping destination "x"', "1:7")
    wrong("maps { a: {dest: x, weight: 101} }", "Invalid weight 101 for mapping destination", "1:20")
    wrong("maps { a: {dest: x, weight: -1} }", "Invalid weight -1 for mapping destination", "1:20")
    wrong("maps { a: {dest: x, weight: 'a%'} }", 'Invalid weight "a" for mapping destination', "1:20")
    wrong("maps { a: {dest: x, weight: on} }", "Unknown entry type for weight of true\n", "1:20")
    wrong("maps { a: {dest: x, wight: 1} }", 'Unknown field "wight" for mapping destination', "1:20")
    wrong_type("maps { a: {dest: 1, weight: 1} }", "int64", "string", "1:7")
    wrong("maps { a: [{dest: x, weight: 1}, {dest: x, weight: 2}] }",
      'Error adding mapping for "a" : duplicate entry for "x"', "1:7")
    wrong("maps { a: [{dest: x, weight: 60}, {dest: y, weight: 50}] }",
      'Error adding mapping for "a" : total weight needs to be <= 100', "1:7")
  end)

  it("have weights that count for each cluster", function()
    assert.equal(2, #mapped("maps { a: [{dest: x, weight: 60}, {dest: y, weight: 60, cluster: c}] }")[1].destinations)
  end)
end)

describe("the tables of options", function()
  it("name every option once", function()
    local seen = {}
    for _, list in ipairs { schema.options, unsupported.options } do
      for _, option in ipairs(list) do
        local names = { option.name, unpack(option.aliases or {}) }
        for _, name in ipairs(names) do
          assert.is_nil(seen[name], name)
          seen[name] = true
        end
      end
    end
  end)

  it("say of every option what a reload does and what it is for", function()
    for _, option in ipairs(schema.options) do
      assert.is_true(#option.doc > 10)
      assert.is_true(option.reload == "live" or option.reload == "new" or option.reload == "no")
      assert.equal(option.reload == "no", option.refused_as ~= nil)
    end
  end)
end)

describe("defaults", function()
  local function with_defaults(config, cores)
    local read = options(config)
    defaults.apply(read, cores)
    return read
  end

  it("are those of nats-server", function()
    local read = with_defaults("")
    assert.same({ "0.0.0.0", 4222, 65536, 4096, 1048576, 67108864, 10000, 2 }, { read.host, read.port,
      read.max_connections, read.max_control_line, read.max_payload, read.max_pending, read.max_closed_clients, read.ping_max })
    assert.same({ 120e9, 10e9, 120e9, 10e9 }, { read.ping_interval_ns, read.write_deadline_ns,
      read.lame_duck_duration_ns, read.lame_duck_grace_period_ns })
    assert.same({ "0.0.0.0", 0, "", true, false }, { read.http_host, read.http_port, read.http_base_path, read.logtime, read.debug })
  end)

  it("take the place of 0 and nothing", function()
    local read = with_defaults("port: 0\nhost: ''\nmax_payload: 0\nping_interval: '0s'\nlogtime: off")
    assert.same({ 4222, "0.0.0.0", 1048576, 120e9, false },
      { read.port, read.host, read.max_payload, read.ping_interval_ns, read.logtime })
  end)

  it("make a port of -1 any port", function() assert.equal(0, with_defaults("port: -1").port) end)

  it("serve monitoring where clients are served", function()
    assert.equal("127.0.0.1", with_defaults("host: 127.0.0.1\nhttp: 8222").http_host)
    assert.equal("::1", with_defaults("http: '[::1]:8222'").http_host)
  end)

  it("make a worker for each core, up to 64", function()
    assert.equal(8, with_defaults("", 8).workers)
    assert.equal(64, with_defaults("", 100).workers)
    assert.equal(1, with_defaults("", nil).workers)
    assert.equal(3, with_defaults("workers: 3", 8).workers)
  end)
end)

describe("text in messages", function()
  it("is quoted as Go quotes", function()
    assert.equal([["a\"b\\c\n\t\x01\xff\x7fü"]], text.quote('a"b\\c\n\t\1\255\127ü'))
  end)

  it("shows bytes to people", function()
    assert.equal("512 B", text.bytes(512))
    assert.equal("1.00 KB", text.bytes(1024))
    assert.equal("8.00 MB", text.bytes(8 * 1024 * 1024))
    assert.equal("1.50 GB", text.bytes(1.5 * 2 ^ 30))
  end)
end)
