/*
 * A hash table that never stops to rehash. It grows one bucket at a time (linear hashing), so no
 * insert takes longer than one bucket's worth of work, however large the table is: an index of a
 * million children is changed while every worker waits for its lock.
 *
 * Intrusive: the owner embeds a struct hash_link in what it stores and keeps the memory. Keys are
 * the owner's business: find walks the links with an equal hash, and the caller compares.
 *
 * Buckets live in segments, which are reached through a directory:
 *
 *      directory -> [ segment 0 ][ segment 1 ] ...      bucket b = segment b / 256, entry b % 256
 *
 * A table of a few entries is a single list, one of up to 256 buckets a single segment. Not
 * thread-safe.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct hash_link {
    struct hash_link *next;
    uint32_t hash;
};

struct linear_hash {
    void *root;       /* a list, an array of buckets or a directory: see linear_hash.c */
    uint32_t count;   /* entries */
    uint32_t buckets; /* 0 as long as it is one list */
};

/* An empty table needs no memory: zero it. Frees the table's own memory, not the entries. */
void linear_hash_free(struct linear_hash *table);

/* Adds a link under `hash`. Equal keys are not noticed. */
void linear_hash_insert(struct linear_hash *table, struct hash_link *link, uint32_t hash);

/* The first link with this hash, or NULL; linear_hash_next() goes on to the next one with the same
 * hash. */
struct hash_link *linear_hash_first(const struct linear_hash *table, uint32_t hash);
struct hash_link *linear_hash_next(const struct hash_link *link);

/* Takes out a link that is in the table; shrinks by a few buckets where that pays, so that a table
 * that has become small is quickly walked. */
void linear_hash_remove(struct linear_hash *table, struct hash_link *link);

/* Visits the links in any order; `*cursor` starts at 0. NULL at the end. The table must not change
 * meanwhile. */
struct hash_link *linear_hash_each(const struct linear_hash *table, uint64_t *cursor,
                                   const struct hash_link *last);
