--- The C core as Lua sees it: the only module that knows FFI types. Above it there are strings, numbers and tables.
--
-- 64-bit integers that may exceed 2^53 (counters, times) stay int64/uint64 boxes; handles are numbers.
local ffi = require "ffi"

ffi.cdef((perigee_header():gsub("#pragma once", "")))

local C = ffi.C
local ERROR_BYTES = 512
local ADDRESSES_BYTES = 16384
local PORT_MAX = 65535

local core = {}

local CONNECT_TEXTS = {
  ip = C.PERIGEE_CONNECT_IP, name = C.PERIGEE_CONNECT_NAME, lang = C.PERIGEE_CONNECT_LANG,
  version = C.PERIGEE_CONNECT_VERSION, user = C.PERIGEE_CONNECT_USER, pass = C.PERIGEE_CONNECT_PASS,
  token = C.PERIGEE_CONNECT_TOKEN, jwt = C.PERIGEE_CONNECT_JWT, nkey = C.PERIGEE_CONNECT_NKEY,
  sig = C.PERIGEE_CONNECT_SIG, account = C.PERIGEE_CONNECT_ACCOUNT,
}

local function text(t) return ffi.string(t.at, t.size) end

--- Walks records of one C type that stand one behind the other.
local function each_record(ctype, at, size, visit)
  local offset = 0
  while offset < size do
    local record = ffi.cast(ctype, at + offset)
    visit(record, at + offset + ffi.sizeof(ctype:match("^const (.-) %*$")))
    offset = offset + record.size
  end
end

local function subscription_of(record, texts)
  local subject = ffi.string(texts, record.subject_size)
  local queue = ffi.string(texts + record.subject_size, record.queue_size)
  local sid = ffi.string(texts + record.subject_size + record.queue_size, record.sid_size)
  return { subject = subject, queue = queue ~= "" and queue or nil, sid = sid, msgs = tonumber(record.msgs),
    max = tonumber(record.max), cid = tonumber(record.cid), account_number = record.account }
end

local SUBSCRIPTION, CONNECTION = "const struct perigee_subscription *", "const struct perigee_connection *"

