/*
 * A connection of the monitoring port: reads requests, hands each to the control plane, writes its
 * answer. One request is with the control plane at a time; until its answer has been written, the
 * connection is not read. Owned by its worker.
 *
 * There are at most HTTP_CONNECTIONS_MAX of them in the server; a connection that closed while its
 * request is with the control plane counts until that has answered. One more gets 503. So does, in
 * place of its answer, who asks while HTTP_ANSWERS_MAX bytes of answers to others wait to be read.
 */
#pragma once
#include "net/connection.h"

enum { HTTP_CONNECTIONS_MAX = 1000, HTTP_ANSWERS_MAX = 128 * 1024 * 1024 };

extern const struct connection_kind http_kind;

/* The body of LETTER_HTTP: a whole response (head and body) as text, for the connection that the
 * letter names. */
void http_on_answer(void *worker, const struct letter *letter);
