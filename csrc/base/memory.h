/*
 * Allocation that cannot fail: what it serves is bounded by limits that are checked before, so that
 * running out means the machine is out of memory, and the process ends with a message instead of
 * going on half-built.
 */
#pragma once
#include "base/slice.h"
#include <stddef.h>

void *memory_new(size_t size);  /* not zeroed */
void *memory_zero(size_t size); /* zeroed */
void *memory_resize(void *at, size_t size);
char *memory_text(struct slice s); /* a terminated copy */
