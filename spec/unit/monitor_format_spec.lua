local format = require "perigee.monitor.format"
local process = require "perigee.monitor.process"

describe("an uptime", function()
  it("begins with the largest unit that is not zero, and keeps the others", function()
    local second, day = 1000000000LL, 86400
    for seconds, text in pairs {
      [0] = "0s", [1] = "1s", [59] = "59s", [60] = "1m0s", [245] = "4m5s", [3600] = "1h0m0s", [10805] = "3h0m5s",
      [day + 1] = "1d0h0m1s", [365 * day] = "1y0d0h0m0s", [(365 + 2) * day + 3 * 3600 + 245] = "1y2d3h4m5s",
    } do
      assert.are.equal(text, format.uptime(seconds * second))
      assert.are.equal(text, format.uptime(seconds * second + 999999999))
    end
    assert.are.equal("2s", format.uptime(2.5e9))
  end)
end)

describe("a duration", function()
  it("is written as Go does", function()
    for _, row in ipairs {
      { 0, "0s" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1µs" }, { 1500, "1.5µs" }, { 87000, "87µs" },
      { 1234567, "1.234567ms" }, { 20000000, "20ms" }, { 2500000000, "2.5s" }, { 60000000000, "1m0s" }, { 90500000000, "1m30.5s" },
      { 3600000000000, "1h0m0s" }, { 93784000000005, "26h3m4.000000005s" }, { 1234567LL, "1.234567ms" },
    } do
      assert.are.equal(row[2], format.duration(row[1]))
    end
  end)
end)

describe("a round trip time", function()
  it("is cut to microseconds below a millisecond", function()
    for _, row in ipairs {
      { 0, "0s" }, { 999, "999ns" }, { 1000, "1µs" }, { 1999, "1µs" }, { 628714, "628µs" }, { 999999, "999µs" },
      { 1000000, "1ms" }, { 1234567, "1.234567ms" }, { 628714LL, "628µs" },
    } do
      assert.are.equal(row[2], format.rtt(row[1]))
    end
    assert.are.equal("0s", format.rtt(nil))
  end)
end)

describe("the usage of the process", function()
  local function stat(utime, stime, rss)
    return ("7 (a (b) c) S 1 7 7 0 -1 4194304 1 2 3 4 %d %d 0 0 20 0 3 0 555 99999 %d 1844\n"):format(utime, stime, rss)
  end

  it("is the share of the last second, of all threads", function()
    local text = stat(100, 50, 3000)
    local measured = process.new { read = function() return text end }
    measured:sample(1000000000LL)
    assert.are.same({ cpu = 0, mem = 3000 * 4096 }, measured:usage())
    text = stat(200, 75, 2000)
    measured:sample(2000000000LL)
    assert.are.same({ cpu = 125, mem = 2000 * 4096 }, measured:usage())
    text = stat(201, 75, 2000)
    measured:sample(5000000000LL)
    assert.are.equal(0.3, measured:usage().cpu)
  end)

  it("is nothing where it cannot be read", function()
    local measured = process.new { read = function() return "" end }
    measured:sample(0)
    assert.are.same({ cpu = 0, mem = 0 }, measured:usage())
  end)

  it("can be read here", function()
    assert.is_true(process.new():usage().mem > 100000)
  end)
end)
