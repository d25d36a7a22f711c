local shapes = require "spec.support.shapes"
local closes, answers = shapes.closes, shapes.answers

local SESSION = 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n'
  .. "SUB split.* queue 12\r\nSUB other 3\r\n"
  .. "PUB split.one reply.to 11\r\nhello\r\nmore\r\n"
  .. "HPUB split.two 17 21\r\nNATS/1.0\r\nA:B\r\n\r\nbody\r\n"
  .. "PUB other 0\r\n\r\nUNSUB 12 9\r\nPONG\r\n+OK\r\nUNSUB 3\r\nPUB other 1\r\nx\r\nPING\r\n"

local function unknown(name, bytes)
  return closes("an unknown operation closes: " .. name, { "CP-040", "CP-230" }, bytes)
end

local function wrong_size(name, bytes)
  return closes("a bad size closes without an error: " .. name, { "CP-046" }, bytes)
end

local function wrong_count(name, bytes)
  return closes("a wrong number of arguments closes without an error: " .. name, { "CP-040" }, bytes)
end

local function split(size)
  return {
    name = ("a session reads the same when it is split after every %d bytes"):format(size),
    covers = { "CP-043" },
    run = function(t)
      local a = t:connect("a")
      a:send_split(SESSION, size)
      a:expect(4)
    end,
  }
end

