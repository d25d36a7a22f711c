--- /varz: what the server is, how it is configured and what it has done.
local format = require "perigee.monitor.format"
local reply = require "perigee.monitor.reply"
local schema = require "perigee.monitor.varz_schema"

local PROTO = 1
local DEFAULT_TIMEOUT_SECONDS = 2

-- Flags of the original server and their defaults, which tools show.
local FEATURE_FLAGS = {
  js_ack_fc_v2 = false, js_api_reply_v2 = false, js_raft_delete_range = true, js_snapshot_sources = false,
}

local IDENTITY = {
  "version", "perigee", "git_commit", "go", "host", "port", "auth_required", "tls_required", "tls_verify", "ip", "connect_urls",
  "ws_connect_urls", "cores", "config_digest", "system_account",
}
local OPTIONS = {
  "max_connections", "max_subscriptions", "ping_max", "http_host", "http_port", "http_base_path", "https_port",
  "max_control_line", "max_payload", "max_pending",
}
local TOTALS = {
  "connections", "total_connections", "routes", "remotes", "leafnodes", "in_msgs", "in_bytes", "in_client_msgs",
  "in_client_bytes", "out_msgs", "out_bytes", "out_client_msgs", "out_client_bytes", "slow_consumers", "stale_connections",
  "stalled_clients", "subscriptions", "slow_consumer_stats", "stale_connection_stats",
}

local function copy(document, from, names)
  for _, name in ipairs(names) do document[name] = from[name] end
end

local function by_name(list)
  local map = {}
  for _, entry in ipairs(list or {}) do map[entry.name] = entry.value end
  return next(map) and map or nil
end

local function add_options(document, options)
  copy(document, options, OPTIONS)
  document.ping_interval = options.ping_interval_ns
  document.auth_timeout = options.auth_timeout or DEFAULT_TIMEOUT_SECONDS
  document.tls_timeout = options.tls_timeout or DEFAULT_TIMEOUT_SECONDS
  document.write_deadline = options.write_deadline_ns
  document.write_timeout = options.write_timeout ~= "default" and options.write_timeout or nil
  document.tags = options.server_tags
  document.metadata = by_name(options.server_metadata)
  document.feature_flags = FEATURE_FLAGS
end

--- The document.
-- @param requests table  path to count, for http_req_stats
local function build(source, requests)
  local identity, now, usage = source.identity(), source.now_ns(), source.usage()
  local document = {
    server_id = identity.id,
    server_name = identity.name,
    proto = PROTO,
    start = identity.start_ns,
    now = now,
    uptime = format.uptime(now - identity.start_ns),
    mem = usage.mem,
    cpu = usage.cpu,
    gomaxprocs = identity.workers,
    http_req_stats = requests,
    config_load_time = identity.config_load_ns,
  }
  copy(document, identity, IDENTITY)
  add_options(document, source.options())
  copy(document, source.totals(), TOTALS)
  return document
end

local function handle(_, source, count)
  local requests = count("/varz")
  return reply.encoded(schema, build(source, requests))
end

return { build = build, handle = handle }
