--- Subjects without a server: what they are, how two relate, an index that finds who wants one, and what rewrites them.
-- All of it is the server's own code.
--
--   local index = subjects.index()
--   index:insert("orders.*", 7)
--   index:match("orders.new")                                     -- { 7 }
--   subjects.transform("orders.*", "done.$1"):apply("orders.new") -- "done.new"
local bit = require "bit"
local pure = require "perigee.ffi_pure"

local TO_SUBSCRIBE, VALID, LITERAL, TO_PUBLISH, WILDCARD = 1, 2, 4, 8, 16
local MAX_ID = 2 ^ 53

-- A question about one subject, by its bit.
local function predicate(mask)
  return function(subject) return bit.band(pure.check_subject(subject), mask) ~= 0 end
end

-- What random(N) and weights draw from when the caller does not say.
local function draw() return math.random(0, 2 ^ 31 - 1) end

--- The index: subscriptions, named by numbers, and who of them wants a subject.
local Index = {}
Index.__index = Index

local function key_of(subject, id, queue) return ("%s\n%s\n%.0f"):format(subject, queue or "", id) end

--- Adds `id`, a whole number from 0 to 2^53, under a subject that may have wildcards, as a member of a queue group if one
-- is named. The same again changes nothing. @return true | nil, message
function Index:insert(subject, id, queue)
  if id < 0 or id > MAX_ID or id % 1 ~= 0 then return nil, "not an id: " .. tostring(id) end
  local key = key_of(subject, id, queue)
  if self.nodes[key] then return true end
  local node = pure.index_insert(self.index, subject, queue or "", id)
  if not node then return nil, ("invalid subject %q"):format(subject) end
  self.nodes[key] = node
  self.count = self.count + 1
  return true
end

--- Removes what was inserted with the same arguments. @return boolean  whether it was there
function Index:remove(subject, id, queue)
  local key = key_of(subject, id, queue)
  local node = self.nodes[key]
  if not node then return false end
  self.nodes[key] = nil
  self.count = self.count - 1
  return pure.index_remove(self.index, node, queue or "", id)
end

--- The ids that want a literal subject, in ascending order; all members of queue groups are among them.
function Index:match(subject)
  local ids = pure.index_match(self.index, subject)
  table.sort(ids)
  return ids
end

local function index() return setmetatable({ index = pure.index_new(), nodes = {}, count = 0 }, Index) end

--- A transform: rewrites the subjects that match its source.
local Transform = {}
Transform.__index = Transform

--- What a literal subject becomes. @param random number|nil  what random(N) draws from
-- @return string | nil  nil if it does not match the source
function Transform:apply(subject, random) return pure.transform_apply(self.transform, subject, random or draw()) end

--- @param options {strict=true: only what can be reversed, as imports need it}|nil
-- @return transform | nil, message
local function transform(source, destination, options)
  local compiled, message = pure.transform_compile(source, destination, (options or {}).strict or false)
  if not compiled then return nil, message end
  return setmetatable({ transform = compiled }, Transform)
end

--- Mappings: of each subject the first one whose source matches decides, by weight.
local Mappings = {}
Mappings.__index = Mappings

--- What a published subject becomes; itself if no mapping has it; nil if it is lost.
-- @param random number|nil  of which the last two decimal digits decide by weight
function Mappings:map(subject, random) return pure.mappings_select(self.set, subject, random or draw()) end

--- @param list  { {source=, destinations={ {subject=, weight= (default 100), cluster=}, ... } }, ... }
-- @param cluster string|nil  of the server
-- @return mappings | nil, message
local function mappings(list, cluster)
  local set, message = pure.mappings_compile(list, cluster or "")
  if not set then return nil, message end
  return setmetatable({ set = set }, Mappings)
end

return {
  can_subscribe = predicate(TO_SUBSCRIBE),
  can_publish = predicate(TO_PUBLISH),
  is_valid = predicate(VALID),
  is_literal = predicate(LITERAL),
  has_wildcard = predicate(WILDCARD),
  is_subset = pure.is_subset,
  collides = pure.collides,
  index = index,
  transform = transform,
  mappings = mappings,
}
