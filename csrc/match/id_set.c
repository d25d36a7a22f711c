#include "match/id_set.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * `form` says what `word` is:
 *
 *      IN_PLACE          the id itself (count 0 or 1)
 *      a capacity        a pointer to a sorted array with room for so many ids
 *      CHUNKED           a pointer to a directory of sorted chunks:
 *
 *      directory ─┬─ {first 3,  start 0}   ── [ 3 5 8 ... ]
 *                 ├─ {first 90, start 200} ── [ 90 91 ... ]
 *                 └─ ...
 *
 * `start` is the position of a chunk's first id in the whole set, so that both an id and a position
 * are found by binary search. Two neighbours that would fit into half a chunk are joined, hence
 * chunks are at least a quarter full on average, and adding and removing at a boundary doesn't
 * split and join each time.
 */
enum { IN_PLACE = 0, SMALLEST = 4, CHUNK = 256 };
static const uint32_t CHUNKED = UINT32_MAX;

struct chunk {
    uint64_t first; /* == ids[0] */
    uint64_t *ids;
    uint32_t start;
};

struct directory {
    uint32_t count, capacity; /* chunks */
    struct chunk chunks[];
};

static uint64_t *array_of(const struct id_set *set) {
    return (uint64_t *)(uintptr_t)set->word;
}

static struct directory *directory_of(const struct id_set *set) {
    return (struct directory *)(uintptr_t)set->word;
}

static void point_to(struct id_set *set, const void *at, uint32_t form) {
    set->word = (uint64_t)(uintptr_t)at;
    set->form = form;
}

/* The position of the first of `n` ids that is >= `id`. */
static uint32_t lower_bound(const uint64_t *ids, uint32_t n, uint64_t id) {
    uint32_t low = 0;
    while (n) {
        uint32_t half = n / 2;
        bool right = ids[low + half] < id;
        low = right ? low + half + 1 : low;
        n = right ? n - half - 1 : half;
    }
    return low;
}

static void put_at(uint64_t *ids, uint32_t n, uint32_t at, uint64_t id) {
    memmove(ids + at + 1, ids + at, (n - at) * sizeof *ids);
    ids[at] = id;
}

static void take_at(uint64_t *ids, uint32_t n, uint32_t at) {
    memmove(ids + at, ids + at + 1, (n - at - 1) * sizeof *ids);
}

