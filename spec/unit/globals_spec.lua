-- Every module of lua/ loads, and none creates a global.

-- The names of all modules, by their files.
local function modules()
  local names = {}
  local files = assert(io.popen("find lua -name '*.lua' | sort"))
  for path in files:lines() do
    names[#names + 1] = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  end
  files:close()
  return names
end

-- The instructions of a file that set a global, as LuaJIT lists them: in what was never run, too.
local function stores(path)
  local found = {}
  local listing = assert(io.popen(("luajit -bl '%s' 2>&1"):format(path)))
  for line in listing:lines() do
    local name = line:match("GSET.*;%s*(.+)$")
    if name then found[#found + 1] = name end
  end
  listing:close()
  return found
end

local function snapshot()
  local names = {}
  for name in pairs(_G) do names[name] = true end
  return names
end

describe("The modules of lua/", function()
  local names = modules()

  it("are found", function()
    local set = {}
    for _, name in ipairs(names) do set[name] = true end
    assert.is_true(set["perigee.server"] and set["perigee.config"] and set["perigee.monitor.varz"])
  end)

  it("hold no instruction that sets a global", function()
    local found = {}
    for _, name in ipairs(names) do
      local path = "lua/" .. name:gsub("%.", "/")
      local file = io.open(path .. ".lua")
      if file then file:close() path = path .. ".lua" else path = path .. "/init.lua" end
      for _, global in ipairs(stores(path)) do found[#found + 1] = path .. ": " .. global end
    end
    assert.same({}, found)
  end)

  if not package.preload["perigee.json"] then
    pending("load, all of them, without a new global (needs perigee-lua, which has the core)")
    return
  end

  it("load, all of them, without a new global", function()
    local before, failed, new = snapshot(), {}, {}
    for _, name in ipairs(names) do
      local ok, message = pcall(require, name)
      if not ok then failed[#failed + 1] = message end
    end
    for name in pairs(_G) do
      if not before[name] then new[#new + 1] = tostring(name) end
    end
    assert.same({}, failed)
    assert.same({}, new)
  end)

  it("return what they are, all of them", function()
    for _, name in ipairs(names) do assert.is_not_true(require(name), name .. " returns nothing") end
  end)
end)
