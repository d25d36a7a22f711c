/*
 * What waits to be written to one connection: a chain of parts, either a pooled 16 KB chunk into
 * which small deliveries are copied one behind the other, or a reference to a counted payload. An
 * idle connection has none.
 *
 *     first ──> [chunk ####....] ──> [reference -> counted payload] ──> [chunk ##______] <── last
 *                    ^at                                                     ^at+size: room
 *
 * Owned by the connection's worker. The pool of chunks is the worker's.
 */
#pragma once
#include "base/counted.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OUTPUT_CHUNK = 16 * 1024 - 48, OUTPUT_REFERENCE_MIN = 8 * 1024, CHUNK_POOL_MAX = 512 };

struct output_part {
    struct output_part *next;
    const char *at;          /* the first byte that has not been written */
    uint32_t size;           /* bytes from there */
    uint32_t room;           /* chunks: bytes free behind them */
    struct counted *counted; /* references only */
    char data[];
};

struct chunk_pool {
    struct output_part *first;
    uint32_t count;
};

struct output {
    struct output_part *first, *last;
    uint64_t pending; /* bytes in all parts */
};

void chunk_pool_free(struct chunk_pool *pool);

/* Room for `size` contiguous bytes (at most OUTPUT_CHUNK) at the end; output_commit() says how many
 * were used. */
char *output_room_slow(struct output *output, struct chunk_pool *pool, size_t size);
static inline char *output_room(struct output *output, struct chunk_pool *pool, size_t size) {
    struct output_part *last = output->last;
    if (last && last->room >= size) return (char *)(uintptr_t)last->at + last->size;
    return output_room_slow(output, pool, size);
}
static inline void output_commit(struct output *output, size_t size) {
    output->last->size += (uint32_t)size;
    output->last->room -= (uint32_t)size;
    output->pending += size;
}

/* Copies any number of bytes to the end. */
void output_append(struct output *output, struct chunk_pool *pool, const char *at, size_t size);

/* Puts a slice of a counted payload at the end; keeps a reference of its own. */
void output_reference(struct output *output, struct counted *counted, const char *at, size_t size);

/* Takes `written` bytes away from the front. */
void output_consume(struct output *output, struct chunk_pool *pool, size_t written);
void output_clear(struct output *output, struct chunk_pool *pool);