return {
  topic = "the parser",
  {
    unknown("a word", "HELLO\r\n"),
    unknown("one letter more than a verb", "PUBX foo 0\r\n"),
    unknown("half a verb", "PI\r\n"),
    unknown("a blank before a verb", " PING\r\n"),
    unknown("an empty line", "\r\n"),
    unknown("a zero byte", "\0\0\0\0"),
    unknown("a TLS greeting", "\22\3\1\2\0\1\0\1\252\3\3"),
    unknown("an HTTP request", "GET / HTTP/1.1\r\n"),
    unknown("SUB without a blank", "SUB\r\n"),
    unknown("UNSUB without a blank", "UNSUB\r\n"),
    unknown("PUB without a blank", "PUB\r\n"),
    unknown("HPUB without a blank", "HPUB\r\n"),
    unknown("INFO cut short", "INF\r\n"),
    unknown("CONNECT cut short", "CONNEC\r\n"),

    closes("a client may not send RMSG", { "CP-049" }, "RMSG foo 1\r\nx\r\n"),
    closes("a client may not send RS+", { "CP-049" }, "RS+ foo\r\n"),
    closes("a client may not send LS+", { "CP-049" }, "LS+ foo\r\n"),
    closes("a client may not send LMSG", { "CP-049" }, "LMSG foo 1\r\nx\r\n"),
    closes("a client may not send A+", { "CP-049" }, "A+ foo\r\n"),
    closes("a client may not send MSG", { "CP-049" }, "MSG foo 1 1\r\nx\r\n"),

    answers("verbs are known in any letter case", { "CP-040" },
      "sUb foo 1\r\npub foo 1\r\nx\r\nPuB foo 1\r\ny\r\nhPuB foo 12 12\r\nNATS/1.0\r\n\r\n\r\nunsub 1\r\nping\r\npONg\r\n+ok\r\n",
      '"headers":true'),
    answers("runs of blanks and tabs separate arguments", { "CP-041" },
      "SUB \t foo \t 1 \t\r\nPUB\tfoo\t\treply \t2 \r\nhi\r\nUNSUB   1\t\r\nPUB foo 0\r\n\r\n"),
    answers("tabs between the sizes of HPUB reach nobody", { "CP-041", "CP-061" },
      "SUB foo 1\r\nHPUB\tfoo\t12\t12\r\nNATS/1.0\r\n\r\n\r\n", '"headers":true'),
    answers("a line end that begins an argument ends no line", { "CP-041", "CP-042" },
      "SUB \nfoo 1\r\nPUB foo 2\r\nhi\r\nINFO\n{}\r\nUNSUB \n1\r\nPUB foo 0\r\n\r\n"),
    answers("a bare line feed ends a control line", { "CP-042" }, "SUB foo 1\nPUB foo 2\nhi\r\nPING\nUNSUB 1\n"),
    answers("text behind PING and PONG is ignored", { "CP-047" }, "PING now\r\nPINGxyz\r\nPONG 12 34\r\n"),
    answers("thousands of bytes behind PONG and blanks behind a verb are ignored", { "CP-041", "CP-047" },
      "PONG" .. ("x"):rep(5000) .. "\r\nSUB" .. (" "):rep(5000) .. "foo 1\r\nPUB foo 0\r\n\r\n"),
    answers("two blanks between subject and sid make no queue group", { "CP-041", "CP-080" },
      "SUB foo  1\r\nPUB foo 0\r\n\r\n"),
    split(1), split(2), split(3), split(7), split(13),
    {
      name = "any byte may be the last of a read",
      covers = { "CP-043" },
      run = function(t)
        local bytes = "SUB at.* 77\r\nPUB at.x r 4\r\na\r\nb\r\nUNSUB 77\r\n"
        for at = 1, #bytes - 1 do
          local a = t:connect("a", { quiet = true })
          a:send(bytes:sub(1, at))
          a:taken()
          a:send(bytes:sub(at + 1))
          local seen = table.concat(a:sync())
          if seen ~= "+OK\r\n+OK\r\nMSG at.x 77 r 4\r\na\r\nb\r\n+OK\r\n" then
            t:note(("split after %d bytes: %q"):format(at, seen))
          end
          a:close()
        end
        t:note("tried all")
      end,
    },

    closes("a payload longer than its size closes", { "CP-050", "CP-042" }, "PUB foo 2\r\nabc\r\n"),
    closes("a payload that ends in a bare line feed closes", { "CP-050", "CP-042" }, "PUB foo 2\r\nab\nPING\r\n"),
    closes("a payload that ends in a bare carriage return closes", { "CP-050" }, "PUB foo 2\r\nab\rxPING\r\n"),

    wrong_size("letters", "PUB foo abc\r\n"),
    wrong_size("negative", "PUB foo -1\r\n"),
    wrong_size("a plus sign", "PUB foo +1\r\n"),
    wrong_size("hexadecimal", "PUB foo 0x1\r\n"),
    wrong_size("a digit and a letter", "PUB foo 1a\r\n"),
    wrong_size("ten digits", "PUB foo 1234567890\r\n"),
    wrong_size("twenty digits", "PUB foo 12345678901234567890\r\n"),
    wrong_size("of the header block", "HPUB foo x 12\r\n"),
    wrong_size("of the whole", "HPUB foo 12 x\r\n"),

    wrong_count("PUB with none", "PUB \r\n"),
    wrong_count("PUB with one", "PUB foo\r\n"),
    wrong_count("PUB with four", "PUB a b c 1\r\n"),
    wrong_count("SUB with none", "SUB \r\n"),
    wrong_count("SUB with one", "SUB foo\r\n"),
    wrong_count("SUB with four", "SUB foo q 1 2\r\n"),
    wrong_count("UNSUB with none", "UNSUB \r\n"),
    wrong_count("UNSUB with three", "UNSUB 1 2 3\r\n"),

    answers("+OK from a client is ignored", { "CP-048" }, "+OK\r\n+OK whatever\r\n"),
    answers("INFO from a client is ignored", { "CP-048" }, 'INFO {"server_id":"x"}\r\n'),
    closes("INFO that is no JSON closes", { "CP-048" }, "INFO {\r\n"),
    closes("-ERR from a client closes", { "CP-048", "CP-230" }, "-ERR 'too bad'\r\n"),
    {
      name = "the log tells what a client's -ERR says",
      covers = { "CP-048" },
      run = function(t)
        local a = t:connect("a")
        a:send("-ERR 'too bad' it is\r\n")
        a:closed()
        t:logged("%[ERR%] 127%.0%.0%.1:%d+ %- cid:" .. a.cid .. " %- (Client Error [^\n]*)")
      end,
    },
  },
}
