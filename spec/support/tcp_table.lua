--- What the kernel knows of TCP sockets on this host: who listens, and whether a peer has read what was sent to it.
-- It lets a spec wait for the fact itself where it would otherwise have to guess a pause.
local LISTEN = "0A"

local function rows(visit)
  for _, path in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    local file = io.open(path)
    if file then
      for line in file:lines() do
        local here, there, state, unread =
          line:match("^%s*%d+: %x+:(%x+) %x+:(%x+) (%x+) %x+:(%x+)")
        if here and visit(tonumber(here, 16), tonumber(there, 16), state, tonumber(unread, 16)) then break end
      end
      file:close()
    end
  end
end

--- Whether any process listens on a port.
local function listens(port)
  local found = false
  rows(function(here, _, state)
    found = found or (here == port and state == LISTEN)
    return found
  end)
  return found
end

--- Bytes that arrived at `port` from `peer_port` and that the owner of `port` has not read yet; nil if there is no such
-- connection any more.
local function unread(port, peer_port)
  local bytes
  rows(function(here, there, _, count)
    if here == port and there == peer_port then bytes = count end
    return bytes ~= nil
  end)
  return bytes
end

return { listens = listens, unread = unread }
