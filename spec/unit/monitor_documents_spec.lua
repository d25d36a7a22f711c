if not package.preload["perigee.json"] then
  describe("monitoring", function() pending "needs perigee-lua, which has the JSON codec" end)
  return
end

local cjson = require "cjson"
local monitor = require "perigee.monitor"
local source_contract = require "perigee.monitor.source"
local support = require "spec.support.monitor_source"

describe("monitoring", function()
  local source, fake, served

  before_each(function()
    source, fake = support.new()
    served = monitor.new(source)
  end)

  local function get(path, query, method) return served:handle { method = method or "GET", path = path, query = query } end

  local function document(path, query)
    local answer = get(path, query)
    assert.are.equal(200, answer.status)
    return cjson.decode(answer.body)
  end

  local function header(answer, name)
    for _, pair in ipairs(answer.headers) do
      if pair[1] == name then return pair[2] end
    end
  end

  describe("of the server", function()
    it("is the document of nats-server, and says which Perigee it is", function()
      fake.totals = { connections = 2, total_connections = 9, in_msgs = 9007199254740993LL, subscriptions = 60,
        slow_consumer_stats = { clients = 1 } }
      assert.are.equal([[
{
  "server_id": "NABC",
  "server_name": "here",
  "version": "2.15.2",
  "perigee": "0.1.0",
  "proto": 1,
  "go": "go1.26",
  "host": "0.0.0.0",
  "port": 4222,
  "max_connections": 65536,
  "ping_interval": 120000000000,
  "ping_max": 2,
  "http_host": "0.0.0.0",
  "http_port": 8222,
  "http_base_path": "",
  "https_port": 0,
  "auth_timeout": 2,
  "max_control_line": 4096,
  "max_payload": 1048576,
  "max_pending": 67108864,
  "cluster": {},
  "gateway": {},
  "leaf": {},
  "mqtt": {},
  "websocket": {},
  "jetstream": {},
  "tls_timeout": 2,
  "write_deadline": 10000000000,
  "start": "2024-01-02T02:03:04.123456789Z",
  "now": "2024-01-02T03:04:05.123456789Z",
  "uptime": "1h1m1s",
  "mem": 11000000,
  "cores": 4,
  "gomaxprocs": 2,
  "cpu": 12.5,
  "connections": 2,
  "total_connections": 9,
  "routes": 0,
  "remotes": 0,
  "leafnodes": 0,
  "in_msgs": 9007199254740993,
  "in_bytes": 0,
  "in_client_msgs": 0,
  "in_client_bytes": 0,
  "out_msgs": 0,
  "out_bytes": 0,
  "out_client_msgs": 0,
  "out_client_bytes": 0,
  "slow_consumers": 0,
  "stale_connections": 0,
  "stalled_clients": 0,
  "subscriptions": 60,
  "http_req_stats": {
    "/varz": 1
  },
  "config_load_time": "2024-01-02T02:03:04.123456789Z",
  "config_digest": "",
  "feature_flags": {
    "js_ack_fc_v2": false,
    "js_api_reply_v2": false,
    "js_raft_delete_range": true,
    "js_snapshot_sources": false
  },
  "system_account": "$SYS",
  "slow_consumer_stats": {
    "clients": 1,
    "routes": 0,
    "gateways": 0,
    "leafs": 0
  },
  "stale_connection_stats": {
    "clients": 0,
    "routes": 0,
    "gateways": 0,
    "leafs": 0
  },
  "disk_io_wait_stats": {
    "waiters": 0,
    "waits": 0,
    "wait_time": 0,
    "max_wait_time": 0
  }
}]], get("/varz").body)
    end)

    it("shows what the configuration says", function()
      local options = fake.options
      options.max_subscriptions, options.server_tags, options.server_metadata = 88, { "a", "b" }, { { name = "rack", value = "7" } }
      options.write_timeout, options.http_port, options.http_base_path = "retry", -1, "nats"
      local found = document("/nats/varz")
      assert.are.same({ 88, { "a", "b" }, { rack = "7" }, "retry", -1, "nats" }, { found.max_subscriptions, found.tags,
        found.metadata, found.write_timeout, found.http_port, found.http_base_path })
    end)

    it("follows a reload and does not add up what it shows again", function()
      fake.totals = { subscriptions = 5 }
      assert.are.equal(5, document("/varz").subscriptions)
      fake.options.max_payload = 77
      assert.are.equal(5, document("/varz").subscriptions)
      assert.are.equal(77, document("/varz").max_payload)
    end)
  end)

  describe("of subscriptions", function()
    local function subscription(account, subject, fields)
      local made = { account = account, subject = subject, sid = "1", msgs = 0, cid = 5 }
      for name, value in pairs(fields or {}) do made[name] = value end
      return made
    end

    before_each(function()
      fake.subscriptions = {
        subscription("$G", "one.*"), subscription("$G", "one.two", { queue = "w", sid = "2", max = 7, msgs = 3 }),
        subscription("$G", "two.>"), subscription("A", "*"), subscription("A", ">"),
      }
    end)

    local function subjects(query)
      local list = {}
      for i, each in ipairs(document("/subsz", "subs=1&" .. query).subscriptions_list or {}) do list[i] = each.subject end
      return table.concat(list, " ")
    end

    it("is statistics alone unless asked for the list", function()
      fake.statistics = { num_subscriptions = 60, num_cache = 4, num_inserts = 61, num_removes = 1, num_matches = 5, cache_hits = 1,
        max_fanout = 1, total_fanout = 3, num_fanout = 4 }
      assert.are.equal([[
{
  "server_id": "NABC",
  "now": "2024-01-02T03:04:05.123456789Z",
  "num_subscriptions": 60,
  "num_cache": 4,
  "num_inserts": 61,
  "num_removes": 1,
  "num_matches": 5,
  "cache_hit_rate": 0.2,
  "max_fanout": 1,
  "avg_fanout": 0.75,
  "total": 0,
  "offset": 0,
  "limit": 1024
}]], get("/subsz").body)
    end)

    it("has rates of zero where nothing was matched", function()
      local found = document("/subscriptionsz")
      assert.are.same({ 0, 0 }, { found.cache_hit_rate, found.avg_fanout })
    end)

    it("lists subscriptions with their account", function()
      local found = document("/subsz", "subs=1&offset=1&limit=1")
      assert.are.same({ { account = "$G", account_tag = "$G", subject = "one.two", qgroup = "w", sid = "2", msgs = 3, max = 7,
        cid = 5 } }, found.subscriptions_list)
      assert.are.same({ 5, 1, 1 }, { found.total, found.offset, found.limit })
    end)

    it("tests which a message would reach", function()
      assert.are.equal("one.* one.two >", subjects "test=one.two")
      assert.are.equal("one.* >", subjects "test=one.x")
      assert.are.equal("two.> >", subjects "test=two.x.y")
      assert.are.equal("* >", subjects "test=two")
      assert.are.equal(">", subjects "test=one.two.three")
      assert.are.equal("", subjects "test=three.x&acc=$G")
    end)

    it("refuses to test what cannot be published to", function()
      for _, subject in ipairs { "a.*", ">", "a..b", ".a", "a.", "." } do
        local answer = get("/subsz", "test=" .. subject)
        assert.are.equal(400, answer.status)
        assert.are.equal("invalid test subject, must be valid publish subject: " .. subject, answer.body)
      end
      assert.are.equal(200, get("/subsz", "test=a*b.c%3E").status)
    end)

    it("filters by account, the statistics too", function()
      assert.are.equal("* >", subjects "acc=A")
      assert.are.same({ statistics = "A" }, fake.asked[#fake.asked])
      local found = get("/subsz", "subs=1&acc=nobody")
      assert.are.equal(200, found.status)
      assert.is_nil(found.body:find("subscriptions_list", 1, true))
    end)

    it("pages without overflow", function()
      assert.are.equal("", subjects "offset=9223372036854775807&limit=9223372036854775807")
      assert.are.equal("two.> * >", subjects "offset=2&limit=9223372036854775807")
    end)

    it("counts requests under one name, bad ones too", function()
      get("/subsz", "subs=detail")
      get("/subscriptionsz")
      assert.are.equal(2, document("/varz").http_req_stats["/subsz"])
    end)
  end)

  describe("of health", function()
    it("is ok when all listeners listen", function()
      for _, query in ipairs { "", "details=1", "js-enabled-only=true", "js-server-only=1", "js-meta-only=1",
        "stream=a&account=b&consumer=c" } do
        local answer = get("/healthz", query)
        assert.are.equal(200, answer.status)
        assert.are.equal('{"status":"ok"}', answer.body)
        assert.are.equal("application/json", header(answer, "Content-Type"))
      end
      assert.are.same({}, fake.logged)
    end)

    it("names the listeners that are missing, and logs it", function()
      fake.missing = { "server", "route" }
      local answer = get("/healthz")
      assert.are.equal(500, answer.status)
      assert.are.equal('{"status":"error","error":"failed to be ready for connections after 1ms: server, route"}', answer.body)
      assert.are.same({ 'warn: Healthcheck failed: "failed to be ready for connections after 1ms: server, route"' }, fake.logged)
    end)

    it("lists what is wrong with its type if asked for details", function()
      fake.missing = { "server" }
      local answer = get("/healthz", "details=1")
      assert.are.equal(500, answer.status)
      assert.are.equal('{"status":"error","errors":[{"type":"CONNECTION","error":'
        .. '"failed to be ready for connections after 1ms: server"}]}', answer.body)
      assert.are.same({ "warn: Healthcheck failed: 1 errors" }, fake.logged)
    end)

    it("refuses to check a stream without its account, and a consumer without its stream", function()
      local answer = get("/healthz", "stream=s")
      assert.are.equal(400, answer.status)
      assert.are.equal([[{"status":"error","error":"\"account\" must not be empty when checking stream health"}]], answer.body)
      answer = get("/healthz", "consumer=a&details=1&account=q")
      assert.are.equal(400, answer.status)
      assert.are.equal([[{"status":"error","errors":[{"type":"BAD_REQUEST",]]
        .. [["error":"\"stream\" must not be empty when checking consumer health"}]}]], answer.body)
    end)

    it("warns of a deprecated parameter and refuses flags that are none", function()
      get("/healthz", "js-enabled=1")
      assert.are.same({ "warn: Healthcheck: js-enabled deprecated, use js-enabled-only instead" }, fake.logged)
      for _, name in ipairs { "js-enabled", "js-enabled-only", "js-server-only", "js-meta-only", "details" } do
        local answer = get("/healthz", name .. "=maybe")
        assert.are.equal(400, answer.status)
        assert.is_truthy(answer.body:find("'" .. name .. "'", 1, true))
        assert.are.equal("text/plain; charset=utf-8", header(answer, "Content-Type"))
      end
    end)
  end)

  describe("of accounts", function()
    it("lists their names", function()
      assert.are.equal([[
{
  "server_id": "NABC",
  "now": "2024-01-02T03:04:05.123456789Z",
  "system_account": "$SYS",
  "accounts": [
    "$G",
    "$SYS"
  ]
}]], get("/accountz").body)
    end)

    it("tells all of one, with the weights of its mappings added up", function()
      fake.accounts[1].mappings = {
        { source = "foo", destinations = { { subject = "bar", weight = 100 } } },
        { source = "a.*", destinations = { { subject = "b.$1", weight = 20 }, { subject = "c.$1", weight = 30, cluster = "C" } } },
      }
      fake.accounts[1].update_ns = support.NOW
      local detail = document("/accountz", "acc=%24G").account_detail
      assert.are.same({ foo = { { subject = "bar", weight = 100 } },
        ["a.*"] = { { subject = "b.$1", weight = 20 }, { subject = "c.$1", weight = 50, cluster = "C" } } }, detail.mappings)
      assert.are.same({ "$G", "$G", 4, true }, { detail.account_name, detail.name_tag, detail.subscriptions, detail.complete })
      assert.are.equal("2024-01-02T03:04:05.123456789Z", detail.update_time)
      assert.are.equal(0, detail.sublist_stats.cache_hit_rate)
      assert.is_true(document("/accountz", "acc=$SYS").account_detail.is_system)
    end)

    it("refuses one that does not exist", function()
      local answer = get("/accountz", "acc=x")
      assert.are.same({ 400, "Account x does not exist" }, { answer.status, answer.body })
    end)

    it("shows the traffic of those with connections, or of all", function()
      assert.is_truthy(get("/accstatz").body:find('"account_statz": []', 1, true))
      assert.are.equal(2, #document("/accstatz", "unused=1").account_statz)
      fake.accounts[1].connections, fake.accounts[1].sent = 2, { msgs = 1, bytes = 2 }
      local list = document("/accstatz").account_statz
      assert.are.equal(1, #list)
      local none = { msgs = 0, bytes = 0 }
      assert.are.same({ acc = "$G", name = "$G", conns = 2, leafnodes = 0, total_conns = 2, num_subscriptions = 4, slow_consumers = 0,
        sent = { msgs = 1, bytes = 2, gateways = none, routes = none, leafs = none },
        received = { msgs = 0, bytes = 0, gateways = none, routes = none, leafs = none } }, list[1])
    end)
  end)

  describe("of what is off", function()
    local head = '{\n  "server_id": "NABC",\n  "now": "2024-01-02T03:04:05.123456789Z",\n  '

    it("answers as nats-server does", function()
      assert.are.equal(head .. '"outbound_gateways": {},\n  "inbound_gateways": {}\n}', get("/gatewayz", "gw_name=x&accs=1").body)
      assert.are.equal(head .. '"leafnodes": 0,\n  "leafs": []\n}', get("/leafz", "acc=x").body)
      assert.are.equal(
        '{\n  "server_id": "NABC",\n  "server_name": "here",\n  "now": "2024-01-02T03:04:05.123456789Z",\n'
          .. '  "num_routes": 0,\n  "routes": []\n}', get("/routez", "subs=detail").body)
      assert.are.equal([[
{
  "memory": 0,
  "storage": 0,
  "reserved_memory": 0,
  "reserved_storage": 0,
  "accounts": 0,
  "ha_assets": 0,
  "api": {
    "level": 0,
    "total": 0,
    "errors": 0
  },
  "server_id": "NABC",
  "now": "2024-01-02T03:04:05.123456789Z",
  "disabled": true,
  "config": {
    "max_memory": 0,
    "max_storage": 0
  },
  "streams": 0,
  "consumers": 0,
  "messages": 0,
  "bytes": 0,
  "total": 0
}]], get("/jsz", "accounts=1&streams=true&limit=-1").body)
      local raft = get("/raftz")
      assert.are.same({ 404, "No Raft nodes registered" }, { raft.status, raft.body })
    end)

    it("refuses what cannot be read all the same", function()
      for path, queries in pairs {
        ["/routez"] = { "subs=x" }, ["/leafz"] = { "subs=detail" }, ["/gatewayz"] = { "subs=x", "accs=x" },
        ["/accstatz"] = { "unused=x" }, ["/ipqueuesz"] = { "all=x" },
        ["/jsz"] = { "accounts=x", "streams=x", "consumers=x", "direct-consumers=x", "config=x", "offset=x", "limit=x",
          "leader-only=x", "raft=x", "stream-leader-only=x", "leader-only=1" },
      } do
        for _, query in ipairs(queries) do assert.are.equal(400, get(path, query).status) end
      end
      assert.are.equal("filtered response: not leader", get("/jsz", "leader-only=1").body)
      assert.are.same({ ["/leafz"] = 1, ["/gatewayz"] = 2, ["/accstatz"] = 1, ["/jsz"] = 12, ["/varz"] = 1 },
        document("/varz").http_req_stats)
    end)
  end)

  describe("of the inside", function()
    it("shows the queues that hold something, or all, by a part of their name", function()
      fake.queues = { ["worker 0 mail"] = { pending = 0 }, ["worker 1 mail"] = { pending = 2, in_progress = 1 } }
      assert.are.equal('{\n   "worker 1 mail": {\n      "pending": 2,\n      "in_progress": 1\n   }\n}', get("/ipqueuesz").body)
      assert.are.equal('{\n   "worker 0 mail": {\n      "pending": 0\n   }\n}', get("/ipqueuesz", "all=1&queues=r+0").body)
      fake.queues = {}
      assert.are.equal("{}", get("/ipqueuesz").body)
    end)

    it("shows stacks as text that is called JSON", function()
      local answer = get("/stacksz")
      assert.are.equal("worker 0: waits for events\n", answer.body)
      assert.are.equal("application/json", header(answer, "Content-Type"))
    end)

    it("shows the command line and the memory", function()
      local answer = get("/debug/vars")
      assert.are.equal('{\n"cmdline": ["perigee","-m","8222"],\n'
        .. '"memstats": {"HeapAlloc":18446744073709551615,"NumGC":3}\n}\n', answer.body)
      assert.are.equal("application/json; charset=utf-8", header(answer, "Content-Type"))
    end)

    it("does not count these requests", function()
      for _, path in ipairs { "/stacksz", "/ipqueuesz", "/raftz", "/debug/vars", "/nope" } do get(path) end
      assert.are.same({ ["/varz"] = 1 }, document("/varz").http_req_stats)
    end)
  end)

  describe("paths", function()
    it("are not found unless they are known", function()
      for _, path in ipairs { "/nope", "/varz/", "/varz/x", "/VARZ", "/debug", "/debug/pprof" } do
        local answer = get(path)
        assert.are.same({ 404, "404 page not found\n" }, { answer.status, answer.body })
        assert.are.equal("text/plain; charset=utf-8", header(answer, "Content-Type"))
        assert.are.equal("nosniff", header(answer, "X-Content-Type-Options"))
      end
    end)

    it("may be escaped, and are refused when the escape is broken", function()
      assert.are.equal(200, get("/%68ealthz").status)
      assert.are.same({ 400, "400 Bad Request" }, { get("/healthz%zz").status, get("/healthz%zz").body })
    end)

    it("are sent to the clean one", function()
      local answer = get("//x/../connz", "limit=1&x=<")
      assert.are.equal(307, answer.status)
      assert.are.equal("/connz?limit=1&x=<", header(answer, "Location"))
      assert.are.equal('<a href="/connz?limit=1&amp;x=&lt;">Temporary Redirect</a>.\n\n', answer.body)
      answer = get("/./varz/", nil, "POST")
      assert.are.same({ "/varz/", "" }, { header(answer, "Location"), answer.body })
      assert.is_nil(header(answer, "Content-Type"))
      assert.are.equal("/a%20b", header(get("//a%20b"), "Location"))
    end)

    it("may be a star, for OPTIONS alone", function()
      assert.are.same({ 200, "" }, { get("*", nil, "OPTIONS").status, get("*", nil, "OPTIONS").body })
      assert.are.same({ 400, "" }, { get("*").status, get("*").body })
    end)

    it("accept any method and ignore a callback", function()
      for _, method in ipairs { "POST", "DELETE", "HEAD", "OPTIONS" } do
        assert.are.equal('{"status":"ok"}', get("/healthz", "callback=f", method).body)
      end
    end)

    it("stand below the base path, and are counted without it", function()
      for _, configured in ipairs { "nats", "/nats", "/nats/", "x/../nats" } do
        source, fake = support.new()
        served = monitor.new(source)
        fake.options.http_base_path = configured
        for path, status in pairs {
          ["/nats"] = 200, ["/nats/healthz"] = 200, ["/nats/debug/vars"] = 200, ["/nats/"] = 404, ["/healthz"] = 404, ["/"] = 404,
          ["/natshealthz"] = 404, ["/nats/nats/healthz"] = 404,
        } do
          assert.are.equal(path .. status, path .. get(path).status)
        end
        assert.are.same({ ["/"] = 1, ["/healthz"] = 1, ["/varz"] = 1 }, document("/nats/varz").http_req_stats)
      end
    end)
  end)

  describe("at its root", function()
    local paths = { "/varz", "/jsz", "/connz", "/accountz", "/accstatz", "/subsz", "/routez", "/leafz", "/gatewayz", "/raftz",
      "/healthz", "/debug/vars" }

    it("links to the documents in ASCII", function()
      local answer = get("/")
      assert.are.equal(200, answer.status)
      assert.are.equal("text/html; charset=utf-8", header(answer, "Content-Type"))
      assert.is_nil(answer.body:find("[\128-\255]"))
      assert.is_truthy(answer.body:find("v2.15.2", 1, true))
      for _, path in ipairs(paths) do assert.is_truthy(answer.body:find('href=".' .. path .. '"', 1, true)) end
    end)

    it("links below the base path", function()
      fake.options.http_base_path = "/nats"
      local answer = get("/nats")
      for _, path in ipairs(paths) do assert.is_truthy(answer.body:find('href="./nats' .. path .. '"', 1, true)) end
    end)
  end)

  it("works while its source yields", function()
    local connections = source.connections
    source.connections = function(want)
      coroutine.yield()
      return connections(want)
    end
    fake.open = { support.connection(1) }
    local answer
    local thread = coroutine.create(function() answer = get("/connz") end)
    assert(coroutine.resume(thread))
    assert.is_nil(answer)
    assert(coroutine.resume(thread))
    assert.are.equal(1, cjson.decode(answer.body).total)
  end)

  it("refuses a source that lacks a function", function()
    for _, name in ipairs(source_contract.functions) do
      local kept = source[name]
      source[name] = nil
      assert.is_false((pcall(monitor.new, source)))
      source[name] = kept
    end
  end)
end)
