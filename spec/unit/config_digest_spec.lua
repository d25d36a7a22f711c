local digest = require "perigee.config.digest"
local parser = require "perigee.config.parser"
local sha256 = require "perigee.config.sha256"

local world = { getenv = function() end, readfile = function(path) return nil, "open " .. path end }

local function tree(text)
  local map, message = parser.parse_text(text, "a.conf", world)
  assert.is_nil(message)
  return map
end

local function digest_of(text) return digest.of(tree(text)) end

describe("SHA-256", function()
  it("agrees with the published vectors", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sha256.hexadecimal(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256.hexadecimal("abc"))
    assert.equal("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      sha256.hexadecimal("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", sha256.hexadecimal(("a"):rep(1e6)))
  end)

  it("pads every length up to two blocks to whole blocks", function()
    local seen = {}
    for length = 0, 130 do
      local hash = sha256.hexadecimal(("x"):rep(length))
      assert.equal(64, #hash)
      assert.is_nil(seen[hash])
      seen[hash] = true
    end
  end)
end)

describe("the digest of a configuration", function()
  it("agrees with nats-server", function()
    assert.equal("sha256:226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de", digest_of("foo = bar"))
    assert.equal("sha256:7ea4cc5c6864139d814ce940a40ee6546b7ac5285eec3c390a4ce11e34dc1102", digest_of("port: -1"))
  end)

  it("does not depend on layout, quoting, suffixes or the order of keys", function()
    local expected = digest_of("a = 1024\nb { c = x, d = [1, 2] }")
    for _, text in ipairs { "# note\nb: {\n 'd' [1\n2]\n c: \"x\" }; a 1kb", '{"b":{"c":"x","d":[1,2]},"a":1024}' } do
      assert.equal(expected, digest_of(text))
    end
  end)

  it("depends on values, types and variable definitions", function()
    local seen = {}
    for _, text in ipairs { "a=1", "a='1'", "a=1.5", "a=2", "a=[1]", "a=on", "b=1", "x=1\na=$x", "a {}", "a=[]" } do
      local found = digest_of(text)
      assert.is_nil(seen[found])
      seen[found] = true
    end
  end)

  it("writes JSON as Go does", function()
    local function json(text) return digest.json(tree(text)) end
    assert.equal('{"a":{},"b":[],"c":[true,false,"2016-05-04T18:53:41Z"]}', json("c=[on,off,2016-05-04T18:53:41Z]\nb []\na {}"))
    assert.equal('{"a":9223372036854775807,"b":-9007199254740992}', json("a=9223372036854775807\nb=-9007199254740992"))
    assert.equal([[{"a":"\u003c\u003e\u0026\"\\\n\r\t\b\f\u0001ü\u2028\ufffd"}]],
      json('a="<>&\\"\\\\\\n\\r\\t\\x08\\x0c\\x01ü\226\128\168\\xff"'))
  end)

  it("writes floats with the fewest digits that read back", function()
    for written, expected in pairs {
      ["1.0"] = "1", ["-0.0"] = "-0", ["0.1"] = "0.1", ["1.50"] = "1.5", ["0.000001"] = "0.000001",
      ["0.0000001"] = "1e-7", ["0.00000000012"] = "1.2e-10", ["123456789.125"] = "123456789.125",
      ["100000000000000000000.0"] = "100000000000000000000", ["1000000000000000000000.0"] = "1e+21",
      ["0.30000000000000004"] = "0.30000000000000004",
    } do
      assert.equal('{"a":' .. expected .. "}", digest.json(tree("a=" .. written)))
    end
  end)

  it("is refused to a tree that variables make enormous", function()
    local lines = { "v0 = [" .. ("x,"):rep(1000) .. "x]" }
    for index = 1, 20 do lines[index + 1] = ("v%d = [$v%d, $v%d, $v%d]"):format(index, index - 1, index - 1, index - 1) end
    local found, message = digest_of(table.concat(lines, "\n"))
    assert.is_nil(found)
    assert.matches("^configuration expands to more than %d+ bytes$", message)
  end)
end)
