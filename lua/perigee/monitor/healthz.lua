--- /healthz: whether the server is fit to serve. JetStream is not configured in this version, so its checks end before they begin.
local json = require "perigee.json"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"
local text = require "perigee.config.text"

local schema = json.schema({
  { name = "status", type = "string" },
  { name = "error", type = "string", omit = true },
  { name = "errors", type = "array", omit = true, of = {
    { name = "type", type = "string" },
    { name = "account", type = "string", omit = true },
    { name = "stream", type = "string", omit = true },
    { name = "consumer", type = "string", omit = true },
    { name = "error", type = "string" },
  } },
})

-- The first thing that is wrong: status code, type and text; or nothing.
local function find_problem(source, wanted)
  if wanted.account == "" and wanted.stream ~= "" then
    return 400, "BAD_REQUEST", '"account" must not be empty when checking stream health'
  end
  if wanted.stream == "" and wanted.consumer ~= "" then
    return 400, "BAD_REQUEST", '"stream" must not be empty when checking consumer health'
  end
  local missing = source.not_ready()
  if #missing > 0 then
    return 500, "CONNECTION", "failed to be ready for connections after 1ms: " .. table.concat(missing, ", ")
  end
end

--- The document and the status code it goes with.
-- @param wanted table  account, stream, consumer (strings), details (boolean)
local function build(source, wanted)
  local code, kind, problem = find_problem(source, wanted)
  if not code then return { status = "ok" }, 200 end
  if wanted.details then
    source.log("warn", "Healthcheck failed: 1 errors")
    return { status = "error", errors = { { type = kind, error = problem } } }, code
  end
  source.log("warn", "Healthcheck failed: " .. text.quote(problem))
  return { status = "error", error = problem }, code
end

local function handle(request, source, count)
  count("/healthz")
  local parameters = request.parameters
  local enabled, wrong = query.boolean(parameters, "js-enabled")
  if wrong then return reply.bad(wrong) end
  if enabled then source.log("warn", "Healthcheck: js-enabled deprecated, use js-enabled-only instead") end
  local wanted, problem = query.read(parameters, { "js-enabled-only", query.boolean }, { "js-server-only", query.boolean },
    { "js-meta-only", query.boolean }, { "details", query.boolean })
  if not wanted then return reply.bad(problem) end
  for _, name in ipairs { "account", "stream", "consumer" } do wanted[name] = parameters[name] or "" end
  local document, code = build(source, wanted)
  return reply.encoded(schema, document, code, 0)
end

return { build = build, handle = handle }
