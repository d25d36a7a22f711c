--- The INFO line that a client is greeted with, and the one it gets after its first PING.
--
-- All of it is the same for every connection of a listener but `client_id`, `client_ip` and `nonce`, which stand side by
-- side. So the line is made here once, in two pieces, and the core writes the three between them:
--
--   head  ,"client_id":7  ,"client_ip":"192.0.2.1"  ,"nonce":"..."  tail
--
-- each with the comma before it, `client_ip` and `nonce` only if there is one. Head and tail hold the verb and the end of
-- the line. What comes out differs from account to account only in `max_payload` and the members of the second INFO.
local host_port = require("perigee.config.host_port")
local json = require("perigee.json")

local PROTO = 1
local API_LEVEL = 5

local head_schema = json.schema({
  { name = "server_id", type = "string" },
  { name = "server_name", type = "string" },
  { name = "version", type = "string" },
  { name = "proto", type = "int" },
  { name = "git_commit", type = "string", omit = true },
  { name = "go", type = "string" },
  { name = "host", type = "string" },
  { name = "port", type = "int" },
  { name = "headers", type = "bool" },
  { name = "auth_required", type = "bool", omit = true },
  { name = "tls_required", type = "bool", omit = true },
  { name = "tls_verify", type = "bool", omit = true },
  { name = "tls_available", type = "bool", omit = true },
  { name = "max_payload", type = "int", bits = 32 },
  { name = "jetstream", type = "bool", omit = true },
})

local tail_schema = json.schema({
  { name = "cluster", type = "string", omit = true },
  { name = "domain", type = "string", omit = true },
  { name = "connect_urls", type = "array", of = "string", omit = true },
  { name = "ldm", type = "bool", omit = true },
  { name = "connect_info", type = "bool", omit = true },
  { name = "remote_account", type = "string", omit = true },
  { name = "acc_is_sys", type = "bool", omit = true },
  { name = "api_lvl", type = "int", omit = true },
  { name = "xkey", type = "string", omit = true },
})

--- Where clients are told to connect: the listen address, or what `client_advertise` says, with the listening port where it
-- says none.
-- @param options table  effective options: `host`, `port`, `client_advertise`
-- @return host, port | nil, message
local function address(options)
  local advertise = options.client_advertise or ""
  if advertise == "" then return options.host, options.port end
  local host, port = host_port.parse(advertise, options.port)
  if host then return host, port end
  return nil, ("Error setting server INFO with ClientAdvertise value of %s, err=%s"):format(advertise, port)
end

--- What INFO says of this server, by the names of INFO's members, except what belongs to one connection.
-- @param options table  effective options: `host`, `port`, `client_advertise`, `max_payload`, `no_header_support`
-- @param identity table `id`, `name`, `version`, `go`, and where there are such `git_commit`, `xkey`, `cluster`
-- @return table | nil, message  further members may be set in it: `auth_required`, `tls_*`, `connect_urls`, `ldm`, `jetstream`,
-- `domain`
local function describe(options, identity)
  local host, port = address(options)
  if not host then return nil, port end
  return {
    server_id = identity.id,
    server_name = identity.name,
    version = identity.version,
    proto = PROTO,
    git_commit = identity.git_commit,
    go = identity.go,
    host = host,
    port = port,
    headers = not options.no_header_support,
    max_payload = options.max_payload,
    cluster = identity.cluster,
    api_lvl = API_LEVEL,
    xkey = identity.xkey,
  }
end

--- The two pieces of an INFO line.
-- @param info table  as describe() makes it
-- @return string, string | nil, message
local function template(info)
  local head, head_error = json.encode(head_schema, info)
  if not head then
    return nil, head_error
  end
  local tail, tail_error = json.encode(tail_schema, info)
  if not tail then
    return nil, tail_error
  end
  local rest = tail == "{}" and "}" or "," .. tail:sub(2)
  return "INFO " .. head:sub(1, -2), rest .. " \r\n"
end

--- The two pieces of the INFO that follows the first PING of a client.
-- @param info table    as describe() makes it
-- @param account table `name`, `is_system`, and `max_payload` if it is another than the server's
local function connected_template(info, account)
  local copy = {}
  for name, value in pairs(info) do
    copy[name] = value
  end
  copy.connect_info = true
  copy.remote_account = account.name
  copy.acc_is_sys = account.is_system or false
  copy.max_payload = account.max_payload or info.max_payload
  return template(copy)
end

return {
  describe = describe,
  template = template,
  connected_template = connected_template,
}
