--- /stacksz, /ipqueuesz and /debug/vars: what goes on inside the process.
local json = require "perigee.json"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"

local QUEUES_INDENT = 3

local queues_schema = json.schema({ type = "map", of = {
  { name = "pending", type = "int" },
  { name = "in_progress", type = "int", omit = true },
} })
local command_schema = json.schema({ type = "array", of = "string" })
local memory_schema = json.schema({ type = "map", of = "uint" })

local function stacksz(_, source) return reply.document(source.stacks()) end

local function ipqueuesz(request, source)
  local all, problem = query.boolean(request.parameters, "all")
  if problem then return reply.bad(problem) end
  local filter = request.parameters.queues or ""
  local shown = {}
  for name, queue in pairs(source.queues()) do
    local busy = (queue.pending or 0) > 0 or (queue.in_progress or 0) > 0
    if (all or busy) and name:find(filter, 1, true) then shown[name] = queue end
  end
  return reply.encoded(queues_schema, shown, 200, QUEUES_INDENT)
end

-- Each variable is a line, as Go's expvar writes them.
local function variables(_, source)
  local command = assert(json.encode(command_schema, source.identity().command_line or {}))
  local memory = assert(json.encode(memory_schema, source.memory()))
  return {
    status = 200,
    headers = { { "Content-Type", "application/json; charset=utf-8" } },
    body = ('{\n"cmdline": %s,\n"memstats": %s\n}\n'):format(command, memory),
  }
end

return { stacksz = stacksz, ipqueuesz = ipqueuesz, variables = variables }
