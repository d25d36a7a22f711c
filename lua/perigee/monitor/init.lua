--- Monitoring: requests in, documents out. Knows no sockets and no server, only a source (see perigee.monitor.source).
local accounts = require "perigee.monitor.accounts"
local connz = require "perigee.monitor.connz"
local healthz = require "perigee.monitor.healthz"
local internals = require "perigee.monitor.internals"
local off = require "perigee.monitor.off"
local path = require "perigee.config.path"
local query = require "perigee.monitor.query"
local reply = require "perigee.monitor.reply"
local root = require "perigee.monitor.root"
local source_contract = require "perigee.monitor.source"
local subsz = require "perigee.monitor.subsz"
local varz = require "perigee.monitor.varz"

-- A handler gets the request, the source, a function that counts the request under a path and returns all counts, and the
-- base path. It may yield where the source does.
local HANDLERS = {
  ["/varz"] = varz.handle,
  ["/connz"] = connz.handle,
  ["/routez"] = off.routez,
  ["/gatewayz"] = off.gatewayz,
  ["/leafz"] = off.leafz,
  ["/subsz"] = subsz.handle,
  ["/subscriptionsz"] = subsz.handle,
  ["/stacksz"] = internals.stacksz,
  ["/accountz"] = accounts.handle_accountz,
  ["/accstatz"] = accounts.handle_accstatz,
  ["/jsz"] = off.jsz,
  ["/healthz"] = healthz.handle,
  ["/ipqueuesz"] = internals.ipqueuesz,
  ["/raftz"] = off.raftz,
  ["/debug/vars"] = internals.variables,
}

local function base_of(configured) return path.clean("/" .. (configured or "")) end

-- A path that is not clean is sent to the clean one. A slash at its end is kept, and then finds nothing.
local function clean(requested)
  local cleaned = path.clean("/" .. requested)
  if cleaned ~= "/" and requested:sub(-1) == "/" then cleaned = cleaned .. "/" end
  return cleaned
end

local ESCAPED = { ['"'] = "&#34;", ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;" }

local function escape_path(text)
  return (text:gsub("[^%w/%-._~$&+,:;=@]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function redirect(request, to)
  local location = escape_path(to)
  if (request.query or "") ~= "" then location = location .. "?" .. request.query end
  local answer = { status = 307, headers = { { "Location", location } }, body = "" }
  if request.method == "GET" or request.method == "HEAD" then
    table.insert(answer.headers, 1, { "Content-Type", "text/html; charset=utf-8" })
    answer.body = ('<a href="%s">Temporary Redirect</a>.\n\n'):format((location:gsub('[&<>"\']', ESCAPED)))
  end
  return answer
end

-- What answers a path: the root page at the base path itself, a document below it, nothing beside it.
local function handler_of(requested, base)
  if requested == base then return root.handle end
  local prefix = base == "/" and "" or base
  if requested:sub(1, #prefix) ~= prefix then return nil end
  return HANDLERS[requested:sub(#prefix + 1)]
end

-- A request to the server as such: OPTIONS may do that, and learns nothing.
local function of_server(request)
  return { status = request.method == "OPTIONS" and 200 or 400, headers = {}, body = "" }
end

local monitor = {}
monitor.__index = monitor

--- Answers a request.
-- @param request table  method, path (percent-encoded), query (without "?", or nil)
-- @return table  status, headers (a list of { name, value }), body. A HEAD request gets the headers that go with the body.
function monitor:handle(request)
  if request.path == "*" then return of_server(request) end
  local requested = query.unescape(request.path, false)
  if not requested then return reply.plain(400, "400 Bad Request") end
  if request.method ~= "CONNECT" then
    local cleaned = clean(requested)
    if cleaned ~= requested then return redirect(request, cleaned) end
  end
  local base = base_of(self.source.options().http_base_path)
  local handler = handler_of(requested, base)
  if not handler then return reply.not_found() end
  local parsed = { method = request.method, path = requested, parameters = query.parse(request.query) }
  return handler(parsed, self.source, self.count, base)
end

--- A monitor over a source. All that it keeps between requests is their counts.
local function new(source)
  assert(source_contract.check(source))
  local requests = {}
  local function count(endpoint)
    requests[endpoint] = (requests[endpoint] or 0) + 1
    return requests
  end
  return setmetatable({ source = source, count = count }, monitor)
end

return { new = new }
