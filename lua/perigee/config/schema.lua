--- The options that this version acts on, as data. options.lua interprets it, and the documentation is made from it.
--
--   name, aliases   as written in a configuration file, in any case
--   type            a reader of values.lua
--   field           the field of the options table that is set (default: the name); `fields` for addresses
--   default         applied when the field is missing, 0 or "" after file and flags were read
--   min, max        range, with the messages of values.lua
--   unit            what a number counts
--   reload          "live": applied to what exists; "new": for what is made later; "no": a reload that changes it is
--                   refused, and names it as `refused_as`
--   doc             one sentence or two
local INT32_MAX = 2147483647
local SECOND = 1e9

local function lame_duck_too_short(written)
  return ("invalid lame_duck_duration of %s, minimum is 30 seconds"):format(written)
end

local function grace_negative() return "invalid lame_duck_grace_period, needs to be positive" end

local schema = {
  { name = "listen", type = "address", fields = { host = "host", port = "port" }, reload = "no", refused_as = "Host",
    doc = "Where clients connect: a port, or host:port. Port -1 takes any free one." },
  { name = "host", aliases = { "net" }, type = "string", default = "0.0.0.0", reload = "no", refused_as = "Host",
    doc = "The address to listen on for clients." },
  { name = "port", type = "int", default = 4222, reload = "no", refused_as = "Port",
    doc = "The port to listen on for clients; -1 takes any free one." },
  { name = "client_advertise", type = "string", reload = "live",
    doc = "host[:port] that clients are told to connect to instead of the listen address." },
  { name = "server_name", type = "name", reload = "no", refused_as = "ServerName",
    doc = "The server's name, without blanks. The default is its public key." },
  { name = "server_tags", type = "tags", reload = "live", doc = "Words that describe the server: a string or an array." },
  { name = "server_metadata", type = "metadata", reload = "live", doc = "Words with values that describe the server." },

  { name = "debug", type = "bool", default = false, reload = "live", doc = "Log debugging messages." },
  { name = "trace", type = "bool", default = false, reload = "live", doc = "Log the protocol of every connection." },
  { name = "trace_verbose", type = "trace_switch", default = false, reload = "live",
    doc = "Like trace, and the system account too. Sets trace to the same value." },
  { name = "trace_headers", type = "trace_switch", default = false, reload = "live",
    doc = "Like trace, but of messages only their headers. Sets trace to the same value." },
  { name = "logtime", type = "bool", default = true, reload = "live", doc = "Begin log lines with the time." },
  { name = "logtime_utc", type = "bool", default = false, reload = "live", doc = "Log times in UTC." },
  { name = "log_file", aliases = { "logfile" }, type = "string", reload = "live",
    doc = "The file to log to. The default is standard error." },
  { name = "log_size_limit", aliases = { "logfile_size_limit" }, type = "int", unit = "bytes", default = 0,
    reload = "no", refused_as = "LogSizeLimit", doc = "Start a new log file when this one is larger; 0 is never." },
  { name = "log_max_num", aliases = { "logfile_max_num" }, type = "int", default = 0, reload = "no",
    refused_as = "LogMaxFiles", doc = "How many log files to keep, the current one included; 0 keeps all." },
  { name = "max_traced_msg_len", type = "int", unit = "bytes", default = 0, reload = "live",
    doc = "Trace this much of a message; 0 traces all of it." },
  { name = "pid_file", aliases = { "pidfile" }, type = "string", reload = "live", doc = "The file for the process id." },
  { name = "ports_file_dir", type = "string", reload = "live",
    doc = "A directory for a file that lists the ports listened on." },

  { name = "http", type = "address", fields = { host = "http_host", port = "http_port" }, reload = "no",
    refused_as = "HTTPHost", doc = "Where monitoring is served: a port, or host:port." },
  { name = "http_port", aliases = { "monitor_port" }, type = "int", default = 0, reload = "no", refused_as = "HTTPPort",
    doc = "The port that monitoring is served on; -1 takes any free one, 0 serves none." },
  { name = "http_base_path", type = "string", default = "", reload = "no", refused_as = "HTTPBasePath",
    doc = "The path that monitoring is served under." },

  { name = "max_connections", aliases = { "max_conn" }, type = "int", default = 65536, zero_means = -1, reload = "live",
    doc = "How many clients may be connected. 0 in a file, or less, lets none in." },
  { name = "max_subscriptions", aliases = { "max_subs" }, type = "int", default = 0, reload = "no",
    refused_as = "MaxSubs", doc = "How many subscriptions a connection may have; 0 is any number." },
  { name = "max_sub_tokens", aliases = { "max_subscription_tokens" }, type = "int", default = 0, min = 1, max = 255,
    reload = "no", refused_as = "MaxSubTokens", doc = "How many tokens a subscription's subject may have." },
  { name = "max_control_line", type = "int", unit = "bytes", default = 4096, max = INT32_MAX, reload = "live",
    doc = "The longest protocol line a client may send." },
  { name = "max_payload", type = "int", unit = "bytes", default = 1048576, max = INT32_MAX, reload = "live",
    doc = "The largest message. Not above max_pending; more than 8 MiB is unwise." },
  { name = "max_pending", type = "int", unit = "bytes", default = 67108864, reload = "no", refused_as = "MaxPending",
    doc = "How much may wait to be sent to a connection before it is cut off." },
  { name = "max_closed_clients", type = "int", default = 10000, reload = "no", refused_as = "MaxClosedClients",
    doc = "How many closed connections monitoring remembers." },

  { name = "ping_interval", type = "duration_or_seconds", field = "ping_interval_ns", unit = "nanoseconds",
    default = 120 * SECOND, reload = "new", doc = "How often idle connections are pinged." },
  { name = "ping_max", type = "int", default = 2, reload = "new",
    doc = "How many pings may stay unanswered before a connection is closed." },
  { name = "write_deadline", type = "duration_or_seconds", field = "write_deadline_ns", unit = "nanoseconds",
    default = 10 * SECOND, reload = "new", doc = "How long a write to a connection may take." },
  { name = "write_timeout", type = "choice", choices = { "default", "close", "retry" }, default = "default",
    wrong_choice = "write_timeout must be 'default', 'close' or 'retry'", reload = "no", refused_as = "WriteTimeout",
    doc = "What happens to a connection that exceeds write_deadline." },
  { name = "no_fast_producer_stall", type = "bool", default = false, reload = "live",
    doc = "Drop messages for slow consumers rather than slow producers down." },
  { name = "lame_duck_duration", type = "duration", field = "lame_duck_duration_ns", unit = "nanoseconds",
    default = 120 * SECOND, min = 30 * SECOND, too_small = lame_duck_too_short, reload = "no",
    refused_as = "LameDuckDuration", doc = "Over what time connections are closed when the server leaves gently." },
  { name = "lame_duck_grace_period", type = "duration", field = "lame_duck_grace_period_ns", unit = "nanoseconds",
    default = 10 * SECOND, min = 0, too_small = grace_negative, reload = "no", refused_as = "LameDuckGracePeriod",
    doc = "How long the server waits before it closes the first of them." },
  { name = "disable_sublist_cache", aliases = { "no_sublist_cache" }, type = "bool", default = false, reload = "no",
    refused_as = "NoSublistCache", doc = "Look every subject up anew." },
  { name = "no_header_support", type = "bool", default = false, reload = "no", refused_as = "NoHeaderSupport",
    doc = "Offer clients no headers." },
  { name = "no_system_account", aliases = { "no_system", "no_sys_acc" }, type = "bool", default = false, reload = "no",
    refused_as = "NoSystemAccount", doc = "Have no account for the system." },
  { name = "mappings", aliases = { "maps" }, type = "mappings", reload = "live",
    doc = "Subjects that are published to as others, in the order in which they are tried." },

  { name = "workers", type = "int", min = 1, max = 64, too_small = " must be at least 1", too_big = " must be at most 64",
    own = true, reload = "no", refused_as = "workers",
    doc = "Perigee's own: threads that serve connections. The default is one for each core." },
  { name = "allow_unsupported", type = "strings", own = true, reload = "no", refused_as = "allow_unsupported",
    doc = "Perigee's own: blocks that open a listener or a link, and that the server may start without though this "
      .. "version cannot do them yet." },
}

local by_name = {}
for _, option in ipairs(schema) do
  option.acts = true
  by_name[option.name] = option
  for _, alias in ipairs(option.aliases or {}) do by_name[alias] = option end
end

return { options = schema, by_name = by_name }
