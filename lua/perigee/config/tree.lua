--- The tree that a configuration becomes.
--
-- A node is {kind=, value=, file=, line=, column=, used=, depth=}: `kind` is one of the names below, `used` is true if a
-- variable referred to it, `depth` how many maps and arrays it holds within each other. Nodes that came out of the
-- environment have no file. Values may be shared between nodes (a variable shares the value of its definition), so they
-- are never changed after parsing.
--
--   kind      value
--   map       a map of this module
--   array     list of nodes
--   string    string
--   bool      boolean
--   int64     a number if its magnitude is at most 2^53, else a 64-bit integer (cdata)
--   float64   number
--   datetime  string, as written: 2016-05-04T18:53:41Z
--
-- A map remembers the order in which its keys were (last) set; a key set again moves to its new place.
local GO_NAMES = {
  map = "map[string]interface {}", array = "[]interface {}", string = "string", bool = "bool",
  int64 = "int64", float64 = "float64", datetime = "time.Time",
}

local map = {}
map.__index = map

local function new_map() return setmetatable({ by_key = {}, settings = {} }, map) end

function map:set(key, node)
  self.by_key[key] = node
  self.settings[#self.settings + 1] = { key, node }
end

function map:get(key) return self.by_key[key] end

function map:is_empty() return next(self.by_key) == nil end

--- Iterates over key and node, in order.
function map:each()
  local settings, by_key, index = self.settings, self.by_key, 0
  return function()
    while index < #settings do
      index = index + 1
      local key, node = settings[index][1], settings[index][2]
      -- A setting that was replaced later is passed over.
      if by_key[key] == node then return key, node end
    end
  end
end

local function node(kind, value, file, line, column)
  return { kind = kind, value = value, file = file, line = line, column = column, used = false }
end

--- The name that Go prints for the type of a node.
local function go_type(a_node) return GO_NAMES[a_node.kind] end

--- "file:line:column: " of a node, or nothing if it has no place.
local function location(a_node)
  if not a_node or not a_node.file then return "" end
  return ("%s:%d:%d: "):format(a_node.file, a_node.line, a_node.column)
end

return { map = new_map, node = node, go_type = go_type, location = location }
