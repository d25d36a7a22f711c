-- How much memory a server has when nobody has come yet. Sanitizers have their own ideas of memory.
local http = require "spec.support.http"
local process = require "spec.support.process"
local server = require "spec.support.server"

local LIMIT = 12 * 1024 * 1024

-- Memory in bytes that the kernel counts as resident.
local function resident(pid)
  local status = process.read_file(("/proc/%d/status"):format(pid))
  return tonumber(status:match("VmRSS:%s+(%d+) kB")) * 1024
end

describe("The resident size after start without clients", function()
  if os.getenv("PERIGEE_BUILD") ~= "release" then
    pending("is measured in release builds")
    return
  end

  local function measure(flags, config)
    local running = assert(server.start(assert(server.perigee()), { flags = flags, config = config }))
    assert(process.wait_for(function() return running:log_text():find("Server is ready", 1, true) end, 20))
    local size = resident(running.process.pid)
    local answer = http.get(running.http_port, "/varz")
    running:stop()
    assert.equal(200, answer.status)
    return size
  end

  it("is below 12 MB with one worker", function()
    local size = measure { "--workers", "1" }
    assert.is_true(size < LIMIT, ("%.1f MB"):format(size / 1024 / 1024))
  end)

  it("is below 12 MB with one for each core, and with a configuration", function()
    local size = measure(nil, 'server_name: "small"\nmappings = { "a.*": "b.{{wildcard(1)}}" }\n')
    assert.is_true(size < LIMIT, ("%.1f MB"):format(size / 1024 / 1024))
  end)
end)
