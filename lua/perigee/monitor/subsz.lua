--- /subsz: statistics of the subject index, and the subscriptions of this server.
local json = require "perigee.json"
local connz_schema = require "perigee.monitor.connz_schema"
local page = require "perigee.monitor.page"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"
local statistics = require "perigee.monitor.statistics"

local fields = { { name = "server_id", type = "string" }, { name = "now", type = "time" } }
for _, field in ipairs(statistics.fields) do fields[#fields + 1] = field end
for _, field in ipairs {
  { name = "total", type = "int" },
  { name = "offset", type = "int" },
  { name = "limit", type = "int" },
  { name = "subscriptions_list", type = "array", of = connz_schema.subscription, omit = true },
} do fields[#fields + 1] = field end
local schema = json.schema(fields)

local function tokens_of(subject)
  local tokens = {}
  for token in (subject .. "."):gmatch("([^.]*)%.") do tokens[#tokens + 1] = token end
  return tokens
end

-- Whether one can publish to a subject: no empty tokens, none that are wildcards.
local function is_literal(tokens)
  for _, token in ipairs(tokens) do
    if token == "" or token == "*" or token == ">" then return false end
  end
  return true
end

-- Whether a message to a literal subject, of which the tokens are given, reaches a subscription to `pattern`.
local function reaches(tokens, pattern)
  local i = 0
  for token in (pattern .. "."):gmatch("([^.]*)%.") do
    i = i + 1
    if token == ">" then return #tokens >= i end
    if token ~= "*" and token ~= tokens[i] or not tokens[i] then return false end
  end
  return i == #tokens
end

local function entry_of(subscription)
  return {
    account = subscription.account, account_tag = subscription.account_tag or subscription.account,
    subject = subscription.subject, qgroup = subscription.queue, sid = subscription.sid,
    msgs = subscription.msgs, max = subscription.max, cid = subscription.cid,
  }
end

-- Lists what can be reached from the subject to test, if there is one.
local function list(source, account, tokens)
  local found = {}
  for _, subscription in ipairs(source.subscriptions(account)) do
    if not tokens or reaches(tokens, subscription.subject) then found[#found + 1] = subscription end
  end
  return found
end

--- The document.
-- @param wanted table  subs, offset, limit, test ("": anything), acc ("": all)
-- @return table | nil, message
local function build(source, wanted)
  local tokens
  if wanted.test ~= "" then
    tokens = tokens_of(wanted.test)
    if not is_literal(tokens) then return nil, "invalid test subject, must be valid publish subject: " .. wanted.test end
  end
  local account = wanted.acc ~= "" and wanted.acc or nil
  local document = statistics.describe(source.subscription_statistics(account))
  document.server_id = source.identity().id
  document.now = source.now_ns()
  document.total = 0
  document.offset, document.limit = page.bounds(wanted.offset, wanted.limit)
  if wanted.subs then
    local found = list(source, account, tokens)
    document.total = #found
    local shown = {}
    for i, subscription in ipairs(page.cut(found, document.offset, document.limit)) do shown[i] = entry_of(subscription) end
    document.subscriptions_list = shown
  end
  return document
end

local function handle(request, source, count)
  count("/subsz")
  local parameters = request.parameters
  local wanted, problem = query.read(parameters, { "subs", query.boolean }, { "offset", query.int }, { "limit", query.int })
  if not wanted then return reply.bad(problem) end
  wanted.test, wanted.acc = parameters.test or "", parameters.acc or ""
  local document, refused = build(source, wanted)
  if not document then return reply.bad(refused) end
  return reply.encoded(schema, document)
end

return { build = build, handle = handle }
