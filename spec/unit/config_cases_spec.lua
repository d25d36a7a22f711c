-- What nats-server says about each of some hundred small configurations, and what we say: the same, digests included.
package.path = "spec/support/?.lua;" .. package.path
local config = require "perigee.config"
local config_cases = require "config_cases"

local recorded = dofile(config_cases.DIRECTORY .. "/recorded.lua")

local world = {
  readfile = function(path)
    local file = io.open(config_cases.DIRECTORY .. "/" .. path, "rb")
    local text = file and file:read("*a")
    if file then file:close() end
    if text then return text end
    if file then return nil, ("read %s: is a directory"):format(path) end
    return nil, ("open %s: no such file or directory"):format(path)
  end,
  getenv = function(name) return config_cases.ENVIRONMENT[name] end,
}

local function answer(name)
  local result = config.load({ [0] = "nats-server", "-t", "-c", name .. ".conf" }, world)
  local lines = config_cases.sorted_lines(result.text)
  lines.code = result.code
  return lines
end

-- Where we answer otherwise, and why.
local DEVIATIONS = {
  -- The bracket that ends a block string is never part of the text; at the end of the file it is in Go.
  block_at_end = { code = 0, "configuration file block_at_end.conf is valid "
    .. "(sha256:3639e58e6ab4eb422bf764b069b3958bae3f6478705ea47a77c4d2216d5bcb6d)" },
  -- Integers may stand before a closing bracket, as in JSON; in Go they become strings, or swallow the bracket.
  integer_before_bracket = { code = 1,
    "integer_before_bracket.conf:1:0: error parsing tags: unsupported type *conf.token where string is expected" },
  size_before_bracket = { code = 1,
    "size_before_bracket.conf:1:0: error parsing tags: unsupported type *conf.token where string is expected" },
  -- A key without a value within a map is an error; Go mistakes which key the map belongs to.
  map_value_missing = { code = 1, "config is invalid (map_value_missing.conf:1:17)" },
  -- A suffix that means nothing is an error; Go drops the value and mistakes which key comes next.
  integer_suffix_meaningless = { code = 1, "expected integer, but got '1kbb'" },
  -- A product that does not fit into 64 bits is an error; in Go it wraps.
  integer_suffix_wraps = { code = 1, "integer '10e' is out of the range" },
  -- A quote that is opened at the very end is an error in arrays and as a key too; Go takes the text for complete.
  key_quote_only = { code = 1, "Parse error on line 1: 'Unexpected EOF.'" },
  string_unclosed_in_array = { code = 1, "Parse error on line 1: 'Unexpected EOF.'" },
}

describe("a configuration checked by perigee and by nats-server", function()
  for _, name in ipairs(config_cases.names()) do
    local deviation = DEVIATIONS[name]
    if deviation then
      it("is answered in our own way on purpose: " .. name, function()
        assert.not_same(recorded[name], answer(name))
        assert.same(deviation, answer(name))
      end)
    else
      it("is answered in the same way: " .. name, function() assert.same(recorded[name], answer(name)) end)
    end
  end

  it("was recorded for every case", function()
    for _, name in ipairs(config_cases.names()) do assert.is_table(recorded[name]) end
  end)
end)
