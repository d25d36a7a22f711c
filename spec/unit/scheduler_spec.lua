-- Tasks of the control plane that wait for each other. The scheduler needs the core, so this needs perigee-lua.
if not package.preload["perigee.json"] then
  describe("A gate", function() pending("needs perigee-lua") end)
  return
end

local scheduler = require "perigee.scheduler"

describe("A gate", function()
  it("lets in so many tasks at a time, the others in their order", function()
    local enter, leave = scheduler.gate(2)
    local inside, most, order = 0, 0, {}
    for i = 1, 7 do
      scheduler.spawn(function()
        enter()
        order[#order + 1], inside = i, inside + 1
        most = math.max(most, inside)
        scheduler.sleep(i % 3)
        inside = inside - 1
        leave()
        if i == 7 then scheduler.stop() end
      end)
    end
    assert.same({ 1, 2 }, order)
    scheduler.run()
    assert.same({ 1, 2, 3, 4, 5, 6, 7 }, order)
    assert.equal(2, most)
  end)
end)
