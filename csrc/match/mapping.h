/*
 * The subject mappings of one account: what a published subject becomes before permissions and
 * matching see it. One mapping has a source (literal or with wildcards) and destinations that are
 * drawn by weight, some of them only for servers of one cluster. The first mapping whose source
 * matches decides; its result is not mapped again.
 *
 *      foo: [ {destination: bar, weight: 60} ]     60 of 100 become bar, the rest stay foo
 *      foo: [ {destination: foo, weight: 60} ]     lists the source itself: the rest is lost
 *      foo.*: bar.$1
 *
 * A set is made through a builder (one thread, the control plane's), never changes afterwards, and
 * may be used by any number of threads until its owner frees it.
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

struct mapping_set;
struct mapping_builder;

enum mapping_verdict {
    MAPPING_UNCHANGED, /* no mapping has this subject; nothing was written */
    MAPPING_REPLACED,  /* the new subject is in `out`; it may be equal to the old one */
    MAPPING_DROPPED,   /* mapped to nothing: published to the empty subject, which nobody hears */
    MAPPING_TOO_LONG   /* the new subject has `*length` bytes, more than `size` */
};

/*
 * Maps `subject`, as the client sent it. `random` decides by `random % 100` which destination takes
 * it, and mixed otherwise what random(N) draws; a set for which mapping_set_is_random() is false
 * ignores it. `*length` is set with MAPPING_REPLACED and MAPPING_TOO_LONG.
 *
 * A subject with which no mapping has to do costs a look at its first byte, or at most the hash of
 * its first token.
 */
enum mapping_verdict mapping_set_select(const struct mapping_set *set, struct slice subject,
                                        uint64_t random, char *out, size_t size, size_t *length);

/* False when equal subjects always become equal subjects, so that a caller may remember what it
 * got. */
bool mapping_set_is_random(const struct mapping_set *set);

/* The sources in their order: leafnodes announce them as interest. */
size_t mapping_set_count(const struct mapping_set *set);
struct slice mapping_set_source(const struct mapping_set *set, size_t i);

void mapping_set_free(struct mapping_set *set); /* NULL is fine */

/*
 * A builder takes one mapping after the other:
 *
 *      mapping_builder_begin(b, source)
 *      mapping_builder_destination(b, destination, weight, cluster)     any number of times
 *      mapping_builder_end(b, error, ...)                               checks it and adds it
 *
 * and becomes a set with mapping_builder_finish(). Text is passed as pointer and size and copied.
 */
struct mapping_builder *mapping_builder_new(void);
void mapping_builder_free(
    struct mapping_builder *b); /* one that is not to be finished; NULL is fine */

/* Begins a mapping; one that was begun and not ended is forgotten. */
void mapping_builder_begin(struct mapping_builder *b, const char *source, size_t source_size);

/* Adds a destination; `weight` in per cent; an empty cluster means every cluster that has no
 * destinations of its own. */
void mapping_builder_destination(struct mapping_builder *b, const char *destination,
                                 size_t destination_size, unsigned weight, const char *cluster,
                                 size_t cluster_size);

/*
 * Checks the mapping and adds it; one with the same source is replaced in its place. Returns 0, or
 * -1 with the reason in `error` ("invalid subject", "duplicate entry for "bar"", "individual
 * weights need to be <= 100", "total weight needs to be <= 100", or one of transform_compile());
 * then the builder is as it was before the mapping began.
 */
int mapping_builder_end(struct mapping_builder *b, char *error, size_t error_size);

/* The mappings as they apply on a server of this cluster (empty: of none). Frees the builder. */
struct mapping_set *mapping_builder_finish(struct mapping_builder *b, const char *cluster,
                                           size_t cluster_size);
