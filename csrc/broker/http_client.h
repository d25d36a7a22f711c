/*
 * A connection of the monitoring port: reads requests, hands each to the control plane, writes its
 * answer. One request is with the control plane at a time; while it is, the connection is not read.
 * Owned by its worker.
 */
#pragma once
#include "net/connection.h"

extern const struct connection_kind http_kind;

/* The body of LETTER_HTTP: a whole response (head and body) as text, for the connection that the
 * letter names. */
void http_on_answer(void *worker, const struct letter *letter);
