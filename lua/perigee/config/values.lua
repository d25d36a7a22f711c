--- How the value of an option is read, by the type that its description names.
--
-- A reader gets the node, the option's description, the key as it was written and the report. It returns the value, or nil
-- after reporting what is wrong. Readers that set more than one field return a table of fields, and stand in `composite`.
local address = require "perigee.config.address"
local duration = require "perigee.config.duration"
local text = require "perigee.config.text"
local tree = require "perigee.config.tree"

local NANOSECONDS = 1e9

local readers, composite = {}, {}

-- A reader for values of one kind, called `go_name` in error messages.
local function plain(kind, go_name)
  return function(node, _, _, report)
    if node.kind ~= kind then return report:wrong_type(node, node, go_name) end
    return node.value
  end
end

readers.string = plain("string", "string")
readers.bool = plain("bool", "bool")

-- Checks the range that the option describes; a range's messages begin with the key as it was written.
local function in_range(value, node, option, key, report)
  if option.max and value > option.max then return report:error(node, key .. (option.too_big or " value is too big")) end
  if option.min and value < option.min then
    return report:error(node, key .. (option.too_small or " value can not be negative"))
  end
  return value
end

function readers.int(node, option, key, report)
  if node.kind ~= "int64" then return report:wrong_type(node, node, "int64") end
  return in_range(tonumber(node.value), node, option, key, report)
end

local function check_duration(value, node, option, report)
  if value < (option.min or -math.huge) then return report:error(node, option.too_small(duration.format(value))) end
  return value
end

-- A duration that must be written as one.
function readers.duration(node, option, _, report)
  if node.kind ~= "string" then return report:wrong_type(node, node, "string") end
  local value, message = duration.parse(node.value)
  if not value then return report:error(node, ("error parsing %s: %s"):format(option.name, message)) end
  return check_duration(value, node, option, report)
end

-- A duration that may also be a number of seconds, for old configurations.
function readers.duration_or_seconds(node, option, key, report)
  if node.kind == "string" then return readers.duration(node, option, key, report) end
  report:misuse(node, option.name, option.name .. " should be converted to a duration")
  if node.kind ~= "int64" then return report:wrong_type(node, node, "int64") end
  local value = tonumber(node.value) * NANOSECONDS
  if math.abs(value) >= 2 ^ 63 then
    return report:error(node, ("error parsing %s: more seconds than a duration can hold"):format(option.name))
  end
  return value
end

function readers.choice(node, option, _, report)
  if node.kind ~= "string" then return report:wrong_type(node, node, "string") end
  for _, choice in ipairs(option.choices) do
    if node.value == choice then return node.value end
  end
  return report:error(node, option.wrong_choice)
end

local function add_tag(tags, tag)
  tag = tag:match("^%s*(.-)%s*$"):lower()
  if tag == "" or tags[tag] then return end
  tags[tag] = true
  tags[#tags + 1] = tag
end

-- Tags: trimmed, in lower case, each once.
function readers.tags(node, _, _, report)
  local tags = {}
  if node.kind == "string" then
    add_tag(tags, node.value)
  elseif node.kind == "array" then
    for _, element in ipairs(node.value) do
      if element.kind ~= "string" then
        return report:error(node, "error parsing tags: unsupported type *conf.token where string is expected")
      end
      add_tag(tags, element.value)
    end
  else
    return report:error(node, "error parsing tags: unsupported type " .. tree.go_type(node))
  end
  return { unpack(tags) }
end

-- Words with values, in the order of the file: a list of {name, value}.
function readers.metadata(node, _, _, report)
  if node.kind ~= "map" then return report:error(node, "error parsing metadata: unsupported type " .. tree.go_type(node)) end
  local metadata = {}
  for name, element in node.value:each() do
    if element.kind ~= "string" then return report:wrong_type(element, element, "string") end
    metadata[#metadata + 1] = { name = name, value = element.value }
  end
  return metadata
end

-- An array of strings.
function readers.strings(node, option, _, report)
  local function complain(found)
    return report:error(node, ("error parsing %s: unsupported type %s"):format(option.name, tree.go_type(found)))
  end
  if node.kind ~= "array" then return complain(node) end
  local strings = {}
  for index, element in ipairs(node.value) do
    if element.kind ~= "string" then return complain(element) end
    strings[index] = element.value
  end
  return strings
end

-- A name without blanks.
function readers.name(node, _, _, report)
  if node.kind ~= "string" then return report:wrong_type(node, node, "string") end
  if node.value:find(" ", 1, true) then return report:error(node, "server name cannot contain spaces") end
  return node.value
end

-- A port, or "host:port". Sets the two fields that the option names.
function composite.address(node, option, _, report)
  local host, port
  if node.kind == "int64" then
    host, port = "", tonumber(node.value)
  elseif node.kind == "string" then
    host, port = address.parse(node.value)
    if not host then return report:error(node, port) end
  else
    return report:error(node, "expected port or host:port, got " .. tree.go_type(node))
  end
  return { [option.fields.host] = host, [option.fields.port] = port }
end

-- A switch that also sets tracing, to the same value.
function composite.trace_switch(node, option, _, report)
  if node.kind ~= "bool" then return report:wrong_type(node, node, "bool") end
  return { [option.field or option.name] = node.value, trace = node.value }
end

-- Values that are only looked at for their type.
function readers.map(node, option, _, report)
  if node.kind == "map" then return node.value end
  return report:error(node, ("expected %s to be a map, got %s"):format(text.quote(option.name), tree.go_type(node)))
end

function readers.any(node) return node.value end

return { readers = readers, composite = composite }