local function subscriptions_of(at, size)
  local list = {}
  each_record(SUBSCRIPTION, at, size, function(record, texts) list[#list + 1] = subscription_of(record, texts) end)
  return list
end

local function connection_of(r, texts)
  local at = texts
  local function take(size)
    local taken = ffi.string(at, size)
    at = at + size
    return taken
  end
  local c = {
    id = tonumber(r.id), cid = tonumber(r.cid), ip = take(r.ip_size), name = take(r.name_size), lang = take(r.lang_size),
    version = take(r.version_size), port = r.port, start_ns = r.start_ns, last_activity_ns = r.last_activity_ns,
    rtt_ns = r.rtt_ns, pending_bytes = r.pending_bytes, in_msgs = r.in_msgs, in_bytes = r.in_bytes,
    out_msgs = r.out_msgs, out_bytes = r.out_bytes, stalls = r.stalls, subscriptions = tonumber(r.subscriptions),
    account_number = r.account, sent_connect = r.sent_connect,
  }
  if r.stop_ns ~= 0 then
    c.stop_ns = r.stop_ns
    c.reason = ffi.string(C.perigee_close_reason(r.reason))
  end
  if r.listed > 0 then
    local used = tonumber(ffi.cast("uintptr_t", at) - ffi.cast("uintptr_t", r))
    local start = math.floor((used + 7) / 8) * 8
    c.subscriptions_list = subscriptions_of(ffi.cast("const char *", r) + start, r.size - start)
  end
  return c
end

local function connections_of(at, size)
  local list = {}
  each_record(CONNECTION, at, size, function(record, texts) list[#list + 1] = connection_of(record, texts) end)
  return list
end

--- The records of a closed connection, kept as a string and read when somebody asks.
function core.connection_from(packed)
  return connections_of(ffi.cast("const char *", packed), #packed)[1]
end

--- The same without the list of its subscriptions.
function core.connection_without_list(packed)
  local r = ffi.cast(CONNECTION, packed)
  if r.listed == 0 then return packed end
  local texts = r.ip_size + r.name_size + r.lang_size + r.version_size
  local size = math.ceil((ffi.sizeof("struct perigee_connection") + texts) / 8) * 8
  local copy = ffi.new("char[?]", size)
  ffi.copy(copy, packed, size)
  local short = ffi.cast("struct perigee_connection *", copy)
  short.size, short.listed = size, 0
  return ffi.string(copy, size)
end

local readers = {
  [C.PERIGEE_EVENT_CONNECT] = function(e)
    local event = { kind = "connect", id = tonumber(e.id), cid = tonumber(e.cid), new_account = e.flag }
    for name, i in pairs(CONNECT_TEXTS) do event[name] = text(e.texts[i]) end
    return event
  end,
  [C.PERIGEE_EVENT_CLOSED] = function(e)
    return { kind = "closed", id = tonumber(e.id), cid = tonumber(e.cid), record = text(e.data) }
  end,
  [C.PERIGEE_EVENT_ANSWER] = function(e)
    return { kind = "answer", request = tonumber(e.request), worker = e.number, cursor = tonumber(e.cursor),
      data = text(e.data) }
  end,
  [C.PERIGEE_EVENT_HTTP] = function(e)
    return { kind = "http", id = tonumber(e.id), keep_alive = e.flag, minor = e.number, method = text(e.texts[C.PERIGEE_HTTP_METHOD]),
      path = text(e.texts[C.PERIGEE_HTTP_PATH]), query = text(e.texts[C.PERIGEE_HTTP_QUERY]),
      ip = text(e.texts[C.PERIGEE_HTTP_IP]) }
  end,
  [C.PERIGEE_EVENT_SIGNAL] = function(e) return { kind = "signal", number = e.number } end,
}

local event = ffi.new("struct perigee_event")

--- Waits for the next event, up to `timeout_ms` (-1: for ever).
-- @return table|nil
function core.next_event(timeout_ms)
  if not C.perigee_event_next(event, timeout_ms) then return nil end
  return readers[event.kind](event)
end

local function c_options(o)
  local options = ffi.new("struct perigee_options", {
    max_payload = o.max_payload, max_pending = o.max_pending, max_connections = o.max_connections,
    max_subscriptions = o.max_subscriptions or 0, max_control_line = o.max_control_line,
    max_subscription_tokens = o.max_sub_tokens or 0, ping_max = o.ping_max, ping_interval_ns = o.ping_interval_ns,
    write_deadline_ns = o.write_deadline_ns, max_traced_msg_len = math.max(0, tonumber(o.max_traced_msg_len or 0)),
    headers = not o.no_header_support, no_fast_producer_stall = o.no_fast_producer_stall or false,
    write_retry = o.write_timeout == "retry", trace_headers = o.trace_headers or false,
    match_cache = not o.disable_sublist_cache,
  })
  options.first.head, options.first.tail = o.first.head, o.first.tail
  options.connected.head, options.connected.tail = o.connected.head, o.connected.tail
  return options
end

--- Starts the workers. `options` are effective options plus `first` and `connected`, INFO lines as {head=, tail=}.
-- @return true | nil, message
function core.start(workers, options)
  local failed = C.perigee_start(workers, c_options(options))
  if failed ~= 0 then return nil, "cannot start workers: error " .. -failed end
  return true
end

function core.stop() C.perigee_stop() end

--- Binds a listening socket; connections wait until it is accepted from. @return {port=, descriptor=} | nil, message
function core.bind(host, port)
  if port < 0 or port > PORT_MAX then return nil, ("listen tcp: address %d: invalid port"):format(port) end
  local real, message = ffi.new("int[1]"), ffi.new("char[?]", ERROR_BYTES)
  local descriptor = C.perigee_bind(host, port, real, message, ERROR_BYTES)
  if descriptor < 0 then return nil, ffi.string(message) end
  return { port = real[0], descriptor = descriptor }
end

--- The addresses at which a listener is reached.
function core.addresses(listener)
  local out, list = ffi.new("char[?]", ADDRESSES_BYTES), {}
  C.perigee_addresses(listener.descriptor, out, ADDRESSES_BYTES)
  for address in ffi.string(out):gmatch("%S+") do list[#list + 1] = address end
  return list
end

--- Begins to accept: connections become clients, or HTTP requests.
function core.accept_clients(listener) listener.number = C.perigee_accept(C.PERIGEE_LISTEN_CLIENTS, listener.descriptor) end
function core.accept_http(listener) listener.number = C.perigee_accept(C.PERIGEE_LISTEN_HTTP, listener.descriptor) end
function core.unlisten(listener) C.perigee_unlisten(listener.number) end

--- The verdict on a CONNECT: admitted into an account, or refused with an -ERR text and a close reason by number.
function core.admit(id, account) C.perigee_admit(id, account, nil, 0) end
function core.refuse(id, message, reason) C.perigee_admit(id, 0, message, reason) end

function core.http_answer(id, response) C.perigee_http_answer(id, response, #response) end
function core.close(id, reason) C.perigee_close(id, reason) end

--- Sends PING to a client whose round trip time is not known.
function core.ping(id) C.perigee_ping(id) end

function core.inform(line)
  C.perigee_inform(ffi.new("struct perigee_info", { head = line.head, tail = line.tail }))
end

local COLLECT = {
  connections = C.PERIGEE_COLLECT_CONNECTIONS,
  connections_with_subscriptions = C.PERIGEE_COLLECT_CONNECTIONS_SUBS,
  subscriptions = C.PERIGEE_COLLECT_SUBSCRIPTIONS,
}

--- Asks a worker for records; the answer event has `data`, which core.records() reads.
function core.collect(request, worker, what, cursor) C.perigee_collect(request, worker, COLLECT[what], cursor, 0) end

function core.records(what, data)
  local read = what == "subscriptions" and subscriptions_of or connections_of
  return read(ffi.cast("const char *", data), #data)
end

function core.worker_count() return C.perigee_worker_count() end

local totals = ffi.new("struct perigee_totals")

--- All counters, as numbers (exact to 2^53).
function core.totals()
  C.perigee_totals(totals)
  local t = {}
  for _, name in ipairs {
    "in_msgs", "in_bytes", "out_msgs", "out_bytes", "subscriptions", "clients", "total_clients", "slow_consumers",
    "stale_connections", "stalled_clients", "index_inserts", "index_removes", "index_matches", "cache_hits",
    "cache_entries", "cache_bytes", "cache_allocations", "fanout_max", "fanout_sum", "fanout_count", "long_callbacks",
    "longest_callback_ns",
  } do
    t[name] = tonumber(totals[name])
  end
  return t
end

--- Compiles mappings ({source=, destinations={{subject=, weight=, cluster=}}}, ...) for an account.
-- @return true | nil, message
function core.set_mappings(account, mappings, cluster)
  local message = ffi.new("char[?]", ERROR_BYTES)
  local builder = C.perigee_mappings_new()
  for _, mapping in ipairs(mappings) do
    C.perigee_mappings_begin(builder, mapping.source, #mapping.source)
    for _, d in ipairs(mapping.destinations) do
      local name = d.cluster or ""
      C.perigee_mappings_destination(builder, d.subject, #d.subject, d.weight, name, #name)
    end
    if C.perigee_mappings_end(builder, message, ERROR_BYTES) ~= 0 then
      C.perigee_mappings_free(C.perigee_mappings_finish(builder, "", 0))
      return nil, ffi.string(message)
    end
  end
  C.perigee_set_mappings(account, C.perigee_mappings_finish(builder, cluster or "", #(cluster or "")))
  return true
end

--- Whether a subject transform exists. @return true | nil, message
function core.check_mapping(source, destination)
  local message = ffi.new("char[?]", ERROR_BYTES)
  local transform = C.perigee_transform_compile(source, #source, destination, #destination, false, message, ERROR_BYTES)
  if transform == nil then return nil, ffi.string(message) end
  C.perigee_transform_free(transform)
  return true
end

local LEVELS = {
  info = C.PERIGEE_LOG_INFO, debug = C.PERIGEE_LOG_DEBUG, warn = C.PERIGEE_LOG_WARN, error = C.PERIGEE_LOG_ERROR,
  fatal = C.PERIGEE_LOG_FATAL, trace = C.PERIGEE_LOG_TRACE,
}

function core.log(level, line) C.perigee_log(LEVELS[level], line, #line) end
function core.log_flush() C.perigee_log_flush() end

--- Opens the log's file anew. @return true | false (it is no file) | nil, message
function core.log_reopen()
  local message = ffi.new("char[?]", ERROR_BYTES)
  local result = C.perigee_log_reopen(message, ERROR_BYTES)
  if result < 0 then return nil, ffi.string(message) end
  return result > 0
end

--- Directs the log. @return true | nil, message
function core.log_configure(o)
  local message = ffi.new("char[?]", ERROR_BYTES)
  local settings = ffi.new("struct perigee_log", {
    file = o.log_file, time = o.logtime, utc = o.logtime_utc or false, debug = o.debug or false,
    trace = o.trace or false, size_limit_bytes = o.log_size_limit or 0, max_files = o.log_max_num or 0,
  })
  if C.perigee_log_configure(settings, message, ERROR_BYTES) ~= 0 then return nil, ffi.string(message) end
  return true
end

function core.wall_ns() return C.perigee_wall_ns() end
function core.monotonic_ns() return tonumber(C.perigee_monotonic_ns()) end
function core.resident_bytes() return tonumber(C.perigee_resident_bytes()) end

--- Bytes of the C side: used, free (kept for later) and mapped (both, as taken from the system).
function core.heap()
  local heap = ffi.new("struct perigee_heap")
  C.perigee_heap(heap)
  return { used = heap.used, free = heap.free, mapped = heap.mapped }
end

function core.cpu_ns() return tonumber(C.perigee_cpu_ns()) end
function core.cores() return C.perigee_cores() end
function core.raise_descriptor_limit() return C.perigee_raise_descriptor_limit() end
function core.catch_signals() C.perigee_catch_signals() end
function core.send_signal(pid, number) return C.perigee_send_signal(pid, number) end

local function key_from(make)
  local key = ffi.new("char[57]")
  make(key)
  return ffi.string(key)
end

function core.server_key() return key_from(C.perigee_server_key) end
function core.server_curve_key() return key_from(C.perigee_server_curve_key) end

return core
