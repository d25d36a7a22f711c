local http = require "spec.support.http"
local shapes = require "spec.support.shapes"
local closes, answers = shapes.closes, shapes.answers

local HEADERS = '"headers":true'
local NO_RESPONDERS = '"headers":true,"no_responders":true'
local BLOCK = "NATS/1.0\r\nA: 1\r\n\r\n" -- 18 bytes

local function headers_refused(name, bytes)
  return closes(name, { "CP-064", "CP-230" }, 'CONNECT {"verbose":false,"headers":true}\r\n' .. bytes)
end

local function reserved(subject)
  return answers("publishing to the reserved subject " .. subject .. " is a violation", { "CP-068" },
    ("SUB %s 1\r\nPUB %s 0\r\n\r\n"):format(subject, subject))
end

local function reserved_reply(reply)
  return answers("a reply to the reserved subject " .. reply .. " is a violation", { "CP-068" },
    ("SUB foo 1\r\nPUB foo %s 0\r\n\r\n"):format(reply))
end

return {
  topic = "publishing, headers and replies",
  {
    answers("HPUB arrives as HMSG with header block and payload", { "CP-062" },
      "SUB foo 1\r\nHPUB foo 18 22\r\n" .. BLOCK .. "body\r\nHPUB foo in.box 18 18\r\n" .. BLOCK .. "\r\n", HEADERS),
    {
      name = "a client without headers gets the payload alone",
      covers = { "CP-063", "CP-024" },
      run = function(t)
        local a, b = t:client("a"), t:client("b", HEADERS)
        a:send("SUB foo 1\r\nSUB foo q 2\r\n")
        a:sync()
        b:send("HPUB foo r 18 22\r\n" .. BLOCK .. "body\r\n")
        b:sync()
        t:unordered(function() a:expect(2) end)
      end,
    },
    answers("the server looks at no byte of a header block", { "CP-065" },
      "SUB foo 1\r\nHPUB foo 12 14\r\nnot a header\0\1\r\nHPUB foo 3 3\r\nabc\r\n", HEADERS),
    answers("a header block of no bytes makes a plain message", { "CP-065" },
      "SUB foo 1\r\nHPUB foo 0 4\r\nbody\r\n", HEADERS),
    answers("sizes of HPUB are passed on as they were written", { "CP-061", "CP-062" },
      "SUB foo 1\r\nHPUB foo 018 0022\r\n" .. BLOCK .. "body\r\n", HEADERS),
    closes("HPUB closes when headers were not agreed on", { "CP-064", "CP-024" },
      'CONNECT {"verbose":false}\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n'),
    closes("HPUB closes before CONNECT", { "CP-064" }, "HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
    headers_refused("a header block longer than the whole closes", "HPUB foo 12 11\r\n"),
    headers_refused("HPUB with one size closes", "HPUB foo 12\r\n"),
    headers_refused("HPUB with five arguments closes", "HPUB foo bar baz 12 12\r\n"),
    headers_refused("a negative header size closes", "HPUB foo -1 12\r\n"),

    answers("pedantic tells of a bad subject and delivers all the same", { "CP-022" },
      "SUB foo.* 1\r\nPUB foo.* 1\r\nx\r\nPUB foo.> 1\r\ny\r\nPUB .foo 0\r\n\r\nPUB foo. 0\r\n\r\nPUB a..b 0\r\n\r\n",
      '"pedantic":true'),
    answers("without pedantic nothing is said of a bad subject", { "CP-022", "CP-101" },
      "SUB foo.* 1\r\nPUB foo.* 1\r\nx\r\nPUB .foo 0\r\n\r\nPUB foo. 0\r\n\r\nPUB a..b 0\r\n\r\n"),

    answers("a request that nobody takes is answered 503", { "CP-066", "CP-025" },
      "SUB _INBOX.a.* 7\r\nPUB svc.q _INBOX.a.1 2\r\nok\r\n", NO_RESPONDERS),
    answers("a request with headers that nobody takes is answered 503", { "CP-066" },
      "SUB _INBOX.a.* 7\r\nHPUB svc.q _INBOX.a.1 18 18\r\n" .. BLOCK .. "\r\n", NO_RESPONDERS),
    answers("nobody hears of 503 without a subscription to the reply", { "CP-066" },
      "PUB svc.q _INBOX.a.1 2\r\nok\r\n", NO_RESPONDERS),
    answers("a queue subscription to the reply gets no 503", { "CP-066" },
      "SUB _INBOX.a.* q 7\r\nPUB svc.q _INBOX.a.1 2\r\nok\r\n", NO_RESPONDERS),
    answers("without no_responders a request is lost silently", { "CP-066" },
      "SUB _INBOX.a.* 7\r\nPUB svc.q _INBOX.a.1 2\r\nok\r\n", HEADERS),
    answers("a publish without reply is never answered", { "CP-066" },
      "SUB > 7\r\nUNSUB 7\r\nPUB svc.q 2\r\nok\r\n", NO_RESPONDERS),
    answers("503 does not count for UNSUB with a maximum", { "CP-066", "CP-088" },
      "SUB in 7\r\nUNSUB 7 1\r\nPUB svc in 0\r\n\r\nPUB svc in 0\r\n\r\nPUB in 1\r\nx\r\nPUB in 1\r\ny\r\n", NO_RESPONDERS),
    answers("every plain subscription to the reply is considered once for a 503", { "CP-066" },
      "SUB in.* 7\r\nPUB svc in.1 0\r\n\r\nPUB svc in.2 0\r\n\r\n", NO_RESPONDERS),
    {
      name = "a request that only its own sender could take is answered 503 without echo",
      covers = { "CP-066", "CP-023" },
      run = function(t)
        local a = t:client("a", NO_RESPONDERS .. ',"echo":false')
        a:send("SUB svc 1\r\nSUB in 2\r\nPUB svc in 0\r\n\r\n")
        a:sync()
      end,
    },
    {
      name = "a request is answered by the one who serves it",
      covers = { "CP-061", "CP-066" },
      run = function(t)
        local a, b = t:client("a", NO_RESPONDERS), t:client("b")
        b:send("SUB svc.echo workers 1\r\n")
        b:sync()
        a:send("SUB _INBOX.x.* 1\r\nPUB svc.echo _INBOX.x.9 3\r\nhey\r\n")
        a:sync()
        b:expect()
        b:send("PUB _INBOX.x.9 4\r\nhey!\r\n")
        b:sync()
        a:expect()
        b:close()
        t:poll("/connz?state=closed&cid=" .. b.cid, function(found) return #found.connections > 0 end)
        a:send("PUB svc.echo _INBOX.x.10 0\r\n\r\n")
        a:expect()
      end,
    },

    reserved("_GR_.a.b"), reserved("$GR.a.b"), reserved("$NRG.a"),
    reserved_reply("_R_.a"), reserved_reply("$JS.ACK.a"), reserved_reply("_GR_.a"), reserved_reply("$GR.a"),
    answers("the bare prefixes are not reserved", { "CP-068" },
      "SUB _GR_. 1\r\nPUB _GR_ 0\r\n\r\nPUB foo _R_ 0\r\n\r\nSUB _R_.x 3\r\nPUB _R_.x 0\r\n\r\n"),
    answers("a violation shows a subject quoted and escaped", { "CP-067", "CP-068" },
      'PUB $NRG."a\\b 0\r\n\r\nPUB $NRG.\1\195\169 0\r\n\r\n'),
    {
      name = "counters of a connection count messages and their bytes, headers included",
      covers = { "CP-072", "MO21" },
      run = function(t)
        local a, b = t:client("a", HEADERS .. ',"name":"publisher"'), t:client("b", HEADERS .. ',"name":"subscriber"')
        b:send("SUB foo 1\r\n")
        b:sync()
        a:send("PUB foo 5\r\nhello\r\nPUB nobody 3\r\nabc\r\nHPUB foo 18 20\r\n" .. BLOCK .. "xy\r\n")
        a:sync()
        b:expect(2)
        t:http("/connz?cid=" .. a.cid, { shown = "/connz of a", only = { connections = true } })
        t:http("/connz?cid=" .. b.cid, { shown = "/connz of b", only = { connections = true } })
      end,
    },
    {
      name = "counters of the server and of an account count each copy; at a client without headers they are not counted",
      covers = { "CP-072" },
      run = function(t)
        local a, b, c = t:client("a", HEADERS), t:client("b", HEADERS), t:client("c")
        local function counters(what)
          local answer = what(t)
          return { answer.in_msgs, answer.out_msgs, answer.in_bytes, answer.out_bytes, answer.in_client_msgs or 0,
            answer.out_client_msgs or 0, answer.in_client_bytes or 0, answer.out_client_bytes or 0 }
        end
        local function server_of() return http.get(t.server.http_port, "/varz").json end
        local function account_of()
          local entry
          for _, found in ipairs(http.get(t.server.http_port, "/accstatz?unused=1").json.account_statz) do
            if found.acc == "$G" then entry = found end
          end
          return { in_msgs = entry.received.msgs, out_msgs = entry.sent.msgs, in_bytes = entry.received.bytes,
            out_bytes = entry.sent.bytes }
        end
        local before, account_before = counters(server_of), counters(account_of)
        b:send("SUB counted 1\r\nSUB counted 2\r\nSUB counted q 3\r\n")
        b:sync()
        c:send("SUB counted 4\r\n")
        c:sync()
        a:send("PUB counted 5\r\nhello\r\nPUB nobody.at.all 3\r\nabc\r\nHPUB counted 18 20\r\n" .. BLOCK .. "xy\r\n")
        a:sync()
        t:unordered(function() b:expect(6) end)
        c:expect(2)
        local after, account_after = counters(server_of), counters(account_of)
        for i = 1, #after do after[i], account_after[i] = after[i] - before[i], account_after[i] - account_before[i] end
        t:note("server: " .. table.concat(after, " "))
        t:note("account: " .. table.concat(account_after, " ", 1, 4))
        for name, conn in pairs { a = a, b = b, c = c } do
          local entry = http.get(t.server.http_port, "/connz?cid=" .. conn.cid).json.connections[1]
          after[name] = ("%s: in %d/%d, out %d/%d"):format(name, entry.in_msgs, entry.in_bytes, entry.out_msgs, entry.out_bytes)
        end
        for _, name in ipairs { "a", "b", "c" } do t:note(after[name]) end
      end,
    },
    {
      name = "a payload far above the read buffer arrives whole",
      covers = { "CP-140", "CP-045" },
      run = function(t)
        local a, b = t:client("a"), t:client("b", nil, { quiet = true })
        a:send("SUB big 1\r\n")
        a:sync()
        local text = ("0123456789abcdef"):rep(65536)
        b:send("PUB big 1048576\r\n" .. text .. "\r\nPUB big 3\r\nend\r\n")
        b:sync()
        a:expect(2)
      end,
    },
  },
  {
    about = "a server without headers",
    config = "no_header_support: true",
    {
      name = "a server without headers says so in INFO",
      covers = { "CP-073", "CP-003" },
      run = function(t) t:connect("a", { raw = true }):expect() end,
    },
    closes("HPUB closes on a server without headers", { "CP-073", "CP-064" },
      'CONNECT {"verbose":false,"headers":true}\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n'),
    closes("no_responders is refused on a server without headers", { "CP-073", "CP-025" },
      'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'),
  },
}
