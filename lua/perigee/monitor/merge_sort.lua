--- Sorting that gives way: table.sort() cannot be interrupted.

-- Merges list[low..middle] and list[middle+1..high] into `into`.
local function merge(list, into, low, middle, high, precedes)
  local left, right = low, middle + 1
  for i = low, high do
    if left <= middle and (right > high or not precedes(list[right], list[left])) then
      into[i], left = list[left], left + 1
    else
      into[i], right = list[right], right + 1
    end
  end
end

--- Sorts a list. Equal ones keep their order.
-- @param precedes function(a, b)  whether a must stand before b
-- @param breathe function  called after every few hundred steps
-- @return table  the sorted list, another one
local function sort(list, precedes, breathe)
  local from, to, count = {}, {}, #list
  for i = 1, count do from[i] = list[i] end
  local width, steps = 1, 0
  while width < count do
    for low = 1, count, 2 * width do
      local middle, high = math.min(low + width - 1, count), math.min(low + 2 * width - 1, count)
      merge(from, to, low, middle, high, precedes)
      steps = steps + high - low + 1
      if steps > 256 then
        breathe()
        steps = 0
      end
    end
    from, to, width = to, from, 2 * width
  end
  return from
end

return { sort = sort }
