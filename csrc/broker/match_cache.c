#include "broker/match_cache.h"
#include "base/hash.h"
#include "base/memory.h"
#include "broker/account.h"
#include <stdlib.h>

enum {
    WAYS = 4,
    SETS = 16384,
    SEEN = 8192,                     /* fingerprints of subjects seen once */
    BYTES_MAX = 32 * 1024 * 1024,    /* all entries of one worker */
    ENTRY_BYTES_MAX = BYTES_MAX / 8, /* a larger result is found anew each time */
};

struct entry {
    uint64_t hash;
    struct interest_stamp stamp;
    struct match match; /* its arrays stand behind the subject, in the same block */
    uint32_t account, bytes, subject_size;
    char subject[];
};

struct found_group {
    struct slice name;
    const struct id_set *members;
};

struct match_cache {
    struct interest *interest;
    unsigned worker;
    bool enabled;
    subscription_finder *find;
    void *arg;
    struct entry *last; /* the entry of the last hit: publishers repeat themselves */
    struct entry *(*sets)[WAYS];
    uint32_t seen[SEEN];
    uint32_t hand; /* where eviction goes on */
    struct {
        counter hits, misses, entries, bytes, allocations, fanout_max, fanout_sum, fanout_count;
    } stats;
    /* The result under construction; grown as needed, reused. */
    struct match scratch;
    size_t plain_room, members_room, groups_room, found_room, found_count;
    uint64_t *members;
    struct found_group *found;
};

struct match_cache *match_cache_new(struct interest *interest, unsigned worker, bool enabled,
                                    subscription_finder *find, void *arg) {
    struct match_cache *c = memory_zero(sizeof *c);
    c->interest = interest;
    c->worker = worker;
    c->enabled = enabled;
    c->find = find;
    c->arg = arg;
    c->sets = memory_zero(sizeof *c->sets * SETS);
    return c;
}

void match_cache_free(struct match_cache *c) {
    for (int s = 0; s < SETS; s++)
        for (int w = 0; w < WAYS; w++) free(c->sets[s][w]);
    free(c->sets);
    free(c->scratch.plain);
    free(c->scratch.groups);
    free(c->members);
    free(c->found);
    free(c);
}

struct match_cache_stats match_cache_stats(const struct match_cache *c) {
    return (struct match_cache_stats){
        .hits = counter_get(&c->stats.hits),
        .misses = counter_get(&c->stats.misses),
        .entries = counter_get(&c->stats.entries),
        .bytes = counter_get(&c->stats.bytes),
        .allocations = counter_get(&c->stats.allocations),
        .fanout_max = counter_get(&c->stats.fanout_max),
        .fanout_sum = counter_get(&c->stats.fanout_sum),
        .fanout_count = counter_get(&c->stats.fanout_count),
    };
}

/* --- looking into the index
 * --------------------------------------------------------------------------------------- */

static void *grown(struct match_cache *c, void *array, size_t *room, size_t need, size_t item) {
    if (need <= *room) return array;
    counter_add(&c->stats.allocations, 1);
    *room = need < 16 ? 16 : need * 2;
    return memory_resize(array, *room * item);
}

static uint64_t worker_first_id(unsigned worker) {
    return id_make(worker, 0, 0);
}

static void add_plain(struct match_cache *c, const struct id_set *ids) {
    uint32_t own = id_set_rank(ids, worker_first_id(c->worker));
    uint32_t end = c->worker + 1 < ID_WORKERS_MAX ? id_set_rank(ids, worker_first_id(c->worker + 1))
                                                  : ids->count;
    size_t need = c->scratch.plain_count + (end - own);
    c->scratch.plain = grown(c, c->scratch.plain, &c->plain_room, need, sizeof *c->scratch.plain);
    for (uint32_t i = own; i < end; i++) {
        struct subscription *s = c->find(c->arg, id_set_at(ids, i));
        if (s) c->scratch.plain[c->scratch.plain_count++] = s;
    }
    for (uint32_t i = 0;
         i < ids->count && end - own < ids->count;) { /* the other workers, one step each */
        unsigned worker = id_worker(id_set_at(ids, i));
        if (worker != c->worker) c->scratch.remote |= 1ull << worker;
        i = worker + 1 < ID_WORKERS_MAX ? id_set_rank(ids, worker_first_id(worker + 1))
                                        : ids->count;
    }
}

static void visit_node(void *arg, const struct index_node *node) {
    struct match_cache *c = arg;
    const struct id_set *plain = index_node_plain(node);
    if (plain) add_plain(c, plain);
    for (const struct index_group *g = index_node_first_group(node); g; g = index_group_next(g)) {
        c->found = grown(c, c->found, &c->found_room, c->found_count + 1, sizeof *c->found);
        c->found[c->found_count++] =
            (struct found_group){index_group_name(g), index_group_members(g)};
    }
}

