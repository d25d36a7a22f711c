/* The clocks. Workers read them once a turn and use that time for everything in the turn. */
#pragma once
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_of(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static inline uint64_t clock_monotonic_ns(void) { /* for intervals and deadlines */
    return clock_of(CLOCK_MONOTONIC);
}
static inline uint64_t clock_thread_ns(void) { /* processor time of the calling thread */
    return clock_of(CLOCK_THREAD_CPUTIME_ID);
}
static inline uint64_t clock_wall_ns(void) { /* since 1970, for what people read */
    return clock_of(CLOCK_REALTIME);
}
