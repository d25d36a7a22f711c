--- Appends the results of a suite that speaks TAP to the record that PERIGEE_RAN names, and passes them on:
-- `suite | luajit spec/support/ran_tap.lua <file that the evidence names>`. Ends with status 1 if a test failed.
local source, path = assert(arg[1], "which file holds these tests?"), os.getenv("PERIGEE_RAN")
local failed = false

for line in io.lines() do
  print(line)
  local verdict, name = line:match("^(n?o?t? ?ok) %d+ %-? ?(.*)$")
  if verdict then
    local status = verdict == "ok" and (name:find("# SKIP", 1, true) and "skipped" or "passed") or "failed"
    failed = failed or status == "failed"
    if path then
      local file = assert(io.open(path, "a"))
      file:write(("%s\t%s\t%s\n"):format(source, name:gsub("%s*# SKIP.*", ""), status))
      file:close()
    end
  end
end
os.exit(failed and 1 or 0)
