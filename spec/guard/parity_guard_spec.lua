-- Runs last, with PERIGEE_RAN naming the record of everything that ran before: no row of the parity map may claim more
-- than was shown.
local capabilities = require "spec.parity.capabilities"
local map = require "spec.parity.map"
local process = require "spec.support.process"
local topics = require "spec.parity.topics"

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

describe("The parity map", function()
  it("claims nothing that did not run and pass", function()
    local path = os.getenv("PERIGEE_RAN")
    assert(path and exists(path), "PERIGEE_RAN must name the record of what ran")
    local problems = map.check(map.parse(process.read_file("docs/parity.md")), {
      capabilities = capabilities.by_id(),
      ran = map.parse_record(process.read_file(path)),
      scenarios = topics.scenarios(),
      exists = exists,
    })
    if #problems > 0 then error(table.concat(problems, "\n"), 0) end
  end)
end)
