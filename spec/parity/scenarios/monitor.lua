local http = require "spec.support.http"
local socket = require "socket"

local function page(name, covers, path, options)
  return {
    name = name, covers = covers,
    run = function(t) t:http(path, options) end,
  }
end

-- A request as bytes; status and type of what is answered.
local function raw(name, covers, bytes)
  return {
    name = name, covers = covers,
    run = function(t)
      local answer = http.request(t.server.http_port, bytes)
      t:note(("%q"):format(bytes:match("^[^\r]*")))
      t:note(answer and ("%d %s"):format(answer.status, answer.headers["content-type"] or "-") or "closed")
    end,
  }
end

local TAIL = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

return {
  topic = "monitoring",
  {
    about = "documents of an idle server",
    fresh = true,
    {
      name = "/varz of an idle server",
      covers = { "MO14", "MO15", "MO16", "MO17", "MO7", "CF-131" },
      run = function(t) t:http("/varz", { headers = { "Access-Control-Allow-Origin" } }) end,
    },
    page("/subsz of an idle server", { "MO34" }, "/subsz", {}),
    page("/subscriptionsz is another name of /subsz", { "MO34" }, "/subscriptionsz", {}),
    page("/healthz of a healthy server", { "MO43" }, "/healthz", {}),
    page("/routez without routes", { "MO33" }, "/routez", {}),
    page("/gatewayz without gateways", { "MO35" }, "/gatewayz", {}),
    page("/leafz without leafs", { "MO36" }, "/leafz", {}),
    page("/accstatz without connections", { "MO38" }, "/accstatz", {}),
    page("/jsz without JetStream", { "MO39" }, "/jsz", {}),
    {
      name = "/accountz lists the accounts",
      covers = { "MO37" },
      run = function(t)
        local answer = http.get(t.server.http_port, "/accountz")
        table.sort(answer.json.accounts)
        t:note(("%d %s"):format(answer.status, table.concat(answer.json.accounts, " ")))
        t:note("system account: " .. tostring(answer.json.system_account))
      end,
    },
    {
      name = "/accountz tells of an account without connections",
      covers = { "MO37" },
      run = function(t)
        for _, name in ipairs { "$G", "$SYS" } do
          local detail = http.get(t.server.http_port, "/accountz?acc=" .. name).json.account_detail
          for _, member in ipairs { "account_name", "is_system", "expired", "complete", "jetstream_enabled",
            "leafnode_connections", "client_connections", "name_tag" } do
            t:note(("%s: %s"):format(member, tostring(detail[member])))
          end
          t:note("update_time: " .. tostring(detail.update_time:find("^%d%d%d%d%-%d%d%-%d%dT") ~= nil))
        end
      end,
    },
    {
      name = "/accstatz lists accounts without connections if asked",
      covers = { "MO38" },
      run = function(t)
        local answer = http.get(t.server.http_port, "/accstatz?unused=1")
        t:unordered(function()
          for _, entry in ipairs(answer.json.account_statz) do
            t:note(("%s is %s: %d of %d connections, %d out, %d in"):format(entry.acc, entry.name, entry.conns,
              entry.total_conns, entry.sent.msgs, entry.received.msgs))
          end
        end)
      end,
    },
    page("/connz of the system account finds nobody", { "MO26" }, "/connz?acc=$SYS", {}),
    {
      name = "the root page links to all documents",
      covers = { "MO12" },
      run = function(t)
        local answer = http.get(t.server.http_port, "/")
        t:note(("%d %s"):format(answer.status, answer.headers["content-type"]))
        t:note("ASCII: " .. tostring(not answer.body:find("[\128-\255]")))
        t:note("version: " .. tostring(answer.body:find("2.15.2", 1, true) ~= nil))
        t:unordered(function()
          for link in answer.body:gmatch("href=[\"']?(%.?/?[%w/]+z?)[\"' >]") do t:note((link:gsub("^%.?/?", ""))) end
        end)
      end,
    },
    {
      name = "/debug/vars tells the command line and the memory",
      covers = { "MO50" },
      run = function(t)
        local answer = http.get(t.server.http_port, "/debug/vars")
        t:note(("%d %s"):format(answer.status, answer.headers["content-type"]))
        for argument in answer.body:match('"cmdline": %[(.-)%]'):gmatch('"([^"]*)"') do
          t:note((argument:match("[^/]*$"):gsub("^%d+$", "<port>")))
        end
        for _, name in ipairs { "Alloc", "TotalAlloc", "Sys", "Mallocs", "Frees", "HeapAlloc", "HeapSys", "HeapIdle",
          "HeapInuse", "HeapReleased", "HeapObjects", "StackInuse", "NextGC", "NumGC", "PauseTotalNs" } do
          t:note(("%s: %s"):format(name, tostring(answer.body:find('"' .. name .. '":%d') ~= nil)))
        end
      end,
    },
    {
      name = "/stacksz is text",
      covers = { "MO47" },
      run = function(t)
        local answer = http.get(t.server.http_port, "/stacksz")
        t:note(("%d %s, empty: %s"):format(answer.status, answer.headers["content-type"], tostring(answer.body == "")))
      end,
    },
    {
      name = "/ipqueuesz of an idle server has nothing to list",
      covers = { "MO48" },
      run = function(t)
        t:note("busy: " .. http.get(t.server.http_port, "/ipqueuesz").body)
        t:note("none: " .. http.get(t.server.http_port, "/ipqueuesz?all=1&queues=no-such-queue").body)
        t:http("/ipqueuesz?all=x")
      end,
    },
    page("/raftz without JetStream", { "MO49" }, "/raftz"),
    page("/accountz of an unknown account is refused", { "MO37", "MO8" }, "/accountz?acc=nobody"),
  },
  {
    about = "documents of a busy server",
    fresh = true,
    {
      name = "/varz counts connections, subscriptions, messages and bytes",
      covers = { "MO14", "MO20" },
      run = function(t)
        local before = http.get(t.server.http_port, "/varz").json.subscriptions
        local a, b = t:client("a"), t:client("b", '"headers":true')
        a:send("SUB foo 1\r\nSUB foo.> 2\r\n")
        a:sync()
        b:send("PUB foo 5\r\nhello\r\nPUB foo.bar 3\r\nabc\r\nPUB nobody 1\r\nx\r\nHPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
        b:sync()
        a:expect(3)
        local answer = t:http("/varz", { only = {
          connections = true, total_connections = true, in_msgs = true, in_bytes = true, out_msgs = true, out_bytes = true,
          in_client_msgs = true, in_client_bytes = true, out_client_msgs = true, out_client_bytes = true,
          slow_consumers = true, http_req_stats = true, routes = true, leafnodes = true,
        } })
        t:note("connections: " .. answer.json.connections)
        t:note("total: " .. answer.json.total_connections)
        t:note("subscriptions more than before: " .. answer.json.subscriptions - before)
      end,
    },
    {
      name = "/subsz counts what is put into the index and taken out of it",
      covers = { "CP-113", "MO34" },
      run = function(t)
        local before = http.get(t.server.http_port, "/subsz").json
        local a = t:client("a")
        a:send("SUB one.* 1\r\nSUB one.two workers 2\r\nSUB two.> 3\r\nUNSUB 3\r\n")
        a:sync()
        local after = http.get(t.server.http_port, "/subsz").json
        for _, member in ipairs { "num_subscriptions", "num_inserts", "num_removes" } do
          t:note(("%s: %+d"):format(member, after[member] - before[member]))
        end
      end,
    },
    {
      name = "/varz counts requests by path",
      covers = { "MO11" },
      run = function(t)
        for _, path in ipairs { "/connz", "/connz?sort=foo", "/subscriptionsz", "/subsz?subs=x", "/healthz", "/nope", "/stacksz", "/" } do
          http.get(t.server.http_port, path)
        end
        t:http("/varz", { only = { http_req_stats = true } })
      end,
    },
    {
      name = "/subsz lists subscriptions, tests a subject and pages",
      covers = { "MO34" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB one.* 1\r\nSUB one.two workers 2\r\nSUB two.> 3\r\nUNSUB 3 9\r\n")
        a:sync()
        t:http("/subsz?subs=1&acc=$G&test=one.two", { only = { total = true, limit = true, subscriptions_list = true } })
        t:http("/subsz?subs=1&acc=$G&test=two.x", { only = { total = true, subscriptions_list = true } })
        t:http("/subsz?subs=1&acc=$G&test=three", { only = { total = true, subscriptions_list = true } })
        t:http("/subsz?subs=1&acc=$G&test=one.x&offset=1", { only = { total = true, offset = true, subscriptions_list = true } })
        t:http("/subsz?subs=1&acc=nobody", { only = { total = true, subscriptions_list = true } })
      end,
    },
    {
      name = "/accstatz counts the messages of the account",
      covers = { "MO38" },
      run = function(t)
        local a = t:client("a")
        a:send("SUB foo 1\r\nPUB foo 5\r\nhello\r\n")
        a:sync()
        t:http("/accstatz", { volatile = { num_subscriptions = "number" } })
      end,
    },
  },
  {
    about = "requests",
    page("an unknown path is not found", { "MO8" }, "/nope"),
    page("a path is not found with a slash behind it", { "MO8" }, "/varz/"),
    page("a callback is ignored", { "MO9" }, "/healthz?callback=x"),
    page("any method is accepted", { "MO7" }, "/healthz", { method = "POST" }),
    page("health of JetStream servers only is ok without JetStream", { "MO44" }, "/healthz?js-server-only=true"),
    page("health where JetStream is enabled is ok without JetStream", { "MO44" }, "/healthz?js-enabled-only=1"),
    page("a health check of a stream needs its account", { "MO45" }, "/healthz?stream=s"),
    page("a health check of a consumer needs its stream", { "MO45" }, "/healthz?account=$G&consumer=c"),
    page("a health check in detail lists all errors", { "MO46" }, "/healthz?stream=s&details=1"),
    page("a bad flag of a health check is refused", { "MO8", "MO44" }, "/healthz?js-enabled-only=maybe"),
    page("a bad flag of /subsz is refused", { "MO8", "MO34" }, "/subsz?subs=detail"),
    page("a bad offset of /subsz is refused", { "MO8", "MO34" }, "/subsz?offset=x"),
    page("a bad limit of /subsz is refused", { "MO8", "MO34" }, "/subsz?limit=x"),
    page("a wildcard to test in /subsz is refused", { "MO8", "MO34" }, "/subsz?subs=1&test=foo.*"),
    page("a bad flag of /routez is refused", { "MO8", "MO33" }, "/routez?subs=x"),
    page("a bad flag of /leafz is refused", { "MO8", "MO36" }, "/leafz?subs=x"),
    page("a bad flag of /gatewayz is refused", { "MO8", "MO35" }, "/gatewayz?accs=x"),
    page("a bad flag of /accstatz is refused", { "MO8", "MO38" }, "/accstatz?unused=x"),
    page("a bad flag of /jsz is refused", { "MO8", "MO40" }, "/jsz?streams=x"),
    page("empty parameters are as good as none", { "MO8" }, "/subsz?subs=&offset=&limit=&test=", { only = { total = true, limit = true } }),
    page("unknown parameters are ignored", { "MO8" }, "/healthz?x=y&&z"),
    raw("a HEAD request gets no body", { "MO7" }, "HEAD /healthz" .. TAIL),
    raw("a request of another version of HTTP is refused", { "MO10" }, "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n"),
    raw("a request without a host is refused", { "MO10" }, "GET /healthz HTTP/1.1\r\n\r\n"),
    raw("a request that is none is refused", { "MO10" }, "CONNECT {}\r\n\r\n"),
    raw("an old request is answered", { "MO10" }, "GET /healthz HTTP/1.0\r\n\r\n"),
    raw("headers above a mebibyte are refused", { "MO10" },
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " .. ("x"):rep(1100000) .. "\r\n\r\n"),
    {
      name = "headers that do not come within five seconds end the connection",
      covers = { "MO10" },
      run = function(t)
        local began = socket.gettime()
        local answer = http.request(t.server.http_port, "GET /healthz HTTP/1.1\r\nHost: x\r\n", 20)
        local took = socket.gettime() - began
        t:note(("answer: %s, after about five seconds: %s"):format(tostring(answer and answer.status),
          tostring(took > 4 and took < 12)))
      end,
    },
    {
      name = "a failed health check is logged",
      covers = { "MO43" },
      run = function(t)
        http.get(t.server.http_port, "/healthz?stream=logged")
        t:logged("%[WRN%] (Healthcheck failed[^\n]*)")
        http.get(t.server.http_port, "/healthz?js-enabled=1")
        t:logged("%[WRN%] (Healthcheck: [^\n]*)")
      end,
    },
    {
      name = "a connection is kept for the next request",
      covers = { "MO10" },
      run = function(t)
        local both = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        local answer = http.request(t.server.http_port, both)
        local _, count = answer.body:gsub('{"status":"ok"}', "")
        t:note("answers: " .. count)
      end,
    },
  },
  {
    about = "a base path",
    config = "http_base_path: nats",
    page("documents stand below the base path", { "MO6" }, "/nats/healthz"),
    page("nothing stands beside the base path", { "MO6" }, "/healthz"),
    {
      name = "requests below the base path are counted without it",
      covers = { "MO6", "MO11" },
      run = function(t)
        local counts = t:http("/nats/varz", { only = { http_base_path = true } }).json.http_req_stats
        t:note(("/varz counted: %s, /nats/varz: %s"):format(tostring(counts["/varz"] ~= nil), tostring(counts["/nats/varz"] ~= nil)))
      end,
    },
  },
  {
    about = "what the configuration says",
    config = [[
server_name: "parity"
server_tags: [ "az:one", " Big " ]
server_metadata: { rack: "7", room: b }
max_connections: 77
max_subscriptions: 88
max_control_line: 2KB
max_payload: 1MB
max_pending: 8MB
ping_interval: "30s"
ping_max: 5
write_deadline: "3s"
]],
    {
      name = "/varz shows what the configuration says",
      covers = { "MO14", "MO18", "CF-022", "CF-127", "CF-008", "CF-110" },
      run = function(t)
        t:http("/varz", { only = {
          server_name = true, tags = true, metadata = true, max_connections = true, max_subscriptions = true,
          max_control_line = true, max_payload = true, max_pending = true, ping_interval = true, ping_max = true,
          write_deadline = true, config_digest = true,
        } })
        t:connect("a", { raw = true }):expect()
      end,
    },
  },
}