static int by_name(const void *a, const void *b) {
    const struct found_group *x = a, *y = b;
    size_t n = x->name.size < y->name.size ? x->name.size : y->name.size;
    int order = memcmp(x->name.at, y->name.at, n);
    return order ? order : (x->name.size > y->name.size) - (x->name.size < y->name.size);
}

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Groups of one name on several subjects are one group (CP-091). */
static void merge_groups(struct match_cache *c) {
    size_t total = 0;
    for (size_t i = 0; i < c->found_count; i++) total += c->found[i].members->count;
    c->members = grown(c, c->members, &c->members_room, total, sizeof *c->members);
    c->scratch.groups =
        grown(c, c->scratch.groups, &c->groups_room, c->found_count, sizeof *c->scratch.groups);
    if (c->found_count > 1) qsort(c->found, c->found_count, sizeof *c->found, by_name);
    uint64_t *at = c->members;
    for (size_t i = 0; i < c->found_count;) {
        struct match_group *group = &c->scratch.groups[c->scratch.group_count++];
        *group = (struct match_group){c->found[i].name, at, 0};
        size_t first = i;
        for (; i < c->found_count && slice_equal(c->found[i].name, group->name); i++) {
            id_set_copy(c->found[i].members, 0, c->found[i].members->count, at);
            at += c->found[i].members->count;
        }
        group->count = (uint32_t)(at - group->members);
        if (i - first > 1)
            qsort((uint64_t *)(uintptr_t)group->members, group->count, sizeof *at, by_id);
    }
}

/* Fills the scratch result; names point into the index until the lock is given back, so whoever
 * keeps them copies. */
static void look_up(struct match_cache *c, const struct account *account, struct slice subject) {
    c->scratch.plain_count = c->scratch.group_count = 0;
    c->scratch.remote = 0;
    c->found_count = 0;
    subject_index_match(account->index, subject, visit_node, c);
    if (c->found_count) merge_groups(c);
}

/* --- the cache
 * ----------------------------------------------------------------------------------------------------
 */

/* Replies and acknowledgements: each subject is used once. */
static bool never_repeats(struct slice s) {
    if (s.size < 5) return false;
    if (s.at[0] == '_')
        return slice_starts_with(s, "_INBOX.") || slice_starts_with(s, "_R_.") ||
               slice_starts_with(s, "_GR_.");
    return s.at[0] == '$' && slice_starts_with(s, "$JS.ACK.");
}

static size_t up8(size_t n) {
    return (n + 7) & ~(size_t)7;
}

static size_t names_size(const struct match *m) {
    size_t n = 0;
    for (uint32_t i = 0; i < m->group_count; i++) n += m->groups[i].name.size;
    return n;
}

static size_t entry_size(const struct match *m, size_t subject) {
    size_t members = 0;
    for (uint32_t i = 0; i < m->group_count; i++) members += m->groups[i].count;
    return up8(sizeof(struct entry) + subject) + m->plain_count * sizeof *m->plain +
           m->group_count * sizeof *m->groups + members * sizeof(uint64_t) + names_size(m);
}

/* Copies a result, names and members included, into the memory at `at`. */
static void copy_match(struct match *to, const struct match *from, char *at) {
    *to = *from;
    to->plain = (struct subscription **)(void *)at;
    if (from->plain_count) memcpy(to->plain, from->plain, from->plain_count * sizeof *to->plain);
    at += from->plain_count * sizeof *to->plain;
    to->groups = (struct match_group *)(void *)at;
    at += from->group_count * sizeof *to->groups;
    for (uint32_t i = 0; i < from->group_count; i++) {
        to->groups[i] = from->groups[i];
        memcpy(at, from->groups[i].members, from->groups[i].count * sizeof(uint64_t));
        to->groups[i].members = (const uint64_t *)(void *)at;
        at += from->groups[i].count * sizeof(uint64_t);
    }
    for (uint32_t i = 0; i < from->group_count; i++) {
        memcpy(at, from->groups[i].name.at, from->groups[i].name.size);
        to->groups[i].name.at = at;
        at += from->groups[i].name.size;
    }
}

static uint64_t fanout_of(const struct match *m) {
    return (uint64_t)m->plain_count + m->group_count;
}

static void drop(struct match_cache *c, struct entry **way) {
    if (!*way) return;
    if (c->last == *way) c->last = NULL;
    counter_add(&c->stats.bytes, (uint64_t)0 - (*way)->bytes);
    counter_add(&c->stats.entries, (uint64_t)-1);
    counter_add(&c->stats.fanout_sum, (uint64_t)0 - fanout_of(&(*way)->match));
    counter_add(&c->stats.fanout_count, (uint64_t)-1);
    free(*way);
    *way = NULL;
}

