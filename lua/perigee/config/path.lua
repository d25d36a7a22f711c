--- Paths as strings: cleaned, joined and cut like Go's path/filepath does on Unix.

--- The shortest equivalent of a path: no empty, "." or avoidable ".." elements. The empty path is ".".
local function clean(path)
  local rooted = path:sub(1, 1) == "/"
  local elements = {}
  for element in path:gmatch("[^/]+") do
    if element == ".." then
      if #elements > 0 and elements[#elements] ~= ".." then
        elements[#elements] = nil
      elseif not rooted then
        elements[#elements + 1] = ".."
      end
    elseif element ~= "." then
      elements[#elements + 1] = element
    end
  end
  local cleaned = (rooted and "/" or "") .. table.concat(elements, "/")
  return cleaned == "" and "." or cleaned
end

--- The directory of a file's path.
local function directory(path) return clean(path:match("^(.*/)") or "") end

--- `path` below `base`, even if it begins with a slash.
local function join(base, path)
  if path == "" then return clean(base) end
  return clean(base .. "/" .. path)
end

--- The last element of a path.
local function base_name(path) return path:match("([^/]+)/*$") or path end

return { clean = clean, directory = directory, join = join, base_name = base_name }
