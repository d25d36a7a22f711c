#include "broker/account.h"
#include "base/memory.h"
#include <stdlib.h>

struct account *account_new(uint32_t number, struct slice name) {
    size_t size = (sizeof(struct account) + 63) & ~(size_t)63;
    struct account *a = aligned_alloc(64, size);
    if (!a) abort();
    memset(a, 0, size);
    a->number = number;
    a->name = memory_text(name);
    a->index = subject_index_new();
    return a;
}

void account_free(struct account *a) {
    subject_index_free(a->index);
    if (a->mappings) mapping_set_free(a->mappings);
    free(a->name);
    free(a);
}
