/*
 * One token of a transform's destination: literal text, `$2`, or a call such as `{{split(1,-)}}`.
 * This module reads it; what the call does to a subject is in transform.c.
 *
 * A call is looked for anywhere inside a token that begins with `{{` and ends with `}}`. Letters at
 * the beginning of a name's words may be in either case, blanks may stand around the name and after
 * commas, and the arguments reach to the last `)` before a `}}`.
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

enum placeholder_function {
    PLACEHOLDER_LITERAL, /* not a placeholder: `text` is the token */
    PLACEHOLDER_WILDCARD,
    PLACEHOLDER_PARTITION,
    PLACEHOLDER_SPLIT_FROM_LEFT,
    PLACEHOLDER_SPLIT_FROM_RIGHT,
    PLACEHOLDER_SLICE_FROM_LEFT,
    PLACEHOLDER_SLICE_FROM_RIGHT,
    PLACEHOLDER_RIGHT,
    PLACEHOLDER_LEFT,
    PLACEHOLDER_SPLIT,
    PLACEHOLDER_RANDOM
};

enum placeholder_error {
    PLACEHOLDER_OK,
    PLACEHOLDER_UNKNOWN_FUNCTION,
    PLACEHOLDER_NOT_ENOUGH_ARGUMENTS,
    PLACEHOLDER_TOO_MANY_ARGUMENTS, /* also: more indexes than PLACEHOLDER_INDEXES_MAX */
    PLACEHOLDER_INVALID_ARGUMENT
};

enum { PLACEHOLDER_INDEXES_MAX = 256 };

struct placeholder {
    enum placeholder_function function;
    int32_t number; /* buckets, position, piece size, length or ceiling: the function's integer */
    struct slice text;    /* the literal token, or the separator of split; inside the token */
    unsigned index_count; /* which `*` of the source the function reads: 1 is the first. Zero and
                             below */
    int64_t indexes[PLACEHOLDER_INDEXES_MAX]; /* are accepted here and mean the subject's first
                                                 token. */
};

/* Reads one destination token. On an error only the return value means anything. */
enum placeholder_error placeholder_parse(struct slice token, struct placeholder *out);

/* True when the token has the outer form of a call, whether or not the function exists. */
bool placeholder_is_call(struct slice token);

/* True when a subject filter made from a destination has a `*` in the token's place: `$1`.. `$9`..,
 * `{{wildcard(x)}}`. */
bool placeholder_is_wildcard(struct slice token);
