/*
 * The header block of a message, as the server itself reads and edits it:
 *
 *      NATS/1.0 [status [text]] CR LF
 *      key: value CR LF
 *      CR LF
 *
 * Blocks come from clients unchecked. A key counts only if a line begins with it, in the same case,
 * and a colon follows at once; what looks like it within a value or a longer key does not. Values
 * are read to the end of their line and lose the blanks in front.
 *
 * Nothing is allocated: results are slices of the block, or are written to the caller's buffer.
 */
#pragma once
#include "base/slice.h"

/* What a block that headers_set() wrote can have more than the block, the key and the value. */
enum { HEADERS_EXTRA = 16 };

/* The value of the first line with this key; false if there is none. */
bool headers_get(struct slice block, const char *key, struct slice *value);

/* Writes the block with `value` in the first line with this key, or in a new last line. An empty
 * block gets a first line. Line ends in the value become blanks. `out` has room for block.size +
 * strlen(key) + value.size + HEADERS_EXTRA and does not overlap the block. Returns the new size. */
size_t headers_set(struct slice block, const char *key, struct slice value, char *out);

/* Writes the block without all lines of this key. `out` has room for block.size and may be where
 * the block stands. Returns the new size: 0 if the last line went, for then there are no headers. */
size_t headers_remove(struct slice block, const char *key, char *out);
