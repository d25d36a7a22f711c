/*
 * A transform rewrites the subjects that its source matches: `orders.*.>` to
 * `archive.$1.{{partition(3,1)}}.>`. Account mappings, streams (input transform, republish,
 * sources, mirrors) and imports are made of them.
 *
 * It is compiled once, never changes, may be used by any number of threads, and is freed by whoever
 * compiled it.
 *
 * Limits: source and destination have at most TRANSFORM_TOKENS_MAX tokens and TRANSFORM_TEXT_MAX
 * bytes each; beyond that they are "invalid subject".
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

struct transform;

enum { TRANSFORM_TOKENS_MAX = 256, TRANSFORM_TEXT_MAX = 32 * 1024 };

enum transform_kind {
    TRANSFORM_PLAIN,   /* streams' republish, and everywhere where no more is asked */
    TRANSFORM_MAPPING, /* the destination is validated first, as for account mappings and streams'
                          subject transforms */
    TRANSFORM_IMPORT   /* strict: only `$n` and wildcard(n), all `*` of the source used, so that it
                          can be reversed */
};

enum transform_result {
    TRANSFORM_MATCHED,
    TRANSFORM_INVALID_SUBJECT, /* not a valid literal subject */
    TRANSFORM_NO_MATCH
};

/*
 * Compiles source and destination. An empty source means `>`; an empty destination leaves every
 * subject as it is. NULL with the reason in `error` (terminated, cut off at `error_size`) when they
 * don't fit together.
 */
struct transform *transform_compile(struct slice source, struct slice destination,
                                    enum transform_kind kind, char *error, size_t error_size);
void transform_free(struct transform *t); /* NULL is fine */

/*
 * Writes what `subject` becomes to `out` and returns its length in bytes, without a terminator.
 * When that is more than `size`, nothing behind out[size - 1] was written, and the result is
 * worthless. The subject is taken to match the source; of one that is too short the missing tokens
 * are empty text. All that random(N) draws comes from `random`, 64 random bits; a transform for
 * which transform_is_random() is false ignores it.
 */
size_t transform_apply(const struct transform *t, struct slice subject, uint64_t random, char *out,
                       size_t size);

/* Checks first that the subject is literal and that the source matches it; `*length` is what
 * transform_apply() returns, and only set when matched. Where both sides are `>` (or empty)
 * everything matches, even what is no valid subject. */
enum transform_result transform_match(const struct transform *t, struct slice subject,
                                      uint64_t random, char *out, size_t size, size_t *length);

/* What a user is told about a result: "invalid subject", "no matching transforms available"; ""
 * when matched. */
const char *transform_result_text(enum transform_result result);

/*
 * The transform that undoes this one; NULL when there is none, because a `*` of the source is lost
 * or doubled on the way, or another function than wildcard(n) is used. The caller frees it. Its
 * source is the filter for all results of this one.
 */
struct transform *transform_reverse(const struct transform *t);

bool transform_is_random(const struct transform *t);
struct slice transform_source(const struct transform *t); /* `>` when it was empty */
struct slice transform_destination(const struct transform *t);

/* `foo.*.*` becomes `foo.$1.$2`, and `foo.$2.{{wildcard(1)}}` becomes `foo.*.*`. Both return the
 * length of the whole result as transform_apply() does. */
size_t transform_number_wildcards(struct slice filter, char *out, size_t size);
size_t transform_restore_wildcards(struct slice destination, char *out, size_t size);
