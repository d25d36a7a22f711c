/*
 * Slots hold things that others name by id: connections, subscriptions. A slot's item never moves;
 * its generation changes each time it is given back, so that an old id finds nobody. Slots that
 * were given back are reused oldest first, which makes a generation come round again as late as
 * possible.
 *
 * Items live in chunks that are kept until the table is freed: memory follows the peak. Owned and
 * used by one thread.
 */
#pragma once
#include "base/id.h"
#include <stddef.h>

/* Every item starts with this. */
struct slot_head {
    uint32_t generation; /* odd while taken, even while free: an id always holds an odd one */
    uint32_t slot;
};

struct slots {
    char **chunks;
    size_t item_size;
    uint32_t chunk_count, count; /* count: items taken */
    uint32_t free_first, free_last;
    unsigned worker;
};

/* `worker` goes into the ids. */
void slots_init(struct slots *slots, unsigned worker, size_t item_size);
void slots_free(struct slots *slots);

/* A zeroed item (its head set), or NULL when all 2^26 slots are taken. */
void *slots_take(struct slots *slots);
void slots_give(struct slots *slots, void *item);

static inline uint64_t slots_id(const struct slots *slots, const void *item) {
    const struct slot_head *head = item;
    return id_make(slots->worker, head->slot, head->generation);
}

enum { SLOTS_CHUNK = 512 };

/* The item that `id` names, or NULL when it is gone. */
static inline void *slots_find(const struct slots *slots, uint64_t id) {
    uint32_t slot = id_slot(id);
    if (slot / SLOTS_CHUNK >= slots->chunk_count) return NULL;
    struct slot_head *head = (struct slot_head *)(void *)(slots->chunks[slot / SLOTS_CHUNK] +
                                                          slot % SLOTS_CHUNK * slots->item_size);
    return head->generation == id_generation(id) ? head : NULL;
}

/* Walks the taken items; `*cursor` starts at 0. NULL at the end. Items may be taken and given
 * between calls. */
void *slots_each(const struct slots *slots, uint32_t *cursor);
