--- Prints how far parity is, by area and tier: `luajit spec/parity/status.lua [area [tier]]`.
-- With an area (client_protocol, monitoring, ...) the open IDs of it are listed too.
local capabilities = require "spec.parity.capabilities"
local map = require "spec.parity.map"
local process = require "spec.support.process"

local wanted, wanted_tier = arg[1], tonumber(arg[2])

local function names_of(areas)
  local names = {}
  for _, area in ipairs(areas) do
    for _, section in ipairs(area) do
      for _, row in ipairs(section) do names[row[1]] = row[3] end
    end
  end
  return names
end

local function print_open(area, names)
  for tier, count in ipairs(area.tiers) do
    if not wanted_tier or wanted_tier == tier then
      for _, id in ipairs(count.ids) do print(("  open, tier %d  %-8s %s"):format(tier, id, names[id])) end
    end
  end
end

local areas = capabilities.areas()
local names = names_of(areas)
local form = "%-58s %14s %14s %14s"
print(form:format("done + deviations / all", "tier 1", "tier 2", "tier 3"))
for _, area in ipairs(map.summary(map.parse(process.read_file("docs/parity.md")), areas)) do
  local shown = {}
  for tier, count in ipairs(area.tiers) do
    shown[tier] = ("%d + %d / %d"):format(count.done, count.deviation, count.done + count.deviation + count.open)
  end
  if not wanted or wanted == area.file then
    print(form:format(area.title, unpack(shown)))
    if wanted then print_open(area, names) end
  end
end
