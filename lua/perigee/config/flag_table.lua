--- The flags of the command line, as data. flags.lua interprets it, and the usage text of perigee is made from it.
--
--   names      what follows the dash or dashes; the first long one names the flag in our own texts
--   type       string, int or bool
--   field      the field of the options table that it sets
--   command    what the flag asks to be done instead of running: help, version, help_tls, check, signal, config
--   switches   for flags that set several fields at once to their value
--   option     the option of unsupported.lua that the flag belongs to: this version does not act on it
--   group      where the usage text shows it
--   argument   what the usage text calls its value
local flags = {
  { names = { "a", "addr", "net" }, type = "string", field = "host", group = "Server", argument = "host",
    doc = "Listen for clients on this address (default 0.0.0.0)" },
  { names = { "p", "port" }, type = "int", field = "port", group = "Server", argument = "port",
    doc = "Listen for clients on this port (default 4222, -1 for any free one)" },
  { names = { "n", "name", "server_name" }, type = "string", field = "server_name", group = "Server", argument = "name",
    doc = "Name of the server" },
  { names = { "P", "pid" }, type = "string", field = "pid_file", group = "Server", argument = "file",
    doc = "Write the process id to this file" },
  { names = { "m", "http_port" }, type = "int", field = "http_port", group = "Server", argument = "port",
    doc = "Serve monitoring on this port" },
  { names = { "ms", "https_port" }, type = "int", option = "https_port", group = "Server", argument = "port",
    doc = "Serve monitoring over TLS on this port" },
  { names = { "c", "config" }, type = "string", command = "config", group = "Server", argument = "file",
    doc = "Read this configuration file" },
  { names = { "t" }, type = "bool", command = "check", group = "Server", doc = "Check the configuration file and exit" },
  { names = { "sl", "signal" }, type = "string", command = "signal", group = "Server", argument = "signal[=pid]",
    doc = "Send a running server ldm, stop, quit, term, reopen or reload; pid may be a file that holds it" },
  { names = { "client_advertise" }, type = "string", field = "client_advertise", group = "Server", argument = "host:port",
    doc = "Address that clients are told to connect to" },
  { names = { "ports_file_dir" }, type = "string", field = "ports_file_dir", group = "Server", argument = "dir",
    doc = "Write the ports listened on to a file in this directory" },
  { names = { "workers" }, type = "int", field = "workers", group = "Server", argument = "number", own = true,
    doc = "Threads that serve connections (default: one for each core)" },

  { names = { "l", "log" }, type = "string", field = "log_file", group = "Logging", argument = "file",
    doc = "Log to this file" },
  { names = { "T", "logtime" }, type = "bool", field = "logtime", group = "Logging",
    doc = "Begin log lines with the time (default true; switch off with =false)" },
  { names = { "logtime_utc" }, type = "bool", field = "logtime_utc", group = "Logging", doc = "Log times in UTC" },
  { names = { "s", "syslog" }, type = "bool", option = "syslog", group = "Logging", doc = "Log to the system's log" },
  { names = { "r", "remote_syslog" }, type = "string", option = "remote_syslog", group = "Logging", argument = "url",
    doc = "Log to another machine, as in udp://localhost:514" },
  { names = { "D", "debug" }, type = "bool", field = "debug", group = "Logging", doc = "Log debugging messages" },
  { names = { "V", "trace" }, type = "bool", field = "trace", group = "Logging", doc = "Log the protocol" },
  { names = { "VV" }, type = "bool", switches = { "trace", "trace_verbose" }, group = "Logging",
    doc = "Log the protocol, that of the system account too" },
  { names = { "DV" }, type = "bool", switches = { "trace", "debug" }, group = "Logging",
    doc = "Log debugging messages and the protocol" },
  { names = { "DVV" }, type = "bool", switches = { "trace", "debug", "trace_verbose" }, group = "Logging",
    doc = "Log debugging messages and the protocol, that of the system account too" },
  { names = { "log_size_limit" }, type = "int", field = "log_size_limit", group = "Logging", argument = "bytes",
    doc = "Start a new log file beyond this size" },
  { names = { "max_traced_msg_len" }, type = "int", field = "max_traced_msg_len", group = "Logging", argument = "bytes",
    doc = "Log no more than this of a message" },

  { names = { "js", "jetstream" }, type = "bool", option = "jetstream", group = "JetStream", doc = "Switch JetStream on" },
  { names = { "sd", "store_dir" }, type = "string", option = "store_dir", group = "JetStream", argument = "dir",
    doc = "Keep JetStream's data in this directory" },

  { names = { "user" }, type = "string", option = "authorization", group = "Authorization", argument = "name",
    doc = "User that clients must give" },
  { names = { "pass" }, type = "string", option = "authorization", group = "Authorization", argument = "password",
    doc = "Password that clients must give" },
  { names = { "auth" }, type = "string", option = "authorization", group = "Authorization", argument = "token",
    doc = "Token that clients must give" },

  { names = { "tls" }, type = "bool", option = "tls", group = "TLS", doc = "Speak TLS with clients" },
  { names = { "tlscert" }, type = "string", option = "tls", group = "TLS", argument = "file", doc = "Certificate" },
  { names = { "tlskey" }, type = "string", option = "tls", group = "TLS", argument = "file", doc = "Its private key" },
  { names = { "tlsverify" }, type = "bool", option = "tls", group = "TLS", doc = "Speak TLS, and ask clients for certificates" },
  { names = { "tlscacert" }, type = "string", option = "tls", group = "TLS", argument = "file",
    doc = "Certificates that sign those of clients" },

  { names = { "routes" }, type = "string", option = "cluster", group = "Cluster", argument = "url,..",
    doc = "Servers to connect to" },
  { names = { "cluster", "cluster_listen" }, type = "string", option = "cluster", group = "Cluster", argument = "url",
    doc = "Listen for other servers at this URL" },
  { names = { "cluster_name" }, type = "string", option = "cluster", class = "ignored", group = "Cluster", argument = "name",
    doc = "Name of the cluster" },
  { names = { "no_advertise" }, type = "bool", option = "cluster", class = "ignored", group = "Cluster",
    doc = "Tell clients of no other servers" },
  { names = { "cluster_advertise" }, type = "string", option = "cluster", class = "ignored", group = "Cluster",
    argument = "host:port", doc = "Address that other servers are told to connect to" },
  { names = { "connect_retries" }, type = "int", option = "cluster", class = "ignored", group = "Cluster",
    argument = "number", doc = "How often to try to connect to a server that was learnt of" },

  { names = { "profile" }, type = "int", option = "prof_port", group = "Profiling", argument = "port",
    doc = "Serve profiles on this port" },

  { names = { "h", "help" }, type = "bool", command = "help", group = "Common", doc = "Show this text" },
  { names = { "v", "version" }, type = "bool", command = "version", group = "Common", doc = "Show the version" },
  { names = { "help_tls" }, type = "bool", command = "help_tls", group = "Common", doc = "Show how TLS is configured" },
}

local GROUPS = { "Server", "Logging", "JetStream", "Authorization", "TLS", "Cluster", "Profiling", "Common" }

local by_name = {}
for _, flag in ipairs(flags) do
  for _, name in ipairs(flag.names) do by_name[name] = flag end
end

return { flags = flags, by_name = by_name, groups = GROUPS }
