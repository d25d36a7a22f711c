--- The orders of /connz. Connections that are equal stand in the order of their ids.
--
-- A key gives what is compared: numbers, int64_t or strings. `descending` means the largest first.
local orders = {
  cid = { key = function(c) return c.cid end },
  subs = { key = function(c) return c.subscriptions or 0 end, descending = true },
  pending = { key = function(c) return c.pending_bytes or 0 end, descending = true },
  msgs_to = { key = function(c) return c.out_msgs or 0 end, descending = true },
  msgs_from = { key = function(c) return c.in_msgs or 0 end, descending = true },
  bytes_to = { key = function(c) return c.out_bytes or 0 end, descending = true },
  bytes_from = { key = function(c) return c.in_bytes or 0 end, descending = true },
  last = { key = function(c) return c.last_activity_ns end, descending = true },
  idle = { key = function(c) return c.last_activity_ns end },
  uptime = { key = function(c, now) return (c.stop_ns or now) - c.start_ns end },
  stop = { key = function(c) return c.stop_ns end, descending = true, closed_only = true },
  reason = { key = function(c) return c.reason or "" end, closed_only = true },
  rtt = { key = function(c) return c.rtt_ns or 0 end, descending = true },
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

--- Sorts a list of connections in place.
local function sort(list, name, now)
  local order = orders[name]
  local keys = {}
  for _, connection in ipairs(list) do keys[connection] = order.key(connection, now) end
  table.sort(list, function(a, b)
    local x, y = keys[a], keys[b]
    if x ~= y then
      if order.descending then x, y = y, x end
      return x < y
    end
    return a.cid < b.cid
  end)
end

return { check = check, sort = sort }
