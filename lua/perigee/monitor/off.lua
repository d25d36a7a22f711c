--- The documents of what this version does not do: they say what the original server says where it is not configured.
local json = require "perigee.json"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"

local SERVER = { name = "server_id", type = "string" }
local NOW = { name = "now", type = "time" }
local NOTHING = {}

local routez_schema = json.schema({
  SERVER,
  { name = "server_name", type = "string" },
  NOW,
  { name = "num_routes", type = "int" },
  { name = "routes", type = "array", of = NOTHING },
})

local gatewayz_schema = json.schema({
  SERVER,
  NOW,
  { name = "outbound_gateways", type = "map", of = NOTHING },
  { name = "inbound_gateways", type = "map", of = NOTHING },
})

local leafz_schema = json.schema({
  SERVER,
  NOW,
  { name = "leafnodes", type = "int" },
  { name = "leafs", type = "array", of = NOTHING },
})

local jsz_schema = json.schema({
  { name = "memory", type = "uint" },
  { name = "storage", type = "uint" },
  { name = "reserved_memory", type = "uint" },
  { name = "reserved_storage", type = "uint" },
  { name = "accounts", type = "int" },
  { name = "ha_assets", type = "int" },
  { name = "api", type = "object", fields = {
    { name = "level", type = "int" },
    { name = "total", type = "uint" },
    { name = "errors", type = "uint" },
  } },
  SERVER,
  NOW,
  { name = "disabled", type = "bool" },
  { name = "config", type = "object", fields = {
    { name = "max_memory", type = "int" },
    { name = "max_storage", type = "int" },
  } },
  { name = "streams", type = "int" },
  { name = "consumers", type = "int" },
  { name = "messages", type = "uint" },
  { name = "bytes", type = "uint" },
  { name = "total", type = "int" },
})

local JSZ_PARAMETERS = {
  { "accounts", query.boolean }, { "streams", query.boolean }, { "consumers", query.boolean },
  { "direct-consumers", query.boolean }, { "config", query.boolean }, { "offset", query.int }, { "limit", query.int },
  { "leader-only", query.boolean }, { "raft", query.boolean }, { "stream-leader-only", query.boolean },
}

local function base(source) return { server_id = source.identity().id, now = source.now_ns() } end

local function routez(request, source, count)
  local _, problem = query.subs(request.parameters)
  if problem then return reply.bad(problem) end
  count("/routez")
  local document = base(source)
  document.server_name = source.identity().name
  document.routes = {}
  return reply.encoded(routez_schema, document)
end

local function gatewayz(request, source, count)
  count("/gatewayz")
  local wanted, problem = query.read(request.parameters, { "subs", query.subs }, { "accs", query.boolean })
  if not wanted then return reply.bad(problem) end
  local document = base(source)
  document.outbound_gateways, document.inbound_gateways = {}, {}
  return reply.encoded(gatewayz_schema, document)
end

local function leafz(request, source, count)
  count("/leafz")
  local _, problem = query.boolean(request.parameters, "subs")
  if problem then return reply.bad(problem) end
  local document = base(source)
  document.leafs = {}
  return reply.encoded(leafz_schema, document)
end

local function jsz(request, source, count)
  count("/jsz")
  local wanted, problem = query.read(request.parameters, unpack(JSZ_PARAMETERS))
  if not wanted then return reply.bad(problem) end
  if wanted["leader-only"] then return reply.bad("filtered response: not leader") end
  local document = base(source)
  document.disabled = true
  return reply.encoded(jsz_schema, document)
end

local function raftz() return reply.plain(404, "No Raft nodes registered") end

return { routez = routez, gatewayz = gatewayz, leafz = leafz, jsz = jsz, raftz = raftz }
