local CONFIG = [[
mappings = {
  plain: renamed
  "chain.a": chain.b
  "chain.b": chain.c
  "in.*.*": "out.$2.$1"
  "wc.*.*": "wc.{{wildcard(2)}}.{{Wildcard(1)}}.x"
  "tail.*.>": "moved.$1.>"
  "all.>": "copy.>"
  "part.*": "part.$1.{{partition(10,1)}}"
  "whole.*": "whole.$1.{{partition(10)}}"
  "two.*.*": "two.{{partition(5,1,2)}}"
  "sp.*": "sp.{{split(1,-)}}"
  "sl.*": "sl.{{splitfromleft(1,3)}}"
  "sr.*": "sr.{{SplitFromRight(1,3)}}"
  "cl.*": "cl.{{slicefromleft(1,3)}}"
  "cr.*": "cr.{{sliceFromRight(1, 3)}}"
  "le.*": "le.{{left(1,2)}}"
  "ri.*": "ri.{{right(1,2)}}"
  "lit": "lit.{{partition(1)}}"
  "rand": "rand.{{random(1)}}"
  "always": [ { destination: "always.yes", weight: 100% } ]
  "never": [ { destination: "never.yes", weight: 0% } ]
  "lost": [ { destination: "lost", weight: 0 } ]
  "half": [ { destination: "half.a", weight: 50% }, { destination: "half.b", weight: 50% } ]
  "drop": [ { destination: "drop", weight: 50% } ]
  "far": [ { destination: "far.away", weight: 100%, cluster: "elsewhere" } ]
}
]]

-- What a subscriber to everything sees of these subjects.
local function maps(name, covers, published)
  return {
    name = name, covers = covers,
    run = function(t)
      local a, b = t:client("a"), t:client("b")
      a:send("SUB > 1\r\n")
      a:sync()
      for _, subject in ipairs(published) do b:send(("PUB %s 0\r\n\r\n"):format(subject)) end
      b:sync()
      a:sync()
    end,
  }
end

