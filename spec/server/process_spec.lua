-- What a server does as a process that scenarios cannot show, for they need to know its ports beforehand.
local http = require "spec.support.http"
local json = require "dkjson"
local process = require "spec.support.process"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

describe("A server on any free port", function()
  local child, directory

  before_each(function() directory = process.make_dir() end)

  after_each(function()
    if child then child:stop("TERM") end
    child = nil
    process.remove_dir(directory)
  end)

  it("tells its ports in INFO, in the log and in the ports file", function()
    local name = directory .. "/nats-server"
    os.execute(("ln -s '%s' '%s'"):format(assert(server.perigee()).path, name))
    child = process.start(name, { "-a", "127.0.0.1", "-p", "-1", "-m", "-1", "--ports_file_dir", directory },
      { stdout = directory .. "/log" })
    local path = ("%s/nats-server_%d.ports"):format(directory, child.pid)
    local ports = assert(process.wait_for(function() return json.decode(process.read_file(path)) end, 20, "ports file"))
    local port = tonumber(ports.nats[1]:match("^nats://127%.0%.0%.1:(%d+)$"))
    local http_port = tonumber(ports.monitoring[1]:match("^http://127%.0%.0%.1:(%d+)$"))
    assert.truthy(wire.connect(port):expect():find(('"port":%d,'):format(port), 1, true))
    local varz = assert(http.get(http_port, "/varz")).json
    assert.same({ port, -1 }, { varz.port, varz.http_port })
    local log = process.read_file(directory .. "/log")
    assert.truthy(log:find(("Listening for client connections on 127.0.0.1:%d\n"):format(port), 1, true), log)
    assert.truthy(log:find(("Starting http monitor on 127.0.0.1:%d\n"):format(http_port), 1, true), log)
  end)
end)

describe("A server that is asked to reload", function()
  it("refuses, says why, and keeps what it was started with", function()
    local running = assert(server.start(assert(server.perigee()), { config = "max_payload: 1000\n" }))
    local before = assert(http.get(running.http_port, "/varz")).json
    local file = assert(io.open(running.directory .. "/server.conf", "w"))
    file:write("max_payload: 2000\n")
    file:close()
    running.process:kill("HUP")
    local why = process.wait_for(function()
      return running:log_text():match("%[ERR%] Failed to reload server configuration: ([^\n]+)")
    end)
    local after = assert(http.get(running.http_port, "/varz")).json
    running:stop()
    assert.truthy(why and why:find("not supported by this version of perigee", 1, true), why)
    assert.same({ 1000, before.config_digest, before.config_load_time },
      { after.max_payload, after.config_digest, after.config_load_time })
  end)
end)

describe("--signal", function()
  local children, directory

  before_each(function() children, directory = {}, process.make_dir() end)

  after_each(function()
    for _, child in ipairs(children) do child:stop("KILL") end
    process.remove_dir(directory)
  end)

  it("reaches all servers whose process id begins so, and is refused where it is not clear which", function()
    -- A name of their own, for the signal goes by it.
    local name = directory .. "/perigee-" .. directory:match("%w+$")
    os.execute(("ln -s '%s' '%s'"):format(assert(server.perigee()).path, name))
    local function run(...)
      local child = process.start(name, { ... }, { stdout = directory .. "/out" .. #children })
      children[#children + 1] = child
      return child
    end
    local function signal(argument)
      local child = run("--signal", argument)
      assert(child:wait())
      return child.code, process.read_file(child.stdout)
    end
    assert.same({ 1, ("perigee: no %s processes running\n"):format(name:match("[^/]*$")) }, { signal("quit") })
    local a, b = run("-a", "127.0.0.1", "-p", "-1"), run("-a", "127.0.0.1", "-p", "-1")
    for _, child in ipairs { a, b } do
      assert(process.wait_for(function() return process.read_file(child.stdout):find("Server is ready", 1, true) end, 20))
    end
    local code, text = signal("quit")
    assert.equal(1, code)
    assert.truthy(text:find("multiple", 1, true) and text:find(tostring(a.pid), 1, true) and text:find(tostring(b.pid), 1, true), text)
    assert.is_false(a:ended() or b:ended())
    assert.same({ 0, "" }, { signal("quit=" .. a.pid .. "*") })
    assert(a:wait())
    assert.same({ 0, false }, { a.code, b:ended() })
    assert.same({ 0, "" }, { signal("term=*") })
    assert(b:wait())
    assert.equal(0, b.code)
  end)
end)
