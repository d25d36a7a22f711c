/*
 * A connection of the monitoring port: reads requests, hands each to the control plane, writes its
 * answer. One request is with the control plane at a time; until its answer has been written, the
 * connection is not read. Owned by its worker.
 *
 * There are at most HTTP_CONNECTIONS_MAX of them in the server; a connection that closed while its
 * request is with the control plane counts until that has answered. One more gets 503.
 */
#pragma once
#include "net/connection.h"

enum { HTTP_CONNECTIONS_MAX = 1000 };

extern const struct connection_kind http_kind;

/* The body of LETTER_HTTP: a whole response (head and body) as text, for the connection that the
 * letter names. */
void http_on_answer(void *worker, const struct letter *letter);
