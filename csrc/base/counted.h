/*
 * A large payload that several outputs and workers share: the only thing with a shared lifetime.
 * Filled by one worker before anybody else sees it, immutable afterwards, freed by whoever drops
 * the last reference.
 */
#pragma once
#include "base/memory.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct counted {
    atomic_uint references;
    uint32_t size;
    char data[];
};

static inline struct counted *counted_new(uint32_t size) { /* one reference, the caller's */
    struct counted *c = memory_new(sizeof *c + size);
    atomic_init(&c->references, 1);
    c->size = size;
    return c;
}
static inline struct counted *counted_keep(struct counted *c) {
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}
static inline void counted_drop(struct counted *c) {
    if (c && atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) == 1) free(c);
}
