--- What the kernel knows of TCP sockets on 127.0.0.1: who listens, and whether a peer has read what was sent to it.
-- It lets a spec wait for the fact itself where it would otherwise have to guess a pause. The kernel is asked by
-- netlink (sock_diag) for one socket at a time; /proc/net/tcp says the same, but takes it milliseconds to write.
local ffi = require "ffi"
local bit = require "bit"

ffi.cdef [[
struct spec_socket_id {
  uint16_t local_port, remote_port;
  uint32_t local_address[4], remote_address[4], interface, cookie[2];
};
struct spec_socket_request {
  uint32_t length; uint16_t type, flags; uint32_t sequence, port_id;
  uint8_t family, protocol, extensions, pad; uint32_t states;
  struct spec_socket_id id;
};
struct spec_socket_answer {
  uint32_t length; uint16_t type, flags; uint32_t sequence, port_id;
  uint8_t family, state, timer, retransmits;
  struct spec_socket_id id;
  uint32_t expires, unread, unsent, user, inode;
  uint8_t more[4096];
};
int socket(int family, int type, int protocol);
ssize_t send(int fd, const void *bytes, size_t length, int flags);
ssize_t recv(int fd, void *bytes, size_t length, int flags);
]]
local C = ffi.C

local AF_INET, AF_NETLINK, SOCK_RAW, SOCK_DIAG = 2, 16, 3, 4
local SOCK_DIAG_BY_FAMILY, REQUEST, TCP = 20, 1, 6
local LOOPBACK = bit.bswap(0x7f000001)
local LISTEN, HEADER_BYTES = 10, 16

local netlink

-- A port as the kernel wants it: in network order.
local function network(port)
  return bit.bor(bit.lshift(bit.band(port, 0xff), 8), bit.rshift(port, 8))
end

-- The socket of this pair of ports, or nil if there is none. A remote port of 0 asks for the listener.
local function ask(port, remote_port)
  netlink = netlink or C.socket(AF_NETLINK, SOCK_RAW, SOCK_DIAG)
  assert(netlink >= 0, "the kernel gives no netlink socket")
  local request = ffi.new("struct spec_socket_request", {
    length = ffi.sizeof("struct spec_socket_request"), type = SOCK_DIAG_BY_FAMILY, flags = REQUEST,
    family = AF_INET, protocol = TCP, states = -1,
  })
  request.id.local_port, request.id.remote_port = network(port), network(remote_port)
  request.id.local_address[0] = LOOPBACK
  if remote_port ~= 0 then request.id.remote_address[0] = LOOPBACK end
  request.id.cookie[0], request.id.cookie[1] = -1, -1
  assert(C.send(netlink, request, request.length, 0) == request.length, "the kernel takes no question about sockets")
  local answer = ffi.new("struct spec_socket_answer")
  assert(C.recv(netlink, answer, ffi.sizeof(answer), 0) >= HEADER_BYTES, "the kernel does not answer")
  return answer.type == SOCK_DIAG_BY_FAMILY and answer or nil
end

--- The inode of the socket that listens on a port of 127.0.0.1, or nil if none does.
local function listener(port)
  local found = ask(port, 0)
  return found ~= nil and found.state == LISTEN and found.inode or nil
end

--- Bytes that arrived at `port` from `peer_port` and that the owner of `port` has not read yet; nil if there is no such
-- connection any more.
local function unread(port, peer_port)
  local found = ask(port, peer_port)
  if found == nil or found.state == LISTEN then return nil end
  return found.unread
end

return { listener = listener, unread = unread }
