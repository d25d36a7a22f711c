#include "match/mapping.h"
#include "base/hash.h"
#include "base/linear_hash.h"
#include "base/memory.h"
#include "match/subject.h"
#include "match/transform.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * How a set finds the mapping of a subject. Sources are sorted by what a subject has to begin with:
 *
 *      first byte      256 bits: is there any source that begins so?
 *      first token     group "orders":  are there literal sources?   patterns orders.*.eu, orders.>
 *                      group "users":   ...
 *      anything        patterns that begin with a wildcard: *.eu, >
 *
 * Literal sources are found by the hash of the whole subject, patterns are tried in turn. The
 * candidate with the lowest position in the list of mappings wins. Patterns of a group are in the
 * order of their positions.
 */
struct destination {
    struct transform *transform; /* NULL until the mapping has been checked */
    struct slice text, cluster;  /* its own copies; `cluster` is empty for all clusters */
    unsigned weight;             /* in a set: the sum up to and including this one */
};

struct mapping {
    struct hash_link link; /* among all mappings, by source; in a set among the literal ones */
    struct slice source;
    size_t position;
    bool literal;       /* no wildcard in the source */
    bool source_listed; /* the source is one of the destinations, so that the remainder is lost */
    struct transform *remainder; /* keeps the subject; NULL where nothing can remain */
    unsigned count, capacity;
    struct destination *destinations;
};

struct patterns {
    struct mapping **at;
    size_t count, capacity;
};

struct group {
    struct hash_link link;
    struct slice token;
    bool has_literals;
    struct patterns patterns;
};

struct mapping_builder {
    struct mapping **mappings;
    size_t count, capacity;
    struct linear_hash sources;
    struct mapping *pending;
};

struct mapping_set {
    struct mapping **mappings;
    size_t count;
    bool random;
    uint64_t first_bytes[4];
    struct patterns anything;
    struct linear_hash literals, groups;
};

enum { DESTINATIONS_MAX = 1024, ERROR_MAX = 512 };

static uint32_t hash_of(struct slice s) {
    return (uint32_t)hash_slice(s);
}

static struct mapping *find_mapping(const struct linear_hash *table, struct slice source) {
    struct hash_link *l = linear_hash_first(table, hash_of(source));
    while (l && !slice_equal(((struct mapping *)l)->source, source)) l = linear_hash_next(l);
    return (struct mapping *)l;
}

static struct group *find_group(const struct linear_hash *table, struct slice token) {
    struct hash_link *l = linear_hash_first(table, hash_of(token));
    while (l && !slice_equal(((struct group *)l)->token, token)) l = linear_hash_next(l);
    return (struct group *)l;
}

static struct slice slice_copy(struct slice s) {
    return slice_of(memory_text(s), s.size);
}

/* Room for one more in an array of pointers or structs. */
static void *grow(void *at, size_t count, size_t *capacity, size_t item) {
    if (count < *capacity) return at;
    *capacity = *capacity ? *capacity * 2 : 4;
    return memory_resize(at, *capacity * item);
}

static void destination_free(struct destination *d) {
    transform_free(d->transform);
    free((char *)d->text.at);
    free((char *)d->cluster.at);
}

static void mapping_free(struct mapping *m) {
    if (!m) return;
    for (unsigned i = 0; i < m->count; i++) destination_free(&m->destinations[i]);
    transform_free(m->remainder);
    free(m->destinations);
    free((char *)m->source.at);
    free(m);
}

/* --- the builder --- */

struct mapping_builder *mapping_builder_new(void) {
    return memory_zero(sizeof(struct mapping_builder));
}

void mapping_builder_free(struct mapping_builder *b) {
    if (!b) return;
    for (size_t i = 0; i < b->count; i++) mapping_free(b->mappings[i]);
    mapping_free(b->pending);
    linear_hash_free(&b->sources);
    free(b->mappings);
    free(b);
}

void mapping_builder_begin(struct mapping_builder *b, const char *source, size_t source_size) {
    mapping_free(b->pending);
    b->pending = memory_zero(sizeof *b->pending);
    b->pending->source = slice_copy(slice_of(source, source_size));
    b->pending->literal = !subject_has_wildcard(b->pending->source);
}

