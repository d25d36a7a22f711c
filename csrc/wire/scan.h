/*
 * Finds the blanks and the end of a line within 64 bytes, as bit masks: bit i stands for byte i.
 * The one place that knows which vector instructions the machine has.
 */
#pragma once
#include <stdint.h>

enum { SCAN_BYTES = 64 };

struct scan {
    uint64_t lf, space, tab;
};

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t scan_16(__m128i block, char c) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c)));
}

/* Half of the bytes at `at`, shifted to their place. Written out: compilers leave such a loop a
 * loop. */
static inline void scan_half(struct scan *s, const char *at, unsigned shift) {
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(at + 16));
    s->lf |= (scan_16(a, '\n') | scan_16(b, '\n') << 16) << shift;
    s->space |= (scan_16(a, ' ') | scan_16(b, ' ') << 16) << shift;
    s->tab |= (scan_16(a, '\t') | scan_16(b, '\t') << 16) << shift;
}

/* The second half is looked at only when the line does not end in the first. */
static inline struct scan scan_64(const char *at) {
    struct scan s = {0, 0, 0};
    scan_half(&s, at, 0);
    if (!s.lf) scan_half(&s, at + 32, 32);
    return s;
}
#else
static inline struct scan scan_64(const char *at) {
    struct scan s = {0, 0, 0};
    for (int i = 0; i < SCAN_BYTES; i++) {
        s.lf |= (uint64_t)(at[i] == '\n') << i;
        s.space |= (uint64_t)(at[i] == ' ') << i;
        s.tab |= (uint64_t)(at[i] == '\t') << i;
    }
    return s;
}
#endif
