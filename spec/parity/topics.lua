--- The files of scenarios: spec/parity/scenarios/<topic>.lua, loaded and checked.
local FOLDER = "spec/parity/scenarios/"

local function names()
  local list, listing = {}, io.popen("ls " .. FOLDER)
  for file in listing:lines() do list[#list + 1] = file:match("^([%w_]+)%.lua$") end
  listing:close()
  table.sort(list)
  return list
end

--- All topics, each {file=, topic=, groups}. With `only`, those of the given file names.
local function all(only)
  local topics = {}
  for _, name in ipairs(only and #only > 0 and only or names()) do
    local topic = dofile(FOLDER .. name .. ".lua")
    topic.file = name
    topics[#topics + 1] = topic
  end
  return topics
end

--- Scenarios by name, of all topics; each knows its `topic`.
local function scenarios()
  local by_name = {}
  for _, topic in ipairs(all()) do
    for _, group in ipairs(topic) do
      for _, scenario in ipairs(group) do
        assert(not by_name[scenario.name], "two scenarios are called: " .. scenario.name)
        scenario.topic = topic.file
        by_name[scenario.name] = scenario
      end
    end
  end
  return by_name
end

return { all = all, scenarios = scenarios }
