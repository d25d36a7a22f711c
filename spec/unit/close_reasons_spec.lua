-- The reasons of closing, by the numbers and in the words of nats-server (ClosedState).
if not package.preload["perigee.json"] then
  describe("The reasons of closing", function()
    pending("needs perigee-lua, which has the core")
  end)
  return
end

local ffi = require "ffi"
require "perigee.core"

local REASONS = {
  "Client Closed", "Authentication Timeout", "Authentication Failure", "TLS Handshake Failure",
  "Slow Consumer (Pending Bytes)", "Slow Consumer (Write Deadline)", "Write Error", "Read Error", "Parse Error",
  "Stale Connection", "Protocol Violation", "Bad Client Protocol Version", "Incorrect Port",
  "Maximum Account Connections Exceeded", "Maximum Connections Exceeded", "Maximum Message Payload Exceeded",
  "Maximum Control Line Exceeded", "Maximum Subscriptions Exceeded", "Duplicate Route", "Route Removed",
  "Server Shutdown", "Authentication Expired", "Wrong Gateway", "Missing Account", "Credentials Revoked",
  "Internal Client", "Message Header Violation", "No Responders Requires Headers", "Cluster Name Conflict",
  "Duplicate Remote LeafNode Connection", "Duplicate Client ID", "Duplicate Server Name", "Minimum Version Required",
  "Cluster Names Identical", "Kicked", "Proxy Not Trusted", "Proxy Required",
}

local function text(number) return ffi.string(ffi.C.perigee_close_reason(number)) end

describe("The reasons of closing", function()
  it("are known by their numbers", function()
    for number, words in ipairs(REASONS) do assert.equal(words, text(number)) end
  end)

  it("of another number are unknown", function()
    for _, number in ipairs { -1, 0, #REASONS + 1, 2147483647 } do assert.equal("Unknown State", text(number)) end
  end)
end)
