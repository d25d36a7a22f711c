--- What --signal asks for: "reload", "quit=1234", "ldm=/run/perigee.pid".
local text = require "perigee.config.text"

local SIGNALS = {
  stop = "SIGKILL", quit = "SIGINT", term = "SIGTERM", reopen = "SIGUSR1", reload = "SIGHUP", ldm = "SIGUSR2",
}

--- Reads the value of the flag.
-- @return {command=, signal=, pid=} | nil, message. `pid` is as written, or what the file of that name holds; nil if none
-- was given.
local function parse(written, world)
  local parts = {}
  for part in (written .. "="):gmatch("([^=]*)=") do parts[#parts + 1] = part end
  if #parts > 2 then
    return nil, ("invalid signal parameters: [%s]"):format(table.concat(parts, " ", 3))
  end
  local signal = SIGNALS[parts[1]]
  if not signal then return nil, ("unknown signal %s"):format(text.quote(parts[1])) end
  local pid = parts[2] and (world.readfile(parts[2]) or parts[2])
  return { command = parts[1], signal = signal, pid = pid ~= "" and pid or nil }
end

return { parse = parse }
