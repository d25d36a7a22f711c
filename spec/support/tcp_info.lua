--- What the kernel counts for one TCP socket of this process (getsockopt TCP_INFO).
local ffi = require "ffi"

ffi.cdef [[
int getsockopt(int fd, int level, int name, void *value, unsigned int *size);
]]

local IPPROTO_TCP, TCP_INFO = 6, 11
local SIZE, DATA_SEGS_IN = 256, 152 -- offset of tcpi_data_segs_in in struct tcp_info

--- Segments with data that this descriptor has received.
local function segments(fd)
  local info, size = ffi.new("uint8_t[?]", SIZE), ffi.new("unsigned int[1]", SIZE)
  assert(ffi.C.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, size) == 0, "the kernel tells nothing of the socket")
  assert(size[0] >= DATA_SEGS_IN + 4, "the kernel counts no segments")
  return ffi.cast("uint32_t *", info + DATA_SEGS_IN)[0]
end

return { segments = segments }
