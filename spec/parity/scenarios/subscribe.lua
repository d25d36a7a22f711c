local shapes = require "spec.support.shapes"
local answers = shapes.answers

local function invalid(subject)
  return answers(("SUB to %q is invalid and not fatal"):format(subject), { "CP-082", "CP-102" },
    ("SUB %s 1\r\nPUB foo 0\r\n\r\n"):format(subject))
end

-- How many of `count` messages each connection got, all together.
local function drain(...)
  local total = 0
  for _, conn in ipairs { ... } do total = total + #conn:sync() end
  return total
end

return {
  topic = "subscriptions and queue groups",
  {
    answers("a sid is any token", { "CP-080" },
      "SUB foo abc-1.2*>$\195\169\r\nPUB foo 0\r\n\r\nUNSUB abc-1.2*>$\195\169\r\nPUB foo 0\r\n\r\n"),
    answers("a second SUB of the same sid is ignored, another subject too", { "CP-081" },
      "SUB foo 1\r\nSUB bar 1\r\nSUB foo 1\r\nPUB foo 1\r\nx\r\nPUB bar 1\r\ny\r\n"),
    answers("a second SUB of the same sid is acknowledged when verbose", { "CP-081", "CP-021" },
      "SUB foo 1\r\nSUB bar 1\r\n", '"verbose":true'),
    answers("a sid is free again after UNSUB", { "CP-080", "CP-087" },
      "SUB foo 1\r\nUNSUB 1\r\nSUB bar 1\r\nPUB foo 0\r\n\r\nPUB bar 0\r\n\r\n"),
    invalid("foo..bar"), invalid(".foo"), invalid("foo."), invalid("."), invalid("foo.>.bar"), invalid(">.foo"),
    answers("an invalid subject is no matter of pedantic", { "CP-082" }, "SUB a..b 1\r\n", '"pedantic":true'),
    answers("a sid of an invalid SUB is not taken", { "CP-082", "CP-081" }, "SUB a..b 1\r\nSUB foo 1\r\nPUB foo 0\r\n\r\n"),
    answers("the queue name _sys_ is refused", { "CP-084" }, "SUB foo _sys_ 1\r\nPUB foo 0\r\n\r\n"),
    answers("UNSUB of an unknown sid is no error", { "CP-087" }, "UNSUB 99\r\nUNSUB 98 5\r\n", '"verbose":true'),
    answers("UNSUB with a maximum of 0 removes at once", { "CP-088" }, "SUB foo 1\r\nUNSUB 1 0\r\nPUB foo 0\r\n\r\n"),
    answers("UNSUB with a maximum that is no number removes at once", { "CP-088" },
      "SUB foo 1\r\nUNSUB 1 many\r\nPUB foo 0\r\n\r\n"),
    answers("UNSUB with a negative maximum removes at once", { "CP-088" },
      "SUB foo 1\r\nUNSUB 1 -1\r\nPUB foo 0\r\n\r\n"),
    answers("a plain UNSUB ends a subscription that has a maximum", { "CP-088" },
      "SUB foo 1\r\nUNSUB 1 5\r\nPUB foo 1\r\na\r\nUNSUB 1\r\nPUB foo 1\r\nb\r\n"),
    answers("a maximum may be changed", { "CP-088" },
      "SUB foo 1\r\nUNSUB 1 1\r\nUNSUB 1 3\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\nPUB foo 1\r\nd\r\n"),
    answers("a sid is free again after its maximum", { "CP-088", "CP-089" },
      "SUB foo 1\r\nUNSUB 1 1\r\nPUB foo 1\r\na\r\nSUB bar 1\r\nPUB bar 1\r\nb\r\nPUB foo 1\r\nc\r\n"),
    {
      name = "a subscription that reached its maximum is gone from the index",
      covers = { "CP-089", "MO34" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB gone.after.one 5\r\nUNSUB 5 1\r\n")
        a:sync()
        t:http("/subsz?subs=1&test=gone.after.one", { only = { total = true, subscriptions_list = true } })
        a:send("PUB gone.after.one 0\r\n\r\n")
        a:sync()
        t:http("/subsz?subs=1&test=gone.after.one", { only = { total = true, subscriptions_list = true } })
      end,
    },
    {
      name = "one member of a queue group gets a message",
      covers = { "CP-090" },
      run = function(t)
        local a, b, c = t:client("a"), t:client("b"), t:client("c")
        for _, conn in ipairs { a, b, c } do conn:send("SUB work q 1\r\nSUB work q 2\r\n") conn:sync() end
        for _ = 1, 60 do a.sock:send("PUB work 1\r\nx\r\n") end
        local lines = t.lines
        t.lines = {}
        local total = drain(a, b, c)
        t.lines = lines
        t:note("messages: " .. total)
      end,
    },
    {
      name = "every member of a queue group is used",
      covers = { "CP-090" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB work q 1\r\nSUB work q 2\r\nSUB work q 3\r\n" .. ("PUB work 1\r\nx\r\n"):rep(200))
        local seen = {}
        for _, item in ipairs(a:sync()) do
          local sid = item:match("^MSG work (%d)")
          seen[sid] = (seen[sid] or 0) + 1
        end
        local fair = true
        for sid = 1, 3 do fair = fair and (seen[tostring(sid)] or 0) > 20 end
        t:note("each of three members got more than a tenth: " .. tostring(fair))
      end,
    },
    {
      name = "each of several queue groups gets a copy",
      covers = { "CP-090", "CP-069" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB work q1 1\r\nSUB work q2 2\r\nSUB work 3\r\nSUB work.> q1 4\r\nPUB work 1\r\nx\r\n")
        t:unordered(function() a:sync() end)
      end,
    },
    {
      name = "a queue group is known by its name alone, whatever its members subscribe to",
      covers = { "CP-091" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB foo.bar q 1\r\nSUB foo.* q 2\r\nSUB > q 3\r\n" .. ("PUB foo.bar 0\r\n\r\n"):rep(100))
        local seen, total = {}, 0
        for _, item in ipairs(a:sync()) do
          seen[item:match("^MSG foo.bar (%d)")] = true
          total = total + 1
        end
        t:note(("messages: %d, all members: %s"):format(total, tostring(seen["1"] and seen["2"] and seen["3"])))
      end,
    },
    {
      name = "a queue group with maxima delivers each message once until all are used up",
      covers = { "CP-088", "CP-090" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        for sid = 1, 10 do a:send(("SUB work q %d\r\nUNSUB %d 3\r\n"):format(sid, sid)) end
        a:send(("PUB work 0\r\n\r\n"):rep(40))
        local seen = {}
        local items = a:sync()
        for _, item in ipairs(items) do
          local sid = item:match("^MSG work (%d+)")
          seen[sid] = (seen[sid] or 0) + 1
        end
        local exact = true
        for sid = 1, 10 do exact = exact and seen[tostring(sid)] == 3 end
        t:note(("messages: %d, three for each: %s"):format(#items, tostring(exact)))
      end,
    },
    {
      name = "a connection that ends takes its subscriptions with it",
      covers = { "CP-094", "MO34" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB leaving.1 1\r\nSUB leaving.2 q 2\r\nSUB leaving.* 3\r\n")
        a:sync()
        a:close()
        t:poll("/subsz?subs=1&test=leaving.1", function(found) return found.total == 0 end)
        t:http("/subsz?subs=1&test=leaving.2", { only = { total = true } })
      end,
    },
  },
  {
    about = "limits",
    config = "max_subscriptions: 3\nmax_subscription_tokens: 4",
    answers("one subscription above the limit is refused", { "CP-085" },
      "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nSUB d 4\r\nPUB d 0\r\n\r\nPUB c 0\r\n\r\n"),
    answers("a subscription that ends makes room for another", { "CP-085" },
      "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nUNSUB 1\r\nSUB d 4\r\nPUB d 0\r\n\r\n"),
    answers("a duplicate above the limit is refused before it is known as one", { "CP-085", "CP-081" },
      "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nSUB a 1\r\n"),
    answers("a subject of too many tokens is refused", { "CP-086" },
      "SUB a.b.c.d 1\r\nSUB a.b.c.d.e 2\r\nSUB a.b.c.d.> q 3\r\nPUB a.b.c.d.e 0\r\n\r\n"),
  },
}
