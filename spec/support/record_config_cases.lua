--- Asks a real nats-server what it says about each of the configurations in spec/unit/config_cases, and records it.
--
--   luajit spec/support/record_config_cases.lua [absolute path of nats-server]      from the root of the project
package.path = "spec/support/?.lua;" .. package.path
local config_cases = require "config_cases"

local server = arg[1] or "nats-server"

local function output_of(command)
  local pipe = io.popen(command)
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function environment()
  local settings = {}
  for name, value in pairs(config_cases.ENVIRONMENT) do settings[#settings + 1] = name .. "=" .. quoted(value) end
  table.sort(settings)
  return table.concat(settings, " ")
end

local function answer(name)
  local command = ("cd %s && env -i PATH=\"$PATH\" %s %s -t -c %s.conf 2>&1; echo \"exit $?\""):format(
    config_cases.DIRECTORY, environment(), server, name)
  local text, code = output_of(command):match("^(.*)exit (%d+)\n$")
  return config_cases.sorted_lines(text), tonumber(code)
end

local version = output_of(server .. " --version"):match("v([%d.]+)")
local file = assert(io.open(config_cases.DIRECTORY .. "/recorded.lua", "w"))
file:write("-- Recorded from nats-server ", version, " by spec/support/record_config_cases.lua. Not to be edited.\n",
  "-- luacheck: no max line length\nreturn {\n")
for _, name in ipairs(config_cases.names()) do
  local lines, code = answer(name)
  file:write(("  [%q] = { code = %d,\n"):format(name, code))
  for _, line in ipairs(lines) do file:write(("    %q,\n"):format(line)) end
  file:write("  },\n")
end
file:write("}\n")
file:close()
