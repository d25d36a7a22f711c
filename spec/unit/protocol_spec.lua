if not package.preload["perigee.json"] then
  describe("the protocol module", function()
    pending("needs perigee-lua, which has the parser")
  end)
  return
end

local protocol = require "perigee.protocol"

-- The one operation of a text.
local function parsed(bytes)
  local operation, after, message = protocol.parse(bytes)
  assert.truthy(operation, ("%q: %s %s"):format(bytes, after, message or ""))
  assert.equal(#bytes + 1, after)
  return operation
end

local function refused(failure, bytes, pattern)
  local operation, kind, message = protocol.parse(bytes)
  assert.is_nil(operation)
  assert.equal(failure, kind, ("%q"):format(bytes))
  if pattern then assert.truthy(message:find(pattern, 1, true), message) end
end

describe("The protocol module", function()
  it("reads a publish with and without a reply", function()
    assert.same({ verb = "PUB", arguments = "greet 5", subject = "greet", size = 5, payload = "hello" },
      parsed "PUB greet 5\r\nhello\r\n")
    assert.same({ verb = "PUB", arguments = "greet _INBOX.1 0", subject = "greet", reply = "_INBOX.1", size = 0, payload = "" },
      parsed "PUB greet _INBOX.1 0\r\n\r\n")
  end)

  it("reads a payload that looks like operations as a payload", function()
    assert.equal("PING\r\nPUB x", parsed("PUB a 11\r\nPING\r\nPUB x\r\n").payload)
    assert.equal("a\0b", parsed("PUB a 3\r\na\0b\r\n").payload)
  end)

  it("divides a message with headers", function()
    local operation = parsed "HPUB greet me 12 17\r\nNATS/1.0\r\n\r\nhello\r\n"
    assert.equal("NATS/1.0\r\n\r\n", operation.header)
    assert.equal("hello", operation.payload)
    assert.equal(12, operation.header_size)
    assert.equal("me", operation.reply)
  end)

  it("reads subscriptions and their end", function()
    assert.same({ verb = "SUB", arguments = "a.* 1", subject = "a.*", sid = "1" }, parsed "SUB a.* 1\r\n")
    assert.same({ verb = "SUB", arguments = "a.* workers 1", subject = "a.*", queue = "workers", sid = "1" },
      parsed "SUB a.* workers 1\r\n")
    assert.same({ verb = "UNSUB", arguments = "1", sid = "1" }, parsed "UNSUB 1\r\n")
    assert.same({ verb = "UNSUB", arguments = "1 5", sid = "1", max = 5 }, parsed "UNSUB 1 5\r\n")
  end)

  it("reads verbs in any case and blanks in any number", function()
    local operation = parsed "sUb  \t a \t b  c\t\r\n"
    assert.equal("a b c", table.concat({ operation.subject, operation.queue, operation.sid }, " "))
    assert.equal("PING", parsed("ping\r\n").verb)
    assert.equal("PUB", parsed("pub a 0\n\r\n").verb)
  end)

  it("reads the verbs without arguments, and those with a text", function()
    for _, verb in ipairs { "PING", "PONG", "+OK" } do assert.equal(verb, parsed(verb .. "\r\n").verb) end
    assert.equal('{"verbose":false}', parsed('CONNECT {"verbose":false}\r\n').arguments)
    assert.equal("'no'", parsed("-ERR 'no'\r\n").arguments)
    assert.equal("{}", parsed("INFO {}\r\n").arguments)
  end)

  it("says of every beginning of an operation that more is needed", function()
    for _, whole in ipairs {
      "PUB greet reply 5\r\nhello\r\n", "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", "SUB a q 1\r\n", "UNSUB 1 2\r\n", "PING\r\n",
      "CONNECT {}\r\n", "+OK\r\n", "-ERR 'x'\r\n",
    } do
      for length = 1, #whole - 1 do refused("partial", whole:sub(1, length)) end
      parsed(whole)
    end
  end)

  it("refuses what is no operation as soon as that is clear", function()
    refused("unknown operation", "G", "Client parser ERROR")
    refused("unknown operation", "PUX")
    refused("unknown operation", "SUBSCRIBE a 1\r\n")
    refused("unknown operation", "\0\r\n")
    refused("unknown operation", " PING\r\n")
    refused("unknown operation", "-ERRx\r\n")
  end)

  it("refuses arguments that are too few, too many or no numbers", function()
    refused("bad arguments", "PUB a\r\n", "processPub Parse Error")
    refused("bad arguments", "PUB a b c 1\r\n", "processPub Parse Error")
    refused("bad arguments", "PUB a b\r\n", "Bad or Missing Size")
    refused("bad arguments", "PUB a -1\r\n", "Bad or Missing Size")
    refused("bad arguments", "PUB a 1x\r\n", "Bad or Missing Size")
    refused("bad arguments", "PUB a 9999999999\r\n", "Bad or Missing Size")
    refused("bad arguments", "HPUB a 1\r\n", "processHeaderPub Parse Error")
    refused("bad arguments", "HPUB a x 1\r\n", "Bad or Missing Header Size")
    refused("bad arguments", "HPUB a 1 x\r\n", "Bad or Missing Total Size")
    refused("bad arguments", "HPUB a 2 1\r\n", "Header Size larger then TotalSize")
    refused("bad arguments", "SUB a\r\n", "processSub Parse Error")
    refused("bad arguments", "SUB a b c d\r\n", "processSub Parse Error")
    refused("bad arguments", "UNSUB 1 2 3\r\n", "processUnsub Parse Error")
  end)

  it("shows bad arguments quoted, so that they cannot write log lines of their own", function()
    local _, _, message = protocol.parse("SUB a\1\"b\r\n")
    assert.equal([[processSub Parse Error: "a\x01\"b"]], message)
    _, _, message = protocol.parse("FOO\27[31m\r\n")
    assert.is_nil(message:find("\27", 1, true))
    assert.truthy(message:find([["FOO\x1b[31m]], 1, true), message)
  end)

  it("refuses a payload that does not end where it should", function()
    refused("bad end of payload", "PUB a 2\r\nabc\r\n")
    refused("bad end of payload", "PUB a 2\r\nabc")
    refused("bad end of payload", "PUB a 2\r\nab\rx")
    refused("bad end of payload", "PUB a 2\r\na\r\n\r")
  end)

  it("keeps to the limit of control lines", function()
    local subject = ("x"):rep(100)
    assert.equal(subject, protocol.parse("SUB " .. subject .. " 1\r\n", 1, 102).subject)
    local operation, failure = protocol.parse("SUB " .. subject .. " 1\r\n", 1, 101)
    assert.is_nil(operation)
    assert.equal("line too long", failure)
    operation, failure = protocol.parse("SUB " .. subject, 1, 50)
    assert.is_nil(operation)
    assert.equal("line too long", failure)
  end)

  it("reads a stream of operations from any position", function()
    local bytes = "PING\r\nSUB a 1\r\nPUB a 2\r\nhi\r\nPO"
    local list, rest = protocol.parse_all(bytes)
    assert.same({ "PING", "SUB", "PUB" }, { list[1].verb, list[2].verb, list[3].verb })
    assert.equal("PO", bytes:sub(rest))
    assert.equal("SUB", protocol.parse(bytes, 7).verb)
    local none, failure = protocol.parse_all("PING\r\nNONSENSE\r\n")
    assert.is_nil(none)
    assert.equal("unknown operation", failure)
    assert.same({}, (protocol.parse_all("")))
  end)
end)
