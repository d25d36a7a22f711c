--- Defaults, applied after file and flags: what is missing, 0 or "" gets the default of its description.
local schema = require "perigee.config.schema"

local MAX_WORKERS = 64
local RANDOM_PORT = -1

local function apply_plain(options)
  for _, option in ipairs(schema.options) do
    local field = option.field or option.name
    local value = options[field]
    if option.default ~= nil and (value == nil or value == 0 or value == "") then options[field] = option.default end
  end
end

--- Applies the defaults to `options`, in place. A port of -1 becomes 0: any free one.
-- @param cores  how many cores there are
local function apply(options, cores)
  apply_plain(options)
  options.http_host = (options.http_host or "") ~= "" and options.http_host or options.host
  if options.port == RANDOM_PORT then options.port = 0 end
  options.workers = options.workers or math.max(1, math.min(MAX_WORKERS, cores or 1))
  options.mappings = options.mappings or {}
  options.server_tags = options.server_tags or {}
  options.server_metadata = options.server_metadata or {}
end

return { apply = apply }
