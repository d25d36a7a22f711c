--- Scenarios of a common shape, so that a table of cases reads as one.
--- A new connection sends `bytes`; everything up to its end is seen, and the reason the server gives for it.
local function closes(name, covers, bytes)
  return {
    name = name, covers = covers,
    run = function(t)
      local a = t:connect("a")
      a:send(bytes)
      a:closed()
      t:close_reason(a)
    end,
  }
end

--- A client that is neither verbose nor pedantic sends `bytes`, then PING; what it gets up to the PONG is seen.
-- @param members string|nil  more members of its CONNECT
local function answers(name, covers, bytes, members)
  return {
    name = name, covers = covers,
    run = function(t)
      local a = t:client("a", members)
      a:send(bytes)
      a:sync()
    end,
  }
end

--- A new connection that has sent no CONNECT sends `bytes`, then PING; what it gets up to the PONG is seen.
local function answers_raw(name, covers, bytes)
  return {
    name = name, covers = covers,
    run = function(t)
      local a = t:connect("a")
      a:send(bytes)
      a:sync()
    end,
  }
end

--- One connection subscribes to each of `subjects` (sid: its index), another publishes to each of `published`.
-- What is delivered is seen without order.
local function matches(name, covers, subjects, published)
  return {
    name = name, covers = covers,
    run = function(t)
      local a, b = t:client("a"), t:client("b", '"pedantic":false')
      local subs, pubs = {}, {}
      for i, subject in ipairs(subjects) do subs[i] = ("SUB %s %d\r\n"):format(subject, i) end
      for i, subject in ipairs(published) do pubs[i] = ("PUB %s 0\r\n\r\n"):format(subject) end
      a:send(table.concat(subs))
      a:sync()
      b:send(table.concat(pubs))
      b:sync()
      t:unordered(function() a:sync() end)
    end,
  }
end

return { closes = closes, answers = answers, answers_raw = answers_raw, matches = matches }
