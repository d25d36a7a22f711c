--- Records the fixtures from the real server: `luajit spec/parity/record.lua [topic...]`.
-- Every scenario runs twice; only a topic whose two runs say the same is written.
-- The real server is NATS_SERVER_BIN, or nats-server in the PATH.
local fixture = require "spec.support.fixture"
local scenario = require "spec.support.scenario"
local server = require "spec.support.server"
local topics = require "spec.parity.topics"

local PINNED = "2.15.2"

local function check_version(program)
  local result = assert(server.run(program, { arguments = { "--version" } }))
  local version = result.stdout:match("v(%d+%.%d+%.%d+)")
  if version ~= PINNED then
    error(("%s is version %s, fixtures are of %s"):format(program.path, tostring(version), PINNED), 0)
  end
end

local function run_once(topic, program, complain)
  local recorded = {}
  scenario.run_topic(topic, program, function(what, lines, why)
    if lines then recorded[#recorded + 1] = { name = what.name, lines = lines } else complain(what.name, why) end
  end)
  return recorded
end

local function record(topic, program)
  local failed = false
  local function complain(name, why)
    failed = true
    print(("not recorded: %s: %s\n%s"):format(topic.file, name, why))
  end
  local first = run_once(topic, program, complain)
  local second = failed and {} or run_once(topic, program, complain)
  for i, entry in ipairs(first) do
    local difference = second[i] and fixture.difference(entry.lines, second[i].lines)
    if difference then complain(entry.name, "two runs differ:\n" .. difference) end
  end
  if not failed then fixture.save(topic.file, PINNED, first) end
  print(("%-24s %3d scenarios %s"):format(topic.file, #first, failed and "NOT WRITTEN" or "recorded"))
  return not failed
end

local program, why = server.reference()
if not program then error(why, 0) end
check_version(program)
local all_good = true
for _, topic in ipairs(topics.all { ... }) do
  if not record(topic, program) then all_good = false end
end
os.exit(all_good and 0 or 1)
