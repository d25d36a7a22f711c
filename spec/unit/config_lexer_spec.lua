local lexer = require "perigee.config.lexer"

-- All items of a text, each as "type text", the error or end included.
local function items(text)
  local lexed, list = lexer.new(text), {}
  repeat
    local item = lexed:next()
    list[#list + 1] = item.text == "" and item.type or item.type .. " " .. item.text
  until item.type == "eof" or item.type == "error"
  return list
end

local function first_value(text) return items("k = " .. text)[2] end

-- The error that a text ends with, and its line.
local function failure(text)
  local lexed = lexer.new(text)
  local item
  repeat item = lexed:next() until item.type == "eof" or item.type == "error"
  assert.equal("error", item.type)
  return item.text, item.line
end

local function places(text)
  local lexed, list = lexer.new(text), {}
  repeat
    local item = lexed:next()
    list[#list + 1] = ("%s %d:%d"):format(item.type, item.line, item.column)
  until item.type == "eof" or item.type == "error"
  return list
end

describe("the configuration lexer", function()
  it("takes equal signs, colons and blanks between key and value", function()
    for _, text in ipairs { "a=1", "a = 1", "a: 1", "a :1", "a 1", "a\t1", "  a = 1  " } do
      assert.same({ "key a", "integer 1", "eof" }, items(text))
    end
  end)

  it("ends a top-level value at a new line, semicolon, comma, closing brace and comment", function()
    for _, ending in ipairs { "\n", "\r\n", ";", ",", " }", "}", " # note\n", " // note\n", "\0", "" } do
      local list = items("a=x" .. ending)
      assert.equal("string x", list[2])
      assert.equal("eof", list[3])
    end
  end)

  it("skips comments wherever an item may begin and after values", function()
    local text = "# one\n// two\na = [ # three\n 1, // four\n 2 # five\n]\nb { # six\n c: 1 // seven\n}\n"
    assert.same({ "key a", "array_start", "integer 1", "integer 2", "array_end", "key b", "map_start", "key c",
      "integer 1", "map_end", "eof" }, items(text))
  end)

  it("keeps comment signs inside bare strings", function()
    assert.equal("string b#c", first_value "b#c")
    assert.equal("string http://host/path", first_value "http://host/path")
    assert.equal("string #", first_value "# note")
  end)

  it("reads integers with and without size suffix", function()
    for _, text in ipairs { "0", "123", "-7", "1k", "1KB", "64MiB", "2Gb", "-3t", "1e", "5EiB" } do
      assert.equal("integer " .. text, first_value(text))
      assert.equal("integer " .. text, items("k = [" .. text .. ",1 ]")[3])
      assert.equal("integer " .. text, items("k {x: " .. text .. "}")[4])
    end
  end)

  it("reads integers right before a closing bracket, as JSON has them", function()
    assert.same({ "key a", "array_start", "integer 1", "integer 2k", "array_end", "eof" }, items("a = [1,2k]"))
  end)

  it("takes what only begins like a number for a bare string", function()
    for _, text in ipairs { "3xyz", "100%", "1Ghz", "1h", "500ms", "2h30m", "1kbps", "1e6", "0K1abc", "12'", "-1kx" } do
      assert.equal("string " .. text, first_value(text))
    end
  end)

  it("reads floats, and addresses that begin like floats", function()
    assert.equal("float 1.5", first_value "1.5")
    assert.equal("float -0.25", first_value "-0.25")
    for _, text in ipairs { "127.0.0.1", "127.0.0.1:4222", "10.0.0.1-10.0.0.9", "1.2.3" } do
      assert.equal("string " .. text, first_value(text))
    end
  end)

  it("reads dates in Zulu form", function()
    assert.equal("datetime 2016-05-04T18:53:41Z", first_value "2016-05-04T18:53:41Z")
  end)

  it("reads booleans in any case, unless quoted or escaped", function()
    for _, word in ipairs { "true", "FALSE", "On", "off", "YES", "no" } do
      assert.equal("bool " .. word, first_value(word))
      assert.equal("string " .. word, first_value('"' .. word .. '"'))
    end
    assert.equal("string true", first_value [[tru\x65]])
    assert.equal("string trueish", first_value "trueish")
  end)

  it("takes a dollar sign at the start of a bare value for a reference", function()
    assert.equal("variable HOME", first_value "$HOME")
    assert.equal("string x$HOME", first_value "x$HOME")
    assert.equal("string $HOME", first_value "'$HOME'")
    assert.equal("string $HOME", first_value [[\x24HOME]])
  end)

  it("replaces escapes in double-quoted and bare strings only", function()
    assert.equal('string a\tb\nc\rd"e\\f\1', first_value [["a\tb\nc\rd\"e\\f\x01"]])
    assert.equal("string a\tb", first_value [[a\tb]])
    assert.equal([[string a\tb]], first_value [['a\tb']])
  end)

  it("lets quoted strings span lines", function()
    assert.equal("string a\nb", first_value "'a\nb'")
    assert.equal("string a\nb", first_value '"a\nb"')
  end)

  it("drops a quote that ends a bare string", function()
    assert.same({ "key pass", "string abc", "eof" }, items("pass: abc'"))
  end)

  it("reads block strings up to a closing bracket alone on its line", function()
    assert.equal("string \n a)\n ) b\n", first_value "(\n a)\n ) b\n)\nx = 1")
    assert.same({ "key k", "string x\n", "eof" }, items("k (x\n)"))
    assert.same({ "key k", "string x\n)y\n", "eof" }, items("k (x\n)y\n)\0"))
  end)

  it("reads quoted keys with any characters", function()
    assert.same({ "key a b:{", "integer 1", "eof" }, items("'a b:{' = 1"))
    assert.same({ "key a b:{", "integer 1", "eof" }, items('"a b:{" = 1'))
    assert.same({ "key m", "map_start", "key x y", "integer 1", "map_end", "eof" }, items("m { 'x y': 1 }"))
  end)

  it("takes everything up to a space or separator for a bare key", function()
    assert.equal("key cluster{", items("cluster{ x: 1")[1])
    assert.equal("key $G", items("$G = 1")[1])
    assert.equal("key ;b", items("a=1;;b=2")[3])
    assert.equal("key föö", items("föö = 1")[1])
    assert.equal("key a", items("a\194\160= 1")[1])
  end)

  it("sees through braces at the top level", function()
    assert.same({ "key a", "integer 1", "key b", "integer 2", "eof" }, items('{ "a": 1, "b": 2 }'))
    assert.same({ "key a", "integer 1", "eof" }, items("{{ a: 1 } }"))
  end)

  it("lets the value in a map begin on a later line", function()
    assert.same({ "key m", "map_start", "key a", "integer 1", "map_end", "eof" }, items("m {\n a =\n\n 1\n}"))
  end)

  it("knows include in any case, bare, and followed by a space", function()
    assert.same({ "include a.conf", "eof" }, items("include a.conf"))
    assert.same({ "include a b.conf", "eof" }, items("INCLUDE 'a b.conf'"))
    assert.same({ "include a.conf", "eof" }, items('include\t"a.conf";'))
    assert.same({ "key m", "map_start", "include a.conf", "map_end", "eof" }, items("m { include a.conf}"))
    assert.same({ "include =", "key x", "string", "eof" }, items("include =\nx ="))
    assert.same({ "key include", "string x", "eof" }, items("include=x"))
    assert.same({ "key include", "string x", "eof" }, items("'include' x"))
  end)

  it("counts columns from zero on the first line and from one on the others", function()
    assert.same({ "key 1:0", "integer 1:2", "key 2:1", "string 2:6", "eof 2:10" }, places("a 1\nkey  word"))
    assert.same({ "key 1:1", "array_start 1:5", "array_end 1:7", "eof 1:7" }, places('"a" [ ]'))
  end)
end)

describe("the configuration lexer's errors", function()
  local function fails(text, message, line)
    local actual, actual_line = failure(text)
    assert.equal(message, actual)
    assert.equal(line or 1, actual_line)
  end

  it("name a missing key", function()
    fails("= 1", "Unexpected key separator '='")
    fails(": 1", "Unexpected key separator ':'")
    fails("m { = 1 }", "Unexpected key separator '='.")
    fails("m { ] }", "Unexpected array end ']' processing map.")
  end)

  it("name what follows a value", function()
    fails("a = 'x' y", "Expected a top-level value to end with a new line, comment or EOF, but got 'y' instead.")
    fails("a = 1.5s", "Expected a top-level value to end with a new line, comment or EOF, but got 's' instead.")
    fails("a = {b: 1 c: 2}", 'Expected a map value terminator "," or a map terminator "}", but got \'c\' instead.')
    fails("a = ['x' ü]", 'Expected an array value terminator "," or an array terminator "]", but got \'ü\' instead.')
    fails("{ a: 1 b: 2 }",
      "Expected a block-level value to end with a new line, comment or EOF, but got 'b' instead.")
    fails("{ { a: 1 } b", "Expected a block-level to end with a '}', but got 'b' instead.")
    fails("a = 'x' \255", "Expected a top-level value to end with a new line, comment or EOF, but got '\239\191\189' instead.")
  end)

  it("name a terminator without a value", function()
    fails("a { k: , }", 'Unexpected map value terminator ",".')
    fails("a [,]", "Unexpected array value terminator ','.")
    fails("a [1,,2]", "Unexpected array value terminator ','.")
    fails("a [1, / 2]", "Unexpected array value terminator ','.")
  end)

  it("name an end of input in the middle", function()
    fails("'abc", "Unexpected EOF.")
    fails('"abc', "Unexpected EOF.")
    fails('"', "Unexpected EOF.")
    fails("a = 'abc", "Unexpected EOF.")
    fails('a = "abc', "Unexpected EOF.")
    fails("a = 'ab\0c'", "Unexpected EOF.")
    fails("/ x", "Unexpected EOF.")
    fails("\0", "Unexpected EOF.")
    fails("m {", "Unexpected EOF processing map.")
    fails("m { abc", "Unexpected EOF processing map key.")
    fails("m { 'abc", "Unexpected EOF processing quoted map key.")
    fails('m { "abc', "Unexpected EOF processing double quoted map key.")
    fails("a (\nx", "Unexpected EOF processing block.", 2)
    fails("a (\nx\n) y", "Unexpected EOF processing block.", 3)
  end)

  it("name a value on the next line, with the number of that line", function()
    fails("a =\n1", "Expected value but found new line", 2)
    fails("\n\na =\n1", "Expected value but found new line", 4)
  end)

  it("name incomplete numbers and dates", function()
    fails("a = .5", "Floats must start with a digit")
    fails("a = -.5", "Floats must start with a digit, not '.'.")
    fails("a = 1.", "Floats must have a digit after the '.', but got '\0' instead.")
    fails("a = 1.\n", "Floats must have a digit after the '.', but got '\\n' instead.", 2)
    fails("a = -x", "Expected a digit but got 'x'.")
    fails("a = 10-0-0-1", "All ISO8601 dates must be in full Zulu form.")
    fails("a = 2024-cluster", "Expected digit in ISO8601 datetime, but found 'c' instead.")
    fails("a = 2024-01-01 10:00", "Expected 'T' in ISO8601 datetime, but found ' ' instead.")
    fails("a = 2024-01-01T10:00:00+", "Expected 'Z' in ISO8601 datetime, but found '+' instead.")
  end)

  it("name bad escapes", function()
    local allowed = [[ Only the following escape characters are allowed: \xXX, \t, \n, \r, \", \\.]]
    fails([[a = "\q"]], "Invalid escape character 'q'." .. allowed)
    fails([[a = \q]], "Invalid escape character 'q'." .. allowed)
    fails("a = \"\\\n", "Invalid escape character '\\n'." .. allowed, 2)
    fails([[a = "\xzz"]], [[Expected two hexadecimal digits after '\x', but got 'zz']])
    fails([[a = \x]], [[Expected two hexadecimal digits after '\x', but got '\x']])
    fails("a = \\x1\n", [[Expected two hexadecimal digits after '\x', but hit end of line]], 2)
  end)

  it("name what is no path after include", function()
    fails("include 'x", "Unexpected EOF in quoted include")
    fails('include "x', "Unexpected EOF in double quoted include")
    for start, name in pairs { ["["] = "start of an array", ["{"] = "start of a map", ["("] = "start of a block",
      ["5"] = "start of a number", ["-"] = "start of a number", ["\\"] = "escape sequence" } do
      fails("include " .. start, "Expected include value but found " .. name)
    end
    fails("include \n", "Expected include value but found new line", 2)
  end)

  it("bound the nesting", function()
    fails("a = " .. ("["):rep(1000), "Nesting is deeper than 256 levels.")
    fails(("{"):rep(100000), "Nesting is deeper than 256 levels.")
    fails("a " .. ("{a "):rep(1000), "Nesting is deeper than 256 levels.")
    local allowed = 250
    assert.equal("eof", items("a = " .. ("["):rep(allowed) .. ("]"):rep(allowed))[allowed * 2 + 2])
  end)
end)
