--- What monitoring asks of the server: the contract between the documents and who gathers their content.
--
-- A source is a table of functions. The documents know nothing else of the server, so that they can be tested with tables.
-- Each function may yield (gathering asks the workers by letter); what it returns belongs to the caller, which does not change it.
-- Times are nanoseconds since 1970 and durations nanoseconds, both int64_t cdata or numbers; counters likewise.
-- Where nothing else is said, a field that is nil counts as 0, "", false or none.
--
-- identity()      who the server is, as INFO tells it:
--   id, name, version, perigee, go, git_commit, host, port, ip, connect_urls, ws_connect_urls,
--   auth_required, tls_required, tls_verify, start_ns, config_load_ns, config_digest, system_account (a name or nil),
--   cores, workers, command_line (a list)
--
-- options()       the effective options by the fields of perigee.config.schema. `http_base_path` is as it was configured.
--
-- now_ns()        the time.
--
-- breathe()       lets others go on if the caller has run for a while; called by whoever walks through much.
--
-- usage()         { cpu = percent of a core, mem = resident bytes }; perigee.monitor.process measures them.
--
-- totals()        connections, total_connections, routes, remotes, leafnodes, in_msgs, in_bytes, out_msgs, out_bytes, in_client_msgs,
--                 in_client_bytes, out_client_msgs, out_client_bytes, slow_consumers, stale_connections, stalled_clients,
--                 subscriptions (of all accounts), slow_consumer_stats and stale_connection_stats ({ clients, routes, gateways, leafs })
--
-- accounts()      a list of: name, is_system, connections, leafnodes, subscriptions, slow_consumers, sent and received
--                 ({ msgs, bytes }), update_ns, mappings (a list of { source, destinations = { { subject, weight, cluster } } }),
--                 statistics (as subscription_statistics() has them)
--
-- connections(want)  a list. `want` has: open, closed (booleans), account (a name or nil: of open ones only those), subscriptions
--                 (boolean: whether their lists are needed). Of each connection:
--   cid, kind (default "Client"), type (default "nats", of clients), ip, port, start_ns, last_activity_ns, rtt_ns (0: unknown),
--   pending_bytes, in_msgs, out_msgs, in_bytes, out_bytes, stalls, subscriptions (how many), name, lang, version, mqtt_client
--   account (a name, also "$G"; nil before it has one), account_tag (default: the name)
--   user (what `authorized_user` shows: never a token), jwt (not of bearers), issuer_key, tags, proxy_key
--   tls_version, tls_cipher_suite, tls_first, tls_peer_certs (only after the handshake)
--   subscriptions_list (if wanted): { subject, queue, sid, msgs, max }
--   of a closed one also: stop_ns, reason; counters, subscriptions and rtt_ns are the last ones
--
-- ping(connection)  sends PING to an open connection whose round trip time is unknown; it is one that connections() returned.
--
-- subscription_statistics(account)  of one account or, if nil, of all, added up: num_subscriptions, num_cache, num_inserts,
--                 num_removes, num_matches, cache_hits, max_fanout, total_fanout (of what is cached), num_fanout (how many these are)
--
-- subscriptions(account)  those of this server, without routed ones: { account, account_tag, subject, queue, sid, msgs, max, cid }
--
-- not_ready()     the names of configured listeners that do not listen, in the order server, route, gateway, leafnode, websocket, mqtt.
--
-- queues()        { name = { pending, in_progress } }: mailboxes and the like
-- stacks()        text: what each thread and each coroutine is doing
-- memory()        { name = integer } for `memstats` of /debug/vars
-- log(level, text)  level is "warn" or "error"
local FUNCTIONS = {
  "identity", "options", "now_ns", "breathe", "usage", "totals", "accounts", "connections", "ping", "subscription_statistics",
  "subscriptions", "not_ready", "queues", "stacks", "memory", "log",
}

--- Whether a table can serve as a source.
-- @return true | nil, message
local function check(source)
  for _, name in ipairs(FUNCTIONS) do
    if type(source[name]) ~= "function" then
      return nil, ("monitoring source has no function %s"):format(name)
    end
  end
  return true
end

return { check = check, functions = FUNCTIONS }
