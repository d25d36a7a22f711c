--- SHA-256 (FIPS 180-4) of a string. For digests of configurations: small texts, nothing secret in the timing.
local bit = require "bit"

local band, bnot, bxor, ror, rshift, tobit = bit.band, bit.bnot, bit.bxor, bit.ror, bit.rshift, bit.tobit
local byte, char = string.byte, string.char

-- The first 32 bits of the fractional part of a root of a prime.
local function fraction_bits(root) return tobit(math.floor((root % 1) * 4294967296)) end

local function first_primes(count)
  local primes, candidate = {}, 2
  while #primes < count do
    local divisible = false
    for _, prime in ipairs(primes) do divisible = divisible or candidate % prime == 0 end
    if not divisible then primes[#primes + 1] = candidate end
    candidate = candidate + 1
  end
  return primes
end

local ROUND_CONSTANTS, INITIAL = {}, {}
for index, prime in ipairs(first_primes(64)) do
  ROUND_CONSTANTS[index] = fraction_bits(prime ^ (1 / 3))
  if index <= 8 then INITIAL[index] = fraction_bits(prime ^ 0.5) end
end

local function padded(text)
  local zeros = (55 - #text) % 64
  local bits = #text * 8
  local length = {}
  for index = 8, 1, -1 do
    length[index] = char(bits % 256)
    bits = math.floor(bits / 256)
  end
  return text .. "\128" .. ("\0"):rep(zeros) .. table.concat(length)
end

local function schedule(words, text, offset)
  for index = 1, 16 do
    local a, b, c, d = byte(text, offset + index * 4 - 3, offset + index * 4)
    words[index] = tobit(a * 16777216 + b * 65536 + c * 256 + d)
  end
  for index = 17, 64 do
    local early, late = words[index - 15], words[index - 2]
    local small = bxor(ror(early, 7), ror(early, 18), rshift(early, 3))
    local large = bxor(ror(late, 17), ror(late, 19), rshift(late, 10))
    words[index] = tobit(words[index - 16] + small + words[index - 7] + large)
  end
end

local function compress(state, words)
  local a, b, c, d, e, f, g, h = unpack(state)
  for index = 1, 64 do
    local choice = bxor(band(e, f), band(bnot(e), g))
    local majority = bxor(band(a, b), band(a, c), band(b, c))
    local first = h + bxor(ror(e, 6), ror(e, 11), ror(e, 25)) + choice + ROUND_CONSTANTS[index] + words[index]
    local second = bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + majority
    a, b, c, d, e, f, g, h = tobit(first + second), a, b, c, tobit(d + first), e, f, g
  end
  local after = { a, b, c, d, e, f, g, h }
  for index = 1, 8 do state[index] = tobit(state[index] + after[index]) end
end

--- The hash of `text` as 64 lower-case hexadecimal digits.
local function hexadecimal(text)
  local state, words = { unpack(INITIAL) }, {}
  local message = padded(text)
  for offset = 0, #message - 64, 64 do
    schedule(words, message, offset)
    compress(state, words)
  end
  local digits = {}
  for index = 1, 8 do digits[index] = bit.tohex(state[index]) end
  return table.concat(digits)
end

return { hexadecimal = hexadecimal }
