--- The page at the base path: links to the other documents, for people.
local STYLE = "body{font-family:sans-serif;margin:2rem}a{display:block;padding:.2rem 0;color:#345;text-decoration:none}"
  .. "a:hover{text-decoration:underline}small{color:#999;font-family:monospace;margin-left:.5rem}"

local LINKS = {
  { "/varz", "General" },
  { "/jsz", "JetStream" },
  { "/connz", "Connections" },
  { "/accountz", "Accounts" },
  { "/accstatz", "Account Stats" },
  { "/subsz", "Subscriptions" },
  { "/routez", "Routes" },
  { "/leafz", "LeafNodes" },
  { "/gatewayz", "Gateways" },
  { "/raftz", "Raft Groups" },
  { "/healthz", "Health Probe" },
  { "/debug/vars", "Expvar" },
}

--- The page.
-- @param base string  the base path, "/" or "/nats"
local function build(identity, base)
  local lines = {
    "<!DOCTYPE html>",
    '<html lang="en"><head><title>Perigee</title><style>' .. STYLE .. "</style></head><body>",
    ("<h1>Perigee %s</h1><p>compatible with v%s</p>"):format(identity.perigee or "", identity.version),
  }
  local prefix = base == "/" and "." or "." .. base
  for _, link in ipairs(LINKS) do
    lines[#lines + 1] = ('<a href="%s%s">%s<small>%s</small></a>'):format(prefix, link[1], link[2], link[1])
  end
  lines[#lines + 1] = "</body></html>\n"
  return table.concat(lines, "\n")
end

local function handle(_, source, count, base)
  count("/")
  return {
    status = 200,
    headers = { { "Content-Type", "text/html; charset=utf-8" } },
    body = build(source.identity(), base),
  }
end

return { build = build, handle = handle }
