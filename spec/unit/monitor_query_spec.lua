local query = require "perigee.monitor.query"

describe("a monitoring query", function()
  it("is taken apart into the first of each parameter", function()
    local found = query.parse "sort=cid&subs=1&&subs=0&acc=%24G&user=a+b%2Bc&empty=&flag&=x&b=1=2"
    assert.are.same({
      sort = "cid", subs = "1", acc = "$G", user = "a b+c", empty = "", flag = "", [""] = "x", b = "1=2",
    }, found)
    assert.are.same({}, query.parse(nil))
    assert.are.same({}, query.parse "")
  end)

  it("leaves out pairs that are broken", function()
    assert.are.same({ ok = "1" }, query.parse "a=%zz&b=%2&c=%&%4=x&d;e=1&f=1;2&ok=1")
  end)

  it("takes the value of the first parameter that is not broken", function()
    assert.are.same({ limit = "2" }, query.parse "limit=%zz&limit=2&limit=3")
  end)

  it("reads booleans in the words of Go", function()
    for _, word in ipairs { "1", "t", "T", "true", "TRUE", "True" } do assert.is_true(query.boolean({ x = word }, "x")) end
    for _, word in ipairs { "0", "f", "F", "false", "FALSE", "False", "" } do
      assert.is_false(query.boolean({ x = word }, "x"))
    end
    assert.is_false(query.boolean({}, "x"))
    for _, word in ipairs { "yes", "tRUE", " 1", "2", "on" } do
      local value, message = query.boolean({ x = word }, "x")
      assert.is_nil(value)
      assert.are.equal(("Error decoding boolean for 'x': strconv.ParseBool: parsing %q: invalid syntax"):format(word), message)
    end
  end)

  it("reads integers to their ends", function()
    local function int(text) return query.int({ x = text }, "x") end
    assert.are.equal(0, int "")
    assert.are.equal(0, int "-0")
    assert.are.equal(5, int "+005")
    assert.are.equal(-17, int "-17")
    assert.are.equal(2 ^ 52, int "4503599627370496")
    assert.are.equal("9223372036854775807LL", tostring(int "9223372036854775807"))
    assert.are.equal("-9223372036854775808LL", tostring(int "-9223372036854775808"))
    assert.is_true(int "-9223372036854775808" < 0)
  end)

  it("refuses what is no integer, or too large", function()
    for text, why in pairs {
      ["x"] = "invalid syntax", ["1.5"] = "invalid syntax", ["0x10"] = "invalid syntax", ["1_0"] = "invalid syntax",
      [" 1"] = "invalid syntax", ["+"] = "invalid syntax", ["--1"] = "invalid syntax",
      ["9223372036854775808"] = "value out of range", ["-9223372036854775809"] = "value out of range",
      ["99999999999999999999"] = "value out of range",
    } do
      local value, message = query.int({ limit = text }, "limit")
      assert.is_nil(value)
      assert.are.equal(("Error decoding int for 'limit': strconv.Atoi: parsing %q: %s"):format(text, why), message)
    end
    local _, message = query.int({ limit = '"\255\n' }, "limit")
    assert.are.equal([[Error decoding int for 'limit': strconv.Atoi: parsing "\"\xff\n": invalid syntax]], message)
  end)

  it("reads unsigned integers, which have no sign", function()
    assert.are.equal(12, query.uint64({ cid = "0012" }, "cid"))
    assert.are.equal("18446744073709551615ULL", tostring(query.uint64({ cid = "18446744073709551615" }, "cid")))
    for text, why in pairs {
      ["-1"] = "invalid syntax", ["+5"] = "invalid syntax", ["abc"] = "invalid syntax",
      ["18446744073709551616"] = "value out of range",
    } do
      local value, message = query.uint64({ cid = text }, "cid")
      assert.is_nil(value)
      assert.are.equal(("Error decoding uint64 for 'cid': strconv.ParseUint: parsing %q: %s"):format(text, why), message)
    end
  end)

  it("reads states in any case", function()
    assert.are.equal("open", query.state {})
    assert.are.equal("closed", query.state { state = "Closed" })
    assert.are.equal("all", query.state { state = "ANY" })
    assert.are.equal("all", query.state { state = "all" })
    local value, message = query.state { state = "FOO" }
    assert.is_nil(value)
    assert.are.equal("Error decoding state for FOO", message)
  end)

  it("reads what is wanted of subscriptions", function()
    assert.is_false(query.subs {})
    assert.are.equal("list", query.subs { subs = "1" })
    assert.are.equal("detail", query.subs { subs = "DETAIL" })
    local value, message = query.subs { subs = "details" }
    assert.is_nil(value)
    assert.are.equal(
      [[Error decoding boolean for 'subs': strconv.ParseBool: parsing "details": invalid syntax]], message)
  end)

  it("stops at the first parameter that is wrong", function()
    local values, message = query.read({ a = "x", b = "y" }, { "a", query.int }, { "b", query.boolean })
    assert.is_nil(values)
    assert.is_truthy(message:find("'a'", 1, true))
    assert.are.same({ a = 1, b = false }, query.read({ a = "1" }, { "a", query.int }, { "b", query.boolean }))
  end)
end)
