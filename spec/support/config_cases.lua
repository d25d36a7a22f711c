--- The small configurations of spec/unit/config_cases, which nats-server and we are asked about in the same way.
local DIRECTORY = "spec/unit/config_cases"

-- The environment in which they are read.
local ENVIRONMENT = {
  CASE_NUMBER = "4333", CASE_BOOL = "true", CASE_SIZE = "64kb", CASE_MAP = "{a: b, c: 'd e'}", CASE_NESTED = "$CASE_NUMBER",
  CASE_CYCLE_A = "$CASE_CYCLE_B", CASE_CYCLE_B = "$CASE_CYCLE_A", CASE_JUNK = "a b", CASE_QUOTED = "'a b'",
  CASE_SEMICOLON = "x;y=2", CASE_FILE_VARIABLE = "$x", CASE_EMPTY = "",
}

--- The names of all cases, sorted.
local function names()
  local list, listing = {}, io.popen("ls " .. DIRECTORY)
  for file in listing:lines() do
    local name = file:match("^(.+)%.conf$")
    if name then list[#list + 1] = name end
  end
  listing:close()
  table.sort(list)
  return list
end

--- The lines of an answer in a fixed order: nats-server reports problems in the random order of Go's maps.
local function sorted_lines(text)
  local lines = {}
  for line in text:gsub("^nats%-server: ", ""):gmatch("[^\n]+") do lines[#lines + 1] = line end
  table.sort(lines)
  return lines
end

return { DIRECTORY = DIRECTORY, ENVIRONMENT = ENVIRONMENT, names = names, sorted_lines = sorted_lines }
