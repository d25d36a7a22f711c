--- The pure modules of the core, as Lua sees them: FFI types end here, as in core.lua, whose declarations are used.
local ffi = require "ffi"
require "perigee.core"

local C = ffi.C
local ERROR_BYTES, TEXT_BYTES = 512, 256

local message = ffi.new("char[?]", ERROR_BYTES)
local pure = {}

local function text(t) return t.size > 0 and ffi.string(t.at, t.size) or nil end

-- What write(buffer, room) wrote: it returns the length of the whole, or nil and a reason.
local function grown(write)
  local room = TEXT_BYTES
  while true do
    local buffer = ffi.new("char[?]", room)
    local length, reason = write(buffer, room)
    if not length then return nil, reason end
    if length <= room then return ffi.string(buffer, length) end
    room = length
  end
end

--- The protocol

local VERBS = {
  [C.PERIGEE_VERB_CONNECT] = "CONNECT", [C.PERIGEE_VERB_PUB] = "PUB", [C.PERIGEE_VERB_HPUB] = "HPUB",
  [C.PERIGEE_VERB_SUB] = "SUB", [C.PERIGEE_VERB_UNSUB] = "UNSUB", [C.PERIGEE_VERB_PING] = "PING",
  [C.PERIGEE_VERB_PONG] = "PONG", [C.PERIGEE_VERB_INFO] = "INFO", [C.PERIGEE_VERB_OK] = "+OK",
  [C.PERIGEE_VERB_ERR] = "-ERR",
}
local FAILURES = {
  [C.PERIGEE_PARTIAL] = "partial", [C.PERIGEE_UNKNOWN_OPERATION] = "unknown operation",
  [C.PERIGEE_LINE_TOO_LONG] = "line too long", [C.PERIGEE_BAD_ARGUMENTS] = "bad arguments",
}

local operation = ffi.new("struct perigee_operation")

--- Parses the control line that begins at byte `position` (from 1).
-- @return {verb=, line_size=, ...} | nil, kind of failure, message
function pure.parse_operation(bytes, position, max_control_line)
  local at = ffi.cast("const char *", bytes) + (position - 1)
  C.perigee_parse_operation(at, #bytes - position + 1, max_control_line, operation, message, ERROR_BYTES)
  local o = operation
  if o.result ~= C.PERIGEE_PARSED then
    return nil, FAILURES[o.result], o.result ~= C.PERIGEE_PARTIAL and ffi.string(message) or nil
  end
  local with_headers = o.verb == C.PERIGEE_VERB_HPUB
  local publishes = with_headers or o.verb == C.PERIGEE_VERB_PUB
  return {
    verb = VERBS[o.verb], line_size = tonumber(o.line_size), arguments = text(o.arg), subject = text(o.subject),
    reply = text(o.reply), queue = text(o.queue), sid = text(o.sid), max = o.has_max and tonumber(o.max) or nil,
    size = publishes and o.total_size or nil, header_size = with_headers and o.header_size or nil,
  }
end

--- Subjects

--- The predicates of a subject as a number, a bit for each (see perigee.h).
function pure.check_subject(subject) return C.perigee_subject_check(subject, #subject) end
function pure.is_subset(subject, filter) return C.perigee_subject_is_subset(subject, #subject, filter, #filter) end
function pure.collides(a, b) return C.perigee_subject_collides(a, #a, b, #b) end

--- The index. A node, as insert returns it, is nothing but a thing to hand back to remove.
function pure.index_new() return ffi.gc(C.perigee_index_new(), C.perigee_index_free) end

function pure.index_insert(index, subject, queue, id)
  local node = C.perigee_index_insert(index, subject, #subject, queue, #queue, id)
  return node ~= nil and node or nil
end

function pure.index_remove(index, node, queue, id) return C.perigee_index_remove(index, node, queue, #queue, id) end

function pure.index_match(index, subject)
  local room = 64
  while true do
    local ids = ffi.new("uint64_t[?]", room)
    local count = tonumber(C.perigee_index_match(index, subject, #subject, ids, room))
    if count <= room then
      local list = {}
      for i = 1, count do list[i] = tonumber(ids[i - 1]) end
      return list
    end
    room = count
  end
end

--- Transforms

--- @return transform | nil, message
function pure.transform_compile(source, destination, strict)
  local transform = C.perigee_transform_compile(source, #source, destination, #destination, strict, message, ERROR_BYTES)
  if transform == nil then return nil, ffi.string(message) end
  return ffi.gc(transform, C.perigee_transform_free)
end

--- @return string | nil  nil when the source does not match
function pure.transform_apply(transform, subject, random)
  return grown(function(buffer, room)
    local length = tonumber(C.perigee_transform_apply(transform, subject, #subject, random, buffer, room))
    return length >= 0 and length or nil
  end)
end

--- Mappings

--- Compiles mappings, {source=, destinations={{subject=, weight=, cluster=}}} each.
-- @param cluster string  of this server; empty if it is in none
-- @return set of mappings, to be freed | nil, message
function pure.mappings_compile(mappings, cluster)
  local builder = C.perigee_mappings_new()
  for _, mapping in ipairs(mappings) do
    C.perigee_mappings_begin(builder, mapping.source, #mapping.source)
    for _, d in ipairs(mapping.destinations) do
      local name = d.cluster or ""
      C.perigee_mappings_destination(builder, d.subject, #d.subject, d.weight or 100, name, #name)
    end
    if C.perigee_mappings_end(builder, message, ERROR_BYTES) ~= 0 then
      local reason = ffi.string(message)
      C.perigee_mappings_free(C.perigee_mappings_finish(builder, "", 0))
      return nil, reason
    end
  end
  return ffi.gc(C.perigee_mappings_finish(builder, cluster, #cluster), C.perigee_mappings_free)
end

--- What a subject becomes, or nil if it is lost.
function pure.mappings_select(set, subject, random)
  local length = ffi.new("size_t[1]")
  local verdict
  local mapped = grown(function(buffer, room)
    verdict = C.perigee_mappings_select(set, subject, #subject, random, buffer, room, length)
    if verdict == C.PERIGEE_MAPPING_UNCHANGED or verdict == C.PERIGEE_MAPPING_DROPPED then return nil end
    return tonumber(length[0])
  end)
  if verdict == C.PERIGEE_MAPPING_UNCHANGED then return subject end
  return mapped
end

return pure
