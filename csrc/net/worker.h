/*
 * A worker: one thread, one libuv loop, and everything that it owns: connections, what stands
 * behind them, a match cache, a mailbox. Only the owner touches what it owns; others write it
 * letters (mailbox.h).
 *
 * A turn begins with the first callback after the loop has slept or polled, and ends once: mail is
 * handed over, then sockets are written (rule 1), then what died in the turn is freed. Every
 * callback from libuv is bracketed by worker_enter() and worker_leave(), because libuv runs I/O
 * callbacks before its check handles; a callback that ends more than a millisecond after its turn
 * began ends the turn itself.
 *
 *     prepare: end the turn; say "I sleep"; look into the mailbox once more
 *     poll:    sockets, bell, listeners      each: worker_enter (drain mail) ... worker_leave
 *     check:   end the turn
 *     idle:    while there is unparsed input: one slice of it for each connection in turn
 *
 * Nobody hogs the loop (rule 6): whoever does many things asks worker_budget_over() and goes on in
 * the next turn.
 */
#pragma once
#include "base/slots.h"
#include "base/timer_wheel.h"
#include "net/mailbox.h"
#include "net/output.h"
#include <uv.h>

struct connection;
struct connection_kind;

enum {
    SLAB_SIZE = 256 * 1024,   /* one socket read at most */
    SLAB_MARGIN = 64,         /* readable bytes behind a slab, so that short copies may overshoot */
    SLABS_MAX = 32,           /* slabs of one worker; connections wait for one when all are taken */
    TURN_NS = 1000 * 1000,    /* what one callback may take */
    EARLY_FLUSH = 128 * 1024, /* output of one connection that is written before the turn ends */
};

struct slab {
    struct slab *next;
    char data[SLAB_SIZE + SLAB_MARGIN];
};

/* Letters of net/ itself; the folders above number theirs from LETTER_FIRST_FREE. */
enum { LETTER_SOCKET, LETTER_STOP, LETTER_LISTEN, LETTER_UNLISTEN, LETTER_FIRST_FREE };

/* A list of connections through one of their `next` fields. */
struct connection_list {
    struct connection *first, *last;
};

struct worker {
    unsigned index;
    struct workers *workers;
    void *domain; /* what the folder above keeps per worker */
    uint64_t now_ns, entered_ns,
        turn_ns;      /* monotonic: last read; this callback's start; this turn's start */
    uint64_t wall_ns; /* wall clock, read when the turn began */
    uint32_t units;
    bool in_turn, stopping;
    struct mail mail;
    struct chunk_pool chunks;
    struct slab *slabs;
    uint32_t slabs_taken;
    struct connection_list early, dirty, runnable, closing, wait_slab, wait_credit;
    struct slots connections;
    struct timer_wheel wheel;
    uint64_t wheel_armed_ns; /* when the wheel's uv timer fires; 0: not armed */
    uv_loop_t loop;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t busy;
    uv_timer_t wheel_timer;
    uv_poll_t bell;
    pthread_t thread;
    _Atomic(uint32_t) connection_count; /* and sockets on their way; read by the one who accepts */
    /* Debug builds, in processor time: offenders against TURN_NS, and the worst one. */
    _Atomic(uint64_t) long_callbacks, longest_callback_ns;
    uint64_t entered_cpu_ns;
};

/* What the folder above wants to be told, for every worker; all run on the worker's thread. */
struct worker_hooks {
    void (*start)(struct worker *);
    void (*end_of_turn)(struct worker *); /* before the mail goes out and sockets are written */
    bool (*background)(struct worker *);  /* a slice of long work; true while there is more */
    void (*stop)(struct worker *);
};

struct workers {
    unsigned count;
    struct worker *list[ID_WORKERS_MAX];
    struct post_office office;
    letter_handler *handlers[LETTER_HANDLERS_MAX];
    struct worker_hooks hooks;
    const struct connection_kind *kinds[4]; /* by number: what an accepted socket becomes */
    struct mail control_mail;
    uint64_t credit; /* set before the start: bytes of mail under way per pair of workers; 0:
                        MAIL_CREDIT */
};

/* Starts `count` threads (1..64). Handlers, hooks and kinds are set before. Returns 0 or a negative
 * errno. */
int workers_start(struct workers *workers, unsigned count);

/* Closes all connections, ends and joins the threads, frees everything. Called by the control
 * plane's thread. */
void workers_stop(struct workers *workers);

/* The control plane's side: writes a letter and hands it over. */
struct letter *workers_letter(struct workers *workers, unsigned to, uint16_t handler, uint64_t id,
                              size_t size);
void workers_send(struct workers *workers);

void worker_enter(struct worker *worker);
void worker_leave(struct worker *worker);

/* Drains the mailbox, within the callback's budget. False: some of what was there waits for the next
 * turn; what was read from a socket meanwhile has to wait until mail.handled has come to mail.taken. */
bool worker_take_mail(struct worker *worker);

/* Writes those connections now that have much output, after handing over the mail. For use between
 * two operations. */
void worker_flush_early(struct worker *worker);

/* Counts `units` of work (one: about 50 ns) and says whether this callback has had its millisecond.
 */
bool worker_clock_over(struct worker *worker);
static inline bool worker_budget_over(struct worker *worker, uint32_t units) {
    worker->units += units;
    return worker->units >= 256 && worker_clock_over(worker);
}

/* Sets a timer, whose `fire` is called on this thread at or after the time. */
void worker_timer(struct worker *worker, struct timer *timer, uint64_t due_ns);

/* Keeps the loop from sleeping: there is work for the next turn. */
void worker_stay_awake(struct worker *worker);

struct slab *worker_slab(struct worker *worker); /* NULL when all are taken */
void worker_slab_back(struct worker *worker, struct slab *slab);
