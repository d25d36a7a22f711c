-- Run as a program: holds many connections to a server until it is killed. `<port> <count>`
-- Each has said CONNECT; the n-th has n % 10 subscriptions. "ready" is printed once the server has acted on all.
local ffi = require "ffi"

ffi.cdef [[
struct hold_address { unsigned short family, port; unsigned char ip[4]; char zero[8]; };
struct hold_limit { unsigned long soft, hard; };
int socket(int domain, int type, int protocol);
int connect(int fd, const struct hold_address *address, unsigned size);
ssize_t write(int fd, const void *bytes, size_t size);
ssize_t read(int fd, void *bytes, size_t size);
int getrlimit(int resource, struct hold_limit *limit);
int setrlimit(int resource, const struct hold_limit *limit);
int pause(void);
]]
local C = ffi.C
local AF_INET, SOCK_STREAM, RLIMIT_NOFILE = 2, 1, 7

local port, count = tonumber(arg[1]), tonumber(arg[2])

local limit = ffi.new("struct hold_limit")
C.getrlimit(RLIMIT_NOFILE, limit)
limit.soft = limit.hard
C.setrlimit(RLIMIT_NOFILE, limit)

local address = ffi.new("struct hold_address", { family = AF_INET, ip = { 127, 0, 0, 1 } })
address.port = bit.rshift(bit.bswap(port), 16)

local function hold(n)
  local fd = C.socket(AF_INET, SOCK_STREAM, 0)
  assert(fd >= 0 and C.connect(fd, address, ffi.sizeof(address)) == 0, "cannot connect number " .. n)
  local text = ('CONNECT {"verbose":false,"name":"held %d","lang":"lua"}\r\n'):format(n)
  for sid = 1, n % 10 do text = text .. ("SUB held.%d.%d %d\r\n"):format(n, sid, sid) end
  text = text .. "PING\r\n"
  assert(C.write(fd, text, #text) == #text)
  return fd
end

local function wait_for_pong(fd)
  local buffer, seen = ffi.new("char[4096]"), ""
  while not seen:find("PONG\r\n", 1, true) do
    local n = C.read(fd, buffer, 4096)
    assert(n > 0, "a connection was closed")
    seen = seen .. ffi.string(buffer, n)
  end
end

local held = {}
for n = 1, count do held[n] = hold(n) end
for _, fd in ipairs(held) do wait_for_pong(fd) end
io.stdout:write("ready\n")
io.stdout:flush()
C.pause()
