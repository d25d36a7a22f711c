/*
 * The one hash for tables in memory. Seeded per process, so that a peer cannot choose names that
 * collide. Never written to disk or to the wire.
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

/* Seeds the hash from the system's randomness; called once, before the first table exists. Until
 * then the seed is 0. */
void hash_seed(void);

/* 64 well mixed bits of `size` bytes at `at`. */
uint64_t hash_bytes(const void *at, size_t size);

static inline uint64_t hash_slice(struct slice s) {
    return hash_bytes(s.at, s.size);
}
