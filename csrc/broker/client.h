/*
 * A client's connection: the protocol on top of net/connection.h.
 *
 *   opened ─ INFO ─> open (no CONNECT yet: every operation is taken, account $G)
 *     │ CONNECT
 *     └──> pending: the control plane decides; input behind CONNECT is kept
 *            └──> admitted, or closed with an error
 *   first PING after CONNECT: PONG, then INFO with connect_info
 *
 * Owned by its worker. Its subscriptions hang in `sids`; when they have to go, because the client is
 * closed or sent CONNECT again, and are many, they are reaped in slices.
 */
#pragma once
#include "base/linear_hash.h"
#include "broker/broker.h"
#include "wire/client_protocol.h"
#include "wire/connect.h"

struct client {
    struct connection connection; /* first */
    struct account *account;
    uint64_t cid;
    struct linear_hash sids;
    struct connect_options options;
    char *label;    /* in the log, from the first CONNECT on: see trace_label() */
    bool connected; /* CONNECT was admitted at least once */
    bool headers, no_responders, echo, verbose, pedantic; /* effective: what was negotiated */
    bool pinged;    /* the first PING after CONNECT was answered */
    bool gate_open; /* above three quarters of max_pending: producers wait */
    bool counted, reaping;
    bool slow; /* missed a write deadline and was kept (write_timeout: retry) */
    uint32_t pings_out;
    uint64_t in_msgs, in_bytes, out_msgs, out_bytes, stalls;
    uint64_t start_wall_ns, start_ns, last_activity_ns /* monotonic */, last_in_ns, rtt_start_ns,
        rtt_ns;
    uint64_t stalled_ns, stall_until_ns; /* stalled since this read; until when */
    uint64_t peer_slow_until_ns; /* a consumer on another worker is slow: reads wait until then */
    uint32_t stalled_read;       /* which read that was */
    struct large_publish *large; /* a publish whose large payload is being read */
    struct timer ping_timer;
    struct client *next_reaping, *next_stalled;
    uint64_t reap_cursor;
    bool stalled;
};

/*
 * A subscription. Others name it by id; the index holds that. Freed at the end of the turn in which
 * it was removed, so that a result being walked may hold it.
 */
struct subscription {
    struct slot_head head;
    struct hash_link link; /* client->sids */
    struct index_node *node;
    struct client *client;
    uint64_t delivered;
    char *queue;  /* "name", terminated, or NULL */
    uint32_t max; /* delivered at most; 0: no limit */
    uint32_t sid_size : 31, removed : 1;
    union {
        char inline_sid[16]; /* up to 15 bytes; copies may overshoot */
        char *long_sid;
        struct subscription *next_dead; /* once removed */
    };
};

extern const struct connection_kind client_kind;

static inline const char *subscription_sid(const struct subscription *s) {
    return s->sid_size < sizeof s->inline_sid ? s->inline_sid : s->long_sid;
}
static inline struct client *client_of(struct connection *c) {
    return (struct client *)(void *)c;
}
/* The client whose connection has this id; NULL: it is gone, or another kind of connection. */
static inline struct client *client_find(const struct worker *worker, uint64_t id) {
    struct connection *c = connection_find(worker, id);
    return c && c->kind == &client_kind ? client_of(c) : NULL;
}
static inline struct broker_worker *client_worker(const struct client *c) {
    return c->connection.worker->domain;
}

/* Cuts off a client that does not take its output. */
void client_close_slow(struct client *client);

/* After output that is not a delivery was appended: max_pending holds for that, too. */
void client_said(struct client *client);

/* Queues "-ERR '<text>'". */
void client_error(struct client *client, const char *text);

/* Queues the error and closes. */
void client_refuse(struct client *client, const char *text, enum close_reason reason);

/* Queues INFO with this client's id and address. */
void client_info(struct client *client, const struct perigee_info *line);

/* The control plane's verdict: NULL `error` admits into the account. */
void client_admit(struct client *client, struct account *account, const char *error,
                  enum close_reason reason);

/* Sends PING to measure the round trip time, if this is not too early. */
void client_measure(struct client *client);

/* Stops reading this producer for `ms`, at most 10 ms per read in all. */
void client_stall(struct client *client, uint32_t ms);
bool client_may_stall(const struct client *client, uint32_t ms);

/* Its consumer on another worker is slow. */
void client_stall_for_peer(struct client *client);
void clients_unstall(struct broker_worker *bw, bool all);

/* subscription.c */
struct subscription *subscription_find(struct client *client, struct slice sid);
/* Adds one; returns false when the subject is invalid. */
bool subscription_add(struct client *client, struct slice subject, struct slice queue,
                      struct slice sid);
void subscription_remove(struct subscription *subscription);
void subscriptions_bury(struct broker_worker *bw); /* end of turn */
/* Removes a client's subscriptions within the budget; true when none are left. */
bool subscriptions_reap(struct client *client);
uint32_t subscription_count(const struct client *client);

/* Removes the subscriptions of clients that are reaped within the budget; true while there are more.
 */
bool clients_reap(struct broker_worker *bw);

/* Sends an INFO to all clients that take it at any time; clients_inform() does it in slices and is
 * true while there are more to tell. A newer INFO takes the place of one under way. */
void clients_info(struct broker_worker *bw, const struct perigee_info *line);
bool clients_inform(struct broker_worker *bw);
