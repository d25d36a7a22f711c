--- Processes: this one and others by name.
local ffi = require "ffi"

ffi.cdef [[
  int getpid(void);
  char *strerror(int number);
  int chmod(const char *path, unsigned mode);
]]

local OWNER_ONLY = 384 -- 0600

local function pid() return ffi.C.getpid() end

local function name_of(number)
  local file = io.open(("/proc/%d/cmdline"):format(number), "rb")
  if not file then return nil end
  local line = file:read("*a")
  file:close()
  return line:match("^([^%z]*)"):match("[^/]*$")
end

--- The numbers of running processes whose program has this base name, without this one.
local function named(name)
  local found, own = {}, pid()
  local list = io.popen("ls /proc")
  for entry in list:lines() do
    local number = tonumber(entry)
    if number and number ~= own and name_of(number) == name then found[#found + 1] = number end
  end
  list:close()
  table.sort(found)
  return found
end

local function error_text(number)
  local text = ffi.string(ffi.C.strerror(number))
  return text:sub(1, 1):lower() .. text:sub(2)
end

--- Writes a file. With `private`, nobody else may read it.
-- @return true | nil, message
local function write_file(path, text, private)
  local file, _, number = io.open(path, "w")
  if not file then return nil, ("open %s: %s"):format(path, error_text(number)) end
  if private then ffi.C.chmod(path, OWNER_ONLY) end
  file:write(text)
  file:close()
  return true
end

--- @return true | nil, message
local function remove_file(path)
  local ok, _, number = os.remove(path)
  if ok then return true end
  return nil, ("remove %s: %s"):format(path, error_text(number))
end

return { pid = pid, named = named, error_text = error_text, write_file = write_file, remove_file = remove_file }
