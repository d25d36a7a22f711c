--- All capabilities of the reference server, by area; the data is in spec/parity/capabilities.
local AREAS = {
  "client_protocol", "config_cli", "monitoring", "auth_accounts", "jetstream_streams", "jetstream_consumers",
  "jetstream_cluster", "inter_server", "mqtt",
}

--- The areas in their order, each {file=, title=, {section=, {id, tier, name}, ...}, ...}.
local function areas()
  local list = {}
  for i, name in ipairs(AREAS) do
    list[i] = dofile("spec/parity/capabilities/" .. name .. ".lua")
    list[i].file = name
  end
  return list
end

--- Capabilities by ID: {id=, tier=, name=, area=title}.
local function by_id()
  local found = {}
  for _, area in ipairs(areas()) do
    for _, section in ipairs(area) do
      for _, row in ipairs(section) do
        assert(not found[row[1]], "two capabilities have the ID " .. row[1])
        found[row[1]] = { id = row[1], tier = row[2], name = row[3], area = area.title }
      end
    end
  end
  return found
end

return { areas = areas, by_id = by_id }
