/*
 * What the log says about a client, in Go's words: connection events, errors, and with tracing on
 * every operation and payload. Callers ask log_enabled() first where that matters. Secrets in
 * CONNECT are replaced.
 */
#pragma once
#include "broker/client.h"

/* What log lines about a client begin with from its first CONNECT on; NULL: nothing was said. To be
 * made while the credentials are there, and freed by the caller. */
char *trace_label(const struct client *client, const struct account *account);

void trace_in(struct client *client, const struct client_op *op);
void trace_out(struct client *client, struct slice text);       /* a line without CR LF */
void trace_out_error(struct client *client, struct slice text); /* what -ERR says */
void trace_delivered(struct client *client, const char *line, size_t size,
                     const struct message *message);
void trace_delsub(struct client *client, struct slice sid);
void trace_mapping(struct client *client, struct slice from, struct slice to);
void trace_payload(struct client *client, const char *arrow, const char *body, uint32_t size,
                   uint32_t header_size, const struct perigee_options *options);

void trace_note(struct client *client, const char *text);  /* debug */
void trace_error(struct client *client, const char *text); /* error */
void trace_violation(struct client *client, const char *what, struct slice subject);
void trace_subscription_violation(struct client *client, const char *what,
                                  const struct client_op *op);
void trace_refused(struct client *client); /* by admission; while the credentials are there */
void trace_client_error(struct client *client, struct slice text); /* the client sent -ERR */
void trace_closed(struct client *client);
void trace_slow_pending(struct client *client, int64_t max_pending);
void trace_slow_deadline(struct client *client);
void trace_slow_recovered(struct client *client);
void trace_unsubscribed(struct client *client, const struct subscription *subscription);
void trace_ping_delayed(struct client *client, uint64_t last_in_ns_ago);

/* Lines that are written by one client only within a second or two, however many meet the limit. */
void trace_max_connections(struct client *client);
void trace_max_subscriptions(struct client *client);
void trace_stalled(struct client *client, uint64_t ns);
