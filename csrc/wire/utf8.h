/*
 * UTF-8, one character at a time, with the tolerance of Go: a byte that does not begin a
 * well-formed character (overlong forms and surrogates are not) stands for itself.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD, UTF8_MAX = 4 };

/* The character at `at`, whose size goes to `*width`; -1 with a width of 1 if the bytes are
 * malformed. `size` > 0. */
static inline int32_t utf8_decode(const char *at, size_t size, size_t *width) {
    const unsigned char *b = (const unsigned char *)at;
    *width = 1;
    if (b[0] < 0x80) return b[0];
    size_t n = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC2 || b[0] > 0xF4 || size < n) return -1;
    int32_t rune = b[0] & (0x7F >> n);
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xC0) != 0x80) return -1;
        rune = rune << 6 | (b[i] & 0x3F);
    }
    if (n == 3 && (rune < 0x800 || (rune >= 0xD800 && rune <= 0xDFFF))) return -1;
    if (n == 4 && (rune < 0x10000 || rune > 0x10FFFF)) return -1;
    *width = n;
    return rune;
}

/* Writes a valid character to `out`, which has room for UTF8_MAX bytes, and returns its size. */
static inline size_t utf8_encode(int32_t rune, char *out) {
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    size_t n = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, rune >>= 6) out[i] = (char)(0x80 | (rune & 0x3F));
    out[0] = (char)((0xF00 >> n & 0xFF) | rune);
    return n;
}
