--- What processing a configuration has to say. All of it is collected; nothing stops at the first problem.
--
--   errors    refuse the start
--   warnings  are printed at once, and make a mere check (-t) fail, as in Go
--   notices   are logged at start: options that this version does not act on
local text = require "perigee.config.text"
local tree = require "perigee.config.tree"

local report = {}
report.__index = report

local function new() return setmetatable({ errors = {}, warnings = {}, notices = {} }, report) end

--- An error at the place of `node` (nil: of no place).
function report:error(node, message) self.errors[#self.errors + 1] = tree.location(node) .. message end

function report:warn(node, message) self.warnings[#self.warnings + 1] = tree.location(node) .. message end

function report:notice(node, message) self.notices[#self.notices + 1] = tree.location(node) .. message end

function report:unknown_field(node, key) self:error(node, "unknown field " .. text.quote(key)) end

--- A field that is read, but should be written otherwise.
function report:misuse(node, field, reason)
  self:warn(node, ("invalid use of field %s: %s"):format(text.quote(field), reason))
end

--- A value of the wrong type, in the words of Go's runtime.
function report:wrong_type(place, node, wanted)
  self:error(place, ("interface conversion: interface {} is %s, not %s"):format(tree.go_type(node), wanted))
end

--- Warnings first, then errors, each on a line.
function report:problems()
  local lines = {}
  for _, line in ipairs(self.warnings) do lines[#lines + 1] = line .. "\n" end
  for _, line in ipairs(self.errors) do lines[#lines + 1] = line .. "\n" end
  return table.concat(lines)
end

return { new = new }
