local flag_table = require "perigee.config.flag_table"
local flags = require "perigee.config.flags"
local schema = require "perigee.config.schema"
local unsupported = require "perigee.config.unsupported"
local usage = require "perigee.config.usage"

local function options(...)
  local parsed, message = flags.parse { ... }
  assert.is_nil(message)
  local set = {}
  flags.apply(parsed, set)
  return set
end

local function fails(message, ...)
  local parsed, found = flags.parse { ... }
  assert.is_nil(parsed)
  assert.equal(message, found)
end

describe("the command line", function()
  it("takes one dash or two, and values behind a blank or an equal sign", function()
    for _, arguments in ipairs { { "-p", "1" }, { "--p", "1" }, { "-port=1" }, { "--port=1" }, { "--port", "1" } } do
      assert.same({ port = 1 }, options(unpack(arguments)))
    end
  end)

  it("takes values that look like flags, and empty ones", function()
    assert.same({ port = -1 }, options("-p", "-1"))
    assert.same({ host = "-x" }, options("-a", "-x"))
    assert.same({ host = "" }, options("-a="))
    assert.same({ host = "a=b" }, options("-a=a=b"))
  end)

  it("knows every name of every flag", function()
    for _, flag in ipairs(flag_table.flags) do
      for _, name in ipairs(flag.names) do
        local value = flag.type == "bool" and {} or { flag.type == "int" and "1" or "x" }
        local parsed = flags.parse { "-" .. name, value[1] }
        assert.equal(flag, parsed.given[1].flag)
      end
    end
  end)

  it("takes booleans alone or with an equal sign only", function()
    assert.same({ debug = true }, options("-D"))
    for _, word in ipairs { "1", "t", "T", "true", "TRUE", "True" } do assert.same({ debug = true }, options("-D=" .. word)) end
    for _, word in ipairs { "0", "f", "F", "false", "FALSE", "False" } do
      assert.same({ debug = false }, options("--debug=" .. word))
    end
    assert.same({ "true" }, flags.parse({ "-D", "true" }).rest)
  end)

  it("reads integers in any of Go's notations", function()
    for written, expected in pairs { ["0x10"] = 16, ["0X1f"] = 31, ["010"] = 8, ["0o10"] = 8, ["0b101"] = 5, ["1_000"] = 1000,
      ["-5"] = -5, ["+5"] = 5, ["0"] = 0 } do
      assert.equal(expected, options("-m", written).http_port)
    end
  end)

  it("ends at the first argument that is no flag, and at two dashes", function()
    assert.same({ "x", "-p", "1" }, flags.parse({ "-D", "x", "-p", "1" }).rest)
    assert.same({ "-p" }, flags.parse({ "-D", "--", "-p" }).rest)
    assert.same({ "-" }, flags.parse({ "-" }).rest)
    assert.same({}, flags.parse({}).rest)
  end)

  it("lets the last of several values win", function() assert.same({ port = 2 }, options("-p", "1", "--port", "2")) end)

  it("sets several switches with one flag, after the plain ones", function()
    assert.same({ debug = true, trace = true }, options("-DV"))
    assert.same({ debug = false, trace = false }, options("-DV=false", "-D"))
    assert.same({ trace = true, trace_verbose = true }, options("-VV"))
    assert.same({ debug = true, trace = true, trace_verbose = true }, options("-DVV"))
    assert.same({ debug = true, trace = false, trace_verbose = false }, options("-VV=false", "-DVV"))
  end)

  it("sets only fields that are options", function()
    local fields = {}
    for _, option in ipairs(schema.options) do fields[option.field or option.name] = true end
    for _, flag in ipairs(flag_table.flags) do
      for _, field in ipairs(flag.switches or { flag.field }) do assert.is_true(fields[field], field) end
      if flag.option then assert.is_not_nil(unsupported.by_name[flag.option]) end
    end
  end)
end)

describe("a command line that cannot be read", function()
  it("names flags that do not exist", function()
    fails("flag provided but not defined: -xyz", "-xyz")
    fails("flag provided but not defined: -xyz", "--xyz=1")
    fails("flag provided but not defined: -portx", "-portx")
  end)

  it("names flags without a value", function()
    fails("flag needs an argument: -p", "-p")
    fails("flag needs an argument: -config", "-D", "--config")
  end)

  it("names values of the wrong type", function()
    fails('invalid value "abc" for flag -p: parse error', "-p", "abc")
    fails('invalid value "" for flag -p: parse error', "-p=")
    fails('invalid value "08" for flag -p: parse error', "-p", "08")
    fails('invalid value "1__0" for flag -p: parse error', "-p", "1__0")
    fails('invalid value "1_" for flag -p: parse error', "-p", "1_")
    fails('invalid value "0x" for flag -p: parse error', "-p", "0x")
    fails('invalid value "99999999999999999999" for flag -p: value out of range', "-p", "99999999999999999999")
    fails('invalid boolean value "yes" for -D: parse error', "-D=yes")
    fails('invalid boolean value "" for -D: parse error', "-D=")
  end)

  it("names what is no flag", function()
    fails("bad flag syntax: ---p", "---p")
    fails("bad flag syntax: -=x", "-=x")
    fails("bad flag syntax: --=x", "--=x")
  end)
end)

describe("the usage text", function()
  it("is nats-server's under that name", function()
    local text = usage.of("nats-server")
    assert.matches("^\nUsage: nats%-server %[options%]\n\nServer Options:\n", text)
    assert.matches("\nCommon Options:\n    %-h, %-%-help  ", text)
  end)

  it("shows every flag under our own name", function()
    local text = usage.of("perigee")
    assert.matches("^Usage: perigee %[options%]\n", text)
    for _, flag in ipairs(flag_table.flags) do
      for _, name in ipairs(flag.names) do assert.is_truthy(text:find("-" .. name, 1, true), name) end
      assert.is_truthy(text:find(flag.doc, 1, true))
    end
  end)
end)
