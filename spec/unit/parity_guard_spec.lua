local capabilities = require "spec.parity.capabilities"
local map = require "spec.parity.map"

local RECORD = table.concat({
  "spec/server/echo_spec.lua\techo comes back\tpassed",
  "spec/server/echo_spec.lua\techo is slow\tskipped",
  "spec/server/echo_spec.lua\techo breaks\tfailed",
  "spec/server/echo_spec.lua\techo in two builds\tpassed",
  "spec/server/echo_spec.lua\techo in two builds\tfailed",
  "spec/parity/parity_spec.lua\ta ping is answered\tpassed",
  "spec/parity/parity_spec.lua\ta pong is skipped\tskipped",
}, "\n") .. "\n"

local FILES = { ["spec/server/echo_spec.lua"] = true, ["docs/protocol.md"] = true }

-- Checks a map of which only one row is of interest.
local function check(row)
  return map.check(map.parse("| ID | tier |\n|---|---|\n" .. row), {
    capabilities = { ["XX-1"] = { id = "XX-1", tier = 1, name = "Echo" } },
    ran = map.parse_record(RECORD),
    scenarios = {
      ["a ping is answered"] = { topic = "pings", covers = { "XX-1" } },
      ["another thing about pings"] = { topic = "pings", covers = {} },
      ["a pong is skipped"] = { topic = "pongs", covers = { "XX-1" } },
      ["something else"] = { covers = {} },
    },
    exists = function(path) return FILES[path] or false end,
  })
end

local function row(behaviour, tests, docs)
  return ("| XX-1 | 1 | Echo | %s | %s | %s |"):format(behaviour, tests, docs)
end

local function assert_refused(text, why)
  local problems = check(text)
  assert.are.equal(1, #problems, table.concat(problems, "\n"))
  assert.is_truthy(problems[1]:find(why, 1, true), problems[1])
end

describe("The guard of the parity map accepts", function()
  for about, text in pairs {
    ["an open row"] = row("open", "open", "open"),
    ["a row done with a test that passed"] = row("done", "spec/server/echo_spec.lua: echo comes back", "open"),
    ["a row done with a scenario that covers it"] = row("done", "scenario:a ping is answered", "docs/protocol.md"),
    ["a row done with all scenarios of a topic that cover it"] = row("done", "scenarios:pings", "open"),
    ["several pieces of evidence"] =
      row("done", "scenario:a ping is answered<br>spec/server/echo_spec.lua: echo comes back", "open"),
    ["a deviation with its kind and reason"] =
      row("deviation: not applicable: it describes the inside of Go's index", "open", "docs/protocol.md"),
    ["tests before the behaviour is whole"] = row("open", "spec/server/echo_spec.lua: echo comes back", "open"),
  } do
    it(about, function() assert.are.same({}, check(text)) end)
  end
end)

describe("The guard of the parity map refuses", function()
  it("done without evidence", function() assert_refused(row("done", "open", "open"), "without evidence") end)

  it("evidence that did not run", function()
    assert_refused(row("done", "spec/server/echo_spec.lua: echo of nothing", "open"), "did not run")
  end)

  it("evidence that was skipped", function()
    assert_refused(row("done", "spec/server/echo_spec.lua: echo is slow", "open"), "was skipped")
  end)

  it("evidence that failed", function()
    assert_refused(row("done", "spec/server/echo_spec.lua: echo breaks", "open"), "failed")
  end)

  it("evidence that failed in one of two builds", function()
    assert_refused(row("done", "spec/server/echo_spec.lua: echo in two builds", "open"), "failed")
  end)

  it("evidence in a file that does not exist", function()
    assert_refused(row("done", "spec/server/gone_spec.lua: echo comes back", "open"), "does not exist")
  end)

  it("evidence that names no test", function()
    assert_refused(row("done", "spec/server/echo_spec.lua", "open"), "is not `<file>: <test name>`")
  end)

  it("one bad piece of evidence beside a good one", function()
    assert_refused(row("done", "scenario:a ping is answered<br>spec/server/echo_spec.lua: no", "open"), "did not run")
  end)

  it("a scenario that does not exist", function()
    assert_refused(row("done", "scenario:nobody", "open"), "no scenario is called")
  end)

  it("a scenario that does not cover the row", function()
    assert_refused(row("done", "scenario:something else", "open"), "does not cover it")
  end)

  it("a scenario that was skipped", function()
    assert_refused(row("done", "scenario:a pong is skipped", "open"), "was skipped")
  end)

  it("a topic of which no scenario covers the row", function()
    assert_refused(row("done", "scenarios:nothing", "open"), 'no scenario of "nothing" covers it')
  end)

  it("a topic of which one scenario was skipped", function()
    assert_refused(row("done", "scenarios:pongs", "open"), "was skipped")
  end)

  it("docs that are closed before the behaviour", function()
    assert_refused(row("open", "scenario:a ping is answered", "docs/protocol.md"), "closed before")
  end)

  it("a page that does not exist", function()
    assert_refused(row("done", "scenario:a ping is answered", "docs/gone.md"), "does not exist")
  end)

  it("a deviation without a reason", function()
    assert_refused(row("deviation: better: ", "open", "open"), "neither open, done nor")
    assert_refused(row("deviation: better: yes", "open", "open"), "has no reason")
  end)

  it("a deviation of an unknown kind", function()
    assert_refused(row("deviation: too hard: it would take a week", "open", "open"), "no kind of deviation")
  end)

  it("a state that it does not know", function() assert_refused(row("almost", "open", "open"), "neither open") end)

  it("a map in which an ID is missing", function()
    assert_refused("no row at all", "XX-1: it is missing")
  end)

  it("an ID that the reference does not have", function()
    assert_refused(row("open", "open", "open") .. "\n| XX-2 | 1 | More | open | open | open |", "no such ID")
  end)

  it("an ID that stands there twice", function()
    assert_refused(row("open", "open", "open") .. "\n" .. row("open", "open", "open"), "twice")
  end)

  it("another tier than the reference's", function()
    assert_refused("| XX-1 | 3 | Echo | open | open | open |", "its tier is 1")
  end)

  it("another name than the reference's", function()
    assert_refused("| XX-1 | 1 | Ekko | open | open | open |", 'its name is "Echo"')
  end)
end)

describe("The capabilities of the reference", function()
  it("are complete: nine areas, each ID once", function()
    local count = 0
    for _ in pairs(capabilities.by_id()) do count = count + 1 end
    assert.are.equal(9, #capabilities.areas())
    assert.are.equal(1289, count)
  end)
end)
