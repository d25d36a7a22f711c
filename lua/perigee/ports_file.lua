--- The file that tells where the server listens (ports_file_dir), for those who start it on any free port: written when
-- it is ready, removed at its end.
local core = require "perigee.core"
local json = require "perigee.json"
local path = require "perigee.config.path"
local process = require "perigee.process"

local schema = json.schema({
  { name = "nats", type = "array", of = "string", omit = true },
  { name = "monitoring", type = "array", of = "string", omit = true },
})

local written -- its path

local function urls(scheme, listener)
  local list = {}
  for i, address in ipairs(core.addresses(listener)) do
    list[i] = (address:find(":", 1, true) and "%s://[%s]:%d" or "%s://%s:%d"):format(scheme, address, listener.port)
  end
  return list
end

--- Writes the file.
-- @param directory string
-- @param program string  the path of this program, of which the file bears the name
-- @param listeners table  nats, monitoring (or nil)
-- @return true | nil, message
local function write(directory, program, listeners)
  written = path.join(directory, ("%s_%d.ports"):format(path.base_name(program), process.pid()))
  local text = assert(json.encode(schema, {
    nats = urls("nats", listeners.nats),
    monitoring = listeners.monitoring and urls("http", listeners.monitoring),
  }))
  local ok, message = process.write_file(written, text)
  if not ok then return nil, ("Error writing ports file (%s): %s"):format(written, message) end
  return true
end

--- Removes the file, if there is one.
-- @return true | nil, message
local function remove()
  if not written then return true end
  local ok, message = process.remove_file(written)
  if not ok then return nil, ("Error cleaning up ports file %s: %s"):format(written, message) end
  return true
end

return { write = write, remove = remove }
