if not package.preload["perigee.json"] then
  describe("the subjects module", function()
    pending("needs perigee-lua, which has the subject index")
  end)
  return
end

local subjects = require "perigee.subjects"

-- Which of a list of subjects a predicate holds for.
local function those(predicate, list)
  local found = {}
  for _, subject in ipairs(list) do
    if predicate(subject) then found[#found + 1] = subject end
  end
  return found
end

describe("Subjects", function()
  local SAMPLES = { "", "a", "a.b", "a..b", ".a", "a.", "*", "a.*", ">", "a.>", ">.a", "a*", "a b", "a\tb", "\255" }

  it("may be subscribed to without empty tokens and with > at the end only", function()
    assert.same({ "a", "a.b", "*", "a.*", ">", "a.>", "a*", "a b", "a\tb", "\255" }, those(subjects.can_subscribe, SAMPLES))
  end)

  it("may be published to when they are valid and without wildcards", function()
    assert.same({ "a", "a.b", "a*", "\255" }, those(subjects.can_publish, SAMPLES))
  end)

  it("are valid without blanks, literal without wildcards", function()
    assert.same({ "a", "a.b", "*", "a.*", ">", "a.>", "a*", "\255" }, those(subjects.is_valid, SAMPLES))
    assert.same({ "a", "a.b", "a*", "a b", "a\tb", "\255" }, those(subjects.is_literal, SAMPLES))
    assert.same({ "*", "a.*", ">", "a.>", ">.a" }, those(subjects.has_wildcard, SAMPLES))
  end)

  it("are subsets of what matches more", function()
    for _, pair in ipairs { { "a", "a" }, { "a", "*" }, { "a.b", "a.>" }, { "a.*", "*.*" }, { "a.>", ">" } } do
      assert.is_true(subjects.is_subset(unpack(pair)), table.concat(pair, " in "))
    end
    for _, pair in ipairs { { "*", "a" }, { "a", "a.>" }, { "a.>", "a.*" }, { "a.b", "a" }, { "a", "b" } } do
      assert.is_false(subjects.is_subset(unpack(pair)), table.concat(pair, " in "))
    end
  end)

  it("collide when something matches both", function()
    for _, pair in ipairs { { "a.*", "*.b" }, { "a", "a" }, { ">", "a.b" }, { "a.>", "*.b.c" } } do
      assert.is_true(subjects.collides(pair[1], pair[2]) and subjects.collides(pair[2], pair[1]), pair[1])
    end
    for _, pair in ipairs { { "a.*", "b.*" }, { "a", "a.b" }, { "a.>", "a" } } do
      assert.is_false(subjects.collides(pair[1], pair[2]) or subjects.collides(pair[2], pair[1]), pair[1])
    end
  end)
end)

describe("A subject index", function()
  it("finds who wants a subject", function()
    local index = subjects.index()
    for id, subject in ipairs { "foo", "foo.*", "foo.>", "*.bar", ">", "foo.bar", "foo.bar.baz" } do
      assert.is_true(index:insert(subject, id))
    end
    assert.same({ 2, 3, 4, 5, 6 }, index:match("foo.bar"))
    assert.same({ 1, 5 }, index:match("foo"))
    assert.same({ 5 }, index:match("other"))
    assert.same({ 3, 5, 7 }, index:match("foo.bar.baz"))
  end)

  it("has members of queue groups beside plain ones", function()
    local index = subjects.index()
    index:insert("a", 1)
    index:insert("a", 1, "q")
    index:insert("a", 2, "q")
    index:insert("a", 3, "r")
    assert.same({ 1, 1, 2, 3 }, index:match("a"))
    assert.is_true(index:remove("a", 1))
    assert.same({ 1, 2, 3 }, index:match("a"))
  end)

  it("forgets what is removed, and only that", function()
    local index = subjects.index()
    index:insert("a.*", 1)
    index:insert("a.*", 2)
    assert.is_false(index:remove("a.*", 3))
    assert.is_false(index:remove("a.b", 1))
    assert.is_false(index:remove("a.*", 1, "q"))
    assert.is_true(index:remove("a.*", 1))
    assert.is_false(index:remove("a.*", 1))
    assert.same({ 2 }, index:match("a.b"))
    assert.is_true(index:remove("a.*", 2))
    assert.same({}, index:match("a.b"))
    assert.equal(0, index.count)
    assert.is_true(index:insert("a.*", 1))
    assert.same({ 1 }, index:match("a.b"))
  end)

  it("takes the same subscription once", function()
    local index = subjects.index()
    index:insert("a", 1)
    index:insert("a", 1)
    assert.same({ 1 }, index:match("a"))
    assert.equal(1, index.count)
  end)

  it("refuses subjects that nobody may subscribe to, and ids that are none", function()
    local index = subjects.index()
    for _, subject in ipairs { "", "a..b", ".a", "a.", ">.a", ("x"):rep(65536) } do
      local ok, message = index:insert(subject, 1)
      assert.is_nil(ok)
      assert.truthy(message:find("invalid subject", 1, true), message)
    end
    for _, id in ipairs { -1, 1.5, 2 ^ 54, 0 / 0, math.huge } do
      assert.is_nil(index:insert("a", id), tostring(id))
    end
    assert.same({}, index:match(""))
    assert.same({}, index:match("a..b"))
  end)

  it("lists more members than fit at first", function()
    local index = subjects.index()
    local all = {}
    for id = 0, 999 do
      index:insert("fan.*", id)
      all[id + 1] = id
    end
    assert.same(all, index:match("fan.out"))
  end)

  it("keeps ids up to 2^53", function()
    local index = subjects.index()
    index:insert("a", 2 ^ 53)
    index:insert("a", 2 ^ 53 - 1)
    assert.same({ 2 ^ 53 - 1, 2 ^ 53 }, index:match("a"))
  end)

  it("agrees with the definition of a match on random subjects", function()
    local TOKENS = { "a", "b", "c", "*" }
    local function random_subject(tokens, tail)
      local list = {}
      for i = 1, math.random(1, 4) do list[i] = tokens[math.random(#tokens)] end
      if tail and math.random(4) == 1 then list[#list + 1] = ">" end
      return table.concat(list, ".")
    end
    math.randomseed(7)
    local index, wanted = subjects.index(), {}
    for id = 1, 300 do
      wanted[id] = random_subject(TOKENS, true)
      index:insert(wanted[id], id)
    end
    for id = 1, 300, 3 do
      assert.is_true(index:remove(wanted[id], id))
      wanted[id] = false
    end
    for _ = 1, 200 do
      local subject, expected = random_subject { "a", "b", "c" }, {}
      for id = 1, 300 do
        if wanted[id] and subjects.is_subset(subject, wanted[id]) then expected[#expected + 1] = id end
      end
      assert.same(expected, index:match(subject))
    end
  end)
end)

describe("A transform", function()
  local function becomes(expected, source, destination, subject, random)
    local transform = assert(subjects.transform(source, destination))
    assert.equal(expected, transform:apply(subject, random))
  end

  it("rewrites what its source matches", function()
    becomes("done.new", "orders.*", "done.$1", "orders.new")
    becomes("b.a", "*.*", "{{wildcard(2)}}.{{wildcard(1)}}", "a.b")
    becomes("x.a.b", ">", "x.>", "a.b")
    becomes(nil, "orders.*", "done.$1", "other.new")
    becomes(nil, "orders.*", "done.$1", "orders.*")
  end)

  it("has all functions", function()
    becomes("a.b", "*", "{{SplitFromLeft(1,1)}}", "ab")
    becomes("ab.c", "*", "{{splitfromright(1,1)}}", "abc")
    becomes("ab.cd", "*", "{{slicefromleft(1,2)}}", "abcd")
    becomes("a.bc", "*", "{{slicefromright(1,2)}}", "abc")
    becomes("a.b", "*", "{{split(1,-)}}", "a-b")
    becomes("ab", "*", "{{left(1,2)}}", "abc")
    becomes("bc", "*", "{{right(1,2)}}", "abc")
    becomes("0", "*", "{{random(1)}}", "abc", 12345)
  end)

  it("draws random(N) from what it is given", function()
    local transform = assert(subjects.transform("*", "{{random(1000)}}"))
    assert.equal(transform:apply("a", 5), transform:apply("a", 5))
    local seen = {}
    for random = 1, 200 do seen[transform:apply("a", random)] = true end
    assert.is_true(next(seen, next(seen)) ~= nil)
  end)

  it("partitions as nats-server does", function()
    becomes("3", "*", "{{partition(10,1)}}", "foo")
    becomes("0", "*", "{{partition(10,1)}}", "baz")
    becomes("6", "*.*", "{{partition(10)}}", "foo.bar")
  end)

  it("says why it cannot be", function()
    for _, pair in ipairs {
      { "foo", "bar.$1" }, { "foo.*", "bar.$2" }, { "foo.*", "bar.{{nothing(1)}}" },
      { "foo..", "bar" }, { "foo.*", "bar..$1" }, { "foo.>", "bar.*" },
    } do
      local transform, message = subjects.transform(pair[1], pair[2])
      assert.is_nil(transform, table.concat(pair, " -> "))
      assert.is_true(#message > 0)
    end
  end)

  it("is stricter where it must be reversible", function()
    assert.truthy(subjects.transform("a.*", "b.{{partition(3,1)}}"))
    assert.is_nil(subjects.transform("a.*", "b.{{partition(3,1)}}", { strict = true }))
    assert.truthy(subjects.transform("a.*", "b.$1", { strict = true }))
  end)

  it("writes subjects of any length", function()
    local long = ("x"):rep(5000)
    becomes("b." .. long, "a.*", "b.$1", "a." .. long)
  end)
end)

describe("Mappings", function()
  it("leave alone what they do not have", function()
    local mappings = assert(subjects.mappings { { source = "a", destinations = { { subject = "b" } } } })
    assert.equal("b", mappings:map("a"))
    assert.equal("c", mappings:map("c"))
    assert.equal("a.b", mappings:map("a.b"))
  end)

  it("divide by weight; what is left over stays, or is lost when the source is listed", function()
    local stays = assert(subjects.mappings { { source = "a", destinations = { { subject = "b", weight = 60 } } } })
    local lost = assert(subjects.mappings { { source = "a", destinations = { { subject = "a", weight = 60 } } } })
    local counts = { stays = 0, lost = 0 }
    for random = 0, 99 do
      if stays:map("a", random) == "b" then counts.stays = counts.stays + 1 end
      if lost:map("a", random) == nil then counts.lost = counts.lost + 1 end
    end
    assert.same({ stays = 60, lost = 40 }, counts)
  end)

  it("can be for one cluster", function()
    local list = { { source = "a", destinations = { { subject = "east", cluster = "e" }, { subject = "else" } } } }
    assert.equal("east", assert(subjects.mappings(list, "e")):map("a"))
    assert.equal("else", assert(subjects.mappings(list)):map("a"))
  end)

  it("say what is wrong with them", function()
    local function message_of(mapping) return select(2, subjects.mappings { mapping }) end
    assert.equal("invalid subject", message_of { source = "a..b", destinations = { { subject = "c" } } })
    assert.equal("individual weights need to be <= 100", message_of { source = "a", destinations = { { subject = "c", weight = 101 } } })
    assert.equal("total weight needs to be <= 100",
      message_of { source = "a", destinations = { { subject = "c", weight = 60 }, { subject = "d", weight = 60 } } })
    assert.truthy(message_of({ source = "a", destinations = { { subject = "c" }, { subject = "c" } } }):find("duplicate entry", 1, true))
  end)

  it("give long subjects whole", function()
    local long = ("y"):rep(1000)
    local mappings = assert(subjects.mappings { { source = "a.*", destinations = { { subject = "b.$1.$1" } } } })
    assert.equal("b." .. long .. "." .. long, mappings:map("a." .. long))
  end)
end)
