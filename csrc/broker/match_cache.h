/*
 * What a worker finds for a subject, and a cache of it. A result holds the worker's own plain
 * subscriptions as pointers (it alone frees them, and a freed one has bumped the generations
 * first), which other workers have any, and the members of each queue group wherever they live.
 *
 * The cache is keyed by account and subject and bounded in bytes. A subject is stored when it is
 * seen for the second time: storing every one-off reply subject costs more than no cache. Subjects
 * that never repeat are not looked up at all.
 *
 *     set (4 ways) = hash % sets:   [tag entry][tag entry][tag entry][tag entry]
 *
 * Used by one thread. Nothing is allocated on a hit.
 */
#pragma once
#include "broker/interest.h"

struct subscription;

struct match_group {
    struct slice name;
    const uint64_t *members; /* ids, ascending: so by worker */
    uint32_t count;
};

struct match {
    struct subscription **plain; /* this worker's own */
    struct match_group *groups;
    uint32_t plain_count, group_count;
    uint64_t remote; /* a bit for each other worker that has plain members */
};

struct match_cache;

/* Finds the subscription that an id of this worker's names; NULL when it is gone. */
typedef struct subscription *subscription_finder(void *arg, uint64_t id);

/* `enabled` false: every lookup goes to the index. */
struct match_cache *match_cache_new(struct interest *interest, unsigned worker, bool enabled,
                                    subscription_finder *find, void *arg);
void match_cache_free(struct match_cache *cache);

/* The result is valid until the next call. */
const struct match *match_find(struct match_cache *cache, const struct account *account,
                               struct slice subject);

/* Read by any thread, written by the owner. */
struct match_cache_stats {
    uint64_t hits, misses, entries, bytes, allocations;
    uint64_t fanout_max, fanout_sum,
        fanout_count; /* plain members and groups: the most so far; of what is stored now */
};
struct match_cache_stats match_cache_stats(const struct match_cache *cache);
