--- The orders of /connz. Connections that are equal stand in the order of their ids.
--
-- A key gives what is compared, a number or a string; times are counted from now, which keeps them exact. `descending` means the
-- largest first.
local merge_sort = require "perigee.monitor.merge_sort"

local function number(name) return function(c) return tonumber(c[name] or 0) end end
local function since(name) return function(c, now) return tonumber(c[name] - now) end end

local orders = {
  cid = { key = number "cid" },
  subs = { key = number "subscriptions", descending = true },
  pending = { key = number "pending_bytes", descending = true },
  msgs_to = { key = number "out_msgs", descending = true },
  msgs_from = { key = number "in_msgs", descending = true },
  bytes_to = { key = number "out_bytes", descending = true },
  bytes_from = { key = number "in_bytes", descending = true },
  last = { key = since "last_activity_ns", descending = true },
  idle = { key = since "last_activity_ns" },
  uptime = { key = function(c, now) return tonumber((c.stop_ns or now) - c.start_ns) end },
  stop = { key = since "stop_ns", descending = true, closed_only = true },
  reason = { key = function(c) return c.reason or "" end, closed_only = true },
  rtt = { key = number "rtt_ns", descending = true },
}
orders.start = orders.cid
orders[""] = orders.cid

--- Whether connections of a state can be sorted so.
-- @param name   as in the request
-- @param state  "open", "closed" or "all"
-- @return true | nil, message
local function check(name, state)
  local order = orders[name]
  if not order then return nil, "invalid sorting option: " .. name end
  if order.closed_only and state ~= "closed" then
    return nil, ("sort by %s only valid on closed connections"):format(name)
  end
  return true
end

--- A list of connections, sorted.
-- @param breathe function  called on the way
local function sort(list, name, now, breathe)
  local order, keys = orders[name], {}
  for _, connection in ipairs(list) do keys[connection] = order.key(connection, now) end
  return merge_sort.sort(list, function(a, b)
    local x, y = keys[a], keys[b]
    if x == y then return a.cid < b.cid end
    if order.descending then return x > y end
    return x < y
  end, breathe)
end

return { check = check, sort = sort }
