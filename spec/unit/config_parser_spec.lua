local parser = require "perigee.config.parser"

-- A world of files and variables that exist only here.
local function world(files, variables)
  return {
    readfile = function(path)
      local text = (files or {})[path]
      if not text then return nil, ("open %s: no such file or directory"):format(path) end
      return text
    end,
    getenv = function(name) return (variables or {})[name] end,
  }
end

local plain

local function plain_map(map)
  local copy = {}
  for key, node in map:each() do copy[key] = plain(node) end
  return copy
end

-- The bare values below a node.
function plain(node)
  if node.kind == "map" then return plain_map(node.value) end
  if node.kind ~= "array" then return node.value end
  local copy = {}
  for index, element in ipairs(node.value) do copy[index] = plain(element) end
  return copy
end

local function parsed(text, files, variables)
  local map, message = parser.parse_text(text, "main.conf", world(files, variables))
  assert.is_nil(message)
  return map
end

local function values(...) return plain_map(parsed(...)) end

local function failure(text, files, variables)
  local map, message = parser.parse_text(text, "main.conf", world(files, variables))
  assert.is_nil(map)
  return message
end

describe("the configuration parser", function()
  it("builds maps and arrays within each other", function()
    assert.same({ a = { b = { 1, { c = true }, {} } }, d = {} }, values("a { b = [1, {c: yes}, []] }\nd {}"))
    assert.same({ a = { { x = 1 }, { x = 2 } } }, values("a = [\n{x 1}\n{x 2}\n]"))
  end)

  it("takes JSON", function()
    assert.same({ a = 1, b = { "x", "y" }, c = { d = { 1, 2, 3 } } },
      values('{"a": 1, "b": ["x", "y"], "c": {"d": [1, 2, 3]}}\n'))
  end)

  it("multiplies size suffixes", function()
    local map = values("a=1k\nb=1kb, c=1Ki; d=2KiB\ne=3m\nf=3mb\ng=1g\nh=1gib\ni=1t\nj=1tb\nk=1p\nl=-2kb")
    assert.same({ a = 1000, b = 1024, c = 1024, d = 2048, e = 3e6, f = 3 * 2 ^ 20, g = 1e9, h = 2 ^ 30, i = 1e12,
      j = 2 ^ 40, k = 1e15, l = -2048 }, map)
  end)

  it("keeps integers exact to 64 bits", function()
    local map = values("a=9223372036854775807\nb=-9223372036854775808\nc=9007199254740992\nd=7eb\ne=-0\nf=007")
    assert.equal("9223372036854775807LL", tostring(map.a))
    assert.equal("-9223372036854775808LL", tostring(map.b))
    assert.equal(2 ^ 53, map.c)
    assert.equal("8070450532247928832LL", tostring(map.d))
    assert.equal("0", tostring(map.e))
    assert.equal(7, map.f)
  end)

  it("tells the kinds of values apart", function()
    local map = parsed("a=1\nb=1.5\nc=x\nd=on\ne=[]\nf {}\ng=2016-05-04T18:53:41Z\nh='1'")
    local kinds = {}
    for key, node in map:each() do kinds[#kinds + 1] = key .. " " .. node.kind end
    assert.same({ "a int64", "b float64", "c string", "d bool", "e array", "f map", "g datetime", "h string" }, kinds)
  end)

  it("keeps the order of keys, a repeated one at its last place", function()
    local keys = {}
    for key, node in parsed("z=1\ny=2\nz=3\na=4"):each() do keys[#keys + 1] = key .. tostring(node.value) end
    assert.same({ "y2", "z3", "a4" }, keys)
  end)

  it("lets the last definition of a key win, and merges no maps", function()
    assert.same({ m = { b = 2 } }, values("m {a: 1}\nm {b: 2}"))
  end)

  it("accepts nothing, comments only, and a closing brace too many", function()
    assert.same({}, values(""))
    assert.same({}, values("# nothing\n\n// here"))
    assert.same({ a = 1 }, values("a = 1\n}"))
  end)

  it("gives a map's entry the place of its key and an array's element its own", function()
    local map = parsed("\n  'key' = [ one,\n two, {x: 1} ]\n")
    local node = map:get("key")
    assert.same({ "main.conf", 2, 4 }, { node.file, node.line, node.column })
    local places = {}
    for index, element in ipairs(node.value) do places[index] = element.line .. ":" .. element.column end
    assert.same({ "2:13", "3:2", "3:13" }, places)
  end)
end)

describe("a variable", function()
  it("stands for the nearest definition above, whatever its type", function()
    assert.same({ x = 1, m = { x = 2, y = 2, n = { z = 2 } }, w = 1 }, values("x=1\nm {x=2, y=$x, n {z=$x}}\nw=$x"))
    assert.same({ t = { a = { 1 } }, u = { a = { 1 } } }, values("t {a = [1]}\nu = $t"))
    assert.same({ x = 5, l = { 5, 5 } }, values("x=5\nl=[$x, $x]"))
  end)

  it("marks its definition as used, and only that", function()
    local map = parsed("x=1\ny=$x\nz=2")
    assert.is_true(map:get("x").used)
    assert.is_false(map:get("y").used)
    assert.is_false(map:get("z").used)
  end)

  it("is a bcrypt hash if it begins like one", function()
    assert.same({ pass = "$2a$11$abc" }, values("pass: $2a$11$abc"))
    assert.equal("variable reference for '2b$11$abc' on line 1 can not be found", failure("pass: $2b$11$abc"))
  end)

  it("comes from the environment if the file does not define it", function()
    local map = values("a=$A\nb=$B\nc=$C\nd=$D\ne=$E", nil,
      { A = "8k", B = "true", C = "[1, x]", D = "'a b'", E = "x;y=2" })
    assert.same({ a = 8000, b = true, c = { 1, "x" }, d = "a b", e = "x" }, map)
  end)

  it("from the environment has its place where it is referred to, and none inside", function()
    local node = parsed("a=[$A]", nil, { A = "{x: 1}" }):get("a").value[1]
    assert.same({ "main.conf", 1 }, { node.file, node.line })
    assert.is_nil(node.value:get("x").file)
  end)

  it("in the environment may refer to the environment, but not to the file", function()
    assert.same({ a = 7 }, values("a=$A", nil, { A = "$B", B = "7" }))
    assert.equal("variable reference for 'A' on line 2 could not be parsed: "
      .. "variable reference for 'x' on line 1 can not be found", failure("x=1\na=$A", nil, { A = "$x" }))
  end)

  it("that is defined nowhere, or below, or by itself is an error", function()
    assert.equal("variable reference for 'X' on line 2 can not be found", failure("\na=$X"))
    assert.equal("variable reference for 'x' on line 1 can not be found", failure("a=$x\nx=1"))
    assert.equal("variable reference for 'A' on line 1 can not be found", failure("A: $A"))
    assert.equal("variable reference for '' on line 1 can not be found", failure("a=$"))
  end)

  it("that goes round in circles through the environment is an error", function()
    assert.equal("variable reference for 'A' on line 1 could not be parsed: "
      .. "variable reference for 'B' on line 1 could not be parsed: "
      .. "variable reference for 'A' on line 1 could not be parsed: variable reference cycle for 'A'",
      failure("a=$A", nil, { A = "$B", B = "$A" }))
  end)

  it("whose text in the environment is no value is an error", function()
    assert.equal("variable reference for 'A' on line 1 could not be parsed: Parse error on line 1: 'Expected a top-level "
      .. "value to end with a new line, comment or EOF, but got 'b' instead.'", failure("a=$A", nil, { A = "a b" }))
  end)

  it("cannot make a tree too deep to be walked", function()
    local lines = {}
    for index = 1, 1000 do
      local inner = index > 1 and "$v" .. index - 1 or "1"
      lines[index] = ("v%d = %s%s %s"):format(index, ("["):rep(200), inner, ("]"):rep(200))
    end
    assert.equal("values on line 3 are nested deeper than 512 levels", failure(table.concat(lines, "\n")))
  end)

  it("chain through the environment has an end", function()
    local variables = setmetatable({}, { __index = function(_, name) return "$" .. name .. "x" end })
    assert.matches("environment variables refer to each other too deeply$", failure("a=$A", nil, variables))
  end)
end)

describe("include", function()
  it("sets the keys of the other file where it stands", function()
    local files = { ["other.conf"] = "b=2\nc=3" }
    assert.same({ a = 1, b = 2, c = 3 }, values("a=1\ninclude other.conf", files))
    assert.same({ m = { a = 1, b = 2, c = 3 } }, values("m {a=1\ninclude './other.conf'\n}", files))
  end)

  it("is relative to the file that includes, absolute paths too", function()
    local files = {
      ["etc/one.conf"] = "include sub/two.conf", ["etc/sub/two.conf"] = "include ../three.conf",
      ["etc/three.conf"] = "include /four.conf", ["etc/four.conf"] = "x=1",
    }
    assert.same({ x = 1 }, values("include etc/one.conf", files))
  end)

  it("keeps the places of the other file", function()
    local node = parsed("include sub/other.conf", { ["sub/other.conf"] = "\n b=2" }):get("b")
    assert.same({ "sub/other.conf", 2, 2 }, { node.file, node.line, node.column })
  end)

  it("shares variables upward only", function()
    assert.same({ x = 1, y = 1 }, values("include o.conf\ny=$x", { ["o.conf"] = "x=1" }))
    assert.equal("error parsing include file 'o.conf', variable reference for 'x' on line 1 can not be found",
      failure("x=1\ninclude o.conf", { ["o.conf"] = "y=$x" }))
  end)

  it("of a file that does not exist or does not parse is an error", function()
    assert.equal("error parsing include file 'no.conf', open sub/no.conf: no such file or directory",
      (select(2, parser.parse_text("include no.conf", "sub/main.conf", world()))))
    assert.equal("error parsing include file 'a.conf', error parsing include file 'b.conf', "
      .. "Parse error on line 2: 'Unexpected key separator '=''",
      failure("include a.conf", { ["a.conf"] = "include b.conf", ["b.conf"] = "\n= 1" }))
  end)

  it("of a file in itself is an error", function()
    local files = { ["a.conf"] = "include b.conf", ["b.conf"] = "include ./a.conf" }
    assert.equal("error parsing include file 'a.conf', error parsing include file 'b.conf', "
      .. "error parsing include file './a.conf', the file includes itself", failure("include a.conf", files))
    local map, message = parser.parse_file("main.conf", world { ["main.conf"] = "include main.conf" })
    assert.is_nil(map)
    assert.equal("error parsing include file 'main.conf', the file includes itself", message)
  end)

  it("has a bounded depth", function()
    local files = setmetatable({}, { __index = function(_, path) return "include x" .. path end })
    assert.matches("includes are nested too deeply$", failure("include a", files))
  end)
end)

describe("the configuration parser's errors", function()
  it("name the line", function()
    assert.equal("Parse error on line 2: 'Unexpected key separator '=''", failure("a=1\n= 2"))
  end)

  it("name a key without a value", function()
    assert.equal("config is invalid (main.conf:1:1)", failure("a"))
    assert.equal("config is invalid (main.conf:3:2)", failure("a=1\nb \n "))
    assert.equal("config is invalid (main.conf:1:4)", failure("x { a: }"))
    assert.equal("config is invalid (main.conf:1:4)", failure('a: "'))
  end)

  it("name an array that ends with an open quote", function()
    assert.equal("Parse error on line 1: 'Unexpected EOF.'", failure('a [ "'))
  end)

  it("name integers out of range", function()
    assert.equal("integer '9223372036854775808' is out of the range", failure("a=9223372036854775808"))
    assert.equal("integer '-9223372036854775809' is out of the range", failure("a=-9223372036854775809"))
    assert.equal("integer '99999999999999999999' is out of the range", failure("a=99999999999999999999"))
    assert.equal("integer '10E' is out of the range", failure("a=10E"))
    assert.equal("integer '8EiB' is out of the range", failure("a=8EiB"))
  end)

  it("name suffixes that mean nothing", function()
    assert.equal("expected integer, but got '1kbb'", failure("a=1kbb"))
    assert.equal("expected integer, but got '1kii'", failure("a=1kii"))
  end)

  it("name floats out of range", function()
    local digits = ("9"):rep(400) .. ".0"
    assert.equal("float '" .. digits .. "' is out of the range", failure("a=" .. digits))
  end)

  it("name dates that do not exist", function()
    for _, date in ipairs { "2016-13-01T00:00:00Z", "2015-02-29T00:00:00Z", "2016-01-00T00:00:00Z",
      "2016-01-01T24:00:00Z", "2016-01-01T00:60:00Z", "2016-01-01T00:00:60Z", "1900-02-29T00:00:00Z" } do
      assert.equal("expected Zulu formatted DateTime, but got '" .. date .. "'", failure("a=" .. date))
    end
    assert.equal("2000-02-29T23:59:59Z", values("a=2000-02-29T23:59:59Z").a)
  end)

  it("name the file itself when it cannot be read", function()
    local _, message = parser.parse_file("gone.conf", world())
    assert.equal("open gone.conf: no such file or directory", message)
  end)
end)