static void make_room(struct match_cache *c, size_t bytes) {
    while (counter_get(&c->stats.bytes) + bytes > BYTES_MAX) {
        for (int w = 0; w < WAYS; w++) drop(c, &c->sets[c->hand][w]);
        c->hand = (c->hand + 1) % SETS;
    }
}

static struct entry **place_for(struct match_cache *c, uint64_t hash) {
    struct entry **set = c->sets[hash % SETS];
    for (int w = 0; w < WAYS; w++)
        if (!set[w] || !interest_unchanged(c->interest, &set[w]->stamp)) return &set[w];
    return &set[(hash >> 40) % WAYS];
}

static const struct match *store(struct match_cache *c, const struct account *account,
                                 struct slice subject, uint64_t hash,
                                 const struct interest_stamp *stamp) {
    size_t bytes = entry_size(&c->scratch, subject.size);
    if (bytes > ENTRY_BYTES_MAX) return NULL;
    make_room(c, bytes);
    struct entry **way = place_for(c, hash);
    drop(c, way);
    counter_add(&c->stats.allocations, 1);
    struct entry *e = *way = memory_new(bytes);
    e->hash = hash;
    e->stamp = *stamp;
    e->account = account->number;
    e->bytes = (uint32_t)bytes;
    e->subject_size = (uint32_t)subject.size;
    memcpy(e->subject, subject.at, subject.size);
    copy_match(&e->match, &c->scratch, (char *)e + up8(sizeof *e + subject.size));
    counter_add(&c->stats.bytes, bytes);
    counter_add(&c->stats.entries, 1);
    c->last = e;
    uint64_t fanout = fanout_of(&e->match);
    counter_add(&c->stats.fanout_sum, fanout);
    counter_add(&c->stats.fanout_count, 1);
    if (fanout > counter_get(&c->stats.fanout_max))
        atomic_store_explicit(&c->stats.fanout_max, fanout, memory_order_relaxed);
    return &e->match;
}

/* A result that is not stored but whose names must outlive the lock. */
static void keep_names(struct match_cache *c) {
    size_t bytes = names_size(&c->scratch);
    if (!bytes) return;
    size_t used = 0;
    for (uint32_t i = 0; i < c->scratch.group_count; i++) used += c->scratch.groups[i].count;
    c->members = grown(c, c->members, &c->members_room, used + up8(bytes) / 8, sizeof *c->members);
    const uint64_t *from = c->members;
    char *at = (char *)(c->members + used);
    for (uint32_t i = 0; i < c->scratch.group_count; i++) {
        struct match_group *g = &c->scratch.groups[i];
        g->members = from; /* the array may have moved */
        from += g->count;
        memcpy(at, g->name.at, g->name.size);
        g->name.at = at;
        at += g->name.size;
    }
}

static bool is_entry(const struct match_cache *c, const struct entry *e,
                     const struct account *account, struct slice subject) {
    return e->subject_size == subject.size && e->account == account->number &&
           bytes_equal(e->subject, subject.at, subject.size) &&
           interest_unchanged(c->interest, &e->stamp);
}

static const struct match *find_in_index(struct match_cache *c, const struct account *account,
                                         struct slice subject, uint64_t hash, bool keep) {
    counter_add(&c->stats.misses, 1);
    interest_lock(c->interest, c->worker);
    struct interest_stamp stamp = {0};
    if (keep) stamp = interest_stamp(c->interest, account, subject);
    look_up(c, account, subject);
    const struct match *stored = keep ? store(c, account, subject, hash, &stamp) : NULL;
    if (!stored) keep_names(c);
    interest_unlock(c->interest, c->worker);
    return stored ? stored : &c->scratch;
}

const struct match *match_find(struct match_cache *c, const struct account *account,
                               struct slice subject) {
    if (c->last && is_entry(c, c->last, account, subject)) {
        counter_add(&c->stats.hits, 1);
        return &c->last->match;
    }
    if (!c->enabled || never_repeats(subject)) return find_in_index(c, account, subject, 0, false);
    uint64_t hash = hash_slice(subject) + account->number * 0x9e3779b97f4a7c15u;
    struct entry **set = c->sets[hash % SETS];
    for (int w = 0; w < WAYS; w++) {
        struct entry *e = set[w];
        if (!e || e->hash != hash || !is_entry(c, e, account, subject)) continue;
        counter_add(&c->stats.hits, 1);
        c->last = e;
        return &e->match;
    }
    uint32_t print = (uint32_t)(hash >> 32) | 1;
    bool second_sight = c->seen[hash % SEEN] == print;
    c->seen[hash % SEEN] = print;
    return find_in_index(c, account, subject, hash, second_sight);
}
