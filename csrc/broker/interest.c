#include "broker/interest.h"
#include "base/hash.h"
#include "base/memory.h"
#include "broker/account.h"
#include <stdlib.h>

/* Where the first level (one token, two below `$`) and the second (one more) of a subject end. */
struct levels {
    size_t first, second;
    int literal; /* levels without a wildcard: 0, 1, 2 */
};

static bool is_wildcard(const char *at, size_t size) {
    return size == 1 && (*at == '*' || *at == '>');
}

static struct levels levels_of(struct slice s) {
    struct levels levels = {s.size, s.size, 2};
    unsigned base = s.size && s.at[0] == '$' ? 2 : 1, token = 0;
    size_t start = 0;
    for (size_t i = 0; i <= s.size && token < base + 1; i++) {
        if (i < s.size && s.at[i] != '.') continue;
        token++;
        if (is_wildcard(s.at + start, i - start)) {
            int reached = token <= base ? 0 : 1;
            if (reached < levels.literal) levels.literal = reached;
        }
        if (token == base) levels.first = i;
        if (token == base + 1) levels.second = i;
        start = i + 1;
    }
    return levels;
}

static uint32_t counter_at(const struct account *a, struct slice s, size_t size,
                           uint32_t counters) {
    return (uint32_t)(hash_bytes(s.at, size) + a->number * 0x9e3779b1u) % counters;
}

struct interest_stamp interest_stamp(const struct interest *in, const struct account *a,
                                     struct slice subject) {
    struct levels levels = levels_of(subject);
    struct interest_stamp s = {
        .all_at = a->number % GENERATIONS_ALL,
        .first_at = counter_at(a, subject, levels.first, GENERATIONS_FIRST),
        .second_at = counter_at(a, subject, levels.second, GENERATIONS_SECOND),
    };
    s.all = atomic_load_explicit(&in->all[s.all_at], memory_order_relaxed);
    s.first = atomic_load_explicit(&in->first[s.first_at], memory_order_relaxed);
    s.second = atomic_load_explicit(&in->second[s.second_at], memory_order_relaxed);
    return s;
}

static void bump(struct interest *in, const struct account *a, struct slice subject) {
    struct levels levels = levels_of(subject);
    _Atomic(uint32_t) *generation = &in->all[a->number % GENERATIONS_ALL];
    if (levels.literal == 2)
        generation = &in->second[counter_at(a, subject, levels.second, GENERATIONS_SECOND)];
    else if (levels.literal == 1)
        generation = &in->first[counter_at(a, subject, levels.first, GENERATIONS_FIRST)];
    atomic_fetch_add_explicit(generation, 1, memory_order_release);
}

void interest_init(struct interest *in, unsigned workers) {
    memset(in, 0, sizeof *in);
    in->workers = workers;
    for (unsigned i = 0; i < workers; i++) pthread_mutex_init(&in->locks[i].mutex, NULL);
}

void interest_free(struct interest *in) {
    for (unsigned i = 0; i < in->workers; i++) pthread_mutex_destroy(&in->locks[i].mutex);
}

static void lock_all(struct interest *in) {
    for (unsigned i = 0; i < in->workers; i++) pthread_mutex_lock(&in->locks[i].mutex);
}

static void unlock_all(struct interest *in) {
    for (unsigned i = in->workers; i-- > 0;) pthread_mutex_unlock(&in->locks[i].mutex);
}

struct index_node *interest_add(struct interest *in, struct account *a, struct slice subject,
                                struct slice queue, uint64_t id) {
    lock_all(in);
    struct index_node *node = subject_index_insert(a->index, subject, queue, id);
    if (node) bump(in, a, subject);
    unlock_all(in);
    return node;
}

void interest_remove(struct interest *in, struct account *a, struct index_node *node,
                     struct slice queue, uint64_t id) {
    char text[512], *subject = text;
    lock_all(in);
    size_t size = index_node_subject(node, text, sizeof text);
    if (size > sizeof text) {
        subject = memory_new(size);
        index_node_subject(node, subject, size);
    }
    subject_index_remove(a->index, node, queue, id);
    bump(in, a, slice_of(subject, size));
    unlock_all(in);
    if (subject != text) free(subject);
}
