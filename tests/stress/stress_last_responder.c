/*
 * Outcomes (rule 4): every request gets either an answer or one "no responders", although those who
 * could take it vanish with letters under way to them.
 *
 *   plain   one plain responder on worker 1                        one piece
 *   queue   a group with a member on each worker, all unsteady     one piece, passed on
 *   both    plain responders and a group on workers 1 and 2        several pieces
 *   steady  a group whose member on worker 2 stays: always answered, passed on from worker 1
 *   home    a group whose member on the asker's worker stays: always answered, passed back from worker 1
 *
 * A responder answers all that it gets, and vanishes by UNSUB, by its maximum or by closing its side.
 *
 * Fails when a refusal is not answered (no outcome), when each piece answers for itself instead of
 * being counted (503 beside an answer, or twice), when a refused message is not passed on along the
 * group (503 on "steady"), and when the publisher's own worker is never asked again (503 on "home").
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { WORKERS = 3, BATCH = 50, KEPT = 4096 };

struct responder {
    const char *subject, *queue;
    unsigned worker;
    bool stays;
    char mark; /* what it answers: members of one group have the same */
};

static const struct responder responders[] = {
    {"plain", "", 1, false, 'a'},       {"queue", "group", 0, false, 'a'},
    {"queue", "group", 1, false, 'a'},  {"queue", "group", 2, false, 'a'},
    {"both", "", 1, false, 'a'},        {"both", "", 2, false, 'b'},
    {"both", "group", 1, false, 'c'},   {"both", "group", 2, false, 'c'},
    {"steady", "group", 1, false, 'a'}, {"steady", "group", 2, true, 'a'},
    {"home", "group", 1, false, 'a'},   {"home", "group", 0, true, 'a'},
};
enum { RESPONDERS = sizeof responders / sizeof *responders };
static const char *const subjects[] = {"plain", "queue", "both", "steady", "home"};
enum { SUBJECTS = sizeof subjects / sizeof *subjects, ALWAYS = 3 /* from here on */ };

static struct rig rig;
static atomic_bool over;
static _Atomic(uint64_t) answered, refused, ready;

static void answer(struct rig_client *speaker, const struct responder *r,
                   const struct rig_message *m) {
    rig_put(speaker, "PUB %.*s 1\r\n%c\r\n", (int)m->reply.size, m->reply.at, r->mark);
    rig_send(speaker);
}

/* Answers until `until` comes, or for a little while. */
static void serve(struct rig_client *c, struct rig_client *speaker, const struct responder *r,
                  enum rig_event until) {
    struct rig_message m;
    for (;;) {
        enum rig_event event = rig_next(c, &m, until == RIG_NOTHING ? 1 : 60000);
        if (event == until) return;
        if (event != RIG_MESSAGE) rig_fail("a responder on %s was cut off", r->subject);
        answer(speaker, r, &m);
        if (until == RIG_NOTHING && m.payload.size == 1) return; /* "now": vanish behind this one */
    }
}

static void vanish(struct rig_client *c, struct rig_client *speaker, const struct responder *r,
                   bool close_it) {
    if (close_it) {
        shutdown(c->fd, SHUT_WR);
        serve(c, speaker, r, RIG_CLOSED);
        rig_close(c);
        rig_open(&rig, c, r->worker, "");
        return;
    }
    rig_put(c, "UNSUB 1\r\nPING\r\n");
    rig_send(c);
    serve(c, speaker, r, RIG_PONG);
}

static void *respond(void *arg) {
    const struct responder *r = arg;
    struct rig_client c, speaker;
    uint64_t x = 1 + (uint64_t)(r - responders) * 7919;
    rig_open(&rig, &c, r->worker, "");
    rig_open(&rig, &speaker, r->worker, "");
    if (r->stays) {
        rig_put(&c, "SUB %s %s 1\r\n", r->subject, r->queue);
        rig_sync(&c);
    }
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        if (!r->stays) {
            rig_put(&c, "SUB %s %s 1\r\n", r->subject, r->queue);
            if (rig_random(&x) % 4 == 0) rig_put(&c, "UNSUB 1 %u\r\n", 1 + (unsigned)(x >> 40) % 3);
            rig_send(&c);
        }
        if (r->stays || rig_random(&x) % 2) serve(&c, &speaker, r, RIG_NOTHING);
        if (!r->stays) vanish(&c, &speaker, r, rig_random(&x) % 8 == 0);
    }
    rig_close(&c);
    rig_close(&speaker);
    return NULL;
}

