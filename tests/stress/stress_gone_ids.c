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
 * Fails when slots_find() ignores the generation (as subscription or as connection), and when an id's
 * slot gets no new generation with its new item.
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SUBJECTS = 64,
    IDLE_SUBSCRIPTIONS = SLOTS_CHUNK - 20,
    IDLE_CONNECTIONS = SLOTS_CHUNK - 20,
    BURST = 100,
};

static struct rig rig;
static atomic_bool over;
static _Atomic(uint64_t) published, delivered, cycles, askers;
static struct rig_client idle[IDLE_CONNECTIONS];

/* Every subject to every group on it, again and again. */
static void *publish(void *arg) {
    struct rig_client c;
    uint64_t x = 88172645463325252u;
    rig_open(&rig, &c, 0, "");
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
    while (!atomic_load(&over)) {
        rig_put(&c, "SUB ask 1\r\nUNSUB 1 1\r\nPING\r\n");
        rig_send(&c);
        while (rig_next(&c, &m, 10000) == RIG_MESSAGE) continue;
    }
    rig_close(&c);
    return arg;
}

/* Asks and leaves; then listens to the same reply subject in the slots that are free again, without a question. */
static void *ask_and_leave(void *arg) {
    struct rig_client asker, listener;
    struct rig_message m;
    while (!atomic_load(&over)) {
        rig_open(&rig, &asker, 0, "");
        rig_put(&asker, "SUB answer 1\r\n");
        for (int i = 0; i < 20; i++) rig_put(&asker, "PUB ask answer 2\r\nhi\r\n");
        if (!rig_try_send(&asker)) rig_fail("an asker was cut off");
        rig_close(&asker);
        rig_open(&rig, &listener, 0, "");
        rig_put(&listener, "SUB answer 1\r\n");
        rig_sync(&listener);
        if (rig_next(&listener, &m, 0) != RIG_NOTHING)
            rig_fail("a connection that asked nothing got an answer");
        rig_close(&listener);
        atomic_fetch_add(&askers, 1);
    }
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
    void *(*const runs[])(void *) = {publish, come_and_go, vanish_as_responder, ask_and_leave};
    enum { THREADS = sizeof runs / sizeof *runs };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = rig_thread(runs[i], NULL);
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
