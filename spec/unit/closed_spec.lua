-- The ring of closed connections: bounded in entries and in bytes.
if not rawget(_G, "perigee_header") then return end -- runs inside perigee-lua

local ffi = require "ffi"
require "perigee.core" -- declares the structs

-- A record as the core packs it: a connection with `count` subscriptions.
local function record(cid, count)
  local subject = ("subject.%d"):format(cid)
  local each = math.ceil((ffi.sizeof("struct perigee_subscription") + #subject + 1) / 8) * 8
  local head = math.ceil((ffi.sizeof("struct perigee_connection") + 1) / 8) * 8
  local size = head + count * each
  local bytes = ffi.new("char[?]", size)
  local c = ffi.cast("struct perigee_connection *", bytes)
  c.size, c.listed, c.cid, c.ip_size, c.subscriptions, c.stop_ns, c.reason = size, count, cid, 1, count, 1, 1
  for i = 0, count - 1 do
    local s = ffi.cast("struct perigee_subscription *", bytes + head + i * each)
    s.size, s.subject_size, s.sid_size = each, #subject, 1
    ffi.copy(bytes + head + i * each + ffi.sizeof("struct perigee_subscription"), subject .. "1")
  end
  return { record = ffi.string(bytes, size) }
end

local function fresh()
  package.loaded["perigee.closed"] = nil
  return require "perigee.closed"
end

describe("the ring of closed connections", function()
  it("keeps the latest ones only", function()
    local closed = fresh()
    closed.keep(3)
    for cid = 1, 5 do closed.on_closed(record(cid, 1)) end
    local cids = {}
    for _, c in ipairs(closed.list()) do cids[#cids + 1] = c.cid end
    table.sort(cids)
    assert.are.same({ 3, 4, 5 }, cids)
  end)

  it("keeps nothing when it is to keep nothing", function()
    local closed = fresh()
    closed.keep(0)
    closed.on_closed(record(1, 1))
    assert.are.same({}, closed.list())
  end)

  it("takes the lists of the oldest ones away when all together are too large, and keeps their number", function()
    local closed = fresh()
    closed.keep(1000)
    for cid = 1, 2500 do
      closed.on_closed(record(cid, 200))
      assert.is_true(closed.bytes() <= closed.BYTES_MAX)
    end
    local whole, short = 0, 0
    for _, c in ipairs(closed.list()) do
      assert.are.equal(200, c.subscriptions)
      if c.subscriptions_list then
        whole = whole + 1
        assert.are.equal(200, #c.subscriptions_list)
        assert.are.equal("subject." .. c.cid, c.subscriptions_list[200].subject)
      else
        short = short + 1
      end
    end
    assert.are.equal(1000, whole + short)
    assert.is_true(whole > 100 and short > 100)
  end)
end)
