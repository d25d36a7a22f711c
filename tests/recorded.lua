--- Runs a cmocka program and writes down which of its tests passed, for the guard over the parity map.
--   luajit tests/recorded.lua SOURCE PROGRAM
-- The program's output and exit status are passed on. With PERIGEE_RAN set, each test is a line "SOURCE<tab>NAME<tab>OUTCOME".
local source, program = arg[1], arg[2]
local outcomes = { ["      OK"] = "passed", ["  FAILED"] = "failed", [" SKIPPED"] = "skipped" }

local lines = {}
local pipe = assert(io.popen(("'%s' 2>&1; echo \"status $?\""):format(program)))
local status
for line in pipe:lines() do
  status = tonumber(line:match("^status (%d+)$"))
  if not status then
    print(line)
    local word, name = line:match("^%[ (........) %] ([%w_]+)")
    if outcomes[word] then lines[#lines + 1] = ("%s\t%s\t%s\n"):format(source, name, outcomes[word]) end
  end
end
pipe:close()

local ran = os.getenv("PERIGEE_RAN")
if ran and #lines > 0 then
  local file = assert(io.open(ran, "a"))
  file:setvbuf("full", 1024 * 1024)  -- one write, so that programs running beside this one don't cut into it
  file:write(table.concat(lines))
  file:close()
end
os.exit(status or 1)
