/*
 * What subjects are and how two of them relate. `.` separates tokens; `*` alone matches one token,
 * `>` alone and last matches one or more; inside longer tokens both are plain bytes. Everything
 * here is a question about bytes that the caller owns; nothing is kept, nothing is allocated, and
 * time is linear in the subjects' length.
 */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>

/* No empty token, `>` only last: what a subscription may ask for. Blanks are the protocol parser's
 * business. */
bool subject_is_valid_to_subscribe(struct slice subject);

/* As above, and none of blank, tab, line feed, form feed, carriage return. */
bool subject_is_valid(struct slice subject);

/* No empty token and no wildcard. Blanks are not looked at. */
bool subject_is_valid_literal(struct slice subject);

/* subject_is_valid() without a wildcard. */
bool subject_is_valid_to_publish(struct slice subject);

/* subject_is_valid(), and text: no NUL byte, valid UTF-8, no replacement character (U+FFFD), which
 * only stands where somebody has already mangled text. For the names in JetStream's configurations.
 */
bool subject_is_valid_text(struct slice subject);

/* `*` or `>` as a whole token anywhere. */
bool subject_has_wildcard(struct slice subject);

/*
 * True when every literal that matches `subject` matches `filter` too: `foo.*` is a subset of
 * `foo.*`, `*.*` and `>`, but not of `foo.bar`. An empty token that is met before a `>` of `filter`
 * makes it false. As in nats-server, a token of `filter` that merely begins with `*` matches any
 * literal token; the subject index knows no such exception.
 */
bool subject_is_subset(struct slice subject, struct slice filter);

/* True when some literal matches both. */
bool subject_collides(struct slice a, struct slice b);

/* Tokens in the subject, empty ones included; 0 for the empty subject. */
size_t subject_count_tokens(struct slice subject);

/* The n-th token, counted from 0; an empty slice when there are fewer. */
struct slice subject_token(struct slice subject, size_t n);

/* Takes the first token off `*rest`. `*rest` must not be taken from again once `at` is NULL: the
 * last token was returned. */
static inline struct slice subject_take_token(struct slice *rest) {
    const char *dot = rest->size ? memchr(rest->at, '.', rest->size) : NULL;
    struct slice token = {rest->at, dot ? (size_t)(dot - rest->at) : rest->size};
    *rest = dot ? slice_of(dot + 1, rest->size - token.size - 1) : slice_of(NULL, 0);
    return token;
}

static inline bool subject_token_is(struct slice token, char wildcard) {
    return token.size == 1 && token.at[0] == wildcard;
}
