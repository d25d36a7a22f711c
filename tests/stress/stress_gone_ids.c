/*
 * Ids that went away with letters under way: the message or the answer finds nobody, and never
 * whoever has the slot now.
 *
 *   Subscriptions. Members of queue groups on worker 1 come and go, each named after its subject and
 *   group, while worker 0 publishes to all of them and so chooses members by id that are gone when
 *   the letter arrives. A message must come to a subscription of its own subject.
 *
 *   Connections. Clients of worker 0 ask for what only worker 1 could take, and are gone before the
 *   answer; others, who never ask, take their slots at once and listen to the same reply subject. They
 *   must not hear "no responders".
 *
 * Slots are reused oldest first, so idle subscriptions and connections fill the tables but for a few.
 *
 * Fails when finding by id ignores the generation, for subscriptions or for connections.
 */
#include "rig.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUBJECTS = 64,
    NOISES = 50,
    NOISE_BURST = 1000,
    IDLE_SUBSCRIPTIONS = SLOTS_CHUNK - 20 - NOISES,
    IDLE_CONNECTIONS = SLOTS_CHUNK - 32,
    ASKERS = 16,
    LISTENERS = 24, /* at a time: many of the slots that are free, not all */
    BURST = 100,
};

static struct rig rig;
static atomic_bool over, quiet;
static _Atomic(uint64_t) ready, published, delivered, cycles, askers, noise; /* noise: bytes */
static struct rig_client idle[IDLE_CONNECTIONS];

/* Every subject to every group on it, again and again. */
static void *publish(void *arg) {
    struct rig_client c;
    uint64_t x = 88172645463325252u;
    rig_open(&rig, &c, 0, "");
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        for (int i = 0; i < BURST; i++)
            rig_put(&c, "PUB gone.%u 2\r\nhi\r\n", (unsigned)(rig_random(&x) % SUBJECTS));
        rig_sync(&c);
        atomic_fetch_add(&published, BURST);
    }
    rig_close(&c);
    return arg;
}

static void check_message(const struct rig_message *m) {
    if (m->subject.size < 6 || !slice_starts_with(m->subject, "gone."))
        rig_fail("a message to %.*s", (int)m->subject.size, m->subject.at);
    struct slice number = slice_of(m->subject.at + 5, m->subject.size - 5);
    if (!slice_equal(number, m->sid))
        rig_fail("subscription %.*s got a message to %.*s", (int)m->sid.size, m->sid.at,
                 (int)m->subject.size, m->subject.at);
    atomic_fetch_add(&delivered, 1);
}

/* Subscribes and unsubscribes a few subjects at a time; sids are the subjects' numbers. */
static void *come_and_go(void *arg) {
    struct rig_client c;
    struct rig_message m;
    uint64_t x = 362436069;
    rig_open(&rig, &c, 1, "");
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        unsigned first = (unsigned)(rig_random(&x) % SUBJECTS), count = 1 + rig_random(&x) % 8;
        for (unsigned i = 0; i < count; i++) {
            unsigned n = (first + i) % SUBJECTS;
            rig_put(&c, "SUB gone.%u group%u %u\r\n", n, n % 3, n);
        }
        rig_put(&c, "PING\r\n");
        rig_send(&c);
        enum rig_event event;
        while ((event = rig_next(&c, &m, 10000)) == RIG_MESSAGE) check_message(&m);
        if (event != RIG_PONG) rig_fail("no PONG for a subscriber");
        for (unsigned i = 0; i < count; i++) rig_put(&c, "UNSUB %u\r\n", (first + i) % SUBJECTS);
        atomic_fetch_add(&cycles, 1);
    }
    rig_send(&c);
    rig_close(&c);
    return arg;
}

/* Of its subscribers on worker 1 all are gone by the time that the request arrives, mostly. */
static void *vanish_as_responder(void *arg) {
    struct rig_client c;
    struct rig_message m;
    rig_open(&rig, &c, 1, "");
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        rig_put(&c, "SUB ask 1\r\nUNSUB 1 1\r\nPING\r\n");
        rig_send(&c);
        while (rig_next(&c, &m, 10000) == RIG_MESSAGE) continue;
    }
    rig_close(&c);
    return arg;
}

