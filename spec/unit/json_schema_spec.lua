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

describe("decoding by schema", function()
  local placement = json.schema({
    name = "Placement",
    { name = "cluster", type = "string" },
    { name = "tags", type = "array", of = "string" },
  })
  local config = json.schema({
    name = "StreamConfig",
    { name = "name", type = "string" },
    { name = "max", type = "int" },
    { name = "seq", type = "uint" },
    { name = "small", type = "uint", bits = 8 },
    { name = "rate", type = "float" },
    { name = "sealed", type = "bool" },
    { name = "subjects", type = "array", of = "string" },
    { name = "placement", type = "object", fields = placement },
    { name = "pointer", type = "object", fields = placement, null = true },
    { name = "mirrors", type = "array", of = placement },
    { name = "metadata", type = "map", of = "string" },
    { name = "at", type = "time" },
    { name = "raw", type = "raw" },
  })

  local function decoded(text, into) return assert(json.decode(config, text, into)) end

  local function refused(text, schema)
    local value, message = json.decode(schema or config, text)
    assert.is_nil(value)
    return message
  end

  it("takes each type", function()
    local value = decoded([[ { "name" : "a\u00e9\n\ud83d\ude00", "max":-5, "seq":7, "small":255, "rate":1.5e3, "sealed":true,
      "subjects":["x","y"], "placement":{"cluster":"C","tags":[]}, "metadata":{"k":"v"}, "raw":{"a": [1]},
      "at":"2024-01-02T05:04:05.5+02:00" } ]])
    assert.are.same({
      name = "a\195\169\n\240\159\152\128", max = -5, seq = 7, small = 255, rate = 1500, sealed = true, subjects = { "x", "y" },
      placement = { cluster = "C", tags = {} }, metadata = { k = "v" }, raw = '{"a": [1]}', at = value.at,
    }, value)
    assert.are.equal("1704164645500000000LL", tostring(value.at))
  end)

  it("keeps 64-bit integers exact", function()
    assert.are.equal("9223372036854775807LL", tostring(decoded('{"max":9223372036854775807}').max))
    assert.are.equal("-9223372036854775808LL", tostring(decoded('{"max":-9223372036854775808}').max))
    assert.are.equal("18446744073709551615ULL", tostring(decoded('{"seq":18446744073709551615}').seq))
    assert.are.equal(2 ^ 53, decoded('{"seq":9007199254740992}').seq)
    local text = '{"seq":9007199254740993,"at":"2024-01-02T03:04:05.123456789Z"}'
    local pair = json.schema({ { name = "seq", type = "uint" }, { name = "at", type = "time" } })
    assert.are.equal(text, json.encode(pair, json.decode(pair, text)))
  end)

  it("knows keys in any case, the exact one first, and ignores others", function()
    assert.are.same({ name = "x" }, decoded('{"NAME":"x","nam":1,"other":[{"a":[]}],"":null}'))
    local both = json.schema({ { name = "Key", type = "int" }, { name = "key", type = "int" } })
    assert.are.same({ key = 1, Key = 2 }, json.decode(both, '{"key":1,"KEY":2}'))
  end)

  it("takes the last of repeated members, and merges repeated objects", function()
    assert.are.same({ max = 2 }, decoded('{"max":1,"MAX":2}'))
    assert.are.same({ placement = { cluster = "a", tags = { "t" } } },
      decoded('{"placement":{"cluster":"a"},"placement":{"tags":["t"]}}'))
  end)

  it("leaves a value alone at null, but empties lists, maps and pointers", function()
    local into = { name = "kept", max = 1, placement = { cluster = "c" }, pointer = {}, subjects = { "x" }, metadata = { a = "b" } }
    local value = decoded('{"name":null,"max":null,"placement":null,"pointer":null,"subjects":null,"metadata":null}', into)
    assert.are.equal(into, value)
    assert.are.same({ name = "kept", max = 1, placement = { cluster = "c" } }, value)
    assert.are.same({}, decoded("null"))
    assert.are.same({ subjects = { "a", "", "b" }, metadata = { k = "" } },
      decoded('{"subjects":["a",null,"b"],"metadata":{"k":null}}'))
  end)

  it("fills what it is given", function()
    local into = { name = "old", max = 1, placement = { cluster = "c" }, metadata = { a = "b" } }
    assert.are.same({ name = "new", max = 1, placement = { cluster = "c", tags = { "t" } }, metadata = { a = "b", c = "d" } },
      decoded('{"name":"new","placement":{"tags":["t"]},"metadata":{"c":"d"}}', into))
  end)

  it("reads Go's zero time as none", function()
    assert.is_nil(decoded('{"at":"0001-01-01T00:00:00Z"}').at)
  end)

  it("refuses what does not fit in the words of Go", function()
    for text, message in pairs({
      ['{"max":"x"}'] = "string into Go struct field StreamConfig.max of type int",
      ['{"max":1.5}'] = "number 1.5 into Go struct field StreamConfig.max of type int",
      ['{"max":1e3}'] = "number 1e3 into Go struct field StreamConfig.max of type int",
      ['{"max":9223372036854775808}'] = "number 9223372036854775808 into Go struct field StreamConfig.max of type int",
      ['{"seq":-1}'] = "number -1 into Go struct field StreamConfig.seq of type uint64",
      ['{"small":256}'] = "number 256 into Go struct field StreamConfig.small of type uint8",
      ['{"rate":1e400}'] = "number 1e400 into Go struct field StreamConfig.rate of type float64",
      ['{"sealed":1}'] = "number into Go struct field StreamConfig.sealed of type bool",
      ['{"name":true}'] = "bool into Go struct field StreamConfig.name of type string",
      ['{"name":{}}'] = "object into Go struct field StreamConfig.name of type string",
      ['{"subjects":{}}'] = "object into Go struct field StreamConfig.subjects of type []string",
      ['{"subjects":["a",[]]}'] = "array into Go struct field StreamConfig.subjects of type string",
      ['{"placement":{"cluster":5}}'] = "number into Go struct field Placement.placement.cluster of type string",
      ['{"placement":[]}'] = "array into Go struct field StreamConfig.placement of type server.Placement",
      ['{"mirrors":[{"cluster":1}]}'] = "number into Go struct field Placement.mirrors.cluster of type string",
      ['{"metadata":{"a":5}}'] = "number into Go struct field StreamConfig.metadata of type string",
      ['{"metadata":[]}'] = "array into Go struct field StreamConfig.metadata of type map[string]string",
      ["[]"] = "array into Go value of type server.StreamConfig",
      ['"x"'] = "string into Go value of type server.StreamConfig",
      ['{"max":"first","name":5}'] = "string into Go struct field StreamConfig.max of type int",
    }) do
      assert.are.equal("json: cannot unmarshal " .. message, refused(text))
    end
    assert.are.equal("Time.UnmarshalJSON: input is not a JSON string", refused('{"at":5}'))
    for _, time in ipairs({ "x", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00",
      "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+2:00" }) do
      assert.is_truthy(refused(('{"at":"%s"}'):format(time)):find("parsing time", 1, true))
    end
  end)

  it("refuses broken text in the words of Go, before anything is filled", function()
    local into = {}
    for text, message in pairs({
      [""] = "unexpected end of JSON input",
      ['{"name":"x"'] = "unexpected end of JSON input",
      ['{"name":"x",}'] = "invalid character '}' looking for beginning of object key string",
      ["{name:1}"] = "invalid character 'n' looking for beginning of object key string",
      ['{"name" 1}'] = "invalid character '1' after object key",
      ['{"name":1 2}'] = "invalid character '2' after object key:value pair",
      ["[1 2]"] = "invalid character '2' after array element",
      ["{} x"] = "invalid character 'x' after top-level value",
      ["01"] = "invalid character '1' after top-level value",
      ["-"] = "invalid character ' ' in numeric literal",
      ["1."] = "invalid character ' ' after decimal point in numeric literal",
      ["1e+"] = "invalid character ' ' in exponent of numeric literal",
      ["nul"] = "invalid character ' ' in literal null (expecting 'l')",
      ['"\\x"'] = "invalid character 'x' in string escape code",
      ['"\\u12g4"'] = "invalid character 'g' in \\u hexadecimal character escape",
      ['"a\nb"'] = "invalid character '\\n' in string literal",
      ["'"] = "invalid character '\\'' looking for beginning of value",
    }) do
      local value, problem = json.decode(config, text, into)
      assert.is_nil(value)
      assert.are.equal(message, problem)
    end
    assert.are.same({}, into)
  end)

  it("is not impressed by nesting", function()
    local function nested(depth) return '{"other":' .. ("["):rep(depth) .. ("]"):rep(depth) .. "}" end
    assert.are.same({}, decoded(nested(9999)))
    assert.are.equal("invalid character '[' exceeded max depth", refused(nested(10000)))
    assert.are.equal("invalid character '{' exceeded max depth", refused(('{"a":'):rep(20000)))
    assert.are.equal("json: cannot unmarshal array into Go struct field StreamConfig.max of type int",
      refused('{"max":' .. ("["):rep(5000) .. ("]"):rep(5000) .. "}"))
  end)

  it("takes documents that are no objects", function()
    assert.are.same({ 1, 2 }, json.decode(json.schema({ type = "array", of = "int" }), "[1,2]"))
    assert.are.same({ a = { 1 } }, json.decode(json.schema({ type = "map", of = { type = "array", of = "int" } }), '{"a":[1]}'))
  end)
end)
