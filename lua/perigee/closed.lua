--- The last connections that closed, for /connz?state=closed: a ring of packed records, read when somebody asks.
--
-- The ring is bounded in entries, and the lists of subscriptions in bytes: beyond that the oldest entries lose theirs (their
-- number stays). Ten thousand connections with hundreds of subscriptions each would otherwise hold hundreds of megabytes.
local core = require "perigee.core"

local BYTES_MAX = 8 * 1024 * 1024

local ring, size, next_place = {}, 0, 1
local bytes, oldest_whole = 0, 1 -- all records; the place of the oldest one that still has its list

--- Sets how many are kept (max_closed_clients).
local function keep(count) size = count end

local function put(place, record)
  bytes = bytes - #(ring[place] or "") + #record
  ring[place] = record
end

local function shorten_oldest()
  for _ = 1, #ring do
    if bytes <= BYTES_MAX then return end
    put(oldest_whole, core.connection_without_list(ring[oldest_whole]))
    oldest_whole = oldest_whole % #ring + 1
  end
end

local function on_closed(event)
  if size <= 0 then return end
  put(next_place, event.record)
  if oldest_whole == next_place and #ring == size then oldest_whole = next_place % size + 1 end
  next_place = next_place % size + 1
  shorten_oldest()
end

--- All that are kept, as core.connection_from() reads them.
local function list()
  local found = {}
  for _, record in ipairs(ring) do found[#found + 1] = core.connection_from(record) end
  return found
end

return { keep = keep, on_closed = on_closed, list = list, bytes = function() return bytes end, BYTES_MAX = BYTES_MAX }