void mapping_builder_destination(struct mapping_builder *b, const char *destination,
                                 size_t destination_size, unsigned weight, const char *cluster,
                                 size_t cluster_size) {
    struct mapping *m = b->pending;
    size_t capacity = m->capacity;
    if (m->count > DESTINATIONS_MAX) return; /* one too many is enough to be refused */
    m->destinations = grow(m->destinations, m->count, &capacity, sizeof *m->destinations);
    m->capacity = (unsigned)capacity;
    m->destinations[m->count++] = (struct destination){
        .text = slice_copy(slice_of(destination, destination_size)),
        .cluster = slice_copy(slice_of(cluster, cluster_size)),
        .weight = weight,
    };
}

/* Writes `text` in quotes, with the escapes that a Go programmer's %q would use for what isn't
 * printable ASCII. */
static void quote(struct slice text, char *out, size_t size) {
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", escaped[] = "abfnrtv\\\"";
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < text.size && n + 6 < size; i++) {
        char c = text.at[i];
        const char *special = c ? strchr(plain, c) : NULL;
        if (special) {
            out[n++] = '\\';
            out[n++] = escaped[special - plain];
        } else if ((unsigned char)c < ' ' || c == 0x7f) {
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned)c);
        } else {
            out[n++] = c;
        }
    }
    out[n++] = '"';
    out[n] = 0;
}

/* What the destinations of one cluster weigh, up to number `count`. */
static unsigned total_weight(const struct mapping *m, struct slice cluster, unsigned count) {
    unsigned total = 0;
    for (unsigned i = 0; i < count; i++)
        if (slice_equal(m->destinations[i].cluster, cluster)) total += m->destinations[i].weight;
    return total;
}

static bool is_duplicate(const struct mapping *m, unsigned i) {
    for (unsigned k = 0; k < i; k++)
        if (slice_equal(m->destinations[k].text, m->destinations[i].text)) return true;
    return false;
}

/* Checks destination i, after those before it, and compiles it. */
static bool check_destination(struct mapping *m, unsigned i, char *error, size_t error_size) {
    struct destination *d = &m->destinations[i];
    const char *reason = NULL;
    if (is_duplicate(m, i)) {
        char quoted[ERROR_MAX];
        quote(d->text, quoted, sizeof quoted);
        snprintf(error, error_size, "duplicate entry for %s", quoted);
        return false;
    }
    if (d->weight > 100)
        reason = "individual weights need to be <= 100";
    else if (total_weight(m, d->cluster, i + 1) > 100)
        reason = "total weight needs to be <= 100";
    if (reason) {
        snprintf(error, error_size, "%s", reason);
        return false;
    }
    if (slice_equal(m->source, d->text)) m->source_listed = true;
    d->transform = transform_compile(m->source, d->text, TRANSFORM_MAPPING, error, error_size);
    return d->transform != NULL;
}

/* True when some cluster's draw may find no destination: of the unscoped ones, or of those of one
 * cluster. */
static bool may_remain(const struct mapping *m) {
    if (m->source_listed) return false;
    if (total_weight(m, slice_of("", 0), m->count) != 100) return true;
    for (unsigned i = 0; i < m->count; i++)
        if (total_weight(m, m->destinations[i].cluster, m->count) != 100) return true;
    return false;
}

/* The transform of a source to itself. It is compiled from text like any other, so that a source
 * which contains what looks like a placeholder is refused or changed just as it always was. */
static bool compile_remainder(struct mapping *m, char *error, size_t error_size) {
    char text[TRANSFORM_TEXT_MAX];
    size_t size = transform_number_wildcards(m->source, text, sizeof text);
    if (size > sizeof text) {
        snprintf(error, error_size, "invalid subject");
        return false;
    }
    struct slice destination = m->literal ? m->source : slice_of(text, size);
    m->remainder = transform_compile(m->source, destination, TRANSFORM_PLAIN, error, error_size);
    return m->remainder != NULL;
}

