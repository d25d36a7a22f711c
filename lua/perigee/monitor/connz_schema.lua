--- The members of /connz.
local json = require "perigee.json"

local peer_certificate = {
  { name = "subject", type = "string", omit = true },
  { name = "spki_sha256", type = "string", omit = true },
  { name = "cert_sha256", type = "string", omit = true },
}

local subscription = {
  { name = "account", type = "string", omit = true },
  { name = "account_tag", type = "string", omit = true },
  { name = "subject", type = "string" },
  { name = "qgroup", type = "string", omit = true },
  { name = "sid", type = "string" },
  { name = "msgs", type = "int" },
  { name = "max", type = "int", omit = true },
  { name = "cid", type = "uint" },
}

local connection = {
  { name = "cid", type = "uint" },
  { name = "kind", type = "string", omit = true },
  { name = "type", type = "string", omit = true },
  { name = "ip", type = "string" },
  { name = "port", type = "int" },
  { name = "start", type = "time" },
  { name = "last_activity", type = "time" },
  { name = "stop", type = "time", omit = true },
  { name = "reason", type = "string", omit = true },
  { name = "rtt", type = "string", omit = true },
  { name = "uptime", type = "string" },
  { name = "idle", type = "string" },
  { name = "pending_bytes", type = "int" },
  { name = "in_msgs", type = "int" },
  { name = "out_msgs", type = "int" },
  { name = "in_bytes", type = "int" },
  { name = "out_bytes", type = "int" },
  { name = "stalls", type = "int", omit = true },
  { name = "subscriptions", type = "uint" },
  { name = "name", type = "string", omit = true },
  { name = "lang", type = "string", omit = true },
  { name = "version", type = "string", omit = true },
  { name = "tls_version", type = "string", omit = true },
  { name = "tls_cipher_suite", type = "string", omit = true },
  { name = "tls_peer_certs", type = "array", of = peer_certificate, omit = true },
  { name = "tls_first", type = "bool", omit = true },
  { name = "authorized_user", type = "string", omit = true },
  { name = "account", type = "string", omit = true },
  { name = "subscriptions_list", type = "array", of = "string", omit = true },
  { name = "subscriptions_list_detail", type = "array", of = subscription, omit = true },
  { name = "jwt", type = "string", omit = true },
  { name = "issuer_key", type = "string", omit = true },
  { name = "name_tag", type = "string", omit = true },
  { name = "tags", type = "array", of = "string", omit = true },
  { name = "mqtt_client", type = "string", omit = true },
  { name = "proxy", type = "object", fields = { { name = "key", type = "string" } }, omit = true },
}

local document = json.schema({
  { name = "server_id", type = "string" },
  { name = "now", type = "time" },
  { name = "num_connections", type = "int" },
  { name = "total", type = "int" },
  { name = "offset", type = "int" },
  { name = "limit", type = "int" },
  { name = "connections", type = "array", of = connection },
})

return { document = document, connection = connection, subscription = subscription }