static void *hear_noise(void *arg) {
    struct rig_client c;
    rig_open(&rig, &c, 1, "");
    for (int i = 10; i < 10 + NOISES; i++) rig_put(&c, "SUB noise %d\r\n", i);
    rig_sync(&c);
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&quiet)) atomic_fetch_add(&noise, rig_discard(&c, 20));
    rig_close(&c);
    return arg;
}

/* Keeps worker 1 busy for a while: what is asked behind it waits there. Returns the bytes it makes. */
static uint64_t make_noise(struct rig_client *c) {
    static const char word[] = "PUB noise 1\r\nx\r\n";
    for (int i = 0; i < NOISE_BURST; i++) rig_put_bytes(c, word, sizeof word - 1);
    rig_sync(c);
    return NOISE_BURST * NOISES * strlen("MSG noise 10 1\r\nx\r\n");
}

/* They ask, and their server's side is gone when this returns. */
static void ask_and_leave(struct rig_client *loud, uint64_t *noise_made, int64_t others) {
    struct rig_client leaving[ASKERS];
    for (int i = 0; i < ASKERS; i++) rig_open(&rig, &leaving[i], 0, "");
    *noise_made += make_noise(loud);
    for (int i = 0; i < ASKERS; i++) {
        rig_put(&leaving[i],
                "SUB answer 1\r\nPUB ask answer 2\r\nhi\r\nPUB ask answer 2\r\nhi\r\n");
        rig_send(&leaving[i]);
        rig_close(&leaving[i]);
    }
    while (atomic_load(&rig.broker.client_count) > others) sched_yield();
}

/* In the slots that are free again: who has asked nothing hears nothing. */
static void *ask_leave_and_listen(void *arg) {
    struct rig_client listeners[LISTENERS], loud;
    struct rig_message m;
    uint64_t noise_made = 0;
    rig_open(&rig, &loud, 0, "");
    int64_t others = atomic_load(&rig.broker.client_count); /* who stays until the end */
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        ask_and_leave(&loud, &noise_made, others);
        for (int i = 0; i < LISTENERS; i++) {
            rig_open(&rig, &listeners[i], 0, "");
            rig_put(&listeners[i], "SUB answer 1\r\n");
            rig_sync(&listeners[i]);
        }
        rig_wait_for(&noise, noise_made, "noise is not heard");
        for (int i = 0; i < LISTENERS; i++) {
            rig_put(&listeners[i], "PING\r\n");
            rig_send(&listeners[i]);
            if (rig_next(&listeners[i], &m, 60000) != RIG_PONG)
                rig_fail("a connection that asked nothing got an answer");
            rig_close(&listeners[i]);
        }
        atomic_fetch_add(&askers, ASKERS);
        while (atomic_load(&rig.broker.client_count) > others) sched_yield();
    }
    rig_close(&loud);
    atomic_store(&quiet, true);
    return arg;
}

int main(int argc, char **argv) {
    struct rig_client holder;
    rig_prepare(&rig, argc, argv);
    rig_start(&rig, 2);
    for (int i = 0; i < IDLE_CONNECTIONS; i++) rig_open(&rig, &idle[i], 0, "");
    rig_open(&rig, &holder, 1, "");
    for (int i = 0; i < IDLE_SUBSCRIPTIONS; i++) rig_put(&holder, "SUB idle.%d %d\r\n", i, i);
    rig_sync(&holder);
    void *(*const runs[])(void *) = {publish, come_and_go, vanish_as_responder, hear_noise,
                                     ask_leave_and_listen};
    enum { THREADS = sizeof runs / sizeof *runs };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = rig_thread(runs[i], NULL);
        rig_wait_for(&ready, (uint64_t)i + 1,
                     "a thread does not come up"); /* counted in `others` */
    }
    while (rig_goes_on(&rig)) usleep(10000);
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < IDLE_CONNECTIONS; i++) rig_close(&idle[i]);
    rig_close(&holder);
    rig_stop(&rig);
    printf("gone ids: %llu messages to %llu members that came and went, %llu taken; %llu askers "
           "gone\n",
           (unsigned long long)published, (unsigned long long)cycles, (unsigned long long)delivered,
           (unsigned long long)askers);
    return 0;
}
