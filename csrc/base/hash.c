#include "base/hash.h"
#define XXH_INLINE_ALL
#include <sys/random.h>
#include <xxhash.h>

static uint64_t seed;

void hash_seed(void) {
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) seed = 0x9e3779b97f4a7c15u;
}

uint64_t hash_bytes(const void *at, size_t size) {
    return XXH3_64bits_withSeed(at, size, seed);
}
