/*
 * What the log says about a client, in Go's words: connection events, errors, and with tracing on
 * every operation and payload. Callers ask log_enabled() first where that matters. Secrets in
 * CONNECT are replaced.
 */
#pragma once
#include "broker/client.h"

void trace_in(struct client *client, const struct client_op *op);
void trace_out(struct client *client, struct slice text); /* a line without CR LF */
void trace_delivered(struct client *client, const char *line, size_t size,
                     const struct message *message);
void trace_delsub(struct client *client, struct slice sid);
void trace_mapping(struct client *client, struct slice from, struct slice to);
void trace_payload(struct client *client, const char *arrow, const char *body, uint32_t size,
                   uint32_t header_size, const struct perigee_options *options);

void trace_note(struct client *client, const char *text);  /* debug */
void trace_error(struct client *client, const char *text); /* error */
void trace_limited(struct client *client,
                   const char *text); /* error, the same text at most every 2 s */
void trace_violation(struct client *client, const char *what, struct slice subject);
void trace_client_error(struct client *client, struct slice text); /* the client sent -ERR */
void trace_closed(struct client *client);
void trace_slow_pending(struct client *client, int64_t max_pending);
void trace_slow_deadline(struct client *client, uint64_t deadline_ns);
void trace_stalled(struct client *client, uint64_t ns);
