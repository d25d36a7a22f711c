/*
 * A set of ids in ascending order, for the members of an index node: mostly one, sometimes a
 * hundred thousand. One id stands in place; a few are one sorted array; more are a list of sorted
 * chunks of at most 256, found through a directory, so that an insert or a removal moves at most
 * one chunk and the directory, however large the set is.
 *
 * The owner embeds the struct; what it points to belongs to the set. Running out of memory ends the
 * process.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    uint64_t word;  /* the only id, or a pointer: see id_set.c */
    uint32_t count; /* ids in the set */
    uint32_t form;
};

/* An empty set needs no memory: zero it. Afterwards it is empty again. */
void id_set_free(struct id_set *set);
bool id_set_add(struct id_set *set, uint64_t id);    /* false: it was there */
bool id_set_remove(struct id_set *set, uint64_t id); /* false: it was not */
bool id_set_has(const struct id_set *set, uint64_t id);

/* The i-th id in ascending order, i < count. Fast enough to draw a random member (binary search
 * over the directory). */
uint64_t id_set_at(const struct id_set *set, uint32_t i);

/* The position of the first id that is >= `id` (count when there is none). */
uint32_t id_set_rank(const struct id_set *set, uint64_t id);

/* Copies the ids of positions [from, from + n) to `out`; from + n <= count. */
void id_set_copy(const struct id_set *set, uint32_t from, uint32_t n, uint64_t *out);
