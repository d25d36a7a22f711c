/*
 * A slice names bytes that somebody else owns: a subject inside a read slab, a token inside a subject. It is passed by
 * value and never freed. The bytes are not terminated.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *at;
    size_t size;
};

static inline struct slice slice_of(const char *at, size_t size) {
    return (struct slice){at, size};
}
static inline struct slice slice_text(const char *text) {
    return (struct slice){text, strlen(text)};
}
static inline bool slice_equal(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}
static inline bool slice_is(struct slice a, const char *text) {
    return slice_equal(a, slice_text(text));
}
static inline bool slice_starts_with(struct slice a, const char *prefix) {
    size_t n = strlen(prefix);
    return a.size >= n && memcmp(a.at, prefix, n) == 0;
}
