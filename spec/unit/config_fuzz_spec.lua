-- Thousands of mutations of the configurations in config_cases: whatever the text, there is a tree or a message, soon.
-- The mutations are the same in every run. PERIGEE_FUZZ_SEED and PERIGEE_FUZZ_ROUNDS choose others, or more.
package.path = "spec/support/?.lua;" .. package.path
local config_cases = require "config_cases"
local digest = require "perigee.config.digest"
local flags = require "perigee.config.flags"
local new_report = require("perigee.config.report").new
local options_of = require "perigee.config.options"
local parser = require "perigee.config.parser"

local ROUNDS = tonumber(os.getenv("PERIGEE_FUZZ_ROUNDS")) or 12
local SEED = tonumber(os.getenv("PERIGEE_FUZZ_SEED")) or 20240501
-- Instructions of the virtual machine, counted without compiling: some hundred for each byte of these texts.
local STEPS = 4000000
local MAX_BYTES = 4096

-- A generator of our own, so that the sequence does not depend on the interpreter.
local state = SEED
local function random(limit)
  state = (state * 1103515245 + 12345) % 2147483648
  return math.floor(state / 65536) % limit + 1
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local texts = {}
for _, name in ipairs(config_cases.names()) do texts[#texts + 1] = read(("%s/%s.conf"):format(config_cases.DIRECTORY, name)) end

-- Pieces that mean something to the language.
local PIECES = {
  "{", "}", "[", "]", "(", ")", "\n)\n", "=", ":", ",", ";", "\n", "\r", " ", "\t", "\0", "'", '"', "\\", "\\x", "#", "//", "/",
  "$", "$x", "x=", "include ", "include included/good.conf\n", "-", ".", "1k", "9223372036854775807", "2016-05-04T18:53:41Z",
  "true", "$CASE_MAP", "$CASE_CYCLE_A", "\194\160", "\226\128\168", "\255", "\239\187\191", "mappings {", "port: ", "{{{{", "[[[[",
}

local mutations = {
  function(text, at) return text:sub(1, at - 1) .. text:sub(at + 1) end,
  function(text, at) return text:sub(1, at) .. PIECES[random(#PIECES)] .. text:sub(at + 1) end,
  function(text, at) return text:sub(1, at - 1) .. string.char(random(256) - 1) .. text:sub(at + 1) end,
  function(text, at) return text:sub(1, at) end,
  function(text, at) return text:sub(at) end,
  function(text, at) return text:sub(1, at) .. text:sub(random(#text)) end,
  function(text, at) return text:sub(1, at) .. texts[random(#texts)] .. text:sub(at + 1) end,
  function(text, at) return text:sub(1, at) .. PIECES[random(#PIECES)]:rep(random(300)) .. text:sub(at + 1) end,
}

local function mutated(text)
  for _ = 1, random(4) do
    if #text == 0 then text = PIECES[random(#PIECES)] end
    text = mutations[random(#mutations)](text, random(#text)):sub(1, MAX_BYTES)
  end
  return text
end

local world = {
  readfile = function(path)
    local file = io.open(config_cases.DIRECTORY .. "/" .. path, "rb")
    local text = file and file:read("*a")
    if file then file:close() end
    if not text then return nil, "open " .. path end
    return text
  end,
  getenv = function(name) return config_cases.ENVIRONMENT[name] end,
}

-- Everything that happens to a text: nothing of it may fail otherwise than with a message.
local function process(text)
  local map, message = parser.parse_text(text, "a.conf", world)
  if not map then
    assert(type(message) == "string" and message ~= "")
    return
  end
  local report = new_report()
  options_of.process(map, {}, report)
  for _, list in ipairs { report.errors, report.warnings, report.notices } do
    for _, line in ipairs(list) do assert(type(line) == "string" and line ~= "") end
  end
  local found
  found, message = digest.of(map)
  assert(found or message)
end

-- Runs within the bound; returns true, or false and what went wrong.
local function bounded(run, ...)
  local steps = 0
  debug.sethook(function()
    steps = steps + 100000
    if steps > STEPS then error("does not come to an end") end
  end, "", 100000)
  local fine, message = pcall(run, ...)
  debug.sethook()
  return fine, message
end

describe("a mutated configuration", function()
  setup(function()
    jit.off()
    jit.flush()
  end)
  teardown(function() jit.on() end)

  it("becomes a tree or a message, within a bound", function()
    for round = 1, ROUNDS do
      for index, original in ipairs(texts) do
        local text = mutated(original)
        local fine, message = bounded(process, text)
        assert.is_true(fine, ("seed %d, round %d, text %d: %s\n%q"):format(SEED, round, index, tostring(message), text))
      end
    end
  end)
end)

describe("a command line of random words", function()
  local WORDS = { "-p", "--port", "-p=", "-D", "-D=", "-DV=false", "--", "-", "---", "-=", "=", "1", "0x", "-1", "x", "",
    "-c", "a.conf", "--signal", "reload=1", "-js", "--cluster", "nats://h:1", "-xyz", "99999999999999999999" }

  it("is read or refused with a message", function()
    for _ = 1, 3000 do
      local arguments = {}
      for index = 1, random(6) do arguments[index] = WORDS[random(#WORDS)] end
      local fine, parsed, message = pcall(flags.parse, arguments)
      assert.is_true(fine, table.concat(arguments, " "))
      assert.is_true(parsed ~= nil or type(message) == "string")
    end
  end)
end)
