--- Makes what two servers say comparable: values that differ from run to run become words in angle brackets, but only
-- if they have the form they should have. A time that is no time stays as it is, and shows up as a difference.
local json = require "dkjson"

local FORMS = {
  id = { "^N[A-Z2-7]+$", "<server id>" },
  xkey = { "^X[A-Z2-7]+$", "<xkey>" },
  time = { "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?%d*Z$", "<time>" },
  uptime = { "^[%dydhms]+s$", "<uptime>" },
  duration = { "^[%d.]+[%l\194\181]+$", "<duration>" },
  text = { "^.+$", "<text>" },
  number = { "number", "<number>" },
}

-- Members of documents, by name.
local VOLATILE = {
  server_id = "id", now = "time", start = "time", config_load_time = "time", last_activity = "time", stop = "time",
  uptime = "uptime", idle = "uptime", rtt = "duration", go = "text", xkey = "xkey",
  mem = "number", cores = "number", gomaxprocs = "number", cpu = "number", port = "number", http_port = "number",
  pending_bytes = "number", cid = "number", client_id = "number", total_connections = "number",
  num_cache = "number", num_matches = "number",
  cache_hit_rate = "number",
  max_fanout = "number", avg_fanout = "number", num_inserts = "number",
  num_removes = "number", num_subscriptions = "number",
}

-- Members that one server has and another has not, without meaning to anybody who reads them.
local IGNORED = { git_commit = true }

-- Lists that have no order of their own: of words, or of objects with a sid.
local UNORDERED = { subscriptions_list = true, subscriptions_list_detail = true }

-- Members whose value depends on how many subscriptions a server has for itself; only where `subscriptions` is a
-- server's total.
local TOTALS = { ["/varz"] = { subscriptions = "number", connections = "number" } }

local function word(value, form)
  local pattern, result = FORMS[form][1], FORMS[form][2]
  if pattern == type(value) then return result end
  if type(value) == "string" and value:find(pattern) then return result end
  return value
end

local function by_text_or_sid(a, b)
  if type(a) == "table" then a, b = a.sid or "", b.sid or "" end
  return a < b
end

-- One line for each leaf, in the order of names: `connections[1].cid: <number>`.
local function flatten(value, path, volatile, lines)
  if type(value) ~= "table" or value == json.null then
    lines[#lines + 1] = ("%s: %s"):format(path, value == json.null and "null" or
      (type(value) == "string" and ("%q"):format(value) or tostring(value)))
    return
  end
  local is_array = (getmetatable(value) or {}).__jsontype == "array"
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  if #names == 0 then lines[#lines + 1] = path .. (is_array and ": []" or ": {}") return end
  table.sort(names)
  for _, name in ipairs(names) do
    local below = is_array and ("%s[%d]"):format(path, name) or (path == "" and name or path .. "." .. name)
    local form = volatile[name] or VOLATILE[name]
    local shown = value[name]
    if UNORDERED[name] and type(shown) == "table" then table.sort(shown, by_text_or_sid) end
    if form and type(shown) ~= "table" then
      local made = word(shown, form)
      if made ~= shown then lines[#lines + 1] = below .. ": " .. made shown = nil end
    end
    if shown ~= nil and not IGNORED[name] then flatten(shown, below, volatile, lines) end
  end
end

--- The lines of a decoded document.
-- @param document table
-- @param where string|nil  the path it was asked from
-- @param volatile table|nil  more members whose values differ, name to form
local function document(tree, where, volatile)
  local all = {}
  for name, form in pairs(TOTALS[(where or ""):match("^[^?]*")] or {}) do all[name] = form end
  for name, form in pairs(volatile or {}) do all[name] = form end
  local lines, id = {}, tree.server_id
  if id and tree.server_name == id then tree.server_name = nil lines[1] = "server_name: <server id>" end
  flatten(tree, "", all, lines)
  table.sort(lines)
  return lines
end

--- INFO with its members in the order in which they came.
local function info(item)
  local id = item:match('"server_id":"([^"]*)"')
  if id then item = item:gsub('"server_name":"' .. id .. '"', '"server_name":"<server id>"') end
  item = item:gsub('"git_commit":"[^"]*",?', "")
  item = item:gsub('"([%w_]+)":"([^"]*)"', function(name, value)
    return VOLATILE[name] and ('"%s":"%s"'):format(name, word(value, VOLATILE[name])) or nil
  end)
  return (item:gsub('"([%w_]+)":(%d+)', function(name, value)
    return VOLATILE[name] == "number" and ('"%s":<number>'):format(name, value) or nil
  end))
end

local ESCAPES = { ["\r"] = "\\r", ["\n"] = "\\n", ["\t"] = "\\t", ["\\"] = "\\\\" }

--- Bytes as one printable line. Long runs of one byte are counted, other long text is cut and its length told.
local function printable(bytes)
  bytes = bytes:gsub("[%c\\\127-\255]", function(c) return ESCAPES[c] or ("\\x%02X"):format(c:byte()) end)
  if #bytes <= 600 then return bytes end
  local sum = 0
  for i = 1, #bytes do sum = (sum * 31 + bytes:byte(i)) % 4294967296 end
  return ("%s ... %d in all, sum %08x"):format(bytes:sub(1, 120), #bytes, sum)
end

--- One line of a log or of a command's output: without process id, date, ports and paths of the run.
local function output(text, result)
  text = text:gsub("%[%d+%] %d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d%.%d+ ", "")
  text = text:gsub("^%d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d ", "<date> ")
  if result.directory then
    text = text:gsub(result.directory:gsub("%p", "%%%0"), "<dir>")
  end
  for name, port in pairs(result.ports or {}) do
    if name ~= "dir" then text = text:gsub("%f[%d]" .. port .. "%f[%D]", "<" .. name .. ">") end
  end
  return text
end

return { document = document, info = info, printable = printable, output = output, VOLATILE = VOLATILE }
