#include "base/linear_hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Three forms, by the number of buckets: none, `root` is a list; up to SEGMENT, `root` is an array
 * of them, its size a power of two; beyond, `root` is a directory of such arrays of SEGMENT buckets
 * each. */
enum { LIST_MAX = 8, SEGMENT = 256 };

static void *checked(void *p) {
    if (!p) abort();
    return p;
}

static uint32_t power_above(uint32_t n) { /* the smallest power of two that is at least n; n >= 1 */
    return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static struct hash_link **bucket_at(const struct linear_hash *t, uint32_t b) {
    if (t->buckets <= SEGMENT) return (struct hash_link **)t->root + b;
    return ((struct hash_link ***)t->root)[b / SEGMENT] + b % SEGMENT;
}

static uint32_t bucket_of(const struct linear_hash *t, uint32_t hash) {
    uint32_t mask = power_above(t->buckets) - 1, b = hash & mask;
    return b < t->buckets ? b : hash & (mask >> 1);
}

static struct hash_link **chain_of(struct linear_hash *t, uint32_t hash) {
    return t->buckets ? bucket_at(t, bucket_of(t, hash)) : (struct hash_link **)&t->root;
}

void linear_hash_free(struct linear_hash *t) {
    if (t->buckets > SEGMENT)
        for (uint32_t b = 0; b < t->buckets; b += SEGMENT)
            free(((struct hash_link ***)t->root)[b / SEGMENT]);
    if (t->buckets) free(t->root);
    *t = (struct linear_hash){0};
}

/* Room for one bucket more; the new one is empty. */
static void reserve_bucket(struct linear_hash *t) {
    uint32_t n = t->buckets;
    if (n < SEGMENT) {
        if (n == power_above(n)) {
            t->root = checked(realloc(t->root, sizeof(struct hash_link *) * n * 2));
        }
    } else if (n % SEGMENT == 0) {
        uint32_t segments = n / SEGMENT;
        struct hash_link ***directory = t->root;
        if (n == SEGMENT) {
            directory = checked(malloc(sizeof *directory * 2));
            directory[0] = t->root;
        } else if (segments == power_above(segments)) {
            directory = checked(realloc(directory, sizeof *directory * segments * 2));
        }
        directory[segments] = checked(malloc(sizeof(struct hash_link *) * SEGMENT));
        t->root = directory;
    }
    t->buckets++;
    *bucket_at(t, n) = NULL;
}

static void split_one(struct linear_hash *t) {
    uint32_t fresh = t->buckets, old = fresh - power_above(fresh + 1) / 2;
    reserve_bucket(t);
    struct hash_link **keep = bucket_at(t, old), **move = bucket_at(t, fresh);
    while (*keep) {
        struct hash_link *link = *keep;
        if (bucket_of(t, link->hash) == old) {
            keep = &link->next;
        } else {
            *keep = link->next;
            link->next = *move;
            *move = link;
        }
    }
}

/* The reverse of split_one: the last bucket's chain goes back to the one it came from. */
static void merge_one(struct linear_hash *t) {
    uint32_t last = t->buckets - 1, home = last - power_above(t->buckets) / 2;
    struct hash_link **end = bucket_at(t, home);
    while (*end) end = &(*end)->next;
    *end = *bucket_at(t, last);
    if (last >= SEGMENT && last % SEGMENT == 0) {
        struct hash_link ***directory = t->root;
        free(directory[last / SEGMENT]);
        if (last == SEGMENT) {
            t->root = directory[0];
            free(directory);
        }
    }
    t->buckets = last;
    if (last < SEGMENT && last == power_above(last)) {
        t->root = checked(realloc(t->root, sizeof(struct hash_link *) * last));
    }
}

static void become_buckets(struct linear_hash *t) {
    struct hash_link *link = t->root;
    t->buckets = LIST_MAX;
    t->root = checked(calloc(LIST_MAX, sizeof(struct hash_link *)));
    while (link) {
        struct hash_link *next = link->next, **chain = chain_of(t, link->hash);
        link->next = *chain;
        *chain = link;
        link = next;
    }
}

void linear_hash_insert(struct linear_hash *t, struct hash_link *link, uint32_t hash) {
    if (t->buckets == 0 && t->count == LIST_MAX) become_buckets(t);
    if (t->buckets && t->count >= t->buckets && t->buckets < UINT32_MAX / 2) split_one(t);
    struct hash_link **chain = chain_of(t, hash);
    link->hash = hash;
    link->next = *chain;
    *chain = link;
    t->count++;
}

static struct hash_link *same_hash(struct hash_link *link, uint32_t hash) {
    while (link && link->hash != hash) link = link->next;
    return link;
}

struct hash_link *linear_hash_first(const struct linear_hash *t, uint32_t hash) {
    return same_hash(t->buckets ? *bucket_at(t, bucket_of(t, hash)) : t->root, hash);
}

struct hash_link *linear_hash_next(const struct hash_link *link) {
    return same_hash(link->next, link->hash);
}

void linear_hash_remove(struct linear_hash *t, struct hash_link *link) {
    struct hash_link **at = chain_of(t, link->hash);
    while (*at != link) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = link->next;
    t->count--;
    while (t->buckets > LIST_MAX && t->count < t->buckets / 4) merge_one(t); /* at most 4 times */
}

struct hash_link *linear_hash_each(const struct linear_hash *t, uint64_t *cursor,
                                   const struct hash_link *last) {
    if (last && last->next) return last->next;
    if (t->buckets == 0) return *cursor || last ? NULL : ((*cursor)++, t->root);
    while (*cursor < t->buckets) {
        struct hash_link *link = *bucket_at(t, (uint32_t)(*cursor)++);
        if (link) return link;
    }
    return NULL;
}
