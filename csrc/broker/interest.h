/*
 * Who wants what: the subject indexes of all accounts, the locks that guard them, and generations
 * that tell a cache when a result may be stale.
 *
 * Locks. One for each worker. A change takes all of them in order; a lookup takes the worker's own.
 * So readers on different workers never wait for each other, and a change is seen by all at once.
 *
 * Generations. A change bumps the narrowest counter that its literal prefix reaches: of the first
 * two tokens (three below
 * `$`), of the first one (two), or of everything. A cached result remembers the three counters that
 * its subject falls under and is valid while none has moved; so a storm of inbox subscriptions does
 * not empty the cache for `orders.>`. Counters are shared by hash: a collision costs a lookup,
 * never a message. They are written under the locks and read without.
 */
#pragma once
#include "base/id.h"
#include "base/slice.h"
#include "match/subject_index.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct account;

enum { GENERATIONS_ALL = 256, GENERATIONS_FIRST = 4096, GENERATIONS_SECOND = 65536 };

struct interest {
    unsigned workers;
    struct {
        _Alignas(64) pthread_mutex_t mutex;
    } locks[ID_WORKERS_MAX];
    _Atomic(uint32_t) all[GENERATIONS_ALL], first[GENERATIONS_FIRST], second[GENERATIONS_SECOND];
};

/* Which counters a subject falls under, and what they were. */
struct interest_stamp {
    uint32_t all_at, first_at, second_at;
    uint32_t all, first, second;
};

void interest_init(struct interest *interest, unsigned workers);
void interest_free(struct interest *interest);

/* Adds and removes members; the caller is any worker. NULL: the subject is invalid. */
struct index_node *interest_add(struct interest *interest, struct account *account,
                                struct slice subject, struct slice queue, uint64_t id);
void interest_remove(struct interest *interest, struct account *account, struct index_node *node,
                     struct slice queue, uint64_t id);

static inline void interest_lock(struct interest *interest, unsigned worker) {
    pthread_mutex_lock(&interest->locks[worker].mutex);
}
static inline void interest_unlock(struct interest *interest, unsigned worker) {
    pthread_mutex_unlock(&interest->locks[worker].mutex);
}

/* Notes the counters of a subject; called under the worker's lock. */
struct interest_stamp interest_stamp(const struct interest *interest, const struct account *account,
                                     struct slice subject);

static inline bool interest_unchanged(const struct interest *i, const struct interest_stamp *s) {
    return atomic_load_explicit(&i->second[s->second_at], memory_order_acquire) == s->second &&
           atomic_load_explicit(&i->first[s->first_at], memory_order_acquire) == s->first &&
           atomic_load_explicit(&i->all[s->all_at], memory_order_acquire) == s->all;
}
