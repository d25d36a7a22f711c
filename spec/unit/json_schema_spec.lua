if not package.preload["perigee.json"] then
  describe("JSON by schema", function()
    pending("needs perigee-lua, which has the JSON codec")
  end)
  return
end

local json = require("perigee.json")

local function encoded(description, value, options)
  return assert(json.encode(json.schema(description), value, options))
end

--- The document of a single member `x`.
local function member(description, value)
  description.name = "x"
  return encoded({ description }, { x = value })
end

describe("encoding by schema", function()
  it("keeps the order of the schema and leaves unknown members out", function()
    local text = encoded({
      { name = "zebra", type = "int" },
      { name = "ant", type = "string" },
      { name = "middle", type = "bool" },
    }, { middle = true, ant = "a", zebra = 1, other = 5 })
    assert.are.equal('{"zebra":1,"ant":"a","middle":true}', text)
  end)

  it("writes 64-bit integers exactly", function()
    assert.are.equal('{"x":9223372036854775807}', member({ type = "int" }, 9223372036854775807LL))
    assert.are.equal('{"x":-9223372036854775808}', member({ type = "int" }, -9223372036854775807LL - 1))
    assert.are.equal('{"x":18446744073709551615}', member({ type = "uint" }, 18446744073709551615ULL))
    assert.are.equal('{"x":9007199254740993}', member({ type = "uint" }, 9007199254740993LL))
    assert.are.equal('{"x":9007199254740992}', member({ type = "int" }, 2 ^ 53))
    assert.are.equal('{"x":7}', member({ type = "int" }, 7ULL))
  end)

  it("refuses numbers that the type cannot hold", function()
    local bad = {
      { { type = "int" }, 1.5 },
      { { type = "int" }, 0 / 0 },
      { { type = "int" }, 2 ^ 63 },
      { { type = "int" }, 9223372036854775808ULL },
      { { type = "uint" }, -1 },
      { { type = "uint" }, -1LL },
      { { type = "uint" }, 2 ^ 64 },
      { { type = "int", bits = 32 }, 2 ^ 31 },
      { { type = "int", bits = 8 }, -129 },
      { { type = "uint", bits = 16 }, 65536 },
      { { type = "uint", bits = 16 }, 18446744073709551615ULL },
      { { type = "float" }, 1 / 0 },
      { { type = "int" }, "1" },
      { { type = "time" }, 1.5 },
    }
    for _, case in ipairs(bad) do
      case[1].name = "x"
      local text, message = json.encode(json.schema({ case[1] }), { x = case[2] })
      assert.is_nil(text)
      assert.are.equal("string", type(message))
    end
  end)

  it("takes the ends of each width", function()
    assert.are.equal('{"x":-128}', member({ type = "int", bits = 8 }, -128))
    assert.are.equal('{"x":2147483647}', member({ type = "int", bits = 32 }, 2147483647))
    assert.are.equal('{"x":65535}', member({ type = "uint", bits = 16 }, 65535))
  end)

  it("leaves out what is empty only where told", function()
    local description, kept = {}, {}
    for _, kind in ipairs({ "string", "bool", "int", "uint", "float", "time", "raw" }) do
      table.insert(description, { name = kind, type = kind, omit = true })
      table.insert(kept, { name = kind, type = kind })
    end
    for _, kind in ipairs({ "array", "map" }) do
      table.insert(description, { name = kind, type = kind, of = "int", omit = true })
      table.insert(kept, { name = kind, type = kind, of = "int" })
    end
    local inner = { { name = "y", type = "int", omit = true } }
    table.insert(description, { name = "object", type = "object", fields = inner, omit = true })
    table.insert(kept, { name = "object", type = "object", fields = inner })
    table.insert(kept, { name = "pointer", type = "object", fields = inner, null = true })
    assert.are.equal("{}", encoded(description, {}))
    local empty = { string = "", bool = false, int = 0, uint = 0ULL, float = 0, raw = "", array = {}, map = {} }
    assert.are.equal("{}", encoded(description, empty))
    assert.are.equal(
      '{"string":"","bool":false,"int":0,"uint":0,"float":0,"time":"0001-01-01T00:00:00Z","raw":null,'
        .. '"array":null,"map":null,"object":{},"pointer":null}',
      encoded(kept, {})
    )
    assert.are.equal('{"object":{}}', encoded(description, { object = {} }))
  end)

  it("tells empty lists, empty maps and absent ones apart", function()
    assert.are.equal('{"x":[]}', member({ type = "array", of = "string" }, {}))
    assert.are.equal('{"x":{}}', member({ type = "map", of = "string" }, {}))
    assert.are.equal('{"x":null}', member({ type = "array", of = "string" }, nil))
  end)

  it("sorts the keys of maps by their bytes", function()
    local map = { ["/varz"] = 3, ["/"] = 1, Z = 4, a = 5, ["/v"] = 2, ["\195\188"] = 6 }
    assert.are.equal('{"/":1,"/v":2,"/varz":3,"Z":4,"a":5,"\195\188":6}', encoded({ type = "map", of = "int" }, map))
  end)

  it("nests objects, lists and maps, with schemas used again", function()
    local inner = json.schema({ { name = "a", type = "int", omit = true } })
    local text = encoded({
      { name = "one", type = "object", fields = inner },
      { name = "many", type = "array", of = inner },
      { name = "named", type = "map", of = { type = "array", of = inner } },
    }, { one = { a = 1 }, many = { { a = 2 }, {} }, named = { g = { { a = 3 } } } })
    assert.are.equal('{"one":{"a":1},"many":[{"a":2},{}],"named":{"g":[{"a":3}]}}', text)
  end)

  it("keeps a schema alive that only another one uses", function()
    local outer = json.schema({ { name = "o", type = "object", fields = json.schema({ { name = "text", type = "string" } }) } })
    for _ = 1, 3 do
      collectgarbage()
    end
    assert.are.equal('{"o":{"text":"t"}}', json.encode(outer, { o = { text = "t" } }))
  end)

  it("escapes as Go does", function()
    assert.are.equal('{"x":"\\u003c\\u0026\\u003e \\ufffd \\"\\\\\\n\\u0001"}', member({ type = "string" }, '<&> \255 "\\\n\1'))
  end)

  it("indents as Go does, by two spaces or by as many as wanted", function()
    local description = { { name = "a", type = "array", of = "int" }, { name = "m", type = "map", of = "int" } }
    local value = { a = { 1, 2 }, m = {} }
    assert.are.equal('{\n  "a": [\n    1,\n    2\n  ],\n  "m": {}\n}', encoded(description, value, { indent = true }))
    assert.are.equal('{\n   "a": [\n      1,\n      2\n   ],\n   "m": {}\n}', encoded(description, value, { indent = 3 }))
  end)

  it("writes times from nanoseconds", function()
    assert.are.equal('{"x":"2024-01-02T03:04:05.123456789Z"}', member({ type = "time" }, 1704164645123456789LL))
    assert.are.equal('{"x":"1970-01-01T00:00:00Z"}', member({ type = "time" }, 0))
  end)

  it("copies what is JSON already", function()
    assert.are.equal('{"x":{"a": [1]}}', member({ type = "raw" }, '{"a": [1]}'))
  end)

  it("names the member whose value has the wrong type", function()
    for _, case in ipairs({
      { "string", 5 },
      { "bool", "true" },
      { "int", {} },
      { "float", "1" },
      { "raw", true },
      { "array", "list" },
      { "map", 1 },
      { "object", "o" },
    }) do
      local schema = json.schema({ { name = "guilty", type = case[1], of = "int", fields = {} } })
      local text, message = json.encode(schema, { guilty = case[2] })
      assert.is_nil(text)
      assert.is_truthy(message:find("guilty", 1, true))
    end
    local text, message = json.encode(json.schema({ type = "map", of = "int" }), { 1, 2 })
    assert.is_nil(text)
    assert.is_truthy(message:find("key", 1, true))
  end)

  it("goes on to encode well after an error", function()
    local schema = json.schema({ { name = "a", type = "array", of = { { name = "x", type = "int" } } } })
    assert.is_nil((json.encode(schema, { a = { { x = 1 }, { x = "no" } } })))
    assert.are.equal('{"a":[{"x":1}]}', json.encode(schema, { a = { { x = 1 } } }))
  end)
end)

describe("a schema", function()
  it("is refused when its description is wrong", function()
    local cyclic = { { name = "x", type = "array" } }
    cyclic[1].of = cyclic
    local deep = { type = "array", of = "int" }
    for _ = 1, 16 do
      deep = { type = "array", of = deep }
    end
    for _, description in ipairs({
      { { type = "int" } },
      { { name = "x" } },
      { { name = "x", type = "number" } },
      { { name = "x", type = "int", bits = 7 } },
      { { name = "x", type = "string", bits = 8 } },
      { { name = "x", type = "array" } },
      { { name = "x", type = "map", of = "array" } },
      { { name = "x", type = "object" } },
      { { name = "x", type = "object", fields = { type = "array", of = "int" } } },
      { "x" },
      cyclic,
      deep,
      5,
    }) do
      assert.is_false((pcall(json.schema, description)))
    end
  end)
end)
