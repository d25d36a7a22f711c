-- Every scenario, replayed against Perigee and compared with what the real server answered.
-- The program is PERIGEE_BIN, or build/perigee.
local deviations = require "spec.parity.deviations"
local fixture = require "spec.support.fixture"
local scenario = require "spec.support.scenario"
local server = require "spec.support.server"
local topics = require "spec.parity.topics"

local program = assert(server.perigee())

local function differs_of(what)
  local list = {}
  for _, entry in ipairs(deviations) do list[#list + 1] = entry end
  for _, entry in ipairs(what.differs or {}) do list[#list + 1] = entry end
  return list
end

local function agrees(what, recorded, running)
  assert.is_table(recorded, "nothing recorded for this scenario")
  local lines, why = scenario.run(what, program, running or nil)
  if not lines then error(why, 0) end
  local difference = fixture.difference(recorded, lines, differs_of(what))
  if difference then error("- nats-server, + perigee:\n" .. difference, 0) end
end

local function describe_group(group, fixtures)
  describe(group.about or "", function()
    local running

    local function stop()
      if running then running:stop() end
      running = nil
    end

    teardown(stop)
    if group.fresh then after_each(stop) end
    for _, what in ipairs(group) do
      it(what.name, function()
        if what.pending then return pending(what.pending) end
        if not running and group.server ~= false then running = assert(scenario.start_group(group, program)) end
        agrees(what, fixtures[what.name], running)
      end)
    end
  end)
end

for _, topic in ipairs(topics.all()) do
  local recorded = assert(fixture.load(topic.file))
  describe(topic.topic, function()
    for _, group in ipairs(topic) do describe_group(group, recorded.scenarios) end
  end)
end
