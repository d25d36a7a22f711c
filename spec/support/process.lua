--- Child processes of the specs: started with their output in a file, ended by their id, never left behind.
-- A child dies with the interpreter that started it (the kernel's parent-death signal), however that one ends.
local ffi = require "ffi"
local socket = require "socket"

ffi.cdef [[
int fork(void);
int getpid(void);
int getppid(void);
int execv(const char *path, char *const argv[]);
void _exit(int status);
int waitpid(int pid, int *status, int options);
int kill(int pid, int sig);
int open(const char *path, int flags, ...);
int dup2(int from, int to);
int close_range(unsigned int first, unsigned int last, unsigned int flags);
int prctl(int option, ...);
int chdir(const char *path);
int setenv(const char *name, const char *value, int overwrite);
char *mkdtemp(char *template);
ssize_t readlink(const char *path, char *buffer, size_t size);
struct spec_limit { unsigned long soft, hard; };
int prlimit(int pid, int resource, const struct spec_limit *new_limit, struct spec_limit *old_limit);
]]
local C = ffi.C

local SIGNALS = { HUP = 1, INT = 2, KILL = 9, USR1 = 10, USR2 = 12, TERM = 15 }
local WNOHANG, PR_SET_PDEATHSIG, RLIMIT_NOFILE = 1, 1, 7
local O_RDONLY, O_WRONLY, O_CREAT, O_APPEND = 0, 1, 64, 1024
local MODE = 384 -- 0600
local MOST_FDS = 256

local Process = {}
Process.__index = Process

--- Polls `ready` until it returns something true; returns that, or nil and a message after `seconds`.
local function wait_for(ready, seconds, what)
  local deadline = socket.gettime() + (seconds or 5)
  while true do
    local result = ready()
    if result then return result end
    if socket.gettime() > deadline then
      return nil, ("still no %s after %g s"):format(what or "result", seconds or 5)
    end
    socket.sleep(0.002)
  end
end

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

--- A new empty directory below the system's temporary one. The caller removes it with remove_dir().
local function make_dir()
  local template = (os.getenv("TMPDIR") or "/tmp") .. "/perigee-spec-XXXXXX"
  local buffer = ffi.new("char[?]", #template + 1, template)
  assert(C.mkdtemp(buffer) ~= nil, "cannot make a temporary directory")
  return ffi.string(buffer)
end

local function remove_dir(path)
  assert(path:find("/perigee-spec-", 1, true), "not a directory of the specs: " .. path)
  os.execute("rm -rf '" .. path .. "'")
end

local function redirect(path, flags, fd)
  local from = C.open(path, flags, ffi.cast("int", MODE))
  if from < 0 then C._exit(126) end
  C.dup2(from, fd)
end

-- What the child does between fork and exec. A parent that ended before it could ask for the signal has another id by now.
local function become(program, argv, options, parent)
  C.prctl(PR_SET_PDEATHSIG, ffi.cast("long", SIGNALS.KILL))
  if C.getppid() ~= parent then C._exit(126) end
  redirect("/dev/null", O_RDONLY, 0)
  redirect(options.stdout, O_WRONLY + O_CREAT + O_APPEND, 1)
  redirect(options.stderr or options.stdout, O_WRONLY + O_CREAT + O_APPEND, 2)
  C.close_range(3, 0x7fffffff, 0)
  if options.directory then C.chdir(options.directory) end
  for name, value in pairs(options.environment or {}) do C.setenv(name, value, 1) end
  C.execv(program, argv)
  C._exit(127)
end

--- Starts a program.
-- @param program string  its path; also what it is called by
-- @param arguments string[]
-- @param options {stdout=path, stderr=path|nil (same as stdout), directory=path|nil, environment={name=value}|nil}
local function start(program, arguments, options)
  local argv = ffi.new("char *[?]", #arguments + 2)
  local kept = { program, unpack(arguments) }
  for i, text in ipairs(kept) do argv[i - 1] = ffi.cast("char *", text) end
  local parent = C.getpid()
  local pid = C.fork()
  if pid == 0 then become(program, argv, options, parent) end
  assert(pid > 0, "cannot fork")
  local self = setmetatable({ pid = pid, stdout = options.stdout, stderr = options.stderr }, Process)
  self.sentinel = newproxy(true)
  getmetatable(self.sentinel).__gc = function() self:stop("KILL") end
  return self
end

--- Whether it has ended; sets `code` (the exit status) or `signal` once it has.
function Process:ended()
  if self.done then return true end
  local status = ffi.new("int[1]")
  if C.waitpid(self.pid, status, WNOHANG) ~= self.pid then return false end
  self.done = true
  local word = status[0]
  if word % 128 == 0 then self.code = math.floor(word / 256) % 256 else self.signal = word % 128 end
  return true
end

function Process:wait(seconds)
  return wait_for(function() return self:ended() end, seconds or 10, "end of process " .. self.pid)
end

function Process:kill(name)
  if not self:ended() then C.kill(self.pid, SIGNALS[name]) end
end

--- Whether one of its (first) descriptors is the socket of this inode.
function Process:holds(inode)
  local wanted, link = ("socket:[%d]"):format(inode), ffi.new("char[64]")
  for fd = 0, MOST_FDS - 1 do
    local length = C.readlink(("/proc/%d/fd/%d"):format(self.pid, fd), link, ffi.sizeof(link))
    if length > 0 and ffi.string(link, length) == wanted then return true end
  end
  return false
end

--- Leaves it `spare` descriptors more than it has open now.
function Process:limit_descriptors(spare)
  local highest, link = 0, ffi.new("char[64]")
  for fd = 0, MOST_FDS - 1 do
    if C.readlink(("/proc/%d/fd/%d"):format(self.pid, fd), link, ffi.sizeof(link)) > 0 then highest = fd end
  end
  local limit = ffi.new("struct spec_limit", highest + 1 + spare, highest + 1 + spare)
  assert(C.prlimit(self.pid, RLIMIT_NOFILE, limit, nil) == 0, "cannot limit its descriptors")
end

--- Ends it for certain: by `name` (default TERM), after five seconds by SIGKILL.
function Process:stop(name)
  if self:ended() then return end
  self:kill(name or "TERM")
  if not self:wait(5) then
    self:kill("KILL")
    self:wait(5)
  end
end

return {
  start = start,
  wait_for = wait_for,
  read_file = read_file,
  make_dir = make_dir,
  remove_dir = remove_dir,
}
