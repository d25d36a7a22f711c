--- Who this server is: fixed at start.
local core = require "perigee.core"

local NATS_VERSION = "2.15.2" -- what clients and tools decide by
local SYSTEM_ACCOUNT = "$SYS"

--- @param options table  effective options
--- @param version string  Perigee's own
local function new(options, version)
  local id = core.server_key()
  return {
    id = id,
    name = (options.server_name or "") ~= "" and options.server_name or id,
    version = NATS_VERSION,
    perigee = version,
    xkey = core.server_curve_key(),
    go = "perigee " .. version .. " (" .. jit.version .. ")",
    system_account = not options.no_system_account and SYSTEM_ACCOUNT or nil,
    start_ns = core.wall_ns(),
  }
end

return { new = new, NATS_VERSION = NATS_VERSION }
