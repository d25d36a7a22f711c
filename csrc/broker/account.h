/*
 * An account is a wall: subjects on one side have nothing to do with those on the other. It owns a
 * subject index and counters. Accounts are made by the control plane and live as long as the
 * server; workers name them by number.
 */
#pragma once
#include "base/id.h"
#include "match/mapping.h"
#include "match/subject_index.h"
#include <stdatomic.h>
#include <stdint.h>

/* A counter that one worker writes and anybody reads. */
typedef _Atomic(uint64_t) counter;
static inline void counter_add(counter *c, uint64_t n) {
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
static inline uint64_t counter_get(const counter *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* One worker's share of an account's traffic. */
struct traffic {
    _Alignas(64) counter in_msgs;
    counter in_bytes, out_msgs, out_bytes, slow_consumers;
};

struct account {
    uint32_t number;
    char *name;
    struct subject_index *index;  /* guarded by struct interest's locks */
    struct mapping_set *mappings; /* immutable; NULL: none */
    _Atomic(int64_t) connections;
    struct traffic traffic[ID_WORKERS_MAX];
};

struct account *account_new(uint32_t number, struct slice name);
void account_free(struct account *account);
