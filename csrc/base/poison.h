/*
 * Tells AddressSanitizer that memory which is kept for reuse is nobody's now: whoever still reads it is
 * reported, as if it had been freed. Does nothing in other builds.
 */
#pragma once
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define PERIGEE_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PERIGEE_POISON 1
#endif
#endif

#ifdef PERIGEE_POISON
#include <sanitizer/asan_interface.h>
static inline void poison(const void *at, size_t size) {
    __asan_poison_memory_region(at, size);
}
static inline void unpoison(const void *at, size_t size) {
    __asan_unpoison_memory_region(at, size);
}
#else
static inline void poison(const void *at, size_t size) {
    (void)at, (void)size;
}
static inline void unpoison(const void *at, size_t size) {
    (void)at, (void)size;
}
#endif
