--- The options of nats-server that this version knows, but does not act on yet. Each later version shortens this list.
--
-- What is not acted on is never ignored silently. The class says what happens:
--
--   security  restricts access. The server does not start, for it would let in whom the file keeps out.
--   link      opens a listener or a link to other servers, or changes how one talks. The server does not start, unless
--             allow_unsupported names the option.
--   ignored   anything else. The server starts and logs a warning.
--
-- A value that asks for nothing (false, 0, an empty string, map or list, or one of `off`) passes in every class. With
-- `empty_asks`, an empty map asks for the defaults.
local OFF = { disabled = true, disable = true }

local unsupported = {
  { name = "authorization", type = "map", class = "security" },
  { name = "accounts", type = "any", class = "security" },
  { name = "no_auth_user", type = "string", class = "security" },
  { name = "system_account", aliases = { "system" }, type = "string", class = "security", off = { ["$SYS"] = true } },
  { name = "default_sentinel", type = "string", class = "security" },
  { name = "tls", type = "map", class = "security", empty_asks = true },
  { name = "ocsp", type = "any", class = "security", empty_asks = true },
  { name = "proxies", type = "any", class = "security" },
  { name = "operator", aliases = { "operators", "root", "roots", "root_operator", "root_operators" }, type = "any",
    class = "security" },
  { name = "trusted", aliases = { "trusted_keys" }, type = "any", class = "security" },
  { name = "resolver", aliases = { "account_resolver", "accounts_resolver" }, type = "any", class = "security",
    empty_asks = true },
  { name = "resolver_tls", type = "map", class = "security" },
  { name = "resolver_preload", type = "map", class = "security" },
  { name = "resolver_pinned_accounts", type = "any", class = "security" },

  { name = "cluster", type = "map", class = "link" },
  { name = "gateway", type = "map", class = "link" },
  { name = "leafnodes", aliases = { "leaf" }, type = "map", class = "link" },
  { name = "websocket", aliases = { "ws" }, type = "map", class = "link" },
  { name = "mqtt", type = "map", class = "link" },
  { name = "jetstream", type = "any", class = "link", off = OFF, empty_asks = true },
  { name = "https", type = "any", class = "link" },
  { name = "https_port", type = "int", class = "link" },
  { name = "proxy_protocol", type = "bool", class = "link" },
  { name = "prof_port", type = "int", class = "link" },

  { name = "allow_non_tls", type = "bool", class = "ignored" },
  { name = "ocsp_cache", type = "any", class = "ignored" },
  { name = "syslog", type = "bool", class = "ignored" },
  { name = "remote_syslog", type = "string", class = "ignored" },
  { name = "prof_block_rate", type = "int", class = "ignored" },
  { name = "connect_error_reports", type = "int", class = "ignored" },
  { name = "reconnect_error_reports", type = "int", class = "ignored" },
  { name = "store_dir", aliases = { "storedir" }, type = "string", class = "ignored" },
  { name = "default_js_domain", type = "any", class = "ignored" },
  { name = "feature_flags", type = "any", class = "ignored" },
}

local by_name = {}
for _, option in ipairs(unsupported) do
  option.acts = false
  by_name[option.name] = option
  for _, alias in ipairs(option.aliases or {}) do by_name[alias] = option end
end

local MESSAGES = {
  security = "%s restricts access and is not supported by this version of perigee yet: the server does not start without it",
  link = "%s is not supported by this version of perigee yet (allow_unsupported: [%s] starts without it)",
  ignored = "%s is not supported by this version of perigee yet and is ignored",
  waived = "%s is not supported by this version of perigee yet and is left out, as allow_unsupported asks",
}

--- Says what becomes of an option that is not acted on.
-- @param option   an entry of the table above
-- @param written  how the user wrote it: a key or a flag
-- @param waived   set of names of options that may be left out
-- @param tell     what to tell with: error(message) and notice(message)
local function refuse(option, written, waived, tell)
  if option.class == "security" then
    tell.error(MESSAGES.security:format(written))
  elseif option.class == "link" and not waived[option.name] then
    tell.error(MESSAGES.link:format(written, option.name))
  else
    tell.notice(MESSAGES[option.class == "link" and "waived" or "ignored"]:format(written))
  end
end

return { options = unsupported, by_name = by_name, refuse = refuse }
