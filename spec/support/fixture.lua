--- Fixtures: what the real server answered, one file for each file of scenarios; written by the recorder only.
local FOLDER = "spec/parity/fixtures/"

local function path_of(topic) return FOLDER .. topic .. ".lua" end

--- {version=, scenarios={name=lines}}, or nil if nothing was recorded.
local function load(topic)
  local chunk = loadfile(path_of(topic))
  if not chunk then return nil, "nothing recorded for " .. topic end
  return chunk()
end

-- A string literal of one line, as long brackets of a level that the text does not end.
local function literal(text)
  local level = ""
  while (text .. "]"):find("]" .. level .. "]", 1, true) do level = level .. "=" end
  return ("[%s[%s]%s]"):format(level, text, level)
end

--- Writes what was recorded, in the order of the scenarios.
-- @param recorded {{name=, lines=}}
local function save(topic, version, recorded)
  local out = {
    ("-- Recorded from nats-server %s by `make parity-record`. Not to be edited."):format(version),
    "return {",
    ("  version = %s,"):format(literal(version)),
    "  scenarios = {",
  }
  for _, entry in ipairs(recorded) do
    out[#out + 1] = ("    [ %s ] = {"):format(literal(entry.name))
    for _, line in ipairs(entry.lines) do out[#out + 1] = ("      %s,"):format(literal(line)) end
    out[#out + 1] = "    },"
  end
  out[#out + 1] = "  },\n}\n"
  local file = assert(io.open(path_of(topic), "wb"))
  file:write(table.concat(out, "\n"))
  file:close()
end

local function is_different_on_purpose(line, differs)
  for _, entry in ipairs(differs or {}) do
    if line:find(entry[1]) then return true end
  end
  return false
end

local function counted(lines, differs)
  local kept = {}
  for _, line in ipairs(lines) do
    if not is_different_on_purpose(line, differs) then kept[#kept + 1] = line end
  end
  return kept
end

-- Length of the longest common subsequence of the tails of both lists, for a diff of short transcripts.
local function common_lengths(a, b)
  local rows = {}
  for i = #a + 1, 1, -1 do
    rows[i] = {}
    for j = #b + 1, 1, -1 do
      if i > #a or j > #b then rows[i][j] = 0
      elseif a[i] == b[j] then rows[i][j] = rows[i + 1][j + 1] + 1
      else rows[i][j] = math.max(rows[i + 1][j], rows[i][j + 1]) end
    end
  end
  return rows
end

--- nil if both transcripts say the same, else the difference as text: `-` only expected, `+` only seen.
-- @param differs {{pattern, reason}}|nil  lines that do not count
local function difference(expected, seen, differs)
  local a, b = counted(expected, differs), counted(seen, differs)
  local rows, i, j, out, same = common_lengths(a, b), 1, 1, {}, true
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      out[#out + 1] = "  " .. a[i]
      i, j = i + 1, j + 1
    elseif j > #b or (i <= #a and rows[i + 1][j] >= rows[i][j + 1]) then
      out[#out + 1], same, i = "- " .. a[i], false, i + 1
    else
      out[#out + 1], same, j = "+ " .. b[j], false, j + 1
    end
  end
  if same then return nil end
  return table.concat(out, "\n")
end

return { load = load, save = save, difference = difference }
