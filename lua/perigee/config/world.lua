--- The files and the environment of this process, as the configuration reads them.

-- A configuration larger than this is refused, so that a wrong path (a device, a log) does not eat the memory.
local MAX_FILE_BYTES = 64 * 1024 * 1024

local REASONS = { ["No such file or directory"] = "no such file or directory", ["Permission denied"] = "permission denied" }

--- The text of a file.
-- @return string | nil, message in Go's words
local function readfile(path)
  local file, message = io.open(path, "rb")
  if not file then
    local reason = message:sub(#path + 3)
    return nil, ("open %s: %s"):format(path, REASONS[reason] or reason:lower())
  end
  local text, failure = file:read(MAX_FILE_BYTES + 1)
  file:close()
  if not text and failure then return nil, ("read %s: %s"):format(path, failure:gsub("^.*: ", ""):lower()) end
  text = text or ""
  if #text > MAX_FILE_BYTES then return nil, ("read %s: file is larger than %d bytes"):format(path, MAX_FILE_BYTES) end
  return text
end

--- The number of processor cores that this process may use; 1 if that is not known.
local function cores()
  local status = io.open("/proc/self/status", "r")
  local list = status and status:read("*a"):match("Cpus_allowed_list:%s*([%d,%-]+)")
  if status then status:close() end
  local count = 0
  for first, last in (list or ""):gmatch("(%d+)%-?(%d*)") do
    count = count + (last == "" and 1 or tonumber(last) - tonumber(first) + 1)
  end
  return math.max(count, 1)
end

return { readfile = readfile, getenv = os.getenv, cores = cores }