static bool check_mapping(struct mapping *m, char *error, size_t error_size) {
    if (!subject_is_valid(m->source) || m->source.size > TRANSFORM_TEXT_MAX) {
        snprintf(error, error_size, "invalid subject");
        return false;
    }
    if (m->count > DESTINATIONS_MAX) {
        snprintf(error, error_size, "more than %d destinations", DESTINATIONS_MAX);
        return false;
    }
    for (unsigned i = 0; i < m->count; i++)
        if (!check_destination(m, i, error, error_size)) return false;
    return !may_remain(m) || compile_remainder(m, error, error_size);
}

int mapping_builder_end(struct mapping_builder *b, char *error, size_t error_size) {
    struct mapping *m = b->pending;
    assert(m);
    b->pending = NULL;
    if (!check_mapping(m, error, error_size)) {
        mapping_free(m);
        return -1;
    }
    struct mapping *old = find_mapping(&b->sources, m->source);
    m->position = old ? old->position : b->count;
    if (old) {
        linear_hash_remove(&b->sources, &old->link);
        mapping_free(old);
    } else {
        b->mappings = grow(b->mappings, b->count, &b->capacity, sizeof *b->mappings);
        b->count++;
    }
    b->mappings[m->position] = m;
    linear_hash_insert(&b->sources, &m->link, hash_of(m->source));
    return 0;
}

/* --- from builder to set --- */

/* Lightest first, equal ones as they were. */
static void sort_by_weight(struct destination *d, unsigned count) {
    for (unsigned i = 1; i < count; i++) {
        struct destination moved = d[i];
        unsigned k = i;
        for (; k > 0 && d[k - 1].weight > moved.weight; k--) d[k] = d[k - 1];
        d[k] = moved;
    }
}

/* Keeps what applies in this cluster and can be drawn at all, adds the remainder, and turns weights
 * into sums. */
static void settle(struct mapping *m, struct slice cluster) {
    bool scoped = false;
    unsigned kept = 0, sum = 0;
    for (unsigned i = 0; cluster.size && i < m->count; i++)
        scoped |= slice_equal(m->destinations[i].cluster, cluster);
    struct slice wanted = scoped ? cluster : slice_of("", 0);
    unsigned total = total_weight(m, wanted, m->count);
    for (unsigned i = 0; i < m->count; i++) {
        struct destination *d = &m->destinations[i];
        if (d->weight && slice_equal(d->cluster, wanted))
            m->destinations[kept++] = *d;
        else
            destination_free(d);
    }
    m->count = kept;
    if (total < 100 && m->remainder) {
        size_t capacity = m->capacity;
        m->destinations = grow(m->destinations, m->count, &capacity, sizeof *m->destinations);
        m->capacity = (unsigned)capacity;
        m->destinations[m->count++] = (struct destination){m->remainder, slice_copy(m->source),
                                                           slice_copy(wanted), 100 - total};
        m->remainder = NULL;
    }
    sort_by_weight(m->destinations, m->count);
    for (unsigned i = 0; i < m->count; i++)
        m->destinations[i].weight = sum += m->destinations[i].weight;
}

static bool mapping_is_random(const struct mapping *m) {
    if (m->count == 0) return false; /* all is lost */
    return m->destinations[0].weight != 100 || transform_is_random(m->destinations[0].transform);
}

/* A token that begins with `*` takes any token, even where it is longer: subject_is_subset(). */
static bool is_pattern(struct slice source) {
    while (source.at) {
        struct slice token = subject_take_token(&source);
        if (token.at[0] == '*' || subject_token_is(token, '>')) return true;
    }
    return false;
}

static struct group *group_for(struct mapping_set *set, struct slice token) {
    struct group *g = find_group(&set->groups, token);
    if (g) return g;
    g = memory_zero(sizeof *g);
    g->token = token;
    linear_hash_insert(&set->groups, &g->link, hash_of(token));
    return g;
}

static void add_pattern(struct patterns *p, struct mapping *m) {
    p->at = grow(p->at, p->count, &p->capacity, sizeof *p->at);
    p->at[p->count++] = m;
}

