--- Reads the parity map (docs/parity.md) and checks what it claims.
--
-- A row is `| ID | tier | capability | behaviour | tests | docs |`; docs/parity.md says what each column may hold. What
-- a claim is checked against is handed in, so that the checks themselves can be tested: the capabilities, the record of
-- what ran, the scenarios, and whether a file exists.
local KINDS = { ["better"] = true, ["homogeneous clusters only"] = true, ["not applicable"] = true }
local SCENARIO_FILE = "spec/parity/parity_spec.lua"

-- The cells of a row of a Markdown table; `\|` does not part them.
local function cells_of(line)
  local cells = {}
  for cell in line:gsub("\\|", "\1"):match("^|(.*)|%s*$"):gmatch("([^|]*)|?") do
    cells[#cells + 1] = cell:gsub("\1", "|"):match("^%s*(.-)%s*$")
  end
  return cells
end

-- The entries of a cell that holds a list; `open` is an empty one.
local function entries_of(cell)
  local list = {}
  if cell == "open" then return list end
  for entry in (cell .. "<br>"):gmatch("%s*(.-)%s*<br>") do list[#list + 1] = entry end
  return list
end

--- The rows of a map in their order: {id=, tier=, name=, behaviour=, tests={...}, docs={...}, line=}.
local function parse(text)
  local rows, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local id = line:match("^|%s*([A-Z]+%-?%d+)%s*|")
    if id then
      local cells = cells_of(line)
      rows[#rows + 1] = {
        id = id, tier = tonumber(cells[2]), name = cells[3], behaviour = cells[4] or "",
        tests = entries_of(cells[5] or ""), docs = entries_of(cells[6] or ""), line = number,
      }
    end
  end
  return rows
end

--- The record of what ran: lines `<file> TAB <test name> TAB passed|skipped|failed`.
-- A test that ran several times (in several builds) failed if it failed once, and passed if it passed once otherwise.
-- @return table  file .. ": " .. name -> status
local function parse_record(text)
  local ran = {}
  local rank = { skipped = 1, passed = 2, failed = 3 }
  for file, name, status in text:gmatch("([^\t\n]+)\t([^\t\n]+)\t(%l+)\n") do
    local key = file .. ": " .. name
    if rank[status] and rank[status] > (rank[ran[key]] or 0) then ran[key] = status end
  end
  return ran
end

local function covers(scenario, id)
  for _, covered in ipairs(scenario.covers or {}) do
    if covered == id then return true end
  end
  return false
end

-- What is wrong with the test of this key, or nil.
local function run_problem(key, world)
  local status = world.ran[key]
  if not status then return ("%q did not run"):format(key) end
  if status ~= "passed" then return ("%q %s"):format(key, status == "skipped" and "was skipped" or "failed") end
end

local function scenario_problem(name, row, world)
  local scenario = world.scenarios[name]
  if not scenario then return ("no scenario is called %q"):format(name) end
  if not covers(scenario, row.id) then return ("the scenario %q does not cover it"):format(name) end
  return run_problem(SCENARIO_FILE .. ": " .. name, world)
end

-- The first thing wrong with the scenarios of a topic that cover the row, or nil.
local function topic_problem(topic, row, world)
  local names = {}
  for name, scenario in pairs(world.scenarios) do
    if scenario.topic == topic and covers(scenario, row.id) then names[#names + 1] = name end
  end
  if #names == 0 then return ("no scenario of %q covers it"):format(topic) end
  table.sort(names)
  for _, name in ipairs(names) do
    local problem = scenario_problem(name, row, world)
    if problem then return problem end
  end
end

-- What is wrong with one piece of evidence, or nil.
local function evidence_problem(entry, row, world)
  local kind, name = entry:match("^(scenarios?):%s*(.+)$")
  if kind == "scenario" then return scenario_problem(name, row, world) end
  if kind == "scenarios" then return topic_problem(name, row, world) end
  local file = entry:match("^([%w_%-./]+): .+$")
  if not file then return ("%q is not `<file>: <test name>`"):format(entry) end
  if not world.exists(file) then return ("%s does not exist"):format(file) end
  return run_problem(entry, world)
end

local function behaviour_problem(row)
  if row.behaviour == "open" or row.behaviour == "done" then return nil end
  local kind, reason = row.behaviour:match("^deviation: ([%l ]+): (.+)$")
  if not kind then
    return ("its behaviour is %q: neither open, done nor `deviation: <kind>: <reason>`"):format(row.behaviour)
  end
  if not KINDS[kind] then return ("%q is no kind of deviation"):format(kind) end
  if #reason < 10 then return "its deviation has no reason" end
end

local function check_row(row, capability, world, report)
  if row.tier ~= capability.tier then report(row, ("its tier is %d"):format(capability.tier)) end
  if row.name ~= capability.name then report(row, ("its name is %q"):format(capability.name)) end
  local problem = behaviour_problem(row)
  if problem then report(row, problem) end
  for _, entry in ipairs(row.tests) do
    problem = evidence_problem(entry, row, world)
    if problem then report(row, problem) end
  end
  if row.behaviour == "done" and #row.tests == 0 then report(row, "it claims done without evidence") end
  for _, file in ipairs(row.docs) do
    if not world.exists(file) then report(row, ("its page %q does not exist"):format(file)) end
  end
  if #row.docs > 0 and (row.behaviour == "open" or (row.behaviour == "done" and #row.tests == 0)) then
    report(row, "its docs are closed before behaviour and tests")
  end
end

--- Checks a map.
-- @param rows  from parse()
-- @param world {capabilities=by ID, ran=from parse_record(), scenarios=by name, exists=function(path)}
-- @return string[]  what is wrong, one line each; empty if every claim holds
local function check(rows, world)
  local problems, seen = {}, {}
  local function report(row, what)
    problems[#problems + 1] = ("line %d, %s: %s"):format(row.line, row.id, what)
  end
  for _, row in ipairs(rows) do
    local capability = world.capabilities[row.id]
    if not capability then report(row, "the reference has no such ID")
    elseif seen[row.id] then report(row, "it stands here twice")
    else check_row(row, capability, world, report) end
    seen[row.id] = true
  end
  local missing = {}
  for id in pairs(world.capabilities) do
    if not seen[id] then missing[#missing + 1] = id .. ": it is missing" end
  end
  table.sort(missing)
  for _, line in ipairs(missing) do problems[#problems + 1] = line end
  for name, scenario in pairs(world.scenarios) do
    for _, id in ipairs(scenario.covers or {}) do
      if not world.capabilities[id] then
        problems[#problems + 1] = ("scenario %q covers %s, which is no ID"):format(name, id)
      end
    end
  end
  return problems
end

--- How far the map is, by area and tier: { {title=, tiers={[1]={done=, deviation=, open=}, ...}} }.
local function summary(rows, areas)
  local by_id, result = {}, {}
  for _, row in ipairs(rows) do by_id[row.id] = row end
  for i, area in ipairs(areas) do
    local tiers = {}
    for tier = 1, 3 do tiers[tier] = { done = 0, deviation = 0, open = 0, ids = {} } end
    for _, section in ipairs(area) do
      for _, capability in ipairs(section) do
        local row, count = by_id[capability[1]], tiers[capability[2]]
        local state = row and row.behaviour:match("^%l+") or "open"
        count[state] = (count[state] or 0) + 1
        if state == "open" then count.ids[#count.ids + 1] = capability[1] end
      end
    end
    result[i] = { title = area.title, file = area.file, tiers = tiers }
  end
  return result
end

return { parse = parse, parse_record = parse_record, check = check, summary = summary }
