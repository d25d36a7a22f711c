--- `--signal cmd[=pid]`: sends a signal to a running server.
local core = require "perigee.core"
local process = require "perigee.process"

local NUMBERS = { SIGHUP = 1, SIGINT = 2, SIGKILL = 9, SIGUSR1 = 10, SIGUSR2 = 12, SIGTERM = 15 }

local function fail(program, message)
  io.stderr:write(program == "nats-server" and program or "perigee", ": ", message, "\n")
  return 1
end

--- The processes that `pid` names: one, or with a trailing * all whose number begins like it; without a pid the only one
-- of this program's name.
local function targets(pid, program)
  local running = process.named(program)
  if pid and pid:sub(-1) == "*" then
    local found = {}
    for _, p in ipairs(running) do
      if tostring(p):sub(1, #pid - 1) == pid:sub(1, -2) then found[#found + 1] = p end
    end
    return found
  end
  if pid then
    local number = tonumber(pid)
    if not number or not pid:match("^%d+$") then return nil, "invalid pid: " .. pid end
    return { number }
  end
  if #running == 0 then return nil, ("no %s processes running"):format(program) end
  if #running > 1 then
    return nil, ("multiple %s processes running:\n%s"):format(program, table.concat(running, "\n"))
  end
  return running
end

--- @return number  the exit code
local function send(signal, argv0)
  local program = argv0:match("[^/]*$")
  local pids, message = targets(signal.pid, program)
  if not pids then return fail(program, message) end
  local failures = {}
  for _, pid in ipairs(pids) do
    local failed = core.send_signal(pid, NUMBERS[signal.signal])
    if failed ~= 0 then
      failures[#failures + 1] = ('\nsignal "%s" %d: %s'):format(signal.command, pid, process.error_text(failed))
    end
  end
  if #failures > 0 then return fail(program, table.concat(failures)) end
  return 0
end

return { send = send }
