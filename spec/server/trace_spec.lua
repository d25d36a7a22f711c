-- What the log says about a client. The lines expected here are nats-server's, word for word and in its order.
local process = require "spec.support.process"
local server = require "spec.support.server"
local wire = require "spec.support.wire"

local CONFIG = [[
  mappings = { "src.*": "map.{{wildcard(1)}}" }
  max_payload: 100, max_pending: 1MB, max_control_line: 256, max_subs: 3, max_sub_tokens: 5
]]

describe("The log about a client", function()
  local running

  after_each(function()
    if running then running:stop() end
    running = nil
  end)

  local function start(flags, config)
    running = assert(server.start(assert(server.perigee()), { config = config or CONFIG, flags = flags or { "-DV" } }))
  end

  -- A connection whose CONNECT has these members, and its number.
  local function connect(members)
    local client = wire.connect(running.port)
    local cid = client:expect():match('"client_id":(%d+)')
    if members then client:send(('CONNECT {"verbose":false,"pedantic":false%s}\r\n'):format(members)) end
    return client, cid
  end

  -- The lines about a client behind its CONNECT, until the one that matches `last`.
  local function lines_of(cid, last)
    local list, started
    assert(process.wait_for(function()
      list, started = {}, false
      for line in running:log_text():gmatch("[^\n]+") do
        local rest = line:match("^%[%d+%] %S+ %S+ (%[%u+%] 127%.0%.0%.1:%d+ %- cid:" .. cid .. " .*)$")
        if rest then
          rest = rest:gsub("127%.0%.0%.1:%d+ %- cid:%d+ %- ", "", 1):gsub("(proto='\"FOO bar).*", "%1...")
          if started then list[#list + 1] = rest end
          started = started or rest:find("[CONNECT ", 1, true) ~= nil
          if rest:find(last) then return true end
        end
      end
      return false
    end), running:log_text())
    return list
  end

  -- What the log says while a client of these members sends this and leaves.
  local function log_of(bytes, members)
    local client, cid = connect(members or "")
    client:send(bytes .. "PING\r\n")
    client:next()
    client:close()
    local list = lines_of(cid, "connection closed")
    table.remove(list)
    for i = #list, 1, -1 do
      if list[i]:find("[PING]", 1, true) or list[i]:find("[PONG]", 1, true) then table.remove(list, i) end
    end
    return list
  end

  it("shows operations as they were sent, what is answered, and messages as they are delivered", function()
    start()
    assert.same({
      "[TRC] <<- [SUB foo   1  ]",
      "[TRC] <<- [PUB foo 5]",
      '[TRC] <<- MSG_PAYLOAD: ["hello"]',
      "[TRC] ->> [MSG foo 1 5]",
      '[TRC] ->> MSG_PAYLOAD: ["hello"]',
      "[TRC] <<- [PUB foo reply 0]",
      "[TRC] ->> [MSG foo 1 reply 0]",
      "[TRC] <<- [UNSUB 1]",
      "[TRC] <-> [DELSUB 1]",
      "[TRC] <<- [UNSUB 77]",
    }, log_of("sub   foo   1  \r\nPUB foo 5\r\nhello\r\nPUB foo reply 0\r\n\r\nUNSUB 1\r\nUNSUB 77\r\n"))
  end)

  it("shows what verbose clients are answered, before what follows from it", function()
    start()
    assert.same({
      "[TRC] ->> [OK]",
      "[TRC] <<- [SUB foo 1]",
      "[TRC] ->> [OK]",
      "[TRC] <<- [PUB foo 0]",
      "[TRC] ->> [OK]",
      "[TRC] ->> [MSG foo 1 0]",
      "[TRC] <<- [UNSUB 1]",
      "[TRC] ->> [OK]",
      "[TRC] <-> [DELSUB 1]",
    }, log_of("SUB foo 1\r\nPUB foo 0\r\n\r\nUNSUB 1\r\n", ',"verbose":true'))
  end)

  it("shows headers with the payload, quoted, and what is left for those who take none", function()
    start()
    local plain, cid = connect ',"headers":false'
    plain:send("SUB h 1\r\n")
    plain:sync()
    assert.same({
      "[TRC] <<- [HPUB h rr 18 22]",
      [=[[TRC] <<- MSG_PAYLOAD: ["NATS/1.0\r\nA: 1\r\n\r\nbody"]]=],
      "[TRC] <<- [PUB h 3]",
      [=[[TRC] <<- MSG_PAYLOAD: ["a\"\xe9"]]=],
    }, log_of('HPUB h rr 18 22\r\nNATS/1.0\r\nA: 1\r\n\r\nbody\r\nPUB h 3\r\na"\233\r\n', ',"headers":true'))
    plain:expect(2)
    plain:close()
    local list = lines_of(cid, "DELSUB")
    assert.same({
      "[TRC] ->> [MSG h 1 rr 4]",
      '[TRC] ->> MSG_PAYLOAD: ["body"]',
      "[TRC] ->> [MSG h 1 3]",
      [=[[TRC] ->> MSG_PAYLOAD: ["a\"\xe9"]]=],
      "[DBG] Client connection closed: Client Closed",
      "[TRC] <-> [DELSUB 1]",
    }, { unpack(list, #list - 5) })
  end)

  it("shows what a subject is mapped to", function()
    start()
    assert.same({
      "[TRC] <<- [SUB map.> 3]",
      "[TRC] <<- [PUB src.a 2]",
      "[TRC] <<- [MAPPING src.a -> map.a]",
      '[TRC] <<- MSG_PAYLOAD: ["hi"]',
      "[TRC] ->> [MSG map.a 3 2]",
      '[TRC] ->> MSG_PAYLOAD: ["hi"]',
    }, log_of("SUB map.> 3\r\nPUB src.a 2\r\nhi\r\n"))
  end)

  it("tells when a subscription has had its messages", function()
    start()
    assert.same({
      "[TRC] <<- [SUB bar q 2]",
      "[TRC] <<- [UNSUB 2 1]",
      "[TRC] <<- [PUB bar 0]",
      "[DBG] Auto-unsubscribe limit of 1 reached for sid '2'",
      "[TRC] ->> [MSG bar 2 0]",
      "[TRC] <-> [DELSUB 2]",
    }, log_of("SUB bar q 2\r\nUNSUB 2 1\r\nPUB bar 0\r\n\r\n"))
  end)

  it("shows errors that keep the connection without their quotes, then what they are about", function()
    start()
    assert.same({
      "[TRC] <<- [SUB foo..bar 1]",
      "[TRC] ->> [-ERR Invalid Subject]",
      "[TRC] <<- [SUB a _sys_ 7]",
      [=[[TRC] ->> [-ERR Permissions Violation for Subscription to "a" using queue "_sys_"]]=],
      [=[[ERR] Subscription Violation - Subject "a", Queue: "_sys_", SID 7]=],
      "[TRC] <<- [SUB a.b.c.d.e.f q 8]",
      [=[[TRC] ->> [-ERR Permissions Violation for Subscription to "a.b.c.d.e.f", too many tokens]]=],
      [=[[ERR] Subscription Violation Too Many Tokens - Subject "a.b.c.d.e.f", SID 8]=],
      "[TRC] <<- [PUB _GR_.x 1]",
      '[TRC] <<- MSG_PAYLOAD: ["a"]',
      [=[[TRC] ->> [-ERR Permissions Violation for Publish to "_GR_.x"]]=],
      [=[[ERR] Publish Violation - Subject "_GR_.x"]=],
      "[TRC] <<- [PUB a $JS.ACK.x 1]",
      '[TRC] <<- MSG_PAYLOAD: ["a"]',
      [=[[TRC] ->> [-ERR Permissions Violation for Publish with Reply of "$JS.ACK.x"]]=],
      [=[[ERR] Publish Violation - Reply "$JS.ACK.x"]=],
    }, log_of("SUB foo..bar 1\r\nSUB a _sys_ 7\r\nSUB a.b.c.d.e.f q 8\r\nPUB _GR_.x 1\r\na\r\nPUB a $JS.ACK.x 1\r\na\r\n"))
    assert.same({
      "[TRC] <<- [PUB foo..x 1]",
      "[TRC] ->> [-ERR Invalid Publish Subject]",
      '[TRC] <<- MSG_PAYLOAD: ["a"]',
    }, log_of("PUB foo..x 1\r\na\r\n", ',"pedantic":true'))
  end)

  it("names the error that ends a connection, and how it ended", function()
    start()
    local function ends(expected, bytes, members)
      local client, cid = connect(members or "")
      client:send(bytes)
      client:closed()
      lines_of(cid, "connection closed")
      assert(process.wait_for(function() return #lines_of(cid, "connection closed") >= #expected - 1 end))
      local last = expected[#expected]:gsub("%p", "%%%0")
      assert.same(expected, lines_of(cid, "^" .. last .. "$"))
    end
    ends({
      "[TRC] ->> [-ERR Unknown Protocol Operation]",
      [=[[ERR] Client parser ERROR, state=0, i=0: proto='"FOO bar...]=],
      "[DBG] Client connection closed: Protocol Violation",
    }, "FOO bar\r\n")
    ends({
      "[TRC] <<- [SUB foo]",
      '[ERR] processSub Parse Error: "foo"',
      "[DBG] Client connection closed: Protocol Violation",
    }, "SUB foo\r\n")
    ends({
      "[ERR] Client Error 'mine'",
      "[DBG] Client connection closed: Parse Error",
    }, "-ERR 'mine'\r\n")
    ends({
      "[TRC] <<- [PUB a 101]",
      "[ERR] maximum payload exceeded: 101 vs 100",
      "[TRC] ->> [-ERR Maximum Payload Violation]",
      "[DBG] Client connection closed: Maximum Message Payload Exceeded",
    }, "PUB a 101\r\n")
    ends({
      "[TRC] <<- [HPUB a 2 2]",
      "[ERR] message headers not supported",
      "[DBG] Client connection closed: Protocol Violation",
    }, "HPUB a 2 2\r\n")
    ends({
      "[TRC] ->> [-ERR maximum control line exceeded]",
      "[DBG] Client connection closed: Maximum Control Line Exceeded",
      "[ERR] maximum control line exceeded",
    }, "SUB " .. ("x"):rep(300) .. " 1\r\n")
    ends({
      "[TRC] ->> [-ERR invalid client protocol]",
      "[DBG] Client connection closed: Bad Client Protocol Version",
      "[ERR] invalid client protocol",
    }, "", ',"protocol":7')
    ends({
      "[TRC] ->> [-ERR no responders requires headers support]",
      "[DBG] Client connection closed: No Responders Requires Headers",
      "[ERR] no responders requires headers support",
    }, "", ',"no_responders":true')
    ends({
      '[ERR] authentication error - User "u"',
      "[TRC] ->> [-ERR Authorization Violation]",
      "[DBG] Client connection closed: Authentication Failure",
    }, "", ',"account":"a","user":"u"')
    ends({
      "[ERR] authentication error",
      "[TRC] ->> [-ERR Authorization Violation]",
      "[DBG] Client connection closed: Authentication Failure",
    }, "", ',"new_account":true')
    ends({
      "[TRC] <<- [PUB a 2]",
      "[TRC] ->> [-ERR Unknown Protocol Operation]",
      [=[[ERR] Client parser ERROR, state=41, i=0: proto='"xhi\r\n"...']=],
      "[DBG] Client connection closed: Protocol Violation",
    }, "PUB a 2\r\nhixhi\r\n")
    ends({
      "[ERR] invalid character 'x' looking for beginning of value",
      "[DBG] Client connection closed: Protocol Violation",
    }, "INFO x\r\n")
  end)

  it("writes what comes in swarms once", function()
    start()
    local client, cid = connect ""
    client:send(("SUB a %d\r\n"):rep(9):format(1, 2, 3, 4, 5, 6, 7, 8, 9))
    client:sync()
    client:close()
    local told = 0
    for _, line in ipairs(lines_of(cid, "connection closed")) do
      if line == "[ERR] maximum subscriptions exceeded" then told = told + 1 end
    end
    assert.equal(1, told)
  end)

  it("begins with the address, the number, and from CONNECT on with what the client calls itself", function()
    start { "-DV" }
    local function label(members)
      local client, cid = connect(members)
      client:sync()
      client:close()
      local found = process.wait_for(function()
        return running:log_text():match("%[TRC%] (127%.0%.0%.1:%d+ %- cid:" .. cid .. "[^\n]-) %- <<%- %[PING%]")
      end)
      assert.equal(("127.0.0.1:%d - cid:%s"):format(client.own_port, cid), found:sub(1, #("127.0.0.1:%d - cid:%s"):format(
        client.own_port, cid)))
      return found:match(" %- cid:%d+(.*)$")
    end
    assert.equal("", label "")
    assert.equal(' - "v1.2:go:me"', label ',"name":"me","lang":"go","version":"1.2"')
    assert.equal(' - "go"', label ',"lang":"go"')
    assert.equal(' - "v1:me"', label ',"name":"me","version":"1"')
    assert.equal(' - "a \\"b\\" \\u00e9\\n"', (label(',"name":"a \\"b\\" \\u00e9\\n"'):gsub("\195\169", "\\u00e9")))
    assert.equal(' - "me" - "$G/user:u"', label ',"name":"me","user":"u","pass":"p"')
    assert.equal(' - "$G/token"', label ',"auth_token":"secret"')
    assert.equal(' - "$G/nkey:K"', label ',"nkey":"K","user":"u"')
    assert.is_nil(running:log_text():find("secret", 1, true))
  end)

  it("keeps that label when CONNECT comes again", function()
    start()
    local client, cid = connect ',"name":"first"'
    client:sync()
    client:send('CONNECT {"name":"second","verbose":false}\r\n')
    client:sync()
    client:close()
    for _, line in ipairs(lines_of(cid, "connection closed")) do assert.truthy(line:find('"first" - ', 1, true), line) end
  end)

  it("shows no more of a payload than max_traced_msg_len, and nothing at all without tracing", function()
    start({ "-DV", "--max_traced_msg_len", "3" })
    assert.same({
      "[TRC] <<- [PUB a 5]",
      '[TRC] <<- MSG_PAYLOAD: ["a\\r\\n..."]',
      "[TRC] <<- [PUB a 3]",
      '[TRC] <<- MSG_PAYLOAD: ["abc"]',
    }, log_of("PUB a 5\r\na\r\nbc\r\nPUB a 3\r\nabc\r\n"))
    running:stop()
    start { "-D" }
    local client = connect ""
    client:send("PUB a 2\r\nhi\r\n")
    client:sync()
    assert.is_nil(running:log_text():find("[TRC]", 1, true))
    assert.truthy(running:log_text():find("Client connection created", 1, true))
  end)

  it("shows headers only where trace_headers is on", function()
    start({ "-DV" }, "trace_headers: true")
    assert.same({
      "[TRC] <<- [PUB a 2]",
      "[TRC] <<- [HPUB a 18 20]",
      [=[[TRC] <<- MSG_PAYLOAD: ["NATS/1.0\r\nA: 1"]]=],
    }, log_of("PUB a 2\r\nhi\r\nHPUB a 18 20\r\nNATS/1.0\r\nA: 1\r\n\r\nhi\r\n", ',"headers":true'))
  end)

  it("never shows secrets, in broken JSON neither", function()
    start()
    for _, json in ipairs {
      '{"user":"joe","pass":"geheim","auth_token":"geheim","sig":"geheim","nkey":"UPUBLIC","proxy_sig":"geheim"}',
      '{"password":"geheim"', "{pass=geheim", '{"auth_tokens": "geheim"}', '{"sig" :"geheim"',
    } do
      local client = wire.connect(running.port)
      client:send("CONNECT " .. json .. "\r\nPING\r\n")
      client:next()
      client:next()
      client:close()
    end
    local text = process.wait_for(function()
      local log = running:log_text()
      local _, seen = log:gsub("%[CONNECT ", "")
      return seen == 5 and log
    end)
    assert.is_nil(text:find("geheim", 1, true))
  end)
end)
