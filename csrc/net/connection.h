/*
 * A socket with its input and output, owned by one worker. It knows no protocol: a kind says what
 * to do with bytes.
 *
 * Input. A read goes into a slab of the worker, behind whatever was left of the read before; the
 * kind is shown all contiguous bytes and says how many it has used. What is left is
 *   - an incomplete message: it is copied to a buffer of the connection's own, so that half a
 *     message pins no slab;
 *   - more than one callback may do: the slab is kept and the rest goes on in the next turn;
 *   - held back (waiting for admission, for a slow consumer, for credit): copied, and the socket is
 *     not read.
 * A payload that the kind calls large is read straight into a counted buffer.
 *
 * Output. See output.h. Written at the end of the turn; a connection with much of it earlier. What
 * the socket does not take is written when it takes more, and has a deadline: all that waits at one
 * moment, a batch, must be gone within the kind's write deadline; then the next batch begins.
 *
 * Closing. connection_close() marks it: from then on it takes nothing, and finds nobody by its id
 * once freed. At the end of the turn the output is written if the reason allows it, and the socket
 * is closed; with many of them, in the turns that follow. The first reason wins.
 */
#pragma once
#include "net/worker.h"
#include <netinet/in.h>
#include <sys/socket.h>

enum pause {
    PAUSE_ADMISSION = 1, /* CONNECT is with the control plane */
    PAUSE_STALL = 2,     /* a consumer is slow */
    PAUSE_CREDIT = 4,    /* a peer worker has too much of our mail */
    PAUSE_SLAB = 8,      /* all slabs are taken */
};

struct connection {
    struct worker *worker;
    const struct connection_kind *kind;
    uint64_t id;
    int fd;
    uint8_t paused;                               /* enum pause */
    bool dirty, early, runnable, waiting, ending; /* which of the worker's lists it stands in */
    bool closing, flush_on_close, closed_fd, released;
    bool want_write, input_ready;
    bool read_all;      /* reads are no longer limited to kind->first_read */
    uint16_t holds;     /* the kind's: memory stays while there are any */
    uint32_t reads;     /* socket reads so far */
    uint32_t last_read; /* bytes of the last one */
    uint8_t polled;     /* events the poll handle waits for */
    uint16_t reason;    /* the kind's close reason */
    struct output output;
    struct slab *slab;     /* held input, in a slab or ... */
    char *carry;           /* ... in a buffer of our own */
    uint32_t at, end;      /* the unused bytes in either */
    size_t scanned;        /* for the kind: how far it has looked into an incomplete line */
    struct counted *large; /* a large payload being read, NULL usually */
    uint32_t large_filled;
    uint64_t behind_mail; /* input is used when the worker's mail.handled has come this far */
    struct connection *next_dirty, *next_early, *next_runnable, *next_waiting, *next_closing;
    struct timer write_timer;   /* set while output waits for the socket */
    uint64_t batch, batch_left; /* bytes that must be written before it fires; how many are left */
    uv_poll_t poll;
    uint16_t port;
    uint16_t local_port;
    char ip[INET6_ADDRSTRLEN];
};

struct connection_kind {
    const char *name;    /* in the log: "Client" */
    size_t size;         /* of the struct that begins with a struct connection */
    uint32_t first_read; /* bytes to read at once until connection->read_all */
    void (*opened)(struct connection *);
    /* Uses bytes at `at`; returns how many. What is left is incomplete, or the connection is
     * paused, closing or out of budget (worker_budget_over; then it sets input_ready). */
    size_t (*bytes)(struct connection *, const char *at, size_t size);
    void (*large)(struct connection *,
                  struct counted *);      /* complete; the kind takes the reference */
    void (*closing)(struct connection *); /* marked; the output can still be appended to */
    void (*freed)(struct connection *);   /* the last call; memory goes afterwards */
    uint16_t reason_client_closed, reason_read_error, reason_write_error, reason_write_deadline,
        reason_shutdown;
    uint64_t (*write_deadline_ns)(const struct connection *);
    /* The write deadline has passed, `written` bytes of the batch have gone out. True: it is closed;
     * false: the rest gets as much time again. */
    bool (*write_expired)(struct connection *, uint64_t written);
    void (*written)(struct connection *); /* output went out (may be NULL) */
};

/* Takes over a socket that was accepted. The kind's opened() is called. NULL when no slot is free
 * (the socket is closed). */
struct connection *connection_open(struct worker *worker, const struct connection_kind *kind,
                                   int fd);

struct connection *connection_find(const struct worker *worker, uint64_t id);

/* Walks a worker's connections, closing ones too; `*cursor` starts at 0 and may be kept over turns.
 */
struct connection *connections_each(const struct worker *worker, uint32_t *cursor);

/* Marks it closed with a reason of the kind's; `flush`: write what is pending first. */
void connection_close(struct connection *connection, uint16_t reason, bool flush);

/* Output that was appended to connection->output goes out by the end of the turn. */
void connection_mark_dirty(struct connection *connection);
static inline void connection_appended(struct connection *c) {
    if (!c->dirty) connection_mark_dirty(c);
}
void connection_flush_early(struct connection *connection);

void connection_append(struct connection *connection, const char *at, size_t size);

/* Stops and resumes use of input; reasons add up. */
void connection_pause(struct connection *connection, enum pause why);
void connection_resume(struct connection *connection, enum pause why);

/* The next bytes are a payload of `counted->size` bytes, of which `filled` have been copied. Takes
 * the reference. */
void connection_read_large(struct connection *connection, struct counted *counted, uint32_t filled);

/* Keeps a closed connection's memory until it is let go; for a kind that cleans up in slices. */
static inline void connection_hold(struct connection *c) {
    c->holds++;
}
void connection_unhold(struct connection *connection);

/* Internal to net/: called by the worker. */
void connection_run(struct connection *connection);    /* unparsed input */
bool connection_write(struct connection *connection);  /* false: more is left */
void connection_finish(struct connection *connection); /* after marking: write and close */
void connection_write_expired(struct timer *timer);
void connection_release(
    struct connection *connection); /* frees it once it is closed and in no list */
void connection_abort(struct connection *connection); /* the server ends */
