/*
 * Two workers that are full of each other's mail (rule 3): each has a publisher that blasts at many
 * subscribers on the other one. Both go on, everything arrives in order, and what is under way stays
 * below the credit and what one read can add.
 *
 * Fails when a connection is read without looking for credit (what is under way grows), and when a
 * worker that waits for credit is not woken by the peer that drained (nothing goes on).
 */
#include "base/clock.h"
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SUBSCRIBERS = 4,  /* connections on each worker */
    SIDS = 4,         /* subscriptions of each */
    PAYLOAD = 2000,   /* copied into letters */
    WINDOW = 10000,   /* messages that may be under way to each side: far more than credit */
    PAUSE = 32 * 400, /* messages after which one publisher leaves the other alone */
    ALONE = 5000,     /* for so many of its messages: more than credit */
    STANDSTILL_MS = 800,
    SLACK = 2 * 1024 * 1024, /* letters made from one read beyond the credit */
};

struct subscriber {
    struct rig_client client;
    unsigned worker;
    _Atomic(uint64_t) heard;
};

static struct rig rig;
static struct subscriber subscribers[2][SUBSCRIBERS];
static _Atomic(uint64_t) sent[2]; /* to the subscribers of this worker */
static atomic_bool over;
static atomic_int publishing = 2;
static uint64_t most; /* under way from one to the other */

static bool all_heard(unsigned worker, uint64_t n) {
    for (int i = 0; i < SUBSCRIBERS; i++)
        if (atomic_load(&subscribers[worker][i].heard) < n * SIDS) return false;
    return true;
}

static void wait_for_subscribers(unsigned worker, uint64_t n) {
    for (int i = 0; i < SUBSCRIBERS; i++)
        rig_wait_for(&subscribers[worker][i].heard, n * SIDS, "subscribers hear nothing more");
}

/* Then nothing but the peer's ring wakes the other one's worker, until a timer does by chance. */
static void leave_the_other_alone(void) {
    uint64_t last = atomic_load(&sent[1]), until = last + ALONE;
    uint64_t deadline = clock_monotonic_ns() + STANDSTILL_MS * UINT64_C(1000000);
    while (rig_goes_on(&rig) && last < until) {
        uint64_t now = clock_monotonic_ns(), n = atomic_load(&sent[1]);
        if (n != last)
            deadline = now + STANDSTILL_MS * UINT64_C(1000000);
        else if (now > deadline)
            rig_fail("a worker that waits for credit is not woken");
        last = n;
        usleep(1000);
    }
}

/* On one worker, to the other. */
static void *blast(void *arg) {
    unsigned to = *(const unsigned *)arg;
    static const char padding[PAYLOAD];
    struct rig_client c;
    uint64_t n = 0;
    rig_open(&rig, &c, 1 - to, "");
    while (rig_goes_on(&rig)) {
        for (int i = 0; i < 32; i++) {
            char number[32];
            int size = snprintf(number, sizeof number, "%llu ", (unsigned long long)++n);
            rig_put(&c, "PUB to.%u %d\r\n", to, PAYLOAD);
            rig_put_bytes(&c, number, (size_t)size);
            rig_put_bytes(&c, padding, (size_t)(PAYLOAD - size));
            rig_put(&c, "\r\n");
        }
        rig_send(&c);
        atomic_store(&sent[to], n);
        if (n > WINDOW) wait_for_subscribers(to, n - WINDOW);
        if (to == 0 && n % PAUSE == 0) {
            wait_for_subscribers(to, n);
            leave_the_other_alone();
        }
    }
    wait_for_subscribers(to, n);
    atomic_fetch_sub(&publishing, 1);
    rig_close(&c);
    return arg;
}

static void *hear(void *arg) {
    struct subscriber *s = arg;
    struct rig_message m;
    uint64_t last[SIDS] = {0};
    for (;;) {
        enum rig_event event = rig_next(&s->client, &m, 20);
        if (event == RIG_NOTHING && atomic_load(&over)) return NULL;
        if (event == RIG_NOTHING) continue;
        if (event != RIG_MESSAGE) rig_fail("a subscriber was cut off");
        size_t at = 0;
        uint64_t sid = rig_number(m.sid, &at);
        at = 0;
        uint64_t n = rig_number(m.payload, &at);
        if (sid >= SIDS || n != last[sid] + 1 || m.payload.size != PAYLOAD)
            rig_fail("message %llu of %zu bytes follows %llu", (unsigned long long)n,
                     m.payload.size, (unsigned long long)last[sid]);
        last[sid] = n;
        atomic_fetch_add(&s->heard, 1);
    }
}

/* Looks all the time at what is under way. */
static void watch(void) {
    struct post_office *office = &rig.broker.workers.office;
    while (atomic_load(&publishing)) {
        for (unsigned from = 0; from < 2; from++) {
            uint64_t under_way = atomic_load(&office->under_way[from][1 - from]);
            if (under_way > most) most = under_way;
            if (under_way > office->credit + SLACK)
                rig_fail("%llu bytes are under way to worker %u", (unsigned long long)under_way,
                         1 - from);
        }
        usleep(100);
    }
}

int main(int argc, char **argv) {
    rig_prepare(&rig, argc, argv);
    rig.options.max_pending = 1 << 30; /* subscribers on a slow machine are not to be cut off */
    rig_start(&rig, 2);
    pthread_t hearers[2][SUBSCRIBERS], publishers[2];
    for (unsigned w = 0; w < 2; w++)
        for (int i = 0; i < SUBSCRIBERS; i++) {
            struct subscriber *s = &subscribers[w][i];
            rig_open(&rig, &s->client, w, "");
            for (int sid = 0; sid < SIDS; sid++) rig_put(&s->client, "SUB to.%u %d\r\n", w, sid);
            rig_sync(&s->client);
            hearers[w][i] = rig_thread(hear, s);
        }
    static unsigned workers[2] = {0, 1};
    for (unsigned w = 0; w < 2; w++) publishers[w] = rig_thread(blast, &workers[w]);
    watch();
    for (unsigned w = 0; w < 2; w++) pthread_join(publishers[w], NULL);
    for (unsigned w = 0; w < 2; w++)
        if (!all_heard(w, sent[w])) rig_fail("something was lost");
    atomic_store(&over, true);
    for (unsigned w = 0; w < 2; w++)
        for (int i = 0; i < SUBSCRIBERS; i++) {
            pthread_join(hearers[w][i], NULL);
            rig_close(&subscribers[w][i].client);
        }
    rig_stop(&rig);
    printf(
        "mutually full: %llu and %llu messages arrived %d times each, at most %llu KB under way\n",
        (unsigned long long)sent[0], (unsigned long long)sent[1], SUBSCRIBERS * SIDS,
        (unsigned long long)most / 1024);
    return 0;
}
