/*
 * An id names what a worker owns (a connection, a subscription) for everybody else: (worker, slot,
 * generation) in one integer below 2^53, so that Lua's numbers hold it exactly. Ids sort by worker
 * first. An id whose thing is gone finds nobody, because the slot's generation has moved on. 0 is
 * no id: generations start at 1.
 */
#pragma once
#include <stdint.h>

enum { ID_WORKER_BITS = 6, ID_SLOT_BITS = 26, ID_GENERATION_BITS = 21 };
enum { ID_WORKERS_MAX = 1 << ID_WORKER_BITS };

static inline uint64_t id_make(unsigned worker, uint32_t slot, uint32_t generation) {
    return (uint64_t)worker << (ID_SLOT_BITS + ID_GENERATION_BITS) |
           (uint64_t)slot << ID_GENERATION_BITS | generation;
}
static inline unsigned id_worker(uint64_t id) {
    return (unsigned)(id >> (ID_SLOT_BITS + ID_GENERATION_BITS));
}
static inline uint32_t id_slot(uint64_t id) {
    return (uint32_t)(id >> ID_GENERATION_BITS) & ((1u << ID_SLOT_BITS) - 1);
}
static inline uint32_t id_generation(uint64_t id) {
    return (uint32_t)id & ((1u << ID_GENERATION_BITS) - 1);
}
