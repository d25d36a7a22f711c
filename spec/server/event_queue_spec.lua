-- What waits for the control plane is bounded, however long it is busy: here it looks at nothing until all is done. The core
-- runs inside the spec.
local core = require "perigee.core"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local CLIENTS, SUBSCRIPTIONS, MIB = 40, 4000, 1024 * 1024
local SECOND = 1000000000LL

describe("The queue of events", function()
  local listener

  setup(function()
    assert(core.log_configure { log_file = "/dev/null" })
    local info = { head = 'INFO {"server_id":"S"', tail = "}\r\n" }
    assert(core.start(1, {
      max_payload = MIB, max_pending = 64 * MIB, max_connections = 1000, max_control_line = 4096, ping_max = 2,
      ping_interval_ns = 120 * SECOND, write_deadline_ns = 10 * SECOND, first = info, connected = info,
    }))
    listener = assert(core.bind("127.0.0.1", 0))
    core.accept_clients(listener)
  end)

  teardown(function() core.stop() end)

  local function total(name) return tonumber(core.totals()[name]) end

  local function closed_events(count)
    local events = {}
    while #events < count do
      local event = assert(core.next_event(5000), "an event is missing")
      if event.kind == "closed" then events[#events + 1] = event end
    end
    return events
  end

  local function come_and_go(subscriptions, filler)
    local connection = wire.connect(listener.port)
    connection:expect()
    local lines = {}
    for i = 1, subscriptions do lines[i] = ("SUB %s.%d %d\r\n"):format(filler, i, i) end
    connection:send(table.concat(lines))
    for _ = 1, subscriptions do connection:expect() end
    connection:close()
    assert(process.wait_for(function() return total("clients") == 0 end, 20))
  end

  it("holds every closed connection, those that come late without a list of subscriptions", function()
    local filler = ("x"):rep(200)
    for _ = 1, CLIENTS do come_and_go(SUBSCRIPTIONS, filler) end
    local bytes, listed = 0, 0
    for _, event in ipairs(closed_events(CLIENTS)) do
      local c = core.connection_from(event.record)
      bytes = bytes + #event.record
      assert.equal(SUBSCRIPTIONS, c.subscriptions)
      if c.subscriptions_list then listed = listed + 1 end
    end
    assert.is_true(bytes < 20 * MIB, bytes .. " bytes were queued")
    assert.is_true(listed > 0 and listed < CLIENTS, listed .. " had a list")
  end)

  it("has short lists of subscriptions with long subjects", function()
    come_and_go(1000, ("x"):rep(4000))
    local record = closed_events(1)[1].record
    assert.is_true(#record < 1.1 * MIB, #record .. " bytes")
    assert.is_true(#core.connection_from(record).subscriptions_list > 200)
  end)
end)