static void set_add(struct mapping_set *set, struct mapping *m) {
    struct slice rest = m->source, token = subject_take_token(&rest);
    if (mapping_is_random(m)) set->random = true;
    if (is_pattern(token)) {
        add_pattern(&set->anything, m);
        return;
    }
    unsigned char byte = (unsigned char)token.at[0];
    set->first_bytes[byte / 64] |= UINT64_C(1) << byte % 64;
    struct group *group = group_for(set, token);
    if (is_pattern(m->source)) {
        add_pattern(&group->patterns, m);
        return;
    }
    group->has_literals = true;
    linear_hash_insert(&set->literals, &m->link, hash_of(m->source));
}

struct mapping_set *mapping_builder_finish(struct mapping_builder *b, const char *cluster,
                                           size_t cluster_size) {
    struct mapping_set *set = memory_zero(sizeof *set);
    set->mappings = b->mappings;
    set->count = b->count;
    linear_hash_free(&b->sources);
    for (size_t i = 0; i < set->count; i++) {
        settle(set->mappings[i], slice_of(cluster, cluster_size));
        set_add(set, set->mappings[i]);
    }
    b->mappings = NULL;
    b->count = 0;
    b->sources = (struct linear_hash){0};
    mapping_builder_free(b);
    return set;
}

void mapping_set_free(struct mapping_set *set) {
    if (!set) return;
    uint64_t cursor = 0;
    struct hash_link *link = linear_hash_each(&set->groups, &cursor, NULL), *next;
    for (; link; link = next) {
        next = linear_hash_each(&set->groups, &cursor, link);
        free(((struct group *)link)->patterns.at);
        free(link);
    }
    linear_hash_free(&set->groups);
    linear_hash_free(&set->literals);
    for (size_t i = 0; i < set->count; i++) mapping_free(set->mappings[i]);
    free(set->mappings);
    free(set->anything.at);
    free(set);
}

bool mapping_set_is_random(const struct mapping_set *set) {
    return set->random;
}

size_t mapping_set_count(const struct mapping_set *set) {
    return set->count;
}

struct slice mapping_set_source(const struct mapping_set *set, size_t i) {
    assert(i < set->count);
    return set->mappings[i]->source;
}

/* --- selecting --- */

/* The first pattern that the subject matches, if it comes before `best`. */
static const struct mapping *first_match(const struct patterns *p, struct slice subject,
                                         const struct mapping *best) {
    for (size_t i = 0; i < p->count; i++) {
        if (best && p->at[i]->position > best->position) break;
        if (subject_is_subset(subject, p->at[i]->source)) return p->at[i];
    }
    return best;
}

static const struct mapping *find(const struct mapping_set *set, struct slice subject) {
    const struct mapping *best = NULL;
    unsigned char byte = subject.size ? (unsigned char)subject.at[0] : '.';
    if (set->first_bytes[byte / 64] >> byte % 64 & 1) {
        struct slice rest = subject;
        const struct group *group = find_group(&set->groups, subject_take_token(&rest));
        if (group && group->has_literals) best = find_mapping(&set->literals, subject);
        if (group) best = first_match(&group->patterns, subject, best);
    }
    return first_match(&set->anything, subject, best);
}

static const struct destination *draw(const struct mapping *m, uint64_t random) {
    unsigned percent = (unsigned)(random % 100);
    for (unsigned i = 0; i < m->count; i++)
        if (percent < m->destinations[i].weight) return &m->destinations[i];
    return NULL;
}

enum mapping_verdict mapping_set_select(const struct mapping_set *set, struct slice subject,
                                        uint64_t random, char *out, size_t size, size_t *length) {
    const struct mapping *m = find(set, subject);
    if (!m) return MAPPING_UNCHANGED;
    const struct destination *d = draw(m, random);
    if (!d) return MAPPING_DROPPED;
    /* The first mapping of the list, found literally, hashes the empty text for partition(N):
     * clusters rely on it. */
    bool blank = m->position == 0 && m->literal && d->text.size && slice_equal(m->source, subject);
    *length = transform_apply(d->transform, blank ? slice_of("", 0) : subject, random, out, size);
    return *length > size ? MAPPING_TOO_LONG : MAPPING_REPLACED;
}
