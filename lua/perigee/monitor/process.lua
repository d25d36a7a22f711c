--- The memory and the processor time of this process, from /proc.
--
-- Processor time is sampled once a second; what is reported is the time of the last full second, in percent of one core, all
-- threads together, with one decimal.
local TICKS_PER_SECOND = 100
local UTIME, STIME, RSS = 14, 15, 24 -- columns of /proc/self/stat

-- The columns. The second is the program's name in brackets, which may hold blanks and brackets itself.
local function columns(stat)
  local list = { "", "" }
  for word in (stat:match("^.*%)%s(.*)$") or ""):gmatch("%S+") do list[#list + 1] = tonumber(word) or word end
  return list
end

local function read_stat()
  local file = io.open("/proc/self/stat")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

local process = {}
process.__index = process

--- Remembers the processor time used so far: to be called every second.
-- @param now_ns  a clock that does not jump
function process:sample(now_ns)
  local stat = columns(self.read())
  if not stat[RSS] then return end
  local ticks = stat[UTIME] + stat[STIME]
  local seconds = self.sampled_ns and tonumber(now_ns - self.sampled_ns) / 1e9
  if seconds and seconds > 0 then
    self.cpu = math.floor((ticks - self.ticks) / TICKS_PER_SECOND / seconds * 1000) / 10
  end
  self.sampled_ns, self.ticks = now_ns, ticks
end

--- @return table  cpu: percent; mem: resident bytes
function process:usage() return { cpu = self.cpu, mem = (columns(self.read())[RSS] or 0) * self.page_bytes } end

--- @param options table|nil  read: function that returns the text of /proc/self/stat; page_bytes (4096)
local function new(options)
  options = options or {}
  return setmetatable({ read = options.read or read_stat, page_bytes = options.page_bytes or 4096, cpu = 0, ticks = 0 }, process)
end

return { new = new }
