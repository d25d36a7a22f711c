local merge_sort = require "perigee.monitor.merge_sort"

local function less(a, b) return a.key < b.key end

describe("sorting that gives way", function()
  it("sorts lists of every length, and keeps the order of equal ones", function()
    math.randomseed(7)
    for count = 0, 70 do
      local list = {}
      for i = 1, count do list[i] = { key = math.random(10), at = i } end
      local sorted = merge_sort.sort(list, less, function() end)
      assert.equal(count, #sorted)
      for i = 2, count do
        local a, b = sorted[i - 1], sorted[i]
        assert.is_true(a.key < b.key or a.key == b.key and a.at < b.at)
      end
      for i = 1, count do assert.equal(i, list[i].at) end
    end
  end)

  it("breathes on the way, the oftener the longer the list is", function()
    local function breaths(count)
      local list, times = {}, 0
      for i = 1, count do list[i] = { key = -i } end
      merge_sort.sort(list, less, function() times = times + 1 end)
      return times
    end
    assert.equal(0, breaths(10))
    assert.is_true(breaths(5000) > 100)
  end)
end)
