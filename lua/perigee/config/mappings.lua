--- The `mappings` block: subjects that are published to as others.
--
-- The result is a list in the order of the file, {source=, destinations={{subject=, weight=, cluster=}, ..}}; what is left
-- of the weight up to 100 stays with the source when the mapping is applied.
local numbers = require "perigee.config.numbers"
local text = require "perigee.config.text"
local tree = require "perigee.config.tree"

local MAX_WEIGHT = 100

-- A subject whose tokens are neither empty nor hold blanks, with > only at the end.
local function is_subject(subject)
  local after_full_wildcard = false
  for token in (subject .. "."):gmatch("([^.]*)%.") do
    if token == "" or after_full_wildcard or token:find("[\t\n\f\r ]") then return false end
    after_full_wildcard = token == ">"
  end
  return true
end

local function shown(node)
  if node.kind == "int64" then return numbers.format_integer(node.value) end
  if node.kind == "map" or node.kind == "array" then return tree.go_type(node) end
  return tostring(node.value)
end

local function weight_of(node, report)
  local value
  if node.kind == "int64" then
    value = tonumber(node.value)
  elseif node.kind == "string" then
    local digits = node.value:gsub("%%$", "")
    value = digits:find("^[+-]?%d+$") and tonumber((digits:gsub("^%+", "")))
    if not value then return report:error(node, ("Invalid weight %s for mapping destination"):format(text.quote(digits))) end
  else
    return report:error(node, ("Unknown entry type for weight of %s\n"):format(shown(node)))
  end
  if value < 0 or value > MAX_WEIGHT then
    return report:error(node, ("Invalid weight %s for mapping destination"):format(numbers.format_integer(value)))
  end
  return value
end

local KEYS = { dest = "subject", destination = "subject", weight = "weight", cluster = "cluster" }

-- One destination in the form of a map.
-- @return destination | nil after reporting; true as the second value if all of the block is to be abandoned
local function destination_of(node, report)
  if node.kind ~= "map" then return report:error(node, "Expected an entry for the mapping destination") end
  local destination = { subject = "" }
  for key, element in node.value:each() do
    local field = KEYS[key:lower()]
    if not field then
      return report:error(element, ("Unknown field %s for mapping destination"):format(text.quote(key)))
    end
    if field == "weight" then
      destination.weight = weight_of(element, report)
      if not destination.weight then return nil end
    elseif element.kind ~= "string" then
      report:wrong_type(node, element, "string")
      return nil, true
    else
      destination[field] = element.value
    end
  end
  if not destination.weight then
    return report:error(node, ("Missing weight for mapping destination %s"):format(text.quote(destination.subject)))
  end
  return destination
end

-- What is wrong with a mapping as a whole, or nil. `check` knows which transforms are possible; it may be missing.
local function mistake(source, destinations, check)
  local seen, totals = {}, {}
  for _, destination in ipairs(destinations) do
    if seen[destination.subject] then return ("duplicate entry for %s"):format(text.quote(destination.subject)) end
    seen[destination.subject] = true
    local cluster = destination.cluster or ""
    totals[cluster] = (totals[cluster] or 0) + destination.weight
    if totals[cluster] > MAX_WEIGHT then return "total weight needs to be <= 100" end
    if check then
      local valid, message = check(source, destination.subject)
      if not valid then return message end
    end
  end
  return nil
end

-- The destinations of one source, and what to say if they cannot be used; nil after reporting.
-- The third value is true if all of the block is to be abandoned.
local function destinations_of(source, node, report)
  if node.kind == "string" then
    return { { subject = node.value, weight = MAX_WEIGHT } },
      ("Error adding mapping for %s to %s : "):format(text.quote(source), text.quote(node.value))
  end
  local complaint = ("Error adding mapping for %s : "):format(text.quote(source))
  if node.kind ~= "array" then
    local destination, abandon = destination_of(node, report)
    return destination and { destination }, complaint, abandon
  end
  local destinations = {}
  for _, element in ipairs(node.value) do
    local destination, abandon = destination_of(element, report)
    if abandon then return nil, nil, true end
    destinations[#destinations + 1] = destination
  end
  return destinations, complaint
end

--- Reads the block.
-- @param check  function(source, destination) -> true | nil, message; nil if transforms cannot be checked here
local function read(node, report, check)
  if node.kind ~= "map" then return report:wrong_type(node, node, "map[string]interface {}") end
  local mappings = {}
  for source, element in node.value:each() do
    if not is_subject(source) then
      report:error(node, ("Subject %s is not a valid subject"):format(text.quote(source)))
    else
      local destinations, complaint, abandon = destinations_of(source, element, report)
      if abandon then return mappings end
      local message = destinations and mistake(source, destinations, check)
      if message then
        report:error(element, complaint .. message)
      elseif destinations then
        mappings[#mappings + 1] = { source = source, destinations = destinations }
      end
    end
  end
  return mappings
end

return { read = read, is_subject = is_subject }
