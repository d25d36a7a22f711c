if not package.preload["perigee.json"] then
  describe("/connz", function() pending "needs perigee-lua, which has the JSON codec" end)
  return
end

local cjson = require "cjson"
local monitor = require "perigee.monitor"
local support = require "spec.support.monitor_source"
local connection, NOW, SECOND = support.connection, support.NOW, support.SECOND

describe("/connz", function()
  local source, fake, served

  before_each(function()
    source, fake = support.new()
    served = monitor.new(source)
  end)

  local function ask(query) return served:handle { method = "GET", path = "/connz", query = query } end

  local function document(query)
    local answer = ask(query)
    assert.are.equal(200, answer.status)
    return cjson.decode(answer.body)
  end

  local function cids(query)
    local list = {}
    for i, entry in ipairs(document(query).connections) do list[i] = entry.cid end
    return table.concat(list, " ")
  end

  local function refused(query)
    local answer = ask(query)
    assert.are.equal(400, answer.status)
    return answer.body
  end

  local function closed(cid, fields)
    local made = connection(cid, { stop_ns = NOW - cid * SECOND, reason = "Client Closed" })
    for name, value in pairs(fields or {}) do made[name] = value end
    return made
  end

  it("is the document of nats-server", function()
    fake.open = { connection(5, {
      port = 54932, start_ns = NOW - 75 * SECOND, last_activity_ns = NOW - 5 * SECOND + 1, rtt_ns = 628714, in_msgs = 1,
      out_msgs = 9007199254740993LL, in_bytes = 2, out_bytes = 2, subscriptions = 2, name = "a<b", lang = "x", version = "1",
      stalls = 3, user = "me", tls_version = "1.3", tls_cipher_suite = "TLS_AES_128_GCM_SHA256",
    }) }
    local answer = ask()
    assert.are.same({ { "Access-Control-Allow-Origin", "*" }, { "Content-Type", "application/json" } }, answer.headers)
    assert.are.equal([[
{
  "server_id": "NABC",
  "now": "2024-01-02T03:04:05.123456789Z",
  "num_connections": 1,
  "total": 1,
  "offset": 0,
  "limit": 1024,
  "connections": [
    {
      "cid": 5,
      "kind": "Client",
      "type": "nats",
      "ip": "127.0.0.1",
      "port": 54932,
      "start": "2024-01-02T03:02:50.123456789Z",
      "last_activity": "2024-01-02T03:04:00.12345679Z",
      "rtt": "628µs",
      "uptime": "1m15s",
      "idle": "4s",
      "pending_bytes": 0,
      "in_msgs": 1,
      "out_msgs": 9007199254740993,
      "in_bytes": 2,
      "out_bytes": 2,
      "stalls": 3,
      "subscriptions": 2,
      "name": "a\u003cb",
      "lang": "x",
      "version": "1",
      "tls_version": "1.3",
      "tls_cipher_suite": "TLS_AES_128_GCM_SHA256"
    }
  ]
}]], answer.body)
  end)

  it("has an empty list where nothing is found, and null of an account that does not exist", function()
    assert.is_truthy(ask().body:find('"connections": []', 1, true))
    assert.is_truthy(ask("cid=77").body:find('"connections": []', 1, true))
    local answer = ask "acc=nobody&limit=5"
    assert.are.equal(200, answer.status)
    assert.are.equal([[
{
  "server_id": "",
  "now": "2024-01-02T03:04:05.123456789Z",
  "num_connections": 0,
  "total": 0,
  "offset": 0,
  "limit": 5,
  "connections": null
}]], answer.body)
  end)

  it("sorts by each key, equal ones by their ids", function()
    local s = SECOND
    fake.open = {
      connection(1, { subscriptions = 2, pending_bytes = 5, out_msgs = 1, in_msgs = 9, out_bytes = 7, in_bytes = 1,
        start_ns = NOW - 50 * s, last_activity_ns = NOW - 2 * s, rtt_ns = 50 }),
      connection(2, { subscriptions = 9, pending_bytes = 0, out_msgs = 3, in_msgs = 9, out_bytes = 0, in_bytes = 3,
        start_ns = NOW - 10 * s, last_activity_ns = NOW - 1 * s, rtt_ns = 0 }),
      connection(3, { subscriptions = 2, pending_bytes = 7, out_msgs = 2, in_msgs = 1, out_bytes = 9, in_bytes = 2,
        start_ns = NOW - 30 * s, last_activity_ns = NOW - 2 * s + 1, rtt_ns = 70 }),
    }
    for key, order in pairs {
      [""] = "1 2 3", cid = "1 2 3", start = "1 2 3", subs = "2 1 3", pending = "3 1 2", msgs_to = "2 3 1", msgs_from = "1 2 3",
      bytes_to = "3 1 2", bytes_from = "2 3 1", last = "2 3 1", idle = "1 3 2", uptime = "2 3 1", rtt = "3 1 2",
    } do
      assert.are.equal(key .. ": " .. order, key .. ": " .. cids("sort=" .. key))
    end
  end)

  it("sorts closed connections by their end, their reason and how long they lived", function()
    fake.closed = {
      closed(1, { reason = "Read Error", start_ns = NOW - 90 * SECOND }),
      closed(3, { reason = "Authentication Failure", start_ns = NOW - 5 * SECOND }),
      closed(2, { reason = "Read Error", start_ns = NOW - 30 * SECOND }),
    }
    assert.are.equal("1 2 3", cids "state=closed&sort=stop")
    assert.are.equal("3 1 2", cids "state=closed&sort=reason")
    assert.are.equal("3 2 1", cids "state=closed&sort=uptime")
  end)

  it("refuses sorts that cannot be", function()
    assert.are.equal("invalid sorting option: <x&", refused "sort=%3Cx%26")
    assert.are.equal("sort by stop only valid on closed connections", refused "sort=stop")
    assert.are.equal("sort by reason only valid on closed connections", refused "sort=reason&state=all")
  end)

  it("pages through the sorted list", function()
    for cid = 1, 5 do fake.open[cid] = connection(cid) end
    assert.are.equal("1 2", cids "limit=2")
    assert.are.equal("2 3", cids "offset=1&limit=2")
    assert.are.equal("5", cids "offset=4&limit=2")
    assert.are.equal("", cids "offset=5")
    assert.are.equal("1 2 3 4 5", cids "limit=-5&offset=-5")
    assert.are.equal("", cids "offset=9223372036854775807&limit=9223372036854775807")
    assert.are.equal("1 2 3 4 5", cids "limit=9223372036854775807")
    local page = document "offset=1&limit=2"
    assert.are.same({ 2, 5, 1, 2 }, { page.num_connections, page.total, page.offset, page.limit })
    assert.is_truthy(ask("offset=9223372036854775807").body:find('"offset": 9223372036854775807', 1, true))
    assert.are.equal(1024, document("limit=0").limit)
  end)

  it("shows at most 1024 unless asked for more", function()
    for cid = 1, 1100 do fake.open[cid] = connection(cid) end
    assert.are.equal(1024, document().num_connections)
    assert.are.equal(1100, document("limit=5000").num_connections)
  end)

  it("finds one by its id, and still counts all", function()
    fake.open = { connection(1), connection(2, { kind = "Leafnode" }), connection(3, { account = "A" }) }
    fake.closed = { closed(7, { account = "A" }) }
    fake.accounts = { { name = "$G" }, { name = "A" } }
    local found = document "cid=2&limit=50"
    assert.are.same({ 1, 3, 1 }, { found.num_connections, found.total, found.limit })
    assert.are.equal("", cids "cid=2&acc=A")
    assert.are.equal("3", cids "cid=3&acc=A")
    assert.are.equal("", cids "cid=7")
    assert.are.equal("7", cids "cid=7&state=closed")
    assert.are.equal("7", cids "cid=7&state=all")
    assert.are.equal("", cids "cid=2&user=somebody")
  end)

  it("filters by account, user and MQTT client, of which only the account lowers the total", function()
    fake.accounts = { { name = "$G" }, { name = "A" } }
    fake.open = {
      connection(1, { user = "u" }), connection(2, { user = "u", account = "A" }), connection(3, { mqtt_client = "m" }),
    }
    assert.are.equal("1 2", cids "user=u")
    assert.are.equal(3, document("user=u").total)
    assert.are.equal("3", cids "mqtt_client=m")
    assert.are.equal("2", cids "acc=A")
    assert.are.equal(1, document("acc=A").total)
    assert.are.equal("1 3", cids "acc=$G")
  end)

  it("does not know closed connections of the global account by its name", function()
    fake.accounts = { { name = "$G" }, { name = "A" } }
    fake.closed = { closed(1), closed(2, { account = "A" }) }
    assert.are.equal("1 2", cids "state=closed")
    assert.are.equal("", cids "state=closed&acc=$G")
    assert.are.equal(0, document("state=closed&acc=$G").total)
    assert.are.equal("2", cids "state=closed&acc=A")
  end)

  it("shows open, closed or all connections", function()
    fake.open, fake.closed = { connection(3) }, { closed(1), closed(2) }
    assert.are.equal("3", cids())
    assert.are.equal("3", cids "state=open")
    assert.are.equal("1 2", cids "state=CLOSED")
    assert.are.equal("1 2 3", cids "state=any")
    assert.are.equal(3, document("state=all&limit=1").total)
  end)

  it("tells when and why a connection was closed, with the times of then", function()
    fake.closed = { closed(9, { start_ns = NOW - 100 * SECOND, last_activity_ns = NOW - 20 * SECOND, reason = "Read Error" }) }
    local entry = document("state=closed").connections[1]
    assert.are.equal("2024-01-02T03:03:56.123456789Z", entry.stop)
    assert.are.equal("Read Error", entry.reason)
    assert.are.equal("1m31s", entry.uptime)
    assert.are.equal("11s", entry.idle)
  end)

  it("lists subscriptions only if asked, by subject or in detail", function()
    local list = { { subject = "foo.*", sid = "1", msgs = 0 }, { subject = "bar", queue = "q", sid = "22", msgs = 1, max = 7 } }
    fake.open = { connection(5, { subscriptions = 2, subscriptions_list = list }) }
    assert.is_nil(document().connections[1].subscriptions_list)
    assert.is_false(fake.asked[1].subscriptions)
    assert.are.same({ "foo.*", "bar" }, document("subs=1").connections[1].subscriptions_list)
    assert.is_true(fake.asked[2].subscriptions)
    local entry = document("subs=detail").connections[1]
    assert.is_nil(entry.subscriptions_list)
    assert.are.same({
      { subject = "foo.*", sid = "1", msgs = 0, cid = 5 },
      { subject = "bar", qgroup = "q", sid = "22", msgs = 1, max = 7, cid = 5 },
    }, entry.subscriptions_list_detail)
    fake.open = { connection(6, { subscriptions_list = {} }) }
    assert.is_nil(document("subs=1").connections[1].subscriptions_list)
  end)

  it("names the account in the subscriptions of closed connections, and no maximum", function()
    fake.closed = { closed(5, { subscriptions_list = { { subject = "x", sid = "1", msgs = 0, max = 5 } } }) }
    assert.are.same({ { account = "$G", account_tag = "$G", subject = "x", sid = "1", msgs = 0, cid = 5 } },
      document("state=closed&subs=detail").connections[1].subscriptions_list_detail)
  end)

  it("tells who it is only if asked for authentication", function()
    fake.accounts = { { name = "$G" }, { name = "A" } }
    local secret = { user = "[REDACTED]", jwt = "j", issuer_key = "K", tags = { "t" }, tls_peer_certs = { { subject = "CN=x" } } }
    fake.open = { connection(1, secret), connection(2, { account = "A" }) }
    local plain = document().connections[1]
    for _, name in ipairs { "authorized_user", "account", "jwt", "issuer_key", "name_tag", "tags", "tls_peer_certs" } do
      assert.is_nil(plain[name])
    end
    local asked = document("auth=1").connections
    assert.are.equal("[REDACTED]", asked[1].authorized_user)
    assert.is_nil(asked[1].account)
    assert.are.same({ "j", "K", "$G", "t", "CN=x" },
      { asked[1].jwt, asked[1].issuer_key, asked[1].name_tag, asked[1].tags[1], asked[1].tls_peer_certs[1].subject })
    assert.are.same({ "A", "A" }, { asked[2].account, asked[2].name_tag })
  end)

  it("does not change what the source remembers", function()
    fake.closed = { closed(1, { subscriptions_list = { { subject = "x", sid = "1" } } }) }
    local before = cjson.encode(document("state=closed"))
    document "state=closed&auth=1&subs=detail"
    assert.are.equal(before, cjson.encode(document("state=closed")))
  end)

  it("pings open connections whose round trip is unknown, if they are no bare ones", function()
    fake.open = { connection(1, { rtt_ns = 0, lang = "go" }), connection(2, { rtt_ns = 0 }), connection(3, { lang = "go" }) }
    fake.closed = { closed(4, { rtt_ns = 0, lang = "go" }) }
    assert.are.equal("0s", document("state=all").connections[1].rtt)
    assert.are.same({ 1 }, fake.pinged)
  end)

  it("counts requests, except those with a parameter that cannot be read", function()
    ask()
    ask "sort=nonsense"
    ask "limit=x"
    ask "state=x"
    local varz = cjson.decode(served:handle({ method = "GET", path = "/varz" }).body)
    assert.are.same({ ["/connz"] = 2, ["/varz"] = 1 }, varz.http_req_stats)
  end)

  it("refuses parameters in the order in which nats-server reads them", function()
    local all = { "auth=2", "subs=2", "offset=a", "limit=b", "cid=c", "state=d" }
    while #all > 0 do
      local name = all[1]:match "^%a+"
      assert.is_truthy(refused(table.concat(all, "&")):find(name, 1, true))
      table.remove(all, 1)
    end
  end)
end)
