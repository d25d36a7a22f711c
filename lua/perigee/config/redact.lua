--- Arguments of a command line without the secrets in them, to be shown by monitoring.
local SECRETS = { user = true, pass = true, auth = true }
local URL_LISTS = { routes = true }
local URLS = { cluster = true, cluster_listen = true }

local function secret() return "[REDACTED]" end

-- Scheme, host and port stay as they are; who logs in is hidden.
local function redact_url(url)
  local scheme, rest = url:match("^%s*(%a[%w+.-]*://)[^/?#]*@(.-)%s*$")
  return scheme and scheme .. "[REDACTED]@" .. rest or url
end

local function redact_urls(list)
  local urls = {}
  for url in (list .. ","):gmatch("([^,]*),") do urls[#urls + 1] = redact_url(url) end
  return table.concat(urls, ",")
end

local function redactor(name)
  return SECRETS[name] and secret or URL_LISTS[name] and redact_urls or URLS[name] and redact_url
end

--- A copy of the arguments, argv[0] first, in which no secret is left.
-- @param argv table  argv[0] is the program
local function arguments(argv)
  local list, hide = { argv[0] }, nil
  for _, argument in ipairs(argv) do
    if hide then argument, hide = hide(argument), nil end
    local dashes, name, rest = argument:match("^(%-%-?)([%w_]+)(.*)$")
    local redact = dashes and redactor(name)
    if redact and rest:sub(1, 1) == "=" then
      argument = dashes .. name .. "=" .. redact(rest:sub(2))
    elseif redact and rest == "" then
      hide = redact
    end
    list[#list + 1] = argument
  end
  return list
end

return { arguments = arguments }
