#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>

static void *checked(void *p, size_t size) {
    if (!p && size) {
        fprintf(stderr, "perigee: out of memory (%zu bytes)\n", size);
        abort();
    }
    return p;
}

void *memory_new(size_t size) {
    return checked(malloc(size), size);
}

void *memory_zero(size_t size) {
    return checked(calloc(1, size), size);
}

void *memory_resize(void *at, size_t size) {
    return checked(realloc(at, size), size);
}

char *memory_text(struct slice s) {
    char *text = memory_new(s.size + 1);
    if (s.size) memcpy(text, s.at, s.size);
    text[s.size] = 0;
    return text;
}
