--- The kinds of answers that monitoring gives. An answer is { status, headers = { { name, value }, ... }, body }.
local json = require "perigee.json"

--- A document as text that is JSON, or at least called so.
local function document(body, status)
  return {
    status = status or 200,
    headers = { { "Access-Control-Allow-Origin", "*" }, { "Content-Type", "application/json" } },
    body = body,
  }
end

local function plain(status, body)
  return { status = status, headers = { { "Content-Type", "text/plain; charset=utf-8" } }, body = body }
end

local function bad(message) return plain(400, message) end

local function not_found()
  local answer = plain(404, "404 page not found\n")
  table.insert(answer.headers, { "X-Content-Type-Options", "nosniff" })
  return answer
end

--- A value as a document, indented by two spaces or as many as said; 0 is not at all.
local function encoded(schema, value, status, indent)
  return document(assert(json.encode(schema, value, { indent = indent or 2 })), status)
end

return { document = document, plain = plain, bad = bad, not_found = not_found, encoded = encoded }
