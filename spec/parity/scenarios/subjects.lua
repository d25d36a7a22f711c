local shapes = require "spec.support.shapes"
local matches = shapes.matches

return {
  topic = "subjects",
  {
    matches("a literal matches itself alone", { "CP-100", "CP-103" },
      { "foo", "foo.bar", "Foo" }, { "foo", "foo.bar", "foo.bar.baz", "FOO", "fo", "fooo" }),
    matches("a star matches one token", { "CP-100" },
      { "*", "foo.*", "*.bar", "*.*", "foo.*.baz", "*.*.*" }, { "foo", "foo.bar", "foo.bar.baz", "x.bar" }),
    matches("a greater-than sign matches one token or more", { "CP-100" },
      { ">", "foo.>", "foo.*.>", "*.>" }, { "foo", "foo.bar", "foo.bar.baz", "bar" }),
    matches("a wildcard inside of a token is a letter", { "CP-100" },
      { "foo*", "foo.b*", "foo.>x", "foo.*x.bar", "a.**" },
      { "foo*", "foox", "foo.b*", "foo.bar", "foo.>x", "foo.yx", "foo.*x.bar", "foo.zx.bar", "a.**", "a.b" }),
    matches("a published wildcard is a letter that wildcards match", { "CP-101" },
      { "foo.*", "foo.>", "*.*", ">", "foo.bar", "foo" }, { "foo.*", "foo.>", "*", ">" }),
    matches("empty tokens match nobody", { "CP-101" },
      { ">", "*", "foo.>", "foo.*", "*.*", "foo.*.bar", "*.*.*" }, { "foo.", ".foo", "foo..bar", ".", ".." }),
    matches("deep subjects match at every depth", { "CP-100", "CP-103" },
      { "a.b.c.d.e.f.g.h.i.j", "a.*.c.*.e.*.g.*.i.*", "a.b.c.d.e.>", "*.*.*.*.*.*.*.*.*.*", "a.b.c.d.e.f.g.h.i.j.>" },
      { "a.b.c.d.e.f.g.h.i.j", "a.x.c.x.e.x.g.x.i.x", "a.b.c.d.e.f", "a.b.c.d.e" }),
    matches("subjects are bytes", { "CP-100" },
      { "gr\195\188n.*", "\255\254", "a\11b.>" }, { "gr\195\188n.x", "\255\254", "a\11b.\1" }),
    matches("neighbours with a common beginning are kept apart", { "CP-103" },
      { "prefix.abc", "prefix.abd", "prefix.ab", "prefix.abcd", "prefix.a" },
      { "prefix.abc", "prefix.abd", "prefix.ab", "prefix.abcd", "prefix.a", "prefix.b" }),
    {
      name = "what is left after removals still matches",
      covers = { "CP-103", "CP-087" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB a.b.c 1\r\nSUB a.b.* 2\r\nSUB a.> 3\r\nSUB a.b.c q 4\r\nSUB a.b 5\r\nUNSUB 2\r\nUNSUB 5\r\nUNSUB 1\r\n")
        a:send("PUB a.b.c 0\r\n\r\n")
        t:unordered(function() a:sync() end)
        a:send("UNSUB 3\r\nPUB a.b.c 0\r\n\r\nPUB a.b 0\r\n\r\n")
        t:unordered(function() a:sync() end)
        a:send("UNSUB 4\r\nPUB a.b.c 0\r\n\r\nSUB a.b.c 6\r\nPUB a.b.c 0\r\n\r\n")
        a:sync()
      end,
    },
    {
      name = "a subscription made after a subject was published to is seen by the next message",
      covers = { "CP-104" },
      run = function(t)
        local a, b = t:client("a"), t:client("b")
        a:send("SUB warm.x 1\r\n")
        a:sync()
        for _ = 1, 3 do b:send("PUB warm.x 0\r\n\r\n") end
        b:sync()
        a:send("SUB warm.* 2\r\nSUB > 3\r\nSUB *.x q 4\r\n")
        t:unordered(function() a:sync() end)
        b:send("PUB warm.x 1\r\nx\r\n")
        b:sync()
        t:unordered(function() a:sync() end)
        a:send("UNSUB 2\r\nUNSUB 3\r\nUNSUB 4\r\n")
        a:sync()
        b:send("PUB warm.x 1\r\ny\r\n")
        b:sync()
        a:sync()
      end,
    },
    {
      name = "a thousand subscriptions on one subject all get their copy",
      covers = { "CP-069", "CP-103" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        local subs = {}
        for sid = 1, 1000 do subs[sid] = ("SUB many.x %d\r\n"):format(sid) end
        a:send(table.concat(subs))
        a:sync()
        a:send("PUB many.x 1\r\nx\r\n")
        local seen, once = {}, true
        for _, item in ipairs(a:sync()) do
          local sid = item:match("^MSG many.x (%d+) 1\r\nx\r\n$")
          once = once and sid ~= nil and not seen[sid]
          seen[sid or ""] = true
        end
        local count = 0
        for _ in pairs(seen) do count = count + 1 end
        t:note(("copies: %d, each once: %s"):format(count, tostring(once)))
      end,
    },
  },
  {
    about = "without the result cache",
    config = "disable_sublist_cache: true",
    {
      name = "matching is the same without a result cache",
      covers = { "CP-105" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo.* 1\r\nSUB foo.> 2\r\n" .. ("PUB foo.x 0\r\n\r\n"):rep(3))
        t:unordered(function() a:sync() end)
        t:poll("/subsz", function(found) return found.num_cache == 0 end)
      end,
    },
  },
}