-- How many messages of 400 arrive at each subject, as a share that chance will not miss.
local function shares(name, covers, subject, low, high)
  return {
    name = name, covers = covers,
    run = function(t)
      local a = t:client("a", nil, { quiet = true })
      a:send("SUB > 1\r\n" .. (("PUB %s 0\r\n\r\n"):format(subject)):rep(400))
      local seen, subjects = {}, {}
      for _, item in ipairs(a:sync()) do
        local to = item:match("^MSG (%S+)")
        if not seen[to] then subjects[#subjects + 1] = to end
        seen[to] = (seen[to] or 0) + 1
      end
      table.sort(subjects)
      for _, to in ipairs(subjects) do
        t:note(("%s: between %d and %d of 400: %s"):format(to, low, high, tostring(seen[to] >= low and seen[to] <= high)))
      end
    end,
  }
end

local function refused(name, covers, mapping)
  return {
    name = "a mapping is refused: " .. name, covers = covers,
    run = function(t)
      t:command({ "-c", "server.conf", "-t" }, { config = "mappings = {\n" .. mapping .. "\n}\n" })
    end,
  }
end

return {
  topic = "subject mappings",
  {
    config = CONFIG,
    maps("a literal mapping replaces the subject", { "CP-120", "CP-121" }, { "plain", "plainer", "plain.x" }),
    maps("a mapped subject is not mapped again", { "CP-121" }, { "chain.a", "chain.b" }),
    maps("tokens change places", { "CP-120", "CP-125" }, { "in.x.y", "in.x", "in.x.y.z", "wc.1.2" }),
    maps("a tail is copied", { "CP-125" }, { "tail.a.b", "tail.a.b.c.d", "tail.a", "all.x", "all.x.y.z" }),
    maps("a partition is the hash of the tokens it names", { "CP-125", "CP-126" },
      { "part.foo", "part.baz", "part.qux", "part.", "two.foo.bar", "two.bar.foo", "two.a.b" }),
    maps("a partition without tokens hashes all of them", { "CP-125", "CP-126" },
      { "whole.foo", "whole.bar", "whole.baz" }),
    maps("a token is split at a separator", { "CP-125" },
      { "sp.a-b-c", "sp.abc", "sp.-a-", "sp.a--b", "sp.--a", "sp.-" }),
    maps("a token is split at a place", { "CP-125" },
      { "sl.12345", "sl.123", "sl.12", "sr.12345", "sr.123", "sr.12" }),
    maps("a token is cut into slices", { "CP-125" },
      { "cl.1234567890", "cl.123", "cl.12", "cl.123456", "cr.1234567890", "cr.123", "cr.12", "cr.123456" }),
    maps("a token is shortened", { "CP-125" }, { "le.1234", "le.12", "le.1", "ri.1234", "ri.12", "ri.1" }),
    maps("functions without tokens work on a literal source", { "CP-125" }, { "lit", "rand" }),
    maps("weights of a hundred and of nothing", { "CP-122" }, { "always", "never", "lost" }),
    maps("a destination of another cluster does not apply", { "CP-123" }, { "far" }),
    shares("weights share out the messages", { "CP-122" }, "half", 120, 280),
    shares("what no destination takes is lost when the source is listed", { "CP-122" }, "drop", 120, 280),
    {
      name = "the subject of a 503 is the mapped one",
      covers = { "CP-121", "CP-066" },
      run = function(t)
        local a = t:client("a", '"headers":true,"no_responders":true')
        a:send("SUB in 1\r\nPUB plain in 0\r\n\r\n")
        a:sync()
      end,
    },
    {
      name = "a subscription is not mapped",
      covers = { "CP-120" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB plain 1\r\nSUB renamed 2\r\nPUB plain 0\r\n\r\n")
        a:sync()
      end,
    },
    {
      name = "a header block goes through a mapping untouched",
      covers = { "CP-121", "CP-062" },
      run = function(t)
        local a = t:client("a", '"headers":true')
        a:send("SUB renamed 1\r\nHPUB plain r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
        a:sync()
      end,
    },
  },
  {
    server = false,
    about = "errors",
    refused("a bad source", { "CP-120", "CP-127" }, '"a..b": c'),
    refused("a bad destination", { "CP-127" }, 'a: "c..d"'),
    refused("a star in the destination", { "CP-127" }, '"a.*": "b.*"'),
    refused("a tail in one of them only", { "CP-127" }, '"a.>": "b"'),
    refused("an unknown function", { "CP-127" }, '"a.*": "b.{{upper(1)}}"'),
    refused("an index out of range", { "CP-127" }, '"a.*": "b.$2"'),
    refused("an index of a literal source", { "CP-127" }, '"a": "b.{{wildcard(1)}}"'),
    refused("too few arguments", { "CP-127" }, '"a.*": "b.{{split(1)}}"'),
    refused("too many arguments", { "CP-127" }, '"a.*": "b.{{wildcard(1,2)}}"'),
    refused("an argument that is no number", { "CP-127" }, '"a.*": "b.{{left(1,x)}}"'),
    refused("a separator with a blank", { "CP-127" }, '"a.*": "b.{{split(1,x y)}}"'),
    {
      name = "a dot inside of a function ends its token, so that it is none",
      covers = { "CP-127" },
      run = function(t)
        t:command({ "-c", "server.conf", "-t" }, { config = 'mappings = {\n"a.*": "b.{{split(1,.)}}"\n}\n' })
      end,
    },
    refused("text behind a tail", { "CP-127" }, '"a.>": "b.>.c"'),
    refused("weights above a hundred", { "CP-122" },
      "a: [ { destination: b, weight: 60% }, { destination: c, weight: 50% } ]"),
    refused("one weight above a hundred", { "CP-122" }, "a: [ { destination: b, weight: 101% } ]"),
    refused("a missing weight", { "CP-122" }, "a: [ { destination: b } ]"),
    refused("a weight that is no number", { "CP-122" }, "a: [ { destination: b, weight: much } ]"),
    refused("a destination listed twice", { "CP-122" },
      "a: [ { destination: b, weight: 10% }, { destination: b, weight: 10% } ]"),
    refused("an unknown field", { "CP-120" }, "a: [ { destination: b, weight: 1, height: 2 } ]"),
  },
}
