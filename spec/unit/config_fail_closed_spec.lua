local new_report = require("perigee.config.report").new
local options_of = require "perigee.config.options"
local parser = require "perigee.config.parser"
local unsupported = require "perigee.config.unsupported"

local function report_of(config)
  local world = { getenv = function() end, readfile = function(path) return nil, "open " .. path end }
  local map, message = parser.parse_text(config, "a.conf", world)
  assert.is_nil(message)
  local report = new_report()
  options_of.process(map, {}, report)
  return report
end

-- A value of an option that asks for something.
local ASKING = {
  map = "{ x: y }", any = "{ x: y }", string = "something", bool = "true", int = "1",
}

local function asking(name, option) return name .. ": " .. ASKING[option.type] end

local function each_name(class, visit)
  for _, option in ipairs(unsupported.options) do
    if option.class == class then
      visit(option.name, option)
      for _, alias in ipairs(option.aliases or {}) do visit(alias, option) end
    end
  end
end

describe("what this version does not act on", function()
  it("has one of three classes", function()
    for _, option in ipairs(unsupported.options) do
      assert.is_true(option.class == "security" or option.class == "link" or option.class == "ignored")
    end
  end)

  it("refuses the start by name if it restricts access", function()
    each_name("security", function(name, option)
      local report = report_of(asking(name, option))
      assert.same({ "a.conf:1:0: " .. name .. " restricts access and is not supported by this version of perigee yet: "
        .. "the server does not start without it" }, report.errors)
    end)
  end)

  it("refuses the start by name if it opens a listener or a link", function()
    each_name("link", function(name, option)
      local report = report_of(asking(name, option))
      assert.same({ ("a.conf:1:0: %s is not supported by this version of perigee yet "
        .. "(allow_unsupported: [%s] starts without it)"):format(name, option.name) }, report.errors)
    end)
  end)

  it("is named in a notice if it is ignored", function()
    each_name("ignored", function(name, option)
      local report = report_of(asking(name, option))
      assert.same({}, report.errors)
      assert.same({}, report.warnings)
      assert.same({ "a.conf:1:0: " .. name .. " is not supported by this version of perigee yet and is ignored" },
        report.notices)
    end)
  end)

  it("covers at least these", function()
    for class, names in pairs {
      security = { "authorization", "accounts", "no_auth_user", "tls", "operator", "resolver", "trusted", "proxies",
        "default_sentinel", "ocsp", "resolver_preload", "system_account" },
      link = { "cluster", "gateway", "leafnodes", "leaf", "websocket", "ws", "mqtt", "jetstream", "https", "https_port",
        "proxy_protocol", "prof_port" },
    } do
      for _, name in ipairs(names) do assert.equal(class, unsupported.by_name[name].class) end
    end
  end)

  it("passes if its value asks for nothing", function()
    for _, config in ipairs { "jetstream: false", "jetstream: disabled", "jetstream { enabled: false }", "https_port: 0",
      "no_auth_user: ''", "proxy_protocol: off", "accounts {}", "accounts: []", "cluster {}", "ocsp: false",
      "system_account: '$SYS'", "syslog: false" } do
      local report = report_of(config)
      assert.same({}, report.errors)
      assert.same({}, report.notices)
    end
  end)

  it("does not pass if its value asks for something in another form", function()
    for _, config in ipairs { "jetstream: true", "jetstream: enabled", "jetstream {store_dir: x}", "accounts: [A]",
      "authorization { users: [] }", "jetstream {}", "tls {}", "cluster { name: x }", "ocsp: true", "https: '0.0.0.0:8443'", "https: 8443",
      "jetstream { enabled: true }", "authorization { enabled: false }", "tls { enabled: false, verify: true }" } do
      assert.equal(1, #report_of(config).errors, config)
    end
  end)

  it("is checked for its type all the same", function()
    for config, message in pairs {
      ["no_auth_user: 1"] = "interface conversion: interface {} is int64, not string",
      ["https_port: x"] = "interface conversion: interface {} is string, not int64",
      ["prof_block_rate: on"] = "interface conversion: interface {} is bool, not int64",
      ["system_account: 1"] = "system account name must be a string",
      ["cluster: x"] = 'expected "cluster" to be a map, got string',
    } do
      assert.same({ "a.conf:1:0: " .. message }, report_of(config).errors)
    end
  end)

  it("does not hide what else is wrong", function()
    local report = report_of("cluster { port: 1 }\nfoo: 1\ntls { x: y }")
    assert.equal(3, #report.errors)
    assert.equal('a.conf:2:1: unknown field "foo"', report.errors[2])
  end)

  it("is refused as well when it was only meant as a variable", function()
    assert.equal(1, #report_of("tls = { cert_file: x }\nserver_name = x\nlog_file = $server_name").errors)
  end)
end)

describe("allow_unsupported", function()
  it("waives listeners and links, wherever it stands", function()
    for _, config in ipairs { "allow_unsupported: [cluster]\ncluster { port: 1 }", "cluster { port: 1 }\nallow_unsupported [CLUSTER]",
      "allow_unsupported: [leaf]\nleafnodes { port: 1 }", "Allow_Unsupported: [jetstream, ws]\njetstream: true\nws {port: 1}" } do
      local report = report_of(config)
      assert.same({}, report.errors)
      assert.matches(" is not supported by this version of perigee yet and is left out, as allow_unsupported asks$",
        report.notices[1])
    end
  end)

  it("waives nothing else", function()
    assert.equal(1, #report_of("allow_unsupported: [cluster]\ngateway { port: 1 }").errors)
  end)

  it("never waives what restricts access", function()
    local report = report_of("allow_unsupported: [tls]\ntls { verify: true }")
    assert.equal(2, #report.errors)
    assert.equal('a.conf:1:0: allow_unsupported: "tls" restricts access and cannot be left out', report.errors[1])
  end)

  it("names only options", function()
    assert.same({ 'a.conf:1:0: allow_unsupported: "foo" is not an option' }, report_of("allow_unsupported: [foo]").errors)
  end)

  it("is an array of strings", function()
    assert.same({ "a.conf:1:0: error parsing allow_unsupported: unsupported type string" },
      report_of("allow_unsupported: cluster").errors)
    assert.same({ "a.conf:1:0: error parsing allow_unsupported: unsupported type int64" },
      report_of("allow_unsupported: [1 ]").errors)
  end)
end)
