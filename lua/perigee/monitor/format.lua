--- How monitoring writes spans of time.

local SECOND = 1000000000LL

--- "1y2d3h4m5s": units above the largest that is not zero are left out, those below are not. Fractions are cut.
-- @param ns nanoseconds, a number or int64_t
local function uptime(ns)
  local seconds = tonumber((ns + 0LL) / SECOND)
  local minutes = math.floor(seconds / 60)
  local hours = math.floor(minutes / 60)
  local days = math.floor(hours / 24)
  local years = math.floor(days / 365)
  if years > 0 then return ("%dy%dd%dh%dm%ds"):format(years, days % 365, hours % 24, minutes % 60, seconds % 60) end
  if days > 0 then return ("%dd%dh%dm%ds"):format(days, hours % 24, minutes % 60, seconds % 60) end
  if hours > 0 then return ("%dh%dm%ds"):format(hours, minutes % 60, seconds % 60) end
  if minutes > 0 then return ("%dm%ds"):format(minutes, seconds % 60) end
  return ("%ds"):format(seconds)
end

-- A decimal fraction of `digits` digits, without zeros at its end and without the point if nothing is left.
local function with_fraction(whole, fraction, digits)
  local text = ("%0" .. digits .. "d"):format(fraction):gsub("0+$", "")
  return text == "" and tostring(whole) or whole .. "." .. text
end

--- A duration as Go prints it: "0s", "87µs", "1.234567ms", "2.5s", "1m0.5s", "1h0m0s".
-- @param ns nanoseconds, not negative, below 2^53
local function duration(ns)
  local n = tonumber(ns)
  if n == 0 then return "0s" end
  if n < 1e3 then return ("%dns"):format(n) end
  if n < 1e6 then return with_fraction(math.floor(n / 1e3), n % 1e3, 3) .. "µs" end
  if n < 1e9 then return with_fraction(math.floor(n / 1e6), n % 1e6, 6) .. "ms" end
  local seconds = math.floor(n / 1e9)
  local text = with_fraction(seconds % 60, n % 1e9, 9) .. "s"
  if seconds < 60 then return text end
  text = ("%dm"):format(math.floor(seconds / 60) % 60) .. text
  if seconds < 3600 then return text end
  return ("%dh"):format(math.floor(seconds / 3600)) .. text
end

--- A round trip time: what is below a millisecond is cut to microseconds, of which there is at least one.
local function rtt(ns)
  local n = tonumber(ns or 0)
  if n > 1e3 and n < 1e6 then n = n - n % 1e3 end
  return duration(n)
end

return { uptime = uptime, duration = duration, rtt = rtt }
