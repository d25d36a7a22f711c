--- /accountz and /accstatz: the accounts, and what went through them.
local json = require "perigee.json"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"
local statistics = require "perigee.monitor.statistics"

local detail_schema = {
  { name = "account_name", type = "string" },
  { name = "update_time", type = "time" },
  { name = "is_system", type = "bool", omit = true },
  { name = "expired", type = "bool" },
  { name = "complete", type = "bool" },
  { name = "jetstream_enabled", type = "bool" },
  { name = "leafnode_connections", type = "int" },
  { name = "client_connections", type = "int" },
  { name = "subscriptions", type = "uint" },
  { name = "mappings", type = "map", omit = true, of = { type = "array", of = {
    { name = "subject", type = "string" },
    { name = "weight", type = "uint", bits = 8 },
    { name = "cluster", type = "string", omit = true },
  } } },
  { name = "name_tag", type = "string", omit = true },
  { name = "sublist_stats", type = "object", fields = statistics.fields, omit = true },
}

local accountz_schema = json.schema({
  { name = "server_id", type = "string" },
  { name = "now", type = "time" },
  { name = "system_account", type = "string", omit = true },
  { name = "accounts", type = "array", of = "string", omit = true },
  { name = "account_detail", type = "object", fields = detail_schema, omit = true },
})

local amount = {
  { name = "msgs", type = "int" },
  { name = "bytes", type = "int" },
}
local traffic = {
  { name = "msgs", type = "int" },
  { name = "bytes", type = "int" },
  { name = "gateways", type = "object", fields = amount },
  { name = "routes", type = "object", fields = amount },
  { name = "leafs", type = "object", fields = amount },
}

local accstatz_schema = json.schema({
  { name = "server_id", type = "string" },
  { name = "now", type = "time" },
  { name = "account_statz", type = "array", of = {
    { name = "acc", type = "string" },
    { name = "name", type = "string" },
    { name = "conns", type = "int" },
    { name = "leafnodes", type = "int" },
    { name = "total_conns", type = "int" },
    { name = "num_subscriptions", type = "uint" },
    { name = "sent", type = "object", fields = traffic },
    { name = "received", type = "object", fields = traffic },
    { name = "slow_consumers", type = "int" },
  } },
})

-- By source subject; the weights of several destinations are shown added up, as they are drawn.
local function mappings_of(account)
  local by_source = {}
  for _, mapping in ipairs(account.mappings or {}) do
    local sum, list = 0, {}
    for i, destination in ipairs(mapping.destinations) do
      sum = sum + destination.weight
      list[i] = { subject = destination.subject, weight = sum, cluster = destination.cluster }
    end
    by_source[mapping.source] = list
  end
  return by_source
end

local function detail_of(account)
  return {
    account_name = account.name,
    update_time = account.update_ns,
    is_system = account.is_system,
    complete = true,
    leafnode_connections = account.leafnodes,
    client_connections = account.connections,
    subscriptions = account.subscriptions,
    mappings = mappings_of(account),
    name_tag = account.name,
    sublist_stats = statistics.describe(account.statistics or {}),
  }
end

--- The document of /accountz.
-- @param name string  the account to tell all of; "" lists the names
-- @return table | nil, message
local function accountz(source, name)
  local identity = source.identity()
  local document = { server_id = identity.id, now = source.now_ns(), system_account = identity.system_account }
  local names = {}
  for i, account in ipairs(source.accounts()) do
    names[i] = account.name
    if account.name == name then document.account_detail = detail_of(account) end
  end
  if name == "" then
    document.accounts = names
  elseif not document.account_detail then
    return nil, ("Account %s does not exist"):format(name)
  end
  return document
end

--- The document of /accstatz.
-- @param unused boolean  whether accounts without connections are listed
local function accstatz(source, unused)
  local list = {}
  for _, account in ipairs(source.accounts()) do
    local connections, leafnodes = account.connections or 0, account.leafnodes or 0
    if unused or connections + leafnodes > 0 then
      list[#list + 1] = {
        acc = account.name,
        name = account.name,
        conns = connections,
        leafnodes = leafnodes,
        total_conns = connections + leafnodes,
        num_subscriptions = account.subscriptions,
        sent = account.sent,
        received = account.received,
        slow_consumers = account.slow_consumers,
      }
    end
  end
  return { server_id = source.identity().id, now = source.now_ns(), account_statz = list }
end

local function handle_accountz(request, source, count)
  count("/accountz")
  local document, problem = accountz(source, request.parameters.acc or "")
  if not document then return reply.bad(problem) end
  return reply.encoded(accountz_schema, document)
end

local function handle_accstatz(request, source, count)
  count("/accstatz")
  local unused, problem = query.boolean(request.parameters, "unused")
  if problem then return reply.bad(problem) end
  return reply.encoded(accstatz_schema, accstatz(source, unused))
end

return { accountz = accountz, accstatz = accstatz, handle_accountz = handle_accountz, handle_accstatz = handle_accstatz }
