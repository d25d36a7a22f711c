--- The last connections that closed, for /connz?state=closed: a ring of packed records, read when somebody asks.
local core = require "perigee.core"

local ring, size, next_place = {}, 0, 1

--- Sets how many are kept (max_closed_clients).
local function keep(count) size = count end

local function on_closed(event)
  if size <= 0 then return end
  ring[next_place] = event.record
  next_place = next_place % size + 1
end

--- All that are kept, as core.connection_from() reads them.
local function list()
  local found = {}
  for _, record in ipairs(ring) do found[#found + 1] = core.connection_from(record) end
  return found
end

return { keep = keep, on_closed = on_closed, list = list }
