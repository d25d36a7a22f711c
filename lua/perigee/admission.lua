--- Decides on each CONNECT. As long as there are no users, everybody is admitted into $G; what names an account or asks
-- for a new one is refused (CP-032), whatever else it says.
local core = require "perigee.core"

local GLOBAL_ACCOUNT = 0
local AUTHENTICATION_FAILURE = 3

local function on_connect(event)
  if event.new_account or event.account ~= "" then
    core.refuse(event.id, "Authorization Violation", AUTHENTICATION_FAILURE)
    return
  end
  core.admit(event.id, GLOBAL_ACCOUNT)
end

return { on_connect = on_connect }
