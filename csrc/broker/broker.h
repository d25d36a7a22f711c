/*
 * The broker: what the workers do with messages. It owns the accounts and, per worker, a struct
 * broker_worker with subscriptions, the match cache and counters. Above it there is only the seam:
 * what the control plane has to know or decide leaves through struct broker_observer, and comes
 * back as letters.
 */
#pragma once
#include "broker/account.h"
#include "broker/interest.h"
#include "broker/match_cache.h"
#include "net/connection.h"
#include "net/worker.h"
#include <stdbool.h>
#include <stddef.h>

#include "ffi/perigee.h"

struct client;

/* Letters of the broker. */
enum {
    LETTER_DELIVER = LETTER_FIRST_FREE, /* a message for this worker's subscribers: publish.c */
    LETTER_OUTCOME,                     /* whether it was taken */
    LETTER_STALL,                       /* a consumer is slow: the producer that the letter names
                                           waits a little; names it none, all go on */
    LETTER_ADMIT,                       /* the control plane's verdict on a CONNECT */
    LETTER_COLLECT,                     /* the control plane wants a list of what this worker has */
    LETTER_OPTIONS,                     /* a new version of the options; answered when taken over */
    LETTER_CLOSE,                       /* close a connection, or all of a kind */
    LETTER_INFO,                        /* a new INFO to those who take it */
    LETTER_HTTP,                        /* the answer to a HTTP request */
    LETTER_PING,                        /* measure a round trip that is not known yet */
};

enum { KIND_CLIENT, KIND_HTTP };

enum {
    MAPPED_MAX = 64 * 1024
}; /* bytes of a mapped subject; a longer one is lost like one mapped to nothing */

/* Close reasons, as Go numbers them (ClosedState); the texts are in close_reason_text(). */
enum close_reason {
    CLOSE_CLIENT_CLOSED = 1,
    CLOSE_AUTHENTICATION_TIMEOUT,
    CLOSE_AUTHENTICATION_FAILURE,
    CLOSE_TLS_HANDSHAKE,
    CLOSE_SLOW_PENDING,
    CLOSE_SLOW_DEADLINE,
    CLOSE_WRITE_ERROR,
    CLOSE_READ_ERROR,
    CLOSE_PARSE_ERROR,
    CLOSE_STALE,
    CLOSE_PROTOCOL_VIOLATION,
    CLOSE_BAD_PROTOCOL_VERSION,
    CLOSE_WRONG_PORT,
    CLOSE_MAX_ACCOUNT_CONNECTIONS,
    CLOSE_MAX_CONNECTIONS,
    CLOSE_MAX_PAYLOAD,
    CLOSE_MAX_CONTROL_LINE,
    CLOSE_MAX_SUBSCRIPTIONS,
    CLOSE_DUPLICATE_ROUTE,
    CLOSE_ROUTE_REMOVED,
    CLOSE_SERVER_SHUTDOWN,
    CLOSE_NO_RESPONDERS_REQUIRES_HEADERS = 28,
    CLOSE_KICKED = 35,
};

/* Totals of one worker; summed by whoever asks. */
struct broker_totals {
    counter in_msgs, in_bytes, out_msgs, out_bytes;
    counter subscriptions, total_clients, slow_consumers, slow_pending, slow_deadline, stale,
        stalls;
};

/* A message under way inside one worker. Slices point into a slab, a letter or a counted payload.
 */
struct message {
    struct account *account;
    struct client *from; /* the publisher, when it is a client of this worker; else NULL */
    uint64_t from_id;    /* its connection's id, 0 when it is not a client */
    struct slice subject, reply;
    struct slice sizes; /* "12\r\n", or "4 16\r\n" with headers: as they stand in MSG and HMSG */
    const char *body;   /* headers, payload, CR LF */
    uint32_t header_size, total_size;
    struct counted *counted; /* the body's owner when it is large */
    bool with_headers; /* came as HPUB with a header block: goes out as HMSG to those who take it */
    bool contiguous;   /* body stands right behind sizes in memory */
    bool traced;       /* message tracing is asked for (not acted on yet) */
};

/* What leaves for the control plane. Called on worker threads; must not block. */
struct broker_observer {
    void (*connect)(struct client *client);
    void (*closed)(struct client *client);
    void (*answered)(uint64_t request, unsigned worker);
    void (*http)(struct connection *connection, struct slice method, struct slice path,
                 struct slice query, unsigned minor, bool keep_alive);
};

struct subscription;
struct outcome;

struct broker_worker {
    struct worker *worker;
    struct broker *broker;
    const struct perigee_options *options;
    uint64_t much_pending; /* output from which a delivery looks twice */
    struct match_cache *cache;
    struct slots subscriptions, outcomes;
    struct broker_totals totals;
    struct client *reaping;   /* those with many subscriptions left to remove */
    struct perigee_info info; /* what is being told to all; clients_inform() */
    uint32_t info_cursor;     /* the next connection */
    bool informing;
    struct subscription *graveyard; /* removed in this turn, freed at its end */
    struct client *stalled;         /* producers that wait for a slow consumer */
    uv_timer_t stall_timer;
    uint32_t stall_ms; /* set by a delivery to a slow consumer */
    uint64_t far_producer,
        far_turn_ns; /* the last one stalled on another worker, and in which turn */
    uint64_t random;
    char *mapped;       /* scratch for a mapped subject */
    struct pick *picks; /* scratch: queue members chosen on other workers */
    size_t picks_room;
};

struct broker {
    struct workers workers;
    struct interest interest;
    struct broker_worker *per_worker[ID_WORKERS_MAX];
    struct account *accounts[1]; /* by number */
    struct account *global;
    const struct perigee_options *options; /* what workers start with */
    struct broker_observer observer;
    _Atomic(uint64_t) next_client;
    _Atomic(int64_t) client_count;
    /* Connections of the monitoring port, and bytes of their answers: see http_client.h. */
    _Atomic(int32_t) http_count;
    _Atomic(int64_t) http_answers;
    uint64_t start_wall_ns;
    _Atomic(uint64_t) limited_ns[3]; /* when each of trace.c's rate-limited lines was written */
};

static inline struct broker_worker *broker_worker_of(struct worker *worker) {
    return worker->domain;
}
static inline struct broker *broker_of(struct workers *workers) {
    return (struct broker *)(void *)workers; /* workers is its first member */
}

/* The body of LETTER_ADMIT, for the connection that the letter names. */
struct admit_letter {
    uint32_t account;
    uint16_t reason;
    char error[250]; /* empty: admitted */
};

/* Makes the accounts; then mappings may be set. */
void broker_prepare(struct broker *broker);

/* Starts the workers; the caller may have registered handlers of its own. Options must stay until
 * the end. Returns 0 or a negative errno. */
int broker_start(struct broker *broker, unsigned workers, const struct perigee_options *options,
                 const struct broker_observer *observer);
void broker_stop(struct broker *broker);

const char *close_reason_text(unsigned reason);

/* A random number, good enough to spread load. */
static inline uint64_t broker_random(struct broker_worker *bw) {
    uint64_t x = bw->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return bw->random = x;
}
