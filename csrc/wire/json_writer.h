/*
 * Writes one JSON document the way Go's encoding/json does: compact, or indented like
 * MarshalIndent; strings with <, > and & as escapes and broken UTF-8 replaced; floating-point
 * numbers as short as they can be; times in RFC 3339 with nanoseconds, trailing zeros cut.
 *
 * The writer owns a buffer that grows up to a limit. Nothing is returned by the single calls: what
 * goes wrong (the limit, a number that JSON cannot hold, nesting) is remembered, later calls do
 * nothing, and json_writer_error() tells in the end. Keeping brackets, keys and values in order is
 * the caller's business and asserted. One thread at a time.
 */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_WRITER_DEPTH = 64 };

struct json_writer {
    char *at; /* the document so far, not terminated */
    size_t size;
    size_t room;
    size_t limit_bytes;
    uint64_t filled; /* bit d: the bracket at depth d has members */
    const char *error;
    unsigned depth;
    unsigned indent; /* spaces per level; 0: compact */
    bool after_key;
};

/* An empty document of at most `limit_bytes`. No memory is taken before the first byte is written.
 */
void json_writer_init(struct json_writer *w, size_t limit_bytes, unsigned indent);

/* Starts the next document in the same memory. */
void json_writer_reset(struct json_writer *w, unsigned indent);

void json_writer_free(struct json_writer *w);

/* NULL if the document is whole so far, else what went wrong, a constant text. */
const char *json_writer_error(const struct json_writer *w);

void json_write_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_write_close(struct json_writer *w, char bracket); /* '}' or ']' */

/* A member's name; its value must follow. */
void json_write_key(struct json_writer *w, struct slice key);

void json_write_string(struct json_writer *w, struct slice text);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_int(struct json_writer *w, int64_t value);
void json_write_uint(struct json_writer *w, uint64_t value);

/* Infinities and not-a-number are an error. */
void json_write_double(struct json_writer *w, double value);

/* Nanoseconds since 1970, in UTC. */
void json_write_time(struct json_writer *w, int64_t nanoseconds);

/* A value that is JSON already; it is copied as it is. */
void json_write_raw(struct json_writer *w, struct slice json);
