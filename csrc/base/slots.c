#include "base/slots.h"
#include "base/memory.h"
#include "base/poison.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t NONE = UINT32_MAX;
enum { SLOTS_MAX = 1 << ID_SLOT_BITS, GENERATIONS = 1 << ID_GENERATION_BITS };

/* What a free item holds: the queue of free slots runs through them. */
struct free_slot {
    struct slot_head head;
    uint32_t next;
};

static struct free_slot *at(const struct slots *s, uint32_t slot) {
    return (struct free_slot *)(void *)(s->chunks[slot / SLOTS_CHUNK] +
                                        slot % SLOTS_CHUNK * s->item_size);
}

void slots_init(struct slots *s, unsigned worker, size_t item_size) {
    assert(item_size >= sizeof(struct free_slot) && item_size % 8 == 0);
    *s = (struct slots){
        .item_size = item_size, .worker = worker, .free_first = NONE, .free_last = NONE};
}

void slots_free(struct slots *s) {
    for (uint32_t i = 0; i < s->chunk_count; i++) free(s->chunks[i]);
    free(s->chunks);
}

/* A free item is its head and the queue; the rest belongs to nobody. */
static char *rest_of(struct free_slot *item) {
    return (char *)(item + 1);
}

static void append_free(struct slots *s, struct free_slot *item) {
    item->next = NONE;
    if (s->free_last == NONE)
        s->free_first = item->head.slot;
    else
        at(s, s->free_last)->next = item->head.slot;
    s->free_last = item->head.slot;
}

static void add_chunk(struct slots *s) {
    if ((s->chunk_count & (s->chunk_count - 1)) == 0)
        s->chunks =
            memory_resize(s->chunks, sizeof *s->chunks * (s->chunk_count ? s->chunk_count * 2 : 1));
    s->chunks[s->chunk_count++] = memory_new(s->item_size * SLOTS_CHUNK);
    for (uint32_t i = 0; i < SLOTS_CHUNK; i++) {
        struct free_slot *item = at(s, (s->chunk_count - 1) * SLOTS_CHUNK + i);
        item->head = (struct slot_head){0, (s->chunk_count - 1) * SLOTS_CHUNK + i};
        append_free(s, item);
    }
}

void *slots_take(struct slots *s) {
    if (s->free_first == NONE) {
        if (s->chunk_count * SLOTS_CHUNK >= SLOTS_MAX) return NULL;
        add_chunk(s);
    }
    struct free_slot *item = at(s, s->free_first);
    s->free_first = item->next;
    if (s->free_first == NONE) s->free_last = NONE;
    struct slot_head head = {(item->head.generation + 1) % GENERATIONS, item->head.slot};
    unpoison(rest_of(item), s->item_size - sizeof *item);
    memset(item, 0, s->item_size);
    item->head = head;
    s->count++;
    return item;
}

void slots_give(struct slots *s, void *given) {
    struct free_slot *item = given;
    assert(item->head.generation % 2 == 1);
    item->head.generation = (item->head.generation + 1) % GENERATIONS;
    poison(rest_of(item), s->item_size - sizeof *item);
    append_free(s, item);
    s->count--;
}

void *slots_each(const struct slots *s, uint32_t *cursor) {
    while (*cursor < s->chunk_count * SLOTS_CHUNK) {
        struct free_slot *item = at(s, (*cursor)++);
        if (item->head.generation % 2 == 1) return item;
    }
    return NULL;
}
