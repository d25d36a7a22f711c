--- A helper for busted (`busted --helper=spec/support/ran.lua`): appends what ran to the file that PERIGEE_RAN names,
-- one line `<file> TAB <full test name> TAB passed|skipped|failed` for each test. Without PERIGEE_RAN it does nothing.
-- Scenarios are recorded by the name of the scenario alone.
local STATUS = { success = "passed", pending = "skipped", failure = "failed", error = "failed" }
local SCENARIOS = "spec/parity/parity_spec.lua"

local path = os.getenv("PERIGEE_RAN")

local function plain(text)
  return (text:gsub("[\t\n]+", " "):gsub("^%s+", ""):gsub("%s%s+", " "))
end

-- The names of the enclosing describes and of the test itself.
local function full_name(busted, element)
  local names, parent = { element.name }, busted.parent(element)
  while parent and parent.name and parent.descriptor ~= "file" do
    table.insert(names, 1, parent.name)
    parent = busted.parent(parent)
  end
  return table.concat(names, " ")
end

-- The spec that a test belongs to, also when a shared function wrote it down.
local function source_of(busted, element)
  local at = element
  while at and at.descriptor ~= "file" do at = busted.parent(at) end
  return ((at and at.name or "?"):gsub("^%./", ""))
end

local function record(busted, element, status)
  local source = source_of(busted, element)
  local name = source == SCENARIOS and element.name or full_name(busted, element)
  local file = assert(io.open(path, "a"))
  file:write(("%s\t%s\t%s\n"):format(source, plain(name), STATUS[status] or "failed"))
  file:close()
end

if path then
  local busted = require "busted"
  busted.subscribe({ "test", "end" }, function(element, _, status)
    record(busted, element, status)
    return nil, true
  end)
end
