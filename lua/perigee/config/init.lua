--- Configuration: command line, configuration file and environment in; options out.
--
-- Nothing here prints or exits: the result says what the program should do.
--
-- The world outside is a table that tests replace:
--   readfile(path)   text | nil, message
--   getenv(name)     string | nil
--   cores()          number of processor cores; may be missing
--   version          perigee's own version; may be missing
--   check_mapping(source, destination)   true | nil, message: whether such a subject transform exists; may be missing
local defaults = require "perigee.config.defaults"
local flags = require "perigee.config.flags"
local path = require "perigee.config.path"
local validate = require "perigee.config.validate"

local NATS_VERSION = "2.15.2"

-- The modules that read files are loaded only when there is a file, to keep --version quick.
local function read_file(file, options, report, parsed, world)
  local parser = require "perigee.config.parser"
  local digest = require "perigee.config.digest"
  local map, message = parser.parse_file(file, world)
  if not map then return nil, message end
  options.config_file = file
  options.config_digest, message = digest.of(map)
  if not options.config_digest then return nil, message end
  if map:is_empty() then report:warn(nil, file .. ": config has no values or is empty") end
  return require("perigee.config.options").process(map, options, report, world.check_mapping, flags.switched_off(parsed))
end

local function refuse_flags(parsed, waived, report)
  local unsupported = require "perigee.config.unsupported"
  flags.each_unsupported(parsed, function(flag, name)
    local option = unsupported.by_name[flag.option]
    if flag.class then option = { name = option.name, class = flag.class } end
    unsupported.refuse(option, (#name > 2 and "--" or "-") .. name, waived, {
      error = function(message) report:error(nil, message) end,
      notice = function(message) report:notice(nil, message) end,
    })
  end)
end

--- Reads the configuration file again, or for the first time, and puts the flags on top.
-- @param parsed  what flags.parse() returned
-- @return {options=, warnings=, notices=} | nil, message
local function build(parsed, world)
  local report = require("perigee.config.report").new()
  local options, waived = {}, {}
  local file = flags.command(parsed, "config")
  if file and file ~= "" then
    local message
    waived, message = read_file(file, options, report, parsed, world)
    if not waived then return nil, message end
  end
  local checking = flags.command(parsed, "check")
  if not checking then refuse_flags(parsed, waived, report) end
  if #report.errors > 0 or (checking and #report.warnings > 0) then return nil, report:problems() end
  if not checking then
    flags.apply(parsed, options)
    defaults.apply(options, world.cores and world.cores() or 1)
    local valid, message = validate.check(options)
    if not valid then return nil, message end
  end
  return { options = options, warnings = report.warnings, notices = report.notices }
end

local function printed(text, stream, code)
  return { action = "print", text = text, stream = stream or "stdout", code = code or 0 }
end

local function failed(program, message)
  return { action = "exit", text = program .. ": " .. message .. "\n", stream = "stderr", code = 1 }
end

local function version_text(program, world)
  if program == "nats-server" then return "nats-server: v" .. NATS_VERSION .. "\n" end
  return ("perigee: %s(nats-server v%s)\n"):format(world.version and "v" .. world.version .. " " or "", NATS_VERSION)
end

-- The answer to what is asked for instead of running, if anything is.
local function answer(program, parsed, world)
  local function usage() return printed(require("perigee.config.usage").of(program)) end
  if flags.command(parsed, "version") then return printed(version_text(program, world)) end
  if flags.command(parsed, "help") then return usage() end
  if flags.command(parsed, "help_tls") then return printed("TLS is not supported by this version of perigee yet.\n") end
  local word = parsed.rest[1]
  if not word then return nil end
  if word:lower() == "version" then return printed(version_text(program, world)) end
  if word:lower() == "help" then return usage() end
  return failed(program, "unrecognized command: " .. require("perigee.config.text").quote(word))
end

local function send_signal(program, written, world)
  local signal, message = require("perigee.config.signal").parse(written, world)
  if not signal then return failed(program, message) end
  return { action = "signal", signal = signal }
end

local function check(program, parsed, world)
  local file = flags.command(parsed, "config")
  if not file or file == "" then
    return failed(program, "must specify [-c, --config] option to check configuration file syntax")
  end
  local built, message = build(parsed, world)
  if not built then return failed(program, message) end
  local lines = {}
  for index, notice in ipairs(built.notices) do lines[index] = notice .. "\n" end
  lines[#lines + 1] = ("%s: configuration file %s is valid (%s)\n"):format(program, file, built.options.config_digest)
  return printed(table.concat(lines), "stderr")
end

--- What the program should do, given its arguments.
--
-- The result is {action=, ..}:
--   "run"     options (see schema.lua for the fields; config_file and config_digest if there is a file), warnings (lines to
--             print on stderr at once), notices (lines to log as warnings), flags (for build() at a reload)
--   "print"   text, stream ("stdout" or "stderr"), code: print and exit with the code
--   "exit"    the same after something went wrong. `usage` is a text to print on stdout after it, if there is one
--   "signal"  signal = {command=, signal= ("SIGHUP"..), pid= (as written) or nil}: send it and exit
--
-- @param argv   list of arguments; argv[0] is the program's path
-- @param world  see above; nil is this process's
local function load(argv, world)
  world = world or require "perigee.config.world"
  local program = path.base_name(argv[0] or "perigee") == "nats-server" and "nats-server" or "perigee"
  local parsed, message = flags.parse(argv)
  if not parsed then
    -- Go shows the usage text and exits as if it had been asked for.
    return { action = "exit", text = message .. "\n", stream = "stderr", code = 0,
      usage = require("perigee.config.usage").of(program) }
  end
  local answered = answer(program, parsed, world)
  if answered then return answered end
  local signal = flags.command(parsed, "signal")
  if signal and signal ~= "" then return send_signal(program, signal, world) end
  if flags.command(parsed, "check") then return check(program, parsed, world) end
  local built
  built, message = build(parsed, world)
  if not built then return failed(program, message) end
  return { action = "run", options = built.options, warnings = built.warnings, notices = built.notices, flags = parsed }
end

return { load = load, build = build, NATS_VERSION = NATS_VERSION }
