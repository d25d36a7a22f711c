local redact = require "perigee.config.redact"

local function redacted(...)
  local list = redact.arguments({ [0] = "nats-server", ... })
  assert.equal("nats-server", table.remove(list, 1))
  return list
end

describe("a command line that is shown", function()
  it("hides users, passwords and tokens, behind a blank or an equal sign", function()
    for _, dashes in ipairs { "-", "--" } do
      for _, name in ipairs { "user", "pass", "auth" } do
        local flag = dashes .. name
        assert.same({ flag, "[REDACTED]", "-D" }, redacted(flag, "hello world", "-D"))
        assert.same({ flag .. "=[REDACTED]", "-D" }, redacted(flag .. "=hello=world", "-D"))
        assert.same({ flag .. "=[REDACTED]" }, redacted(flag .. "="))
        assert.same({ flag }, redacted(flag))
      end
    end
  end)

  it("hides who logs in at other servers, and keeps the rest of their URLs", function()
    assert.same({ "--cluster", "nats://[REDACTED]@127.0.0.1:6222" }, redacted("--cluster", "nats://u:p@127.0.0.1:6222"))
    assert.same({ "--cluster_listen=nats://[REDACTED]@h:-1" }, redacted("--cluster_listen=nats://u:p@h:-1"))
    assert.same({ "-routes", "nats://[REDACTED]@a:1,nats://b:2,tls://[REDACTED]@c:3" },
      redacted("-routes", "nats://u:s3@cret@a:1,nats://b:2, tls://u@c:3"))
    assert.same({ "-cluster", "nats://127.0.0.1:6222" }, redacted("-cluster", "nats://127.0.0.1:6222"))
  end)

  it("leaves everything else as it is", function()
    assert.same({ "-username", "x", "--authority=y", "-p", "4222", "user", "pass", "" },
      redacted("-username", "x", "--authority=y", "-p", "4222", "user", "pass", ""))
    assert.same({}, redacted())
  end)
end)
