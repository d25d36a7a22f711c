--- Rules that span options. They hold at start and after a reload; the first that is broken is the error.
local duration = require "perigee.config.duration"

--- @return true | nil, message
local function check(options)
  local grace, whole = options.lame_duck_grace_period_ns, options.lame_duck_duration_ns
  if whole > 0 and grace >= whole then
    return nil, ("lame duck grace period (%s) should be strictly lower than lame duck duration (%s)"):format(
      duration.format(grace), duration.format(whole))
  end
  if options.max_payload > options.max_pending then
    return nil, ("max_payload (%d) cannot be higher than max_pending (%.0f)"):format(options.max_payload, options.max_pending)
  end
  if options.server_name and options.server_name:find(" ", 1, true) then
    return nil, "server name cannot contain spaces"
  end
  if options.workers < 1 or options.workers > 64 then
    return nil, ("workers (%d) must be between 1 and 64"):format(options.workers)
  end
  return true
end

return { check = check }
