#include "net/output.h"

static struct output_part *chunk_take(struct chunk_pool *pool) {
    struct output_part *part = pool->first;
    if (part) {
        pool->first = part->next;
        pool->count--;
    } else {
        part = memory_new(sizeof *part + OUTPUT_CHUNK);
    }
    *part = (struct output_part){.at = part->data, .room = OUTPUT_CHUNK};
    return part;
}

static void part_give(struct output_part *part, struct chunk_pool *pool) {
    if (part->counted) {
        counted_drop(part->counted);
        free(part);
    } else if (pool->count >= CHUNK_POOL_MAX) {
        free(part);
    } else {
        part->next = pool->first;
        pool->first = part;
        pool->count++;
    }
}

void chunk_pool_free(struct chunk_pool *pool) {
    while (pool->first) {
        struct output_part *next = pool->first->next;
        free(pool->first);
        pool->first = next;
    }
    pool->count = 0;
}

static void add_part(struct output *output, struct output_part *part) {
    if (output->last)
        output->last->next = part;
    else
        output->first = part;
    output->last = part;
}

char *output_room_slow(struct output *output, struct chunk_pool *pool, size_t size) {
    (void)size;
    struct output_part *part = chunk_take(pool);
    add_part(output, part);
    return part->data;
}

void output_append(struct output *output, struct chunk_pool *pool, const char *at, size_t size) {
    while (size) {
        if (!output->last || output->last->room == 0) add_part(output, chunk_take(pool));
        size_t n = output->last->room < size ? output->last->room : size;
        memcpy((char *)(uintptr_t)output->last->at + output->last->size, at, n);
        output_commit(output, n);
        at += n;
        size -= n;
    }
}

void output_reference(struct output *output, struct counted *counted, const char *at, size_t size) {
    struct output_part *part = memory_new(sizeof *part);
    *part =
        (struct output_part){.at = at, .size = (uint32_t)size, .counted = counted_keep(counted)};
    add_part(output, part);
    output->pending += size;
}

void output_consume(struct output *output, struct chunk_pool *pool, size_t written) {
    output->pending -= written;
    while (output->first) {
        struct output_part *part = output->first;
        if (written < part->size) {
            part->at += written;
            part->size -= (uint32_t)written;
            return;
        }
        written -= part->size;
        output->first = part->next;
        if (!output->first) output->last = NULL;
        part_give(part, pool);
    }
}

void output_clear(struct output *output, struct chunk_pool *pool) {
    output_consume(output, pool, output->pending);
}
