/*
 * A slice names bytes that somebody else owns: a subject inside a read slab, a token inside a
 * subject. It is passed by value and never freed. The bytes are not terminated.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
/* memcmp() == 0 without a call, for short texts that are mostly equal. */
static inline bool bytes_equal(const char *a, const char *b, size_t size) {
    uint64_t x, y;
    if (size < 8) {
        for (size_t i = 0; i < size; i++)
            if (a[i] != b[i]) return false;
        return true;
    }
    for (size_t i = 0; i + 8 < size; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) return false;
    }
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return x == y;
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
