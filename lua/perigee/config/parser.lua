--- The parser of the NATS configuration language: text in, tree (see tree.lua) or error message out.
--
-- It knows what the lexer does not: where values belong, what variables refer to, other files and the environment. It
-- stops at the first error. Neither nesting nor includes nor the environment are followed without a bound.
--
-- The world outside is the table `world`: readfile(path) -> text | nil, message; getenv(name) -> string | nil.
local lexer = require "perigee.config.lexer"
local numbers = require "perigee.config.numbers"
local path = require "perigee.config.path"
local tree = require "perigee.config.tree"

-- Whoever walks a tree may recurse: no value is nested deeper than this, variables included.
local MAX_DEPTH = 512

-- Files that include files, and environment variables that refer to others, are followed this far.
local MAX_SOURCES = 64

local TRUE_WORDS = { ["true"] = true, on = true, yes = true }

local parse_text

local parser = {}
parser.__index = parser

local function context(self) return self.contexts[#self.contexts] end

-- Puts a value where the text has got to. In a map its place is that of its key.
-- `depth` is how deep the value is nested, for maps and arrays.
local function set_value(self, item, kind, value, depth)
  local node = tree.node(kind, value, self.file, item.line, item.column)
  node.depth = depth or 0
  local here = context(self)
  here.depth = math.max(here.depth, node.depth)
  if here.nodes then
    here.nodes[#here.nodes + 1] = node
    return
  end
  local key = here.key
  here.key = nil
  node.line, node.column = key.line, key.column
  here.map:set(key.text, node)
end

-- The nearest definition above, from the innermost open map outward.
local function find_definition(self, name)
  for index = #self.contexts, 1, -1 do
    local map = self.contexts[index].map
    local node = map and map:get(name)
    if node then return node end
  end
  return nil
end

-- The value of an environment variable, whose text is read like a value in a file of its own.
local function from_environment(self, name)
  if self.pending[name] then return nil, ("variable reference cycle for '%s'"):format(name) end
  local text = self.world.getenv(name)
  if not text then return nil end
  if self.depth >= MAX_SOURCES then return nil, "environment variables refer to each other too deeply" end
  self.pending[name] = true
  local map, message = parse_text("pk=" .. text, nil, self.world, {
    depth = self.depth + 1, pending = self.pending, including = self.including,
  })
  self.pending[name] = nil
  if not map then return nil, message end
  return map:get("pk")
end

local function on_variable(self, item)
  local name = item.text
  -- An unquoted bcrypt hash looks like a reference.
  if name:sub(1, 3) == "2a$" then
    set_value(self, item, "string", "$" .. name)
    return true
  end
  local node, message = find_definition(self, name), nil
  if node then
    node.used = true
  else
    node, message = from_environment(self, name)
  end
  if message then
    return nil, ("variable reference for '%s' on line %d could not be parsed: %s"):format(name, item.line, message)
  end
  if not node then return nil, ("variable reference for '%s' on line %d can not be found"):format(name, item.line) end
  set_value(self, item, node.kind, node.value, node.depth)
  return true
end

local function on_include(self, item)
  local function fail(message) return nil, ("error parsing include file '%s', %s"):format(item.text, message) end
  local file = path.join(self.directory, item.text)
  if self.including[file] then return fail("the file includes itself") end
  if self.depth >= MAX_SOURCES then return fail("includes are nested too deeply") end
  local text, message = self.world.readfile(file)
  if not text then return fail(message) end
  self.including[file] = true
  local map
  map, message = parse_text(text, file, self.world, {
    depth = self.depth + 1, pending = self.pending, including = self.including,
  })
  self.including[file] = nil
  if not map then return fail(message) end
  local here = context(self)
  for key, node in map:each() do
    here.depth = math.max(here.depth, node.depth)
    here.map:set(key, node)
  end
  return true
end

local function key_without_value(self, key)
  return nil, ("config is invalid (%s:%d:%d)"):format(self.file or "", key.line, key.column)
end

local function open(self, new_context)
  new_context.depth = 0
  self.contexts[#self.contexts + 1] = new_context
  return true
end

-- Closes the innermost map or array, which becomes a value of the one around it.
local function close(self, item, kind)
  local closed = table.remove(self.contexts)
  if closed.depth >= MAX_DEPTH then
    return nil, ("values on line %d are nested deeper than %d levels"):format(item.line, MAX_DEPTH)
  end
  set_value(self, item, kind, closed.map or closed.nodes, closed.depth + 1)
  return true
end

local handlers = {
  variable = on_variable,
  include = on_include,

  error = function(_, item) return nil, ("Parse error on line %d: '%s'"):format(item.line, item.text) end,

  key = function(self, item)
    context(self).key = item
    return true
  end,

  map_start = function(self) return open(self, { map = tree.map() }) end,
  array_start = function(self) return open(self, { nodes = {} }) end,

  map_end = function(self, item)
    local key = context(self).key
    -- Go accepts {a: } and then mistakes which key the map belongs to.
    if key then return key_without_value(self, key) end
    return close(self, item, "map")
  end,

  array_end = function(self, item) return close(self, item, "array") end,

  string = function(self, item)
    set_value(self, item, "string", item.text)
    return true
  end,

  bool = function(self, item)
    set_value(self, item, "bool", TRUE_WORDS[item.text:lower()] or false)
    return true
  end,
}

local function on_number(kind, read)
  return function(self, item)
    local value, message = read(item.text)
    if value == nil then return nil, message end
    set_value(self, item, kind, value)
    return true
  end
end

handlers.integer = on_number("int64", numbers.integer)
handlers.float = on_number("float64", numbers.float)
handlers.datetime = on_number("datetime", numbers.datetime)

local function finish(self, item)
  if #self.contexts > 1 and not context(self).key then
    return nil, ("Parse error on line %d: 'Unexpected EOF.'"):format(item.line)
  end
  -- A closing brace that is left over is taken for a key, so that text copied from JSON passes.
  local key = context(self).key
  if key and key.text ~= "}" then return key_without_value(self, item) end
  return self.contexts[1].map
end

--- Parses `text`, which came from `file` (nil if from no file).
-- `surroundings` says how deep inside of other sources it is; leave it out at the top.
-- @return map | nil, message
function parse_text(text, file, world, surroundings)
  surroundings = surroundings or { depth = 0, pending = {}, including = {} }
  local self = setmetatable({
    file = file, directory = path.directory(file or ""), world = world,
    depth = surroundings.depth, pending = surroundings.pending, including = surroundings.including,
    contexts = { { map = tree.map(), depth = 0 } },
  }, parser)
  local items = lexer.new(text)
  while true do
    local item = items:next()
    if item.type == "eof" then return finish(self, item) end
    local done, message = handlers[item.type](self, item)
    if not done then return nil, message end
  end
end

--- Parses a file.
-- @return map | nil, message
local function parse_file(file, world)
  local text, message = world.readfile(file)
  if not text then return nil, message end
  return parse_text(text, file, world, { depth = 0, pending = {}, including = { [path.clean(file)] = true } })
end

return {
  parse_file = parse_file,
  parse_text = function(text, file, world) return parse_text(text, file, world) end,
  MAX_SOURCES = MAX_SOURCES,
}
