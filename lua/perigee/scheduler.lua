--- Coroutines over the core's events: the only place that knows about them.
--
-- A task is a coroutine. It may sleep, or ask the workers something and wait for the answers; meanwhile others run. run()
-- pulls events until stop() and gives each to the handler of its kind, as a task of its own.
local core = require "perigee.core"

local handlers = {}   -- kind -> function(event)
local waiting = {}    -- request number -> coroutine
local sleepers = {}   -- list of {at_ns=, task=}, unsorted: there are few
local next_request = 1
local stopping = false

local function resume(task, ...)
  local ok, message = coroutine.resume(task, ...)
  if not ok then core.log("error", "control plane: " .. debug.traceback(task, tostring(message))) end
end

--- Starts a task.
local function spawn(work, ...)
  resume(coroutine.create(work), ...)
end

--- Sets what is done with events of a kind.
local function on(kind, handler) handlers[kind] = handler end

--- Lets the running task wait for `ms` milliseconds.
local function sleep(ms)
  sleepers[#sleepers + 1] = { at_ns = core.monotonic_ns() + ms * 1e6, task = coroutine.running() }
  coroutine.yield()
end

--- Asks by calling ask(request number) and waits for the one answer event.
local function request(ask)
  local number = next_request
  next_request = next_request + 1
  waiting[number] = coroutine.running()
  ask(number)
  local answer = coroutine.yield()
  waiting[number] = nil
  return answer
end

local function wake_sleepers()
  local now = core.monotonic_ns()
  local due = {}
  for i = #sleepers, 1, -1 do
    if sleepers[i].at_ns <= now then due[#due + 1] = table.remove(sleepers, i) end
  end
  for i = #due, 1, -1 do resume(due[i].task) end
end

local function wait_ms()
  local first = math.huge
  for _, sleeper in ipairs(sleepers) do first = math.min(first, sleeper.at_ns) end
  if first == math.huge then return -1 end
  return math.max(0, math.ceil((first - core.monotonic_ns()) / 1e6))
end

local function dispatch(event)
  if event.kind == "answer" then
    local task = waiting[event.request]
    if task then resume(task, event) end
    return
  end
  local handler = handlers[event.kind]
  if handler then spawn(handler, event) end
end

--- Serves events until stop() is called.
local function run()
  while not stopping do
    local event = core.next_event(wait_ms())
    if event then dispatch(event) end
    wake_sleepers()
  end
end

local function stop() stopping = true end

return { spawn = spawn, on = on, sleep = sleep, request = request, run = run, stop = stop }
