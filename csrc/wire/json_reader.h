/*
 * Reads JSON with the grammar and the error texts of Go's encoding/json. In two steps, as there:
 * json_check() looks at the whole text once, and is where broken text ends; then a reader hands out
 * token after token of text that passed.
 *
 * Nothing is allocated or copied: strings and numbers are slices of the text, as they stand there.
 * Nesting is bounded by JSON_DEPTH, without recursion.
 */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH = 10000, JSON_ERROR_BYTES = 128 };

/* 0 if the text is one JSON value, else -1 and why in `error`, of JSON_ERROR_BYTES. */
int json_check(struct slice text, char *error);

enum json_token {
    JSON_END,
    JSON_OPEN_OBJECT,
    JSON_CLOSE_OBJECT,
    JSON_OPEN_ARRAY,
    JSON_CLOSE_ARRAY,
    JSON_KEY, /* of a member; its value is next */
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_reader {
    const char *at, *end;
    const char *start; /* where the last token begins */
    struct slice text; /* of a key or a string what is between the quotes, of a number its digits */
};

/* Text that json_check() did not pass must not be read. */
static inline struct json_reader json_reader_of(struct slice checked) {
    return (struct json_reader){checked.at, checked.at + checked.size, checked.at, {NULL, 0}};
}

enum json_token json_next(struct json_reader *r);

/* Reads past the rest of a value that begins with `token`, which was returned last. */
void json_skip(struct json_reader *r, enum json_token token);

/* Writes what a key or a string means to `out`, which has room for JSON_UNESCAPED times its size,
 * and returns how much that is. Malformed UTF-8 and lone surrogates become U+FFFD. */
enum { JSON_UNESCAPED = 3 };
size_t json_unescape(struct slice text, char *out);

/* Whether a string means what stands there, so that it need not be unescaped. */
bool json_is_plain(struct slice text);

/* The value of a number that is an integer and fits. */
bool json_number_int(struct slice number, int64_t *value);
bool json_number_uint(struct slice number, uint64_t *value);

/* The value of any number. False if it is too large. */
bool json_number_double(struct slice number, double *value);

/* Nanoseconds since 1970 of a time in RFC 3339. False if it is none or not between 1678 and 2261.
 */
bool json_time(struct slice text, int64_t *nanoseconds);
