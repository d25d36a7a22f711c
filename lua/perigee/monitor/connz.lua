--- /connz: open and closed connections, filtered, sorted and in pages.
local format = require "perigee.monitor.format"
local page = require "perigee.monitor.page"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"
local schema = require "perigee.monitor.connz_schema"
local sorting = require "perigee.monitor.connz_sort"

local GLOBAL_ACCOUNT = "$G"
local FEW = 32 -- connections that are described between two breaths

local function is_account(source, name)
  for _, account in ipairs(source.accounts()) do
    if account.name == name then return true end
  end
  return false
end

-- Closed connections of the global account count as having none.
local function is_closed_of(connection, account)
  return account == "" or (connection.account == account and account ~= GLOBAL_ACCOUNT)
end

-- The connections of the wanted state and account: these are what `total` counts.
local function gather(source, wanted)
  local list = {}
  local all = source.connections {
    open = wanted.state ~= "closed",
    closed = wanted.state ~= "open",
    account = wanted.acc ~= "" and wanted.acc or nil,
    subscriptions = wanted.subs ~= false,
  }
  for _, connection in ipairs(all) do
    if not connection.stop_ns or is_closed_of(connection, wanted.acc) then
      list[#list + 1] = connection
    end
  end
  return list
end

local function passes(connection, wanted)
  return (wanted.cid == 0 or connection.cid == wanted.cid)
    and (wanted.user == "" or connection.user == wanted.user)
    and (wanted.mqtt_client == "" or connection.mqtt_client == wanted.mqtt_client)
end

local function select_from(list, wanted)
  local selected = {}
  for _, connection in ipairs(list) do
    if passes(connection, wanted) then selected[#selected + 1] = connection end
  end
  return selected
end

local function subjects(connection)
  local list = {}
  for i, subscription in ipairs(connection.subscriptions_list or {}) do list[i] = subscription.subject end
  return list
end

-- Of a closed connection the accounts are told as well, but not after how many messages a subscription would have ended.
local function details(connection)
  local list = {}
  for i, subscription in ipairs(connection.subscriptions_list or {}) do
    local detail = {
      subject = subscription.subject, qgroup = subscription.queue, sid = subscription.sid,
      msgs = subscription.msgs, max = subscription.max, cid = connection.cid,
    }
    if connection.stop_ns then
      detail.max = nil
      detail.account, detail.account_tag = connection.account, connection.account_tag or connection.account
    end
    list[i] = detail
  end
  return list
end

-- What is shown only where authentication was asked for, and of closed connections in part without asking.
local function add_authentication(entry, connection, wanted)
  local closed, account = connection.stop_ns ~= nil, connection.account or GLOBAL_ACCOUNT
  if wanted.auth or closed then
    entry.jwt, entry.issuer_key, entry.tags = connection.jwt, connection.issuer_key, connection.tags
  end
  if closed and account ~= GLOBAL_ACCOUNT then entry.name_tag = connection.account_tag end
  if not wanted.auth then return end
  entry.authorized_user = connection.user
  entry.tls_peer_certs = connection.tls_peer_certs
  if account ~= GLOBAL_ACCOUNT then entry.account = account end
  if not closed or account ~= GLOBAL_ACCOUNT then entry.name_tag = connection.account_tag or account end
end

local function entry_of(connection, wanted, now)
  local until_ns = connection.stop_ns or now
  local entry = {
    cid = connection.cid,
    kind = connection.kind or "Client",
    type = connection.type or (not connection.kind or connection.kind == "Client") and "nats" or nil,
    ip = connection.ip,
    port = connection.port,
    start = connection.start_ns,
    last_activity = connection.last_activity_ns,
    stop = connection.stop_ns,
    reason = connection.reason,
    rtt = format.rtt(connection.rtt_ns),
    uptime = format.uptime(until_ns - connection.start_ns),
    idle = format.uptime(until_ns - connection.last_activity_ns),
    pending_bytes = connection.pending_bytes,
    in_msgs = connection.in_msgs,
    out_msgs = connection.out_msgs,
    in_bytes = connection.in_bytes,
    out_bytes = connection.out_bytes,
    stalls = connection.stalls,
    subscriptions = connection.subscriptions,
    name = connection.name,
    lang = connection.lang,
    version = connection.version,
    tls_version = connection.tls_version,
    tls_cipher_suite = connection.tls_cipher_suite,
    tls_first = connection.tls_first,
    mqtt_client = connection.mqtt_client,
    proxy = connection.proxy_key and { key = connection.proxy_key },
  }
  if wanted.subs == "list" then entry.subscriptions_list = subjects(connection) end
  if wanted.subs == "detail" then entry.subscriptions_list_detail = details(connection) end
  add_authentication(entry, connection, wanted)
  return entry
end

-- Those whose round trip is not known yet are pinged, so that the next request can tell.
local function ping_unknown(source, list)
  for _, connection in ipairs(list) do
    local unknown = (connection.rtt_ns or 0) == 0 and not connection.stop_ns
    if unknown and (connection.lang or "") ~= "" then source.ping(connection) end
  end
end

--- The document.
-- @param wanted table  auth, subs (false, "list", "detail"), offset, limit, cid (0: any), state, sort, user, acc, mqtt_client
-- @return table | nil, message
local function build(source, wanted)
  local sortable, problem = sorting.check(wanted.sort, wanted.state)
  if not sortable then return nil, problem end
  local offset, limit = page.bounds(wanted.offset, wanted.limit)
  if wanted.cid ~= 0 then limit = 1 end
  local document = { now = source.now_ns(), offset = offset, limit = limit, total = 0, num_connections = 0 }
  if wanted.acc ~= "" and not is_account(source, wanted.acc) then return document end
  document.server_id = source.identity().id
  local list = gather(source, wanted)
  document.total = #list
  list = select_from(list, wanted)
  list = sorting.sort(list, wanted.sort, document.now, source.breathe)
  ping_unknown(source, list)
  list = page.cut(list, offset, limit)
  document.num_connections = #list
  document.connections = {}
  for i, connection in ipairs(list) do
    document.connections[i] = entry_of(connection, wanted, document.now)
    if i % FEW == 0 then source.breathe() end
  end
  return document
end

local function handle(request, source, count)
  local parameters = request.parameters
  local wanted, problem = query.read(parameters, { "auth", query.boolean }, { "subs", query.subs }, { "offset", query.int },
    { "limit", query.int }, { "cid", query.uint64 }, { "state", query.state })
  if not wanted then return reply.bad(problem) end
  for _, name in ipairs { "sort", "user", "acc", "mqtt_client" } do wanted[name] = parameters[name] or "" end
  count("/connz")
  local document, refused = build(source, wanted)
  if not document then return reply.bad(refused) end
  return reply.encoded(schema.document, document)
end

return { build = build, handle = handle }
