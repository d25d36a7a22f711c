--- The command line: arguments in, what was asked for out. The grammar is that of Go's flag package.
--
-- One dash or two; `-f value` or `-f=value`; a boolean takes a value only with `=`. Flags end at the first argument that is
-- none, or at `--`. Reading changes nothing and looks at nothing outside of its arguments.
local flag_table = require "perigee.config.flag_table"
local text = require "perigee.config.text"

local WORDS = {}
for _, word in ipairs { "1", "t", "T", "true", "TRUE", "True" } do WORDS[word] = true end
for _, word in ipairs { "0", "f", "F", "false", "FALSE", "False" } do WORDS[word] = false end

local BASES = {
  { "^0[xX](_?%x[%x_]*)$", 16 }, { "^0[bB](_?[01][01_]*)$", 2 }, { "^0[oO](_?[0-7][0-7_]*)$", 8 },
  { "^0(_?[0-7][0-7_]*)$", 8 }, { "^(%d[%d_]*)$", 10 },
}

-- An integer as Go reads it with base 0: prefixes for hexadecimal, octal and binary; underscores between digits.
local function integer(written)
  local sign, rest = written:match("^([+-]?)(.*)$")
  for _, form in ipairs(BASES) do
    local digits = rest:match(form[1])
    if digits and not digits:find("__", 1, true) and not digits:find("_$") and (form[2] ~= 10 or rest:find("^[1-9]") or
      rest == "0") then
      local value = 0
      for digit in digits:gsub("_", ""):gmatch(".") do value = value * form[2] + tonumber(digit, 16) end
      if value >= 2 ^ 63 then return nil, "value out of range" end
      return sign == "-" and -value or value
    end
  end
  return nil, "parse error"
end

-- The value of a flag from its text. Returns nil and the message of Go.
local function value_of(flag, name, written)
  if flag.type == "string" then return written end
  if flag.type == "bool" then
    if WORDS[written] ~= nil then return WORDS[written] end
    return nil, ("invalid boolean value %s for -%s: parse error"):format(text.quote(written), name)
  end
  local value, reason = integer(written)
  if value then return value end
  return nil, ("invalid value %s for flag -%s: %s"):format(text.quote(written), name, reason)
end

-- Takes one flag apart: its name and what follows an equal sign.
local function split(argument)
  local body = argument:match("^%-%-?(.*)$")
  if body == "" or body:find("^[-=]") then return nil, "bad flag syntax: " .. argument end
  local name, written = body:match("^([^=]+)=(.*)$")
  return name or body, written
end

--- Reads the arguments.
-- @param arguments  list, without the program's name
-- @return {given = list of {flag=, name=, value=} in order, rest = list of what follows the flags} | nil, message
local function parse(arguments)
  local given, index = {}, 1
  while index <= #arguments do
    local argument = arguments[index]
    if #argument < 2 or argument:sub(1, 1) ~= "-" then break end
    index = index + 1
    if argument == "--" then break end
    local name, written = split(argument)
    if not name then return nil, written end
    local flag = flag_table.by_name[name]
    if not flag then return nil, "flag provided but not defined: -" .. name end
    if flag.type == "bool" then
      written = written or "true"
    elseif not written then
      written = arguments[index]
      index = index + 1
      if not written then return nil, "flag needs an argument: -" .. name end
    end
    local value, message = value_of(flag, name, written)
    if message then return nil, message end
    given[#given + 1] = { flag = flag, name = name, value = value }
  end
  return { given = given, rest = { unpack(arguments, index) } }
end

--- The value given last for a command (see flag_table.lua), or nil.
local function command(parsed, name)
  local value
  for _, setting in ipairs(parsed.given) do
    if setting.flag.command == name then value = setting.value end
  end
  return value
end

--- Sets the fields of `options` that flags were given for.
local function apply(parsed, options)
  local several = {}
  for _, setting in ipairs(parsed.given) do
    if setting.flag.field then options[setting.flag.field] = setting.value end
    if setting.flag.switches then several[#several + 1] = setting end
  end
  -- Flags that stand for others win over these, and among each other the one with the later name does.
  table.sort(several, function(one, other) return one.name < other.name end)
  for _, setting in ipairs(several) do
    for _, field in ipairs(setting.flag.switches) do options[field] = setting.value end
  end
end

-- Flags are ordered by the last time they were given: only the last value counts.
local function last_settings(parsed)
  local last, order = {}, {}
  for _, setting in ipairs(parsed.given) do
    if not last[setting.flag] then order[#order + 1] = setting.flag end
    last[setting.flag] = setting
  end
  return last, order
end

--- Calls visit(flag, name) for each flag that asks for something this version does not act on.
local function each_unsupported(parsed, visit)
  local last, order = last_settings(parsed)
  for _, flag in ipairs(order) do
    local setting = last[flag]
    local asks = setting.value ~= false and setting.value ~= "" and setting.value ~= 0
    if flag.option and asks then visit(flag, setting.name) end
  end
end

--- The set of options that flags switch off, whatever the file says: -js=false, -tls=false.
local function switched_off(parsed)
  local off = {}
  for flag, setting in pairs((last_settings(parsed))) do
    if flag.option and flag.type == "bool" and (flag.option == "jetstream" or flag.names[1] == "tls") then
      off[flag.option] = setting.value == false or nil
    end
  end
  return off
end

return {
  parse = parse,
  command = command,
  apply = apply,
  each_unsupported = each_unsupported,
  switched_off = switched_off,
}