/* The chunk where `id` is or would be: the last one that doesn't begin above it. */
static uint32_t chunk_for_id(const struct directory *d, uint64_t id) {
    uint32_t low = 0, high = d->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (d->chunks[middle].first <= id)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t chunk_for_position(const struct directory *d, uint32_t i) {
    uint32_t low = 0, high = d->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (d->chunks[middle].start <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t chunk_size(const struct id_set *set, const struct directory *d, uint32_t k) {
    return (k + 1 < d->count ? d->chunks[k + 1].start : set->count) - d->chunks[k].start;
}

static void shift_starts(struct directory *d, uint32_t from, uint32_t by) {
    for (uint32_t k = from; k < d->count; k++) d->chunks[k].start += by;
}

void id_set_free(struct id_set *set) {
    if (set->form == CHUNKED) {
        struct directory *d = directory_of(set);
        for (uint32_t k = 0; k < d->count; k++) free(d->chunks[k].ids);
    }
    if (set->form != IN_PLACE) free(array_of(set));
    *set = (struct id_set){0};
}

/* Makes room for a chunk at position k of the directory. */
static struct directory *insert_chunk(struct id_set *set, uint32_t k) {
    struct directory *d = directory_of(set);
    if (d->count == d->capacity) {
        d->capacity *= 2;
        d = memory_resize(d, sizeof *d + d->capacity * sizeof *d->chunks);
        point_to(set, d, CHUNKED);
    }
    memmove(d->chunks + k + 1, d->chunks + k, (d->count - k) * sizeof *d->chunks);
    d->chunks[k].ids = memory_new(CHUNK * sizeof(uint64_t));
    d->count++;
    return d;
}

static void remove_chunk(struct id_set *set, uint32_t k) {
    struct directory *d = directory_of(set);
    free(d->chunks[k].ids);
    memmove(d->chunks + k, d->chunks + k + 1, (d->count - k - 1) * sizeof *d->chunks);
    d->count--;
    if (d->count < d->capacity / 4) {
        d->capacity /= 2;
        point_to(set, memory_resize(d, sizeof *d + d->capacity * sizeof *d->chunks), CHUNKED);
    }
}

static void become_chunked(struct id_set *set) {
    uint64_t *ids = array_of(set);
    struct directory *d = memory_new(sizeof *d + 2 * sizeof *d->chunks);
    assert(set->form == CHUNK && set->count == CHUNK);
    d->count = 1;
    d->capacity = 2;
    d->chunks[0] = (struct chunk){ids[0], ids, 0};
    point_to(set, d, CHUNKED);
}

/* Back to one array, when there is only one chunk left. */
static void become_array(struct id_set *set) {
    struct directory *d = directory_of(set);
    point_to(set, d->chunks[0].ids, CHUNK);
    free(d);
}

/* Splits the full chunk k in two halves; at the end of the set, where new ids mostly come, it stays
 * full and an empty one is begun behind it. */
static struct directory *split_chunk(struct id_set *set, uint32_t k, uint64_t id) {
    struct directory *d = insert_chunk(set, k + 1);
    struct chunk *full = d->chunks + k, *fresh = full + 1;
    if (k + 2 == d->count && full->ids[CHUNK - 1] < id) {
        *fresh = (struct chunk){id, fresh->ids, set->count};
    } else {
        memcpy(fresh->ids, full->ids + CHUNK / 2, CHUNK / 2 * sizeof(uint64_t));
        *fresh = (struct chunk){fresh->ids[0], fresh->ids, full->start + CHUNK / 2};
    }
    return d;
}

static bool add_chunked(struct id_set *set, uint64_t id) {
    struct directory *d = directory_of(set);
    uint32_t k = chunk_for_id(d, id), n = chunk_size(set, d, k);
    uint32_t at = lower_bound(d->chunks[k].ids, n, id);
    if (at < n && d->chunks[k].ids[at] == id) return false;
    if (n == CHUNK) {
        d = split_chunk(set, k, id);
        k = chunk_for_id(d, id);
        n = chunk_size(set, d, k);
        at = lower_bound(d->chunks[k].ids, n, id);
    }
    put_at(d->chunks[k].ids, n, at, id);
    d->chunks[k].first = d->chunks[k].ids[0];
    shift_starts(d, k + 1, 1);
    set->count++;
    return true;
}

static bool add_to_array(struct id_set *set, uint64_t id) {
    uint64_t *ids = array_of(set);
    uint32_t at = lower_bound(ids, set->count, id);
    if (at < set->count && ids[at] == id) return false;
    if (set->count == CHUNK) {
        become_chunked(set);
        return add_chunked(set, id);
    }
    if (set->count == set->form) {
        ids = memory_resize(ids, (size_t)set->form * 2 * sizeof *ids);
        point_to(set, ids, set->form * 2);
    }
    put_at(ids, set->count++, at, id);
    return true;
}

bool id_set_add(struct id_set *set, uint64_t id) {
    if (set->form == CHUNKED) return add_chunked(set, id);
    if (set->form != IN_PLACE) return add_to_array(set, id);
    if (set->count == 0) {
        set->word = id;
        set->count = 1;
        return true;
    }
    if (set->word == id) return false;
    uint64_t *ids = memory_new(SMALLEST * sizeof *ids);
    ids[0] = set->word;
    point_to(set, ids, SMALLEST);
    return add_to_array(set, id);
}

/* Joins chunk k + 1 to chunk k when they fit into half a chunk. */
static void join_if_small(struct id_set *set, uint32_t k) {
    struct directory *d = directory_of(set);
    if (k + 1 >= d->count) return;
    uint32_t left = chunk_size(set, d, k), right = chunk_size(set, d, k + 1);
    if (left + right > CHUNK / 2) return;
    memcpy(d->chunks[k].ids + left, d->chunks[k + 1].ids, right * sizeof(uint64_t));
    d->chunks[k].first = d->chunks[k].ids[0];
    remove_chunk(set, k + 1);
}

static bool remove_chunked(struct id_set *set, uint64_t id) {
    struct directory *d = directory_of(set);
    uint32_t k = chunk_for_id(d, id), n = chunk_size(set, d, k);
    uint32_t at = lower_bound(d->chunks[k].ids, n, id);
    if (at == n || d->chunks[k].ids[at] != id) return false;
    take_at(d->chunks[k].ids, n, at);
    d->chunks[k].first = d->chunks[k].ids[0]; /* a chunk that became empty is about to be joined */
    shift_starts(d, k + 1, UINT32_MAX);
    set->count--;
    if (n == 1) {
        remove_chunk(set, k);
    } else {
        join_if_small(set, k);
        if (k > 0) join_if_small(set, k - 1);
    }
    if (directory_of(set)->count == 1 && set->count <= CHUNK / 2) become_array(set);
    return true;
}

static bool remove_from_array(struct id_set *set, uint64_t id) {
    uint64_t *ids = array_of(set);
    uint32_t at = lower_bound(ids, set->count, id);
    if (at == set->count || ids[at] != id) return false;
    take_at(ids, set->count--, at);
    if (set->count == 1) {
        *set = (struct id_set){ids[0], 1, IN_PLACE};
        free(ids);
    } else if (set->form > SMALLEST && set->count <= set->form / 4) {
        ids = memory_resize(ids, set->form / 2 * sizeof *ids);
        point_to(set, ids, set->form / 2);
    }
    return true;
}

bool id_set_remove(struct id_set *set, uint64_t id) {
    if (set->form == CHUNKED) return remove_chunked(set, id);
    if (set->form != IN_PLACE) return remove_from_array(set, id);
    if (set->count == 0 || set->word != id) return false;
    *set = (struct id_set){0};
    return true;
}

uint32_t id_set_rank(const struct id_set *set, uint64_t id) {
    if (set->form == IN_PLACE) return set->count && set->word < id;
    if (set->form != CHUNKED) return lower_bound(array_of(set), set->count, id);
    const struct directory *d = directory_of(set);
    uint32_t k = chunk_for_id(d, id);
    return d->chunks[k].start + lower_bound(d->chunks[k].ids, chunk_size(set, d, k), id);
}

uint64_t id_set_at(const struct id_set *set, uint32_t i) {
    assert(i < set->count);
    if (set->form == IN_PLACE) return set->word;
    if (set->form != CHUNKED) return array_of(set)[i];
    const struct directory *d = directory_of(set);
    const struct chunk *c = d->chunks + chunk_for_position(d, i);
    return c->ids[i - c->start];
}

bool id_set_has(const struct id_set *set, uint64_t id) {
    uint32_t i = id_set_rank(set, id);
    return i < set->count && id_set_at(set, i) == id;
}

void id_set_copy(const struct id_set *set, uint32_t from, uint32_t n, uint64_t *out) {
    assert(from <= set->count && n <= set->count - from);
    if (n == 0) return;
    if (set->form == IN_PLACE) {
        *out = set->word;
    } else if (set->form != CHUNKED) {
        memcpy(out, array_of(set) + from, n * sizeof *out);
    } else {
        const struct directory *d = directory_of(set);
        for (uint32_t k = chunk_for_position(d, from); n; k++) {
            uint32_t skip = from - d->chunks[k].start, here = chunk_size(set, d, k) - skip;
            if (here > n) here = n;
            memcpy(out, d->chunks[k].ids + skip, here * sizeof *out);
            out += here;
            from += here;
            n -= here;
        }
    }
}
