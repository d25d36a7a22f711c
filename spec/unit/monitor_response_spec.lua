local response = require "perigee.monitor.response"

local DATE = "Wed, 25 Nov 2026 05:50:15 GMT"
local answer = {
  status = 200, headers = { { "Access-Control-Allow-Origin", "*" }, { "Content-Type", "application/json" } }, body = '{"status":"ok"}',
}
local HEADERS = "Access-Control-Allow-Origin: *\r\nContent-Type: application/json\r\nDate: " .. DATE .. "\r\nContent-Length: 15\r\n"

describe("a monitoring response", function()
  it("is what nats-server sends, by version of HTTP and by what becomes of the connection", function()
    for _, row in ipairs {
      { 1, true, "" }, { 1, false, "Connection: close\r\n" }, { 0, false, "" }, { 0, true, "Connection: keep-alive\r\n" },
    } do
      assert.are.equal(("HTTP/1.%d 200 OK\r\n%s%s\r\n%s"):format(row[1], HEADERS, row[3], answer.body),
        response.text(answer, { method = "GET", minor = row[1], keep_alive = row[2] }, DATE))
    end
  end)

  it("has the headers of the body, but not the body, for HEAD", function()
    assert.are.equal("HTTP/1.1 200 OK\r\n" .. HEADERS .. "\r\n",
      response.text(answer, { method = "HEAD", keep_alive = true }, DATE))
  end)

  it("has a date in the form of HTTP", function()
    assert.are.equal(DATE, response.date(1795585815))
    assert.are.equal("Thu, 01 Jan 1970 00:00:00 GMT", response.date(0))
    assert.is_truthy(response.text(answer, { method = "GET" }):find("\r\nDate: %a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT\r\n"))
  end)
end)
