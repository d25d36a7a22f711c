--- Part of a list, as `offset` and `limit` ask for it.
local DEFAULT_LIMIT = 1024

-- Both may be as large as 2^63-1, and then are cdata.
local function clamp(value, most)
  if value > most then return most end
  return tonumber(value)
end

--- What counts of an offset and a limit that were asked for.
local function bounds(offset, limit)
  if offset < 0 then offset = 0 end
  if limit <= 0 then limit = DEFAULT_LIMIT end
  return offset, limit
end

--- The elements behind the first `offset`, at most `limit` of them.
local function cut(list, offset, limit)
  local first = clamp(offset, #list)
  local page = {}
  for i = 1, clamp(limit, #list - first) do page[i] = list[first + i] end
  return page
end

return { bounds = bounds, cut = cut }
