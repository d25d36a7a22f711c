-- The `nats` command line against the server, each command as a user would type it. The program is NATS_BIN, or the one
-- that scripts/tools builds; where there is none, every test is pending.
local process = require "spec.support.process"
local server = require "spec.support.server"

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local program = os.getenv("NATS_BIN") or "build/tools/nats"
local installed = exists(program)
local SECONDS = 30

describe("The nats command line", function()
  local running

  local function say(name, body)
    if installed then it(name, body) else pending(name .. " (no " .. program .. ")") end
  end

  setup(function()
    if installed then running = assert(server.start(assert(server.perigee()), {})) end
  end)
  teardown(function()
    if running then running:stop() end
  end)

  local started
  before_each(function() started = {} end)
  after_each(function()
    for _, child in ipairs(started) do child:stop("KILL") end
  end)

  -- Starts `nats ARGUMENTS`; its output, both streams, is child:output().
  local function start(...)
    local output = ("%s/nats-%d"):format(running.directory, #started + 1)
    os.remove(output)
    local home = "XDG_CONFIG_HOME=" .. running.directory
    local url = "nats://127.0.0.1:" .. running.port
    local child = process.start("/usr/bin/env", { home, program, "--server", url, ... }, { stdout = output })
    function child.output() return process.read_file(output) end
    started[#started + 1] = child
    return child
  end

  -- Runs it to its end; returns what it printed and its exit status.
  local function run(...)
    local child = start(...)
    assert(child:wait(SECONDS))
    return child.output(), child.code
  end

  local function wait_for(what, ready) return assert(process.wait_for(ready, SECONDS, what)) end

  say("publishes and subscribes, with headers", function()
    local subscriber = start("sub", "orders.>", "--count", "2")
    wait_for("subscriber", function() return subscriber.output():find("Subscribing on orders.>", 1, true) end)
    -- The line above is printed before the subscription is made; what is published too early is lost, so it is repeated.
    wait_for("two messages", function()
      local text, code = run("pub", "orders.new", "a book", "--header", "Shop:north")
      assert.equal(0, code, text)
      return subscriber:ended()
    end)
    assert.equal(0, subscriber.code)
    local text = subscriber.output()
    assert.truthy(text:find('Received on "orders.new"', 1, true), text)
    assert.truthy(text:find("Shop: north", 1, true), text)
    assert.truthy(text:find("a book", 1, true), text)
  end)

  say("publishes many messages in order", function()
    local subscriber = start("sub", "count", "--count", "50", "--raw")
    local first = "publisher " .. running.port
    wait_for("subscriber", function()
      run("pub", "count", first)
      return subscriber.output():find(first, 1, true)
    end)
    local text, code = run("pub", "count", "n{{Count}};", "--count", "50")
    assert.equal(0, code, text)
    assert(subscriber:wait(SECONDS))
    local last = 0
    for number in subscriber.output():gmatch("n(%d+);") do
      assert.equal(last + 1, tonumber(number))
      last = tonumber(number)
    end
    assert.is_true(last >= 40, subscriber.output())
  end)

  say("answers requests and makes them", function()
    local responder = start("reply", "help", "answer to {{Request}}")
    local text
    wait_for("answer", function()
      text = run("request", "help", "a question")
      return text:find("Received with rtt", 1, true)
    end)
    assert.truthy(text:find("answer to a question", 1, true), text)
    assert.truthy(responder.output():find("a question", 1, true), responder.output())
  end)

  say("says that nobody answers", function()
    local text = run("request", "nobody.there", "x")
    assert.truthy(text:find("No responders are available", 1, true), text)
  end)

  say("measures the round trip", function()
    local text, code = run("rtt")
    assert.equal(0, code, text)
    assert.truthy(text:match("nats://127%.0%.0%.1:%d+: [%d.]+"), text)
  end)

  say("checks the connection", function()
    local text, code = run("server", "check", "connection")
    assert.equal(0, code, text)
    assert.truthy(text:find("OK Connection OK", 1, true), text)
  end)

  say("measures publishing and receiving", function()
    local subscriber = start("bench", "sub", "load", "--msgs", "20000", "--no-progress")
    local text, code
    wait_for("the subscriber's figures", function()
      text, code = run("bench", "pub", "load", "--msgs", "20000", "--no-progress")
      assert.equal(0, code, text)
      return subscriber:ended()
    end)
    assert.truthy(text:match("publisher stats: [%d,]+ msgs/sec"), text)
    assert.truthy(subscriber.output():match("subscriber stats: [%d,]+ msgs/sec"), subscriber.output())
  end)

  say("measures requests to a service", function()
    local service = start("bench", "service", "serve", "ask", "--no-progress")
    local text
    wait_for("the requester's figures", function()
      text = run("bench", "service", "request", "ask", "--msgs", "500", "--no-progress")
      return text:match("[%d,]+ msgs/sec")
    end)
    assert.is_false(service:ended(), service.output())
  end)
end)
