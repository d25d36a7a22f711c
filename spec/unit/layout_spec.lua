-- The seam's structs have one layout, whoever reads the header: what C measured is what FFI sees.
if not package.preload["perigee.json"] then
  describe("the layout of the seam's structs", function()
    pending("needs perigee-lua, which has the core")
  end)
  return
end

local ffi = require "ffi"
require "perigee.core"

-- What the header declares: struct -> list of fields.
local function declared()
  local structs = {}
  local text = perigee_header():gsub("/%*.-%*/", "")
  for name, body in text:gmatch("struct%s+([%w_]+)%s*(%b{})%s*;") do
    local fields = {}
    for declaration in body:sub(2, -2):gmatch("[^;]+") do
      for declarator in declaration:gmatch("[^,]+") do
        local field = declarator:gsub("%b[]", ""):match("([%w_]+)%s*$")
        if field then fields[#fields + 1] = field end
      end
    end
    structs[name] = fields
  end
  return structs
end

-- What C measured: struct -> {size=, fields = {field -> {offset=, size=}}}.
local function measured()
  local structs = {}
  local layout = ffi.C.perigee_layouts()
  while layout.structure ~= nil do
    local name, field = ffi.string(layout.structure), ffi.string(layout.field)
    structs[name] = structs[name] or { fields = {} }
    if field == "" then
      structs[name].size = tonumber(layout.size)
    else
      structs[name].fields[field] = { offset = tonumber(layout.offset), size = tonumber(layout.size) }
    end
    layout = layout + 1
  end
  return structs
end

-- The size of a field as FFI sees it: by a value of the struct.
local function size_of(name, field)
  local value = ffi.new("struct " .. name)[field]
  if type(value) == "boolean" then return 1 end
  if type(value) == "cdata" then return ffi.sizeof(value) end
  return nil -- a number: its width does not show
end

describe("The seam's structs", function()
  local c, header = measured(), declared()

  it("are all measured, with all their fields", function()
    local missing, count = {}, 0
    for name, fields in pairs(header) do
      count = count + 1
      if not (c[name] and c[name].size) then missing[#missing + 1] = name end
      for _, field in ipairs(fields) do
        if not (c[name] and c[name].fields[field]) then missing[#missing + 1] = name .. "." .. field end
      end
    end
    table.sort(missing)
    assert.same({}, missing)
    assert.is_true(count >= 10, "the header is not understood any more")
  end)

  it("have the size that FFI sees", function()
    for name, struct in pairs(c) do assert.equal(struct.size, ffi.sizeof("struct " .. name), name) end
  end)

  it("have their fields where FFI sees them", function()
    for name, struct in pairs(c) do
      for field, place in pairs(struct.fields) do
        assert.equal(place.offset, ffi.offsetof("struct " .. name, field), name .. "." .. field)
      end
    end
  end)

  it("have fields of the width that FFI sees", function()
    for name, struct in pairs(c) do
      for field, place in pairs(struct.fields) do
        local size = size_of(name, field)
        if size and not tostring(ffi.new("struct " .. name)[field]):find("%*") then
          assert.equal(place.size, size, name .. "." .. field)
        end
      end
    end
  end)
end)
