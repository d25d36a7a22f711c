/*
 * Text in quotes as the original server writes it: the %q of Go's fmt in -ERR texts and log lines,
 * and the strings of Go's JSON encoder. Clients extract subjects from these texts, tools compare
 * the documents.
 *
 * Both functions work like snprintf: they write at most `size` bytes including a terminating NUL
 * (nothing if `size` is 0), and return the length of the whole result, which did not fit if it is
 * >= `size`. What is cut is cut between characters of the result, so that a prefix is always
 * well-formed up to its missing quote.
 */
#pragma once
#include "base/slice.h"

/* "text" with quotes; unprintable characters and malformed bytes are escaped. At most 4 bytes for
 * each one of `text`, and 2. */
size_t go_quote(struct slice text, char *out, size_t size);

/* The inside of a JSON string, without quotes; <, >, & and the line separators are escaped,
 * malformed bytes become \ufffd. At most 6 bytes for each one of `text`. */
size_t json_escape(struct slice text, char *out, size_t size);
