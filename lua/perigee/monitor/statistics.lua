--- Statistics of the subject index, as /subsz and /accountz show them.
local fields = {
  { name = "num_subscriptions", type = "uint" },
  { name = "num_cache", type = "uint" },
  { name = "num_inserts", type = "uint" },
  { name = "num_removes", type = "uint" },
  { name = "num_matches", type = "uint" },
  { name = "cache_hit_rate", type = "float" },
  { name = "max_fanout", type = "uint" },
  { name = "avg_fanout", type = "float" },
}

local function share(part, whole)
  local n = tonumber(whole or 0)
  return n > 0 and tonumber(part or 0) / n or 0
end

--- The members' values, from what a source tells of an index.
local function describe(raw)
  return {
    num_subscriptions = raw.num_subscriptions,
    num_cache = raw.num_cache,
    num_inserts = raw.num_inserts,
    num_removes = raw.num_removes,
    num_matches = raw.num_matches,
    cache_hit_rate = share(raw.cache_hits, raw.num_matches),
    max_fanout = raw.max_fanout,
    avg_fanout = share(raw.total_fanout, raw.num_fanout),
  }
end

return { fields = fields, describe = describe }
