-- Whatever Lua does, messages between clients go on: the control plane is a thread of its own, and no message waits for it.
if not package.preload["perigee.json"] then
  describe("A busy control plane", function()
    pending("needs perigee-lua, in which a server with a handler of the spec's own runs")
  end)
  return
end

local ffi = require "ffi"
local process = require "spec.support.process"
local socket = require "socket"
local wire = require "spec.support.wire"

local SECONDS = 60

-- A server like any other, but for one page of the monitoring port: whoever asks for it keeps Lua busy for a second.
local SCRIPT = [[
local core = require "perigee.core"
local monitoring = require "perigee.monitoring"
local make = monitoring.new

monitoring.new = function(server)
  local handle = make(server)
  return function(request)
    if request.path ~= "/busy" then return handle(request) end
    local till = core.monotonic_ns() + 1e9
    while core.monotonic_ns() < till do end
    core.http_answer(request.id, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbusy")
  end
end

return require "perigee.main" ()
]]

local function interpreter()
  local path = ffi.new("char[4096]")
  local length = ffi.C.readlink("/proc/self/exe", path, 4096)
  return ffi.string(path, length)
end

describe("A Lua handler that busy-loops for a second", function()
  local child, directory, port, http_port

  setup(function()
    directory = process.make_dir()
    local file = assert(io.open(directory .. "/busy.lua", "w"))
    file:write(SCRIPT)
    file:close()
    child = process.start(interpreter(),
      { directory .. "/busy.lua", "-a", "127.0.0.1", "-p", "-1", "-m", "-1" }, { stdout = directory .. "/log" })
    local log = assert(process.wait_for(function()
      local text = process.read_file(directory .. "/log")
      return text:find("Server is ready", 1, true) and text
    end, SECONDS))
    port = tonumber(log:match("Listening for client connections on 127%.0%.0%.1:(%d+)"))
    http_port = tonumber(log:match("Starting http monitor on 127%.0%.0%.1:(%d+)"))
  end)

  teardown(function()
    child:stop("INT")
    process.remove_dir(directory)
  end)

  local function client(subject)
    local connection = wire.connect(port)
    connection:send(('CONNECT {"verbose":false}\r\nSUB %s 1\r\n'):format(subject))
    connection:sync()
    return connection
  end

  -- A request whose answer is not waited for; returns a function that tells whether it has come.
  local function ask_for_busy_page()
    local sock = assert(socket.connect("127.0.0.1", http_port))
    sock:send("GET /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    sock:settimeout(0)
    local seen = ""
    return function()
      local text, _, part = sock:receive("*a")
      seen = seen .. (text or part)
      return seen:find("busy", 1, true) ~= nil
    end
  end

  it("does not delay a message between clients, on one worker or over two", function()
    local a, b = client "to.a", client "to.b"
    local answered = ask_for_busy_page()
    local trips, longest, begun = 0, 0, socket.gettime()
    while not answered() do
      local at = socket.gettime()
      a:send("PUB to.b 1\r\nx\r\n")
      b:expect()
      b:send("PUB to.a 1\r\ny\r\n")
      a:expect()
      trips, longest = trips + 1, math.max(longest, socket.gettime() - at)
    end
    local took = socket.gettime() - begun
    assert.is_true(took > 0.9, ("the page came after %.3f s"):format(took))
    assert.is_true(trips > 50, ("only %d round trips"):format(trips))
    assert.is_true(longest < 0.5, ("a round trip took %.3f s"):format(longest))
  end)
end)
