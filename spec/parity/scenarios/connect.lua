local shapes = require "spec.support.shapes"

local ALL_OPS = "SUB foo 1\r\nPUB foo 2\r\nhi\r\nUNSUB 1\r\n"

local function connect(name, covers, text, after)
  return shapes.answers_raw(name, covers, text .. "\r\n" .. (after or ""))
end

local function refused(name, covers, text)
  return shapes.closes(name, covers, text .. "\r\n")
end

return {
  topic = "CONNECT",
  {
    connect("CONNECT without members leaves a connection verbose", { "CP-020", "CP-021" }, "CONNECT {}", ALL_OPS),
    shapes.answers_raw("a connection without CONNECT is verbose and pedantic", { "CP-021", "CP-022" },
      ALL_OPS .. "PUB foo..bar 0\r\n\r\n"),
    connect("verbose acknowledges CONNECT, SUB, UNSUB, PUB and HPUB but not PING", { "CP-021" },
      'CONNECT {"verbose":true,"pedantic":false,"headers":true}',
      ALL_OPS .. "HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\nPING\r\n"),
    connect("an error stands in the place of its OK", { "CP-021", "CP-082" },
      'CONNECT {"verbose":true,"pedantic":false}', "SUB foo..bar 1\r\nSUB foo 2\r\n"),
    connect("a second CONNECT merges into the first", { "CP-020", "CP-021" },
      'CONNECT {"verbose":false}', 'CONNECT {"pedantic":false}\r\nSUB foo 1\r\n'),
    connect("unknown members are ignored", { "CP-020" }, 'CONNECT {"verbose":false,"shoe_size":42,"x":{"y":[1]}}'),
    connect("members are known in any letter case", { "CP-020" }, 'CONNECT {"VERBOSE":false,"PeDaNtIc":false}',
      "PUB foo..bar 0\r\n\r\n"),
    connect("null leaves a member as it is", { "CP-020" }, 'CONNECT {"verbose":null,"name":null}'),
    connect("the last of repeated members counts", { "CP-020" }, 'CONNECT {"verbose":true,"verbose":false}'),
    connect("no blank is needed behind the verb", { "CP-020", "CP-040" }, 'CONNECT{"verbose":false}'),
    connect("blanks and tabs may stand before and behind the object", { "CP-020", "CP-041" },
      'CONNECT \t {"verbose":false} \t '),
    connect("text in CONNECT may be escaped", { "CP-020" }, [[CONNECT {"verbose":false,"name":"\u00e9\n\"x\" \ud83d\ude00"}]]),
    connect("credentials are accepted where none are asked for", { "CP-027" },
      'CONNECT {"verbose":false,"user":"u","pass":"p","auth_token":"t"}'),
    connect("a JWT is ignored outside operator mode", { "CP-034" }, 'CONNECT {"verbose":false,"jwt":"abc","sig":"def"}'),
    connect("tls_required of a client is ignored", { "CP-020" }, 'CONNECT {"verbose":false,"tls_required":true}'),
    connect("fractions and exponents are numbers of other members only", { "CP-020" },
      'CONNECT {"verbose":false,"other":1.5e3}'),

    refused("an unfinished object closes without an error", { "CP-020" }, 'CONNECT {"verbose":false'),
    refused("CONNECT without an object closes without an error", { "CP-020" }, "CONNECT "),
    refused("CONNECT with text that is no JSON closes", { "CP-020" }, "CONNECT verbose"),
    refused("CONNECT with an array closes", { "CP-020" }, "CONNECT [1]"),
    refused("CONNECT with text behind the object closes", { "CP-020" }, 'CONNECT {"verbose":false} x'),
    refused("a string where a bool should be closes", { "CP-020" }, 'CONNECT {"verbose":"false"}'),
    refused("a number where a string should be closes", { "CP-020" }, 'CONNECT {"verbose":false,"name":7}'),
    refused("a string where a number should be closes", { "CP-020" }, 'CONNECT {"verbose":false,"protocol":"1"}'),
    refused("a fraction where an integer should be closes", { "CP-020" }, 'CONNECT {"verbose":false,"protocol":1.5}'),
    refused("a trailing comma closes", { "CP-020" }, 'CONNECT {"verbose":false,}'),
    refused("a control character in a string closes", { "CP-020" }, 'CONNECT {"name":"a\tb"}'),
    refused("protocol 2 is refused", { "CP-026", "CP-230" }, 'CONNECT {"verbose":false,"protocol":2}'),
    refused("protocol -1 is refused", { "CP-026", "CP-230" }, 'CONNECT {"verbose":false,"protocol":-1}'),
    refused("a named account is refused", { "CP-032" }, 'CONNECT {"verbose":false,"account":"X"}'),
    refused("a new account is refused", { "CP-032" }, 'CONNECT {"verbose":false,"new_account":true}'),
    refused("no_responders without headers is refused", { "CP-025", "CP-230" },
      'CONNECT {"verbose":false,"no_responders":true}'),
    refused("the account is looked at before the protocol", { "CP-026", "CP-032" },
      'CONNECT {"verbose":false,"account":"X","protocol":9}'),
    {
      name = "connect_info comes once, for the first PING behind CONNECT",
      covers = { "CP-012" },
      run = function(t)
        local a = t:connect("a")
        a:sync()
        a:send('CONNECT {"verbose":false,"protocol":1}\r\n')
        a:sync()
        a:expect()
        a:send('CONNECT {"verbose":false,"protocol":1}\r\n')
        a:sync()
        a:sync()
      end,
    },
    {
      name = "a repeated CONNECT drops the subscriptions",
      covers = { "CP-031" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo 1\r\nPUB foo 1\r\n1\r\n")
        a:sync()
        a:send('CONNECT {"verbose":false}\r\nPUB foo 1\r\n2\r\n')
        a:sync()
        a:send("SUB foo 1\r\nPUB foo 1\r\n3\r\n")
        a:sync()
      end,
    },
    {
      name = "without echo a client does not hear itself, others do",
      covers = { "CP-023" },
      run = function(t)
        local a, b = t:client("a", '"echo":false'), t:client("b")
        a:send("SUB foo 1\r\n")
        a:sync()
        b:send("SUB foo 2\r\n")
        b:sync()
        a:send("PUB foo 1\r\nx\r\n")
        a:sync()
        b:expect()
        b:send("PUB foo 1\r\ny\r\n")
        b:sync()
        a:expect()
      end,
    },
    {
      name = "without echo the queue picks another member",
      covers = { "CP-023", "CP-090" },
      run = function(t)
        local a, b = t:client("a", '"echo":false'), t:client("b")
        a:send("SUB foo q 1\r\nSUB foo q 2\r\n")
        a:sync()
        b:send("SUB foo q 3\r\n")
        b:sync()
        for _ = 1, 10 do a:send("PUB foo 1\r\nx\r\n") end
        a:sync()
        b:expect(10)
      end,
    },
  },
}
