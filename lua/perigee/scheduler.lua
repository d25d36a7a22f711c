--- Coroutines over the core's events: the only place that knows about them.
--
-- A task is a coroutine. It may sleep, or ask the workers something and wait for the answers; meanwhile others run. run()
-- pulls events until stop() and gives each to the handler of its kind, as a task of its own.
local core = require "perigee.core"

local TURN_NS = 1e6       -- a task that gives way runs as long as this at once
local EVENTS_BETWEEN = 64 -- events served before it goes on

local handlers = {}   -- kind -> function(event)
local waiting = {}    -- request number -> coroutine
local sleepers = {}   -- list of {at_ns=, task=}, unsorted: there are few
local ready = {}      -- tasks that gave way, in their order
local resumed_ns = 0  -- when the task that runs was resumed
local next_request = 1
local stopping = false

local function resume(task, ...)
  resumed_ns = core.monotonic_ns()
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

--- Gives way if the running task has run for a millisecond: whoever walks through much calls this on the way.
local function breathe()
  local task, main = coroutine.running()
  if not task or main or core.monotonic_ns() - resumed_ns < TURN_NS then return end
  ready[#ready + 1] = task
  coroutine.yield()
end

--- A gate that lets in `most` tasks at a time; the others wait in line. Whoever enters leaves, whatever happens in between.
-- @return function enter, function leave
local function gate(most)
  local inside, line = 0, {}
  local function enter()
    if inside < most then
      inside = inside + 1
      return
    end
    line[#line + 1] = coroutine.running()
    coroutine.yield()
  end
  local function leave()
    local next_task = table.remove(line, 1)
    if next_task then ready[#ready + 1] = next_task else inside = inside - 1 end
  end
  return enter, leave
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

-- Serves what has happened, waiting only if nobody is ready to go on.
local function take_events()
  for _ = 1, #ready > 0 and EVENTS_BETWEEN or 1 do
    local event = core.next_event(#ready > 0 and 0 or wait_ms())
    if not event then return end
    dispatch(event)
  end
end

--- Serves events until stop() is called.
local function run()
  while not stopping do
    take_events()
    wake_sleepers()
    local task = table.remove(ready, 1)
    if task then resume(task) end
  end
end

local function stop() stopping = true end

return {
  spawn = spawn, on = on, sleep = sleep, breathe = breathe, gate = gate, request = request, run = run, stop = stop,
}
