-- The control plane is LuaJIT; specs are run by busted.
std = "luajit"
max_line_length = 140
exclude_files = { "**/node_modules", "spec/parity/fixtures" }
files["spec"] = { std = "+busted" }
read_globals = { "perigee_header" } -- the launcher gives it to perigee.core
