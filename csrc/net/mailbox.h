/*
 * Letters between workers. A worker fills its struct mail during its turn, one chain of blocks for
 * each addressee, and hands everything over once, at the end of the turn; an addressee drains its
 * mailbox when it enters its next turn, and after each socket read before the bytes are parsed.
 *
 *   worker 0                  post office (one lock)           worker 1
 *   mail.to[1] = block, block ─── mail_hand_over() ───> boxes[1] = block, block ─> mail_drain()
 *   mail.to[2] = block        ───   all at once    ───> boxes[2] = block
 *
 * Causal order (rule 1 of docs/architecture.md): the hand-over of a turn to all addressees is one
 * step under one lock, so all boxes see one total order of turns, and what a client could have
 * learnt from a reply is already in every box.
 *
 * Credit (rule 3): posting cannot fail. Each pair (from, to) counts the bytes that were handed over
 * and not yet drained. A worker reads sockets only while mail_has_credit(); that bounds each count
 * by MAIL_CREDIT plus what one read can produce. Letters that letters create ignore credit: they
 * are bounded by what is in flight.
 *
 * A letter is {size, handler, id, body}. Handlers are registered at start by the folders above;
 * net/ knows none of them. The control plane is an addressee and a sender like a worker, with the
 * last index.
 */
#pragma once
#include "base/id.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAIL_BLOCK = 64 * 1024, /* bytes of a usual block; a larger letter gets a block of its own */
    MAIL_CREDIT =
        4 * 1024 *
        1024, /* bytes under way from one worker to another before the first stops reading */
    MAIL_PARTIES = ID_WORKERS_MAX + 1,
    LETTER_HANDLERS_MAX = 32,
};

struct letter {
    uint32_t size; /* of the body */
    uint16_t handler;
    uint16_t from; /* index of the sender */
    uint64_t id;   /* whom it is for, by the handler's meaning; 0 where it needs none */
    char body[];
};

struct mail_block {
    struct mail_block *next;
    uint32_t used, capacity;
    uint64_t weight; /* bytes that its letters hold besides their own: counted payloads */
    char data[];
};

/* What a party writes in its turn. */
struct mail {
    unsigned self;
    struct {
        struct mail_block *first, *last;
        uint64_t bytes;
    } to[MAIL_PARTIES];
    uint64_t addressees[2]; /* a bit for each party that has mail */
    struct mail_block *spare;
    uint32_t spares;
    /* What it has received: taken out of its box, and not handled yet. */
    struct mail_block *unread, *unread_last;
    uint32_t unread_at;      /* where the next letter stands in the first block */
    uint64_t taken, handled; /* blocks so far */
};

struct mailbox {
    _Alignas(64) _Atomic(struct mail_block *)
        first; /* changed under the office's lock, peeked at without */
    struct mail_block *last;
    atomic_bool asleep;       /* the owner waits in poll: whoever hands over mail must ring */
    atomic_bool wants_credit; /* the owner has connections that wait for credit: whoever drains its
                                 mail must ring */
    int bell;                 /* an eventfd */
};

struct post_office {
    pthread_mutex_t lock;
    unsigned parties; /* workers, and the control plane behind them */
    uint64_t credit;  /* MAIL_CREDIT, or less where outputs are bounded tighter */
    struct mailbox boxes[MAIL_PARTIES];
    _Atomic(uint64_t) (
        *under_way)[MAIL_PARTIES]; /* [from][to]: bytes handed over and not drained */
};

/* A post office for `workers` workers and the control plane; false when no eventfd can be had. */
bool post_office_init(struct post_office *office, unsigned workers);
void post_office_free(struct post_office *office);

/* Appends a letter to `to` with room for `size` bytes of body, to be filled before the turn ends.
 * Cannot fail. The pointer is valid until the next call. */
struct letter *mail_write(struct mail *mail, unsigned to, uint16_t handler, uint64_t id,
                          size_t size);

/* Counts `bytes` that the letter just written to `to` refers to, so that credit bounds them too. */
static inline void mail_add_weight(struct mail *mail, unsigned to, uint64_t bytes) {
    mail->to[to].last->weight += bytes;
    mail->to[to].bytes += bytes;
}

static inline bool mail_is_empty(const struct mail *mail) {
    return (mail->addressees[0] | mail->addressees[1]) == 0;
}

/* Hands over everything to all addressees; no other turn comes in between. Rings those who sleep.
 */
void mail_hand_over(struct post_office *office, struct mail *mail);

/* True while every addressee has less than MAIL_CREDIT of this sender's bytes, unsent ones
 * included. */
bool mail_has_credit(struct post_office *office, const struct mail *mail);

static inline bool mail_waits(struct post_office *office, unsigned self) {
    return atomic_load_explicit(&office->boxes[self].first, memory_order_acquire) != NULL;
}

/* Takes out all letters that are there and calls the handler of each in order; gives credit back.
 * After each letter `enough` is asked: when it says so, the rest stays for the next call, and the
 * answer is false. What was there at some call has been handled once mail->handled has come to where
 * mail->taken stood after it. */
typedef void letter_handler(void *context, const struct letter *letter);
typedef bool enough_mail(void *context);
bool mail_drain(struct post_office *office, struct mail *mail,
                letter_handler *const handlers[LETTER_HANDLERS_MAX], enough_mail *enough,
                void *context);

void mail_ring(struct post_office *office, unsigned whom);
void mail_free(struct mail *mail);
