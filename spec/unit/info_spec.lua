if not package.preload["perigee.json"] then
  describe("INFO", function()
    pending("needs perigee-lua, which has the JSON codec")
  end)
  return
end

local info = require("perigee.info")

local options = { host = "127.0.0.1", port = 42173, max_payload = 1048576 }
local identity = { id = "NCYT", name = "NCYT", version = "2.15.2", go = "go1.26.8", xkey = "XD32" }

local function line(head, tail, connection)
  return head .. (',"client_id":%d,"client_ip":"%s"'):format(connection.id, connection.ip) .. tail
end

describe("INFO", function()
  it("has the members of nats-server in their order", function()
    local head, tail = info.template(info.describe(options, identity))
    assert.are.equal(
      'INFO {"server_id":"NCYT","server_name":"NCYT","version":"2.15.2","proto":1,"go":"go1.26.8","host":"127.0.0.1",'
        .. '"port":42173,"headers":true,"max_payload":1048576,"client_id":5,"client_ip":"127.0.0.1","api_lvl":5,"xkey":"XD32"} \r\n',
      line(head, tail, { id = 5, ip = "127.0.0.1" })
    )
  end)

  it("names the account after the first PING", function()
    local head, tail = info.connected_template(info.describe(options, identity), { name = "$G" })
    assert.are.equal(
      'INFO {"server_id":"NCYT","server_name":"NCYT","version":"2.15.2","proto":1,"go":"go1.26.8","host":"127.0.0.1",'
        .. '"port":42173,"headers":true,"max_payload":1048576,"client_id":5,"client_ip":"127.0.0.1","connect_info":true,'
        .. '"remote_account":"$G","api_lvl":5,"xkey":"XD32"} \r\n',
      line(head, tail, { id = 5, ip = "127.0.0.1" })
    )
  end)

  it("shows an account's own payload limit and that it is the system account only after the first PING", function()
    local described = info.describe(options, identity)
    local head, tail = info.connected_template(described, { name = "$SYS", is_system = true, max_payload = -1 })
    assert.is_truthy(head:find('"max_payload":%-1$'))
    assert.is_truthy(tail:find('"remote_account":"$SYS","acc_is_sys":true', 1, true))
    assert.is_truthy(info.template(described):find('"max_payload":1048576$'))
  end)

  it("has optional members where nats-server has them", function()
    local described = info.describe(options, { id = "N", name = "a<b", version = "2.15.2", go = "x", git_commit = "abc" })
    described.auth_required, described.tls_required, described.tls_verify = true, true, true
    described.tls_available, described.jetstream, described.ldm = true, true, true
    described.cluster, described.domain = "C", "hub"
    described.connect_urls = { "10.0.0.1:4222", "[::1]:4222" }
    local head, tail = info.template(described)
    assert.are.equal(
      'INFO {"server_id":"N","server_name":"a\\u003cb","version":"2.15.2","proto":1,"git_commit":"abc","go":"x",'
        .. '"host":"127.0.0.1","port":42173,"headers":true,"auth_required":true,"tls_required":true,"tls_verify":true,'
        .. '"tls_available":true,"max_payload":1048576,"jetstream":true',
      head
    )
    assert.are.equal(
      ',"cluster":"C","domain":"hub","connect_urls":["10.0.0.1:4222","[::1]:4222"],"ldm":true,"api_lvl":5} \r\n',
      tail
    )
  end)

  it("tells that headers are off", function()
    local off = { host = "h", port = 1, max_payload = 1, no_header_support = true }
    assert.is_truthy(info.template(info.describe(off, identity)):find('"headers":false', 1, true))
  end)

  it("names the advertised address, with the listening port where none is given", function()
    for advertise, expected in pairs({
      ["nats.example.com:7777"] = '"host":"nats.example.com","port":7777',
      ["nats.example.com"] = '"host":"nats.example.com","port":42173',
      ["[fe80::1]:7"] = '"host":"fe80::1","port":7',
      ["[fe80::1]"] = '"host":"fe80::1","port":42173',
      ["nats.example.com:0"] = '"host":"nats.example.com","port":42173',
      ["nats.example.com:-1"] = '"host":"nats.example.com","port":42173',
      [" nats.example.com : 7 "] = '"host":"nats.example.com","port":7',
      [""] = '"host":"127.0.0.1","port":42173',
    }) do
      local own = { host = "127.0.0.1", port = 42173, max_payload = 1, client_advertise = advertise }
      assert.is_truthy(info.template(info.describe(own, identity)):find(expected, 1, true))
    end
  end)

  it("refuses to advertise what is no address", function()
    for advertise, why in pairs({
      ["nats.example.com:http"] = 'strconv.Atoi: parsing "http": invalid syntax',
      ["nats.example.com:"] = 'strconv.Atoi: parsing "": invalid syntax',
      ["nats.example.com:9223372036854775808"] = 'strconv.Atoi: parsing "9223372036854775808": value out of range',
      ["fe80::1"] = "address fe80::1: too many colons in address",
      ["[fe80::1"] = "address [fe80::1: missing ']' in address",
      ["a]b:7"] = "address a]b:7: unexpected ']' in address",
      ["a[b:7"] = "address a[b:7: unexpected '[' in address",
    }) do
      local own = { host = "127.0.0.1", port = 42173, max_payload = 1, client_advertise = advertise }
      local described, message = info.describe(own, identity)
      assert.is_nil(described)
      assert.are.equal(("Error setting server INFO with ClientAdvertise value of %s, err=%s"):format(advertise, why), message)
    end
  end)

  it("refuses a payload limit that is no 32-bit integer", function()
    local head, message = info.template(info.describe({ host = "h", port = 1, max_payload = 2 ^ 31 }, identity))
    assert.is_nil(head)
    assert.is_truthy(message:find("max_payload", 1, true))
  end)
end)
