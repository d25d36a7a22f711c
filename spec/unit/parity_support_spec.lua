local fixture = require "spec.support.fixture"
local json = require "dkjson"
local normalise = require "spec.support.normalise"
local process = require "spec.support.process"
local scenario = require "spec.support.scenario"
local topics = require "spec.parity.topics"

local function lines_of(text)
  return normalise.document(json.decode(text, 1, json.null), "/varz")
end

describe("Normalising", function()
  it("replaces a time by a word only if it is one", function()
    assert.are.same({ "now: <time>" }, lines_of('{"now":"2026-01-02T03:04:05.123Z"}'))
    assert.are.same({ 'now: "soon"' }, lines_of('{"now":"soon"}'))
    assert.are.same({ "now: 5" }, lines_of('{"now":5}'))
  end)

  it("keeps names and types of members whose values differ", function()
    assert.are.same({ "mem: <number>" }, lines_of('{"mem":12345}'))
    assert.are.same({ 'mem: "12345"' }, lines_of('{"mem":"12345"}'))
  end)

  it("tells an empty list, an empty object and null apart", function()
    assert.are.same({ "a: []", "b: {}", "c: null" }, lines_of('{"a":[],"b":{},"c":null}'))
  end)

  it("keeps the order of members in INFO", function()
    assert.are.equal('INFO {"port":<number>,"go":"<text>","headers":true} \r\n',
      normalise.info('INFO {"port":4222,"go":"go1.9","headers":true} \r\n'))
  end)

  it("shows bytes on one line", function()
    assert.are.equal([[a\r\n\x00\\\xFF]], normalise.printable("a\r\n\0\\\255"))
    assert.is_truthy(normalise.printable(("x"):rep(5000)):find("5000 in all, sum", 1, true))
    assert.are_not.equal(normalise.printable(("x"):rep(5000)), normalise.printable(("x"):rep(4999) .. "y"))
  end)
end)

describe("Comparing transcripts", function()
  it("finds nothing in equal ones", function()
    assert.is_nil(fixture.difference({ "a", "b" }, { "a", "b" }))
  end)

  it("finds a missing, an additional, a changed and a moved line", function()
    assert.are.equal("  a\n- b", fixture.difference({ "a", "b" }, { "a" }))
    assert.are.equal("  a\n+ b", fixture.difference({ "a" }, { "a", "b" }))
    assert.is_string(fixture.difference({ "a" }, { "b" }))
    assert.is_string(fixture.difference({ "a", "b" }, { "b", "a" }))
  end)

  it("does not count lines that differ on purpose", function()
    assert.is_nil(fixture.difference({ "a" }, { "a", "perigee: 1" }, { { "^perigee: ", "our version" } }))
  end)
end)

describe("A scenario", function()
  it("that fails gives the reason and the transcript up to there", function()
    local lines, why = scenario.run({ run = function(t) t:note("so far") error("no further", 0) end }, {}, nil)
    assert.is_nil(lines)
    assert.is_truthy(why:find("no further", 1, true) and why:find("so far", 1, true))
  end)

  it("can leave parts of its transcript without order", function()
    local lines = scenario.run({
      run = function(t) t:unordered(function() t:note("b") t:note("a") end) end,
    }, {}, nil)
    assert.are.same({ "a", "b" }, lines)
  end)

  it("has its own name, and every recorded one is still there", function()
    local by_name = topics.scenarios()
    for _, topic in ipairs(topics.all()) do
      for name in pairs(assert(fixture.load(topic.file)).scenarios) do
        assert.is_truthy(by_name[name], name)
      end
    end
  end)
end)

describe("A child process", function()
  local directory

  before_each(function() directory = process.make_dir() end)
  after_each(function() process.remove_dir(directory) end)

  it("is waited for and tells its exit code", function()
    local child = process.start("/bin/sh", { "-c", "echo said; exit 7" }, { stdout = directory .. "/out" })
    assert(child:wait())
    assert.are.equal(7, child.code)
    assert.are.equal("said\n", process.read_file(directory .. "/out"))
  end)

  it("is ended, even if it does not want to", function()
    local child = process.start("/bin/sh", { "-c", "trap '' INT; echo up; exec sleep 60" },
      { stdout = directory .. "/out" })
    assert(process.wait_for(function() return process.read_file(directory .. "/out") == "up\n" end))
    child:kill("INT")
    child:stop("KILL")
    assert.are.equal(9, child.signal)
  end)

  it("ends with the interpreter that started it", function()
    local script = ([[
      local process = require "spec.support.process"
      local child = process.start("/bin/sleep", { "60" }, { stdout = "/dev/null" })
      io.write(child.pid)
      io.flush()
      os.exit(1, false)
    ]])
    local path = directory .. "/script.lua"
    local file = assert(io.open(path, "w"))
    file:write(script)
    file:close()
    local run = io.popen("luajit " .. path)
    local pid = run:read("*a")
    run:close()
    assert.is_truthy(pid:match("^%d+$"))
    assert(process.wait_for(function()
      local status = process.read_file("/proc/" .. pid .. "/stat")
      return status == "" or status:match("%) (%u)") == "Z"
    end))
  end)
end)

describe("The record of what ran", function()
  local directory

  before_each(function() directory = process.make_dir() end)
  after_each(function() process.remove_dir(directory) end)

  it("has a line for each test: its spec, its full name and its outcome", function()
    local spec, record = directory .. "/one_spec.lua", directory .. "/ran"
    local file = assert(io.open(spec, "w"))
    file:write([[
      describe("Echo", function()
        it("comes back", function() end)
        it("is loud", function() pending("later") end)
        it("is late", function() error("never") end)
      end)
    ]])
    file:close()
    os.execute(("PERIGEE_RAN='%s' luajit \"$(command -v busted)\" -o TAP '%s' >/dev/null 2>&1"):format(record, spec))
    assert.are.equal(table.concat({
      spec .. "\tEcho comes back\tpassed",
      spec .. "\tEcho is loud\tskipped",
      spec .. "\tEcho is late\tfailed",
    }, "\n") .. "\n", process.read_file(record))
  end)
end)
