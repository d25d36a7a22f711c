--- The program: arguments in, exit code out. `--version` and the like load little, to be quick.
local argv = arg

local function world()
  local w = setmetatable({ version = require "perigee.version" }, { __index = require "perigee.config.world" })
  w.check_mapping = function(source, destination) return require("perigee.core").check_mapping(source, destination) end
  w.cores = function() return require("perigee.core").cores() end
  return w
end

local function main()
  local config = require "perigee.config"
  local answer = config.load(argv, world())
  if answer.action == "signal" then return require("perigee.signaller").send(answer.signal, argv[0]) end
  if answer.action ~= "run" then
    io[answer.stream]:write(answer.text)
    if answer.usage then io.stdout:write(answer.usage) end
    return answer.code
  end
  for _, warning in ipairs(answer.warnings) do io.stderr:write(warning, "\n") end
  return require("perigee.server").run(answer.options, answer.notices, argv)
end

return main
