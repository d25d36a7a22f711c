--- Runs scenarios against the real server and Perigee side by side and prints what differs:
-- `luajit spec/parity/live.lua [topic...]`. Ends with status 1 if anything does.
local deviations = require "spec.parity.deviations"
local fixture = require "spec.support.fixture"
local scenario = require "spec.support.scenario"
local server = require "spec.support.server"
local topics = require "spec.parity.topics"

local function transcripts(topic, program)
  local found = {}
  scenario.run_topic(topic, program, function(what, lines, why)
    found[what.name] = { lines = lines, why = why }
  end)
  return found
end

local function needed(program, why)
  return program or error(why, 0)
end

local function differs_of(what)
  local list = {}
  for _, entry in ipairs(deviations) do list[#list + 1] = entry end
  for _, entry in ipairs(what.differs or {}) do list[#list + 1] = entry end
  return list
end

local function verdict(what, theirs, ours)
  if not theirs.lines then return "the real server failed: " .. theirs.why end
  if not ours.lines then return "perigee failed: " .. ours.why end
  return fixture.difference(theirs.lines, ours.lines, differs_of(what))
end

local real, perigee = needed(server.reference()), needed(server.perigee())
local same, different = 0, 0
for _, topic in ipairs(topics.all { ... }) do
  local theirs, ours = transcripts(topic, real), transcripts(topic, perigee)
  for _, group in ipairs(topic) do
    for _, what in ipairs(group) do
      local difference = verdict(what, theirs[what.name], ours[what.name])
      if difference then
        different = different + 1
        print(("%s: %s\n%s\n"):format(topic.file, what.name, difference))
      else
        same = same + 1
      end
    end
  end
end
print(("%d scenarios agree, %d differ (- nats-server, + perigee)"):format(same, different))
os.exit(different == 0 and 0 or 1)
