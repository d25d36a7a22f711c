-- What the log shows of a client with tracing on: all its lines, in their order.
local process = require "spec.support.process"

local HEADERS = '"headers":true'
local BLOCK = "NATS/1.0\r\nA: 1\r\n\r\n" -- 18 bytes

-- Notes the lines about a connection; the last of them is of a subscription that never was.
local function traced(t, conn)
  conn:send("UNSUB the.end\r\n")
  local function lines()
    local found = {}
    for line in t.server:log_text():gmatch("[^\n]+") do
      local level, text = line:match("%[(%u+)%] 127%.0%.0%.1:%d+ %- cid:" .. conn.cid .. " %- (.*)$")
      if text and text:find("UNSUB the.end", 1, true) then return found end
      if text then found[#found + 1] = level .. " " .. text end
    end
  end
  for _, line in ipairs(assert(process.wait_for(lines, 5, "end of the trace"))) do t:note(line) end
end

local function shows(name, covers, bytes, members)
  return {
    name = name, covers = covers,
    run = function(t)
      local a = t:client("a", members, { quiet = true })
      a:send(bytes)
      a:sync()
      traced(t, a)
    end,
  }
end

-- What is shown of a CONNECT.
local function redacts(name, text)
  return {
    name = name, covers = { "CP-038" },
    run = function(t)
      local a = t:connect("a")
      a:send("CONNECT " .. text .. "\r\n")
      t:logged("cid:" .. a.cid .. " %- (<<%- %[CONNECT [^\n]*)")
    end,
  }
end

-- What lines about a connection begin with behind its CONNECT with these members, and behind another one.
local function labels(name, members, again)
  return {
    name = name, covers = { "CP-018" },
    run = function(t)
      local a = t:client("a", members, { quiet = true })
      t:logged("127%.0%.0%.1:%d+ %- cid:" .. a.cid .. " (%- [^\n]*<<%- %[PING%])\n")
      if not again then return end
      a:send("CONNECT {" .. again .. "}\r\nUNSUB the.end\r\n")
      t:logged("127%.0%.0%.1:%d+ %- cid:" .. a.cid .. " (%- [^\n]*UNSUB the.end%])\n")
    end,
  }
end

return {
  topic = "the trace",
  {
    flags = { "-V" },
    config = 'mappings = { "from.*": "to.$1" }',
    shows("operations, answers and messages in their order", { "CP-180", "CP-181" },
      "SUB foo q 1\r\nPUB foo bar 5\r\nhello\r\nUNSUB 1 3\r\nPUB foo 0\r\n\r\nPUB foo 1\r\nx\r\nPUB foo 1\r\ny\r\n"
        .. "SUB bar 2\r\nUNSUB 2\r\nPONG\r\n+OK\r\nINFO {}\r\n"),
    shows("verbose answers", { "CP-180" }, "SUB foo 1\r\nPUB foo 2\r\nhi\r\nUNSUB 1\r\n", '"verbose":true'),
    shows("headers, whole and stripped", { "CP-180", "CP-181" },
      "SUB foo 1\r\nHPUB foo r 18 22\r\n" .. BLOCK .. "body\r\nHPUB foo 18 18\r\n" .. BLOCK .. "\r\n", HEADERS),
    shows("a payload is quoted", { "CP-181" }, 'SUB foo 1\r\nPUB foo 14\r\n"\\\0\1\r\n\t\195\169\255 a\127b\r\n'),
    shows("a mapping", { "CP-180", "CP-121" }, "SUB to.* 1\r\nPUB from.x 2\r\nhi\r\nPUB other 0\r\n\r\n"),
    shows("errors that do not close", { "CP-180" },
      "SUB a..b 1\r\nPUB $NRG.x 0\r\n\r\nPUB a _R_.x 0\r\n\r\nSUB a _sys_ 1\r\nPUB a.* 0\r\n\r\n", '"pedantic":true'),
    {
      name = "a trace shows headers stripped from what a subscriber without them gets",
      covers = { "CP-181" },
      run = function(t)
        local a, b = t:client("a", nil, { quiet = true }), t:client("b", HEADERS, { quiet = true })
        a:send("SUB foo 1\r\n")
        a:sync()
        b:send("HPUB foo 18 22\r\n" .. BLOCK .. "body\r\n")
        b:sync()
        a:expect()
        traced(t, a)
        traced(t, b)
      end,
    },
    labels("a label names version, language and name", '"name":"me","lang":"lua","version":"1.2.3"'),
    labels("a label without a version", '"name":"me","lang":"lua"'),
    labels("a label without a language", '"name":"me","version":"1.2.3"'),
    labels("a label of a name alone, quoted", [["name":"me \"and\" you \u00e9 \\"]]),
    labels("a label names account and user, though nobody asks for users", '"name":"me","user":"joe","pass":"x"'),
    labels("a label of a user alone", '"user":"joe"'),
    labels("a label never names a token", '"auth_token":"secret"'),
    labels("a label stays when CONNECT comes again", '"name":"me","lang":"lua"', '"name":"you","version":"9","verbose":false'),
    redacts("secrets are redacted: all kinds",
      '{"user":"joe","pass":"s1","auth_token":"s2","sig":"s3","proxy_sig":"s4","nkey":"s5","jwt":"shown"}'),
    redacts("secrets are redacted: password and longer names", '{"password":"s1","passport":"s2","auth_token2":"s3","pass":""}'),
    redacts("secrets are redacted: blanks around the colon", '{"pass" : "s1" , "auth_token"\t:\t"s2"}'),
    redacts("secrets are redacted: values that are no strings", '{"pass":12345,"auth_token":null,"verbose":true}'),
    redacts("secrets are redacted: escaped quotes", [[{"pass":"s1\"s2","name":"x"}]]),
    redacts("secrets are redacted: the same twice", '{"pass":"s1","pass":"s2"}'),
    redacts("secrets are redacted: JSON that breaks off", '{"user":"joe","pass":"s1'),
    redacts("secrets are redacted: no JSON at all", "pass:s1 auth_token: s2"),
    redacts("secrets are redacted: letters of another case", '{"PASS":"s1","Auth_Token":"s2","SIG":"s3","Nkey":"s4"}'),
    redacts("secrets are redacted: a name that only ends so", '{"my_pass":"shown","signature":"shown","nkeys":"shown"}'),
  },
  {
    about = "cut payloads",
    flags = { "-V" },
    config = "max_traced_msg_len: 5",
    shows("a long payload is cut", { "CP-181" }, "SUB foo 1\r\nPUB foo 5\r\n12345\r\nPUB foo 6\r\n123456\r\nPUB foo 8\r\n1\r\n\r\n678\r\n"),
    shows("a long header block counts as payload", { "CP-181" }, "SUB foo 1\r\nHPUB foo 18 20\r\n" .. BLOCK .. "hi\r\n", HEADERS),
  },
  {
    about = "headers only",
    config = "trace_headers: true",
    shows("only headers are shown of messages", { "CP-182" },
      "SUB foo 1\r\nPUB foo 5\r\nhello\r\nHPUB foo 18 20\r\n" .. BLOCK .. "hi\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n", HEADERS),
  },
  {
    about = "no trace",
    {
      name = "without tracing nothing of it is logged",
      covers = { "CP-180", "CP-181" },
      run = function(t)
        local a = t:client("a", nil, { quiet = true })
        a:send("SUB foo 1\r\nPUB foo 5\r\nhello\r\n")
        a:sync()
        t:note("trace in the log: " .. tostring(t.server:log_text():find("[TRC]", 1, true) ~= nil))
      end,
    },
  },
}
