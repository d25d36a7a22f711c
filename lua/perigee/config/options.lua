--- Turns the tree of a configuration into options: a table with a value for each field that the configuration sets.
--
-- All errors and warnings go to the report; options that are wrong are left out.
local mappings = require "perigee.config.mappings"
local schema = require "perigee.config.schema"
local text = require "perigee.config.text"
local unsupported = require "perigee.config.unsupported"
local values = require "perigee.config.values"

local MUST_BE_STRING = { system_account = "system account name must be a string" }

-- Whether a value asks for nothing, so that it does not matter that the option is not acted on.
local function asks_for_nothing(option, node)
  local value = node.value
  if node.kind == "map" then
    local enabled = value:get("enabled") or value:get("enable")
    return (value:is_empty() and not option.empty_asks) or (enabled ~= nil and option.off ~= nil and enabled.value == false)
  end
  if node.kind == "array" then return #value == 0 end
  if option.off and option.off[value] then return true end
  return value == false or value == "" or value == 0
end

local function read_unsupported(option, key, node, processing)
  local report = processing.report
  local problems = #report.errors
  if option.type ~= "any" and not (option.type == "map" and node.kind == "map") then
    if MUST_BE_STRING[option.name] and node.kind ~= "string" then
      return report:error(node, MUST_BE_STRING[option.name])
    end
    values.readers[option.type](node, option, key, report)
  end
  if #report.errors > problems or processing.switched_off[option.name] or asks_for_nothing(option, node) then return end
  unsupported.refuse(option, key, processing.waived, {
    error = function(message) report:error(node, message) end,
    notice = function(message) report:notice(node, message) end,
  })
end

local function read_supported(option, key, node, processing)
  local options, report = processing.options, processing.report
  if option.type == "mappings" then
    options.mappings = mappings.read(node, report, processing.check_mapping)
    return
  end
  local composite = values.composite[option.type]
  if composite then
    for field, value in pairs(composite(node, option, key, report) or {}) do options[field] = value end
    return
  end
  local value = values.readers[option.type](node, option, key, report)
  if value == nil then return end
  if value == 0 and option.zero_means then value = option.zero_means end
  options[option.field or option.name] = value
end

-- The names of links that may be left out: read first, for it decides about the others.
local function waived_by(map, report)
  local waived, list = {}, nil
  for key, node in map:each() do
    if key:lower() == "allow_unsupported" then
      list = values.readers.strings(node, schema.by_name.allow_unsupported, key, report)
      for _, name in ipairs(list or {}) do
        local option = unsupported.by_name[name:lower()]
        if option and option.class == "link" then
          waived[option.name] = true
        elseif option and option.class == "security" then
          report:error(node, ("allow_unsupported: %s restricts access and cannot be left out"):format(text.quote(name)))
        elseif not option and not schema.by_name[name:lower()] then
          report:error(node, ("allow_unsupported: %s is not an option"):format(text.quote(name)))
        end
      end
    end
  end
  return waived, list
end

--- Reads all options of a tree into `options`.
-- @param map            the tree
-- @param options        table of fields, which may hold values already
-- @param report         see report.lua
-- @param check_mapping  function(source, destination) -> true | nil, message; or nil
-- @param switched_off   set of names of options that the command line switches off, or nil
-- @return set of the names of links that may be left out
local function process(map, options, report, check_mapping, switched_off)
  local waived, list = waived_by(map, report)
  options.allow_unsupported = list
  local processing = {
    options = options, report = report, check_mapping = check_mapping,
    waived = waived, switched_off = switched_off or {},
  }
  for key, node in map:each() do
    local name = key:lower()
    local option = schema.by_name[name]
    if unsupported.by_name[name] then
      read_unsupported(unsupported.by_name[name], key, node, processing)
    elseif option and option.name ~= "allow_unsupported" then
      read_supported(option, key, node, processing)
    elseif not option and not node.used then
      report:unknown_field(node, key)
    end
  end
  return waived
end

return { process = process }