/* --- the asker ------------------------------------------------------------------------------- */

struct outcome_seen {
    uint64_t number;
    unsigned subject, marks; /* a bit for each letter */
    bool refused;
};

static struct outcome_seen seen[KEPT];
static uint64_t numbers;

static void ask(struct rig_client *c, uint64_t *x) {
    unsigned subject = (unsigned)(rig_random(x) % SUBJECTS);
    uint64_t n = ++numbers;
    seen[n % KEPT] = (struct outcome_seen){.number = n, .subject = subject};
    bool now = (*x >> 32) % 3 == 0;
    rig_put(c, "PUB %s r.%llu %d\r\n%s\r\n", subjects[subject], (unsigned long long)n, now ? 1 : 2,
            now ? "n" : "hi");
}

/* Files an answer or a refusal; true when it is the first for its request. */
static bool file(const struct rig_message *m) {
    size_t at = 2;
    uint64_t n = rig_number(m->subject, &at);
    struct outcome_seen *o = &seen[n % KEPT];
    const char *name = subjects[o->subject];
    if (o->number != n) rig_fail("something about request %llu comes late", (unsigned long long)n);
    bool first = !o->marks && !o->refused;
    if (m->headers.size) {
        if (!first) rig_fail("a request to %s was answered or refused, and then refused", name);
        if (o->subject >= ALWAYS) rig_fail("a request to %s was refused", name);
        o->refused = true;
        atomic_fetch_add(&refused, 1);
        return true;
    }
    unsigned mark = 1u << (*m->payload.at - 'a');
    if (o->refused) rig_fail("a request to %s was refused, and then answered", name);
    if (o->marks & mark) rig_fail("a request to %s was answered twice by %c", name, *m->payload.at);
    o->marks |= mark;
    atomic_fetch_add(&answered, first);
    return first;
}

static void *ask_all(void *arg) {
    struct rig_client c;
    struct rig_message m;
    uint64_t x = 521288629;
    rig_open(&rig, &c, 0, "");
    rig_put(&c, "SUB r.* 1\r\n");
    rig_sync(&c);
    while (rig_goes_on(&rig)) {
        unsigned count = 1 + (unsigned)(rig_random(&x) % BATCH), missing = count;
        for (unsigned i = 0; i < count; i++) ask(&c, &x);
        rig_send(&c);
        while (missing) {
            enum rig_event event = rig_next(&c, &m, 10000);
            if (event == RIG_NOTHING) rig_fail("%u requests have no outcome", missing);
            if (event != RIG_MESSAGE) rig_fail("the asker was cut off");
            missing -= file(&m);
        }
    }
    while (rig_next(&c, &m, 200) == RIG_MESSAGE) file(&m);
    rig_close(&c);
    return arg;
}

int main(int argc, char **argv) {
    rig_prepare(&rig, argc, argv);
    rig_start(&rig, WORKERS);
    pthread_t threads[RESPONDERS];
    for (int i = 0; i < RESPONDERS; i++)
        threads[i] = rig_thread(respond, (void *)(uintptr_t)&responders[i]);
    rig_wait_for(&ready, RESPONDERS, "responders do not come up");
    pthread_join(rig_thread(ask_all, NULL), NULL);
    atomic_store(&over, true);
    for (int i = 0; i < RESPONDERS; i++) pthread_join(threads[i], NULL);
    rig_stop(&rig);
    printf("last responder: %llu requests were answered, %llu refused, each once\n",
           (unsigned long long)answered, (unsigned long long)refused);
    return 0;
}
