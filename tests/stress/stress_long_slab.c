/*
 * Nobody hogs a loop (rule 6): slabs of 256 KB full of small messages, each to many subscribers, are
 * sent to a worker by a client of its own and, as mail, by one of another worker; a request between
 * two other clients of the first worker still comes through between two slices of that.
 *
 * What is judged is the longest callback of the workers, in processor time, for the machine's other
 * threads are no fault of theirs. The bound is generous; a slab takes fifty times as long.
 *
 * Fails when the parser does not look at its budget, and when mail is read without one.
 */
#include "base/clock.h"
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FANOUT = 50,
    SLAB = SLAB_SIZE,
    PROBES_MAX = 1 << 20,
    /* A callback has 1 ms, and goes over it by at most what it does between two looks at the clock. */
    BOUND_MS = 10,
    SANITIZED_BOUND_MS = 30,
};

struct flood {
    const char *subject; /* of one size, for bytes are counted */
    unsigned publisher_on;
    struct rig_client publisher, subscriber;
    _Atomic(uint64_t) heard; /* bytes */
    uint64_t slabs;
};

static struct rig rig;
static struct flood floods[2] = {{.subject = "near", .publisher_on = 0},
                                 {.subject = "afar", .publisher_on = 1}};
static atomic_bool over;
static atomic_int flooding = 2;
static uint64_t round_trips[PROBES_MAX];
static size_t probes;

/* A slab at a time: the next one when all that came out of it has been heard. */
static void *flood(void *arg) {
    struct flood *f = arg;
    char line[64];
    int size = snprintf(line, sizeof line, "PUB %s 1\r\nx\r\n", f->subject);
    uint64_t count = SLAB / (unsigned)size, expected = 0;
    size_t delivered = strlen("MSG afar 10 1\r\nx\r\n");
    while (rig_goes_on(&rig)) {
        for (uint64_t i = 0; i < count; i++) rig_put_bytes(&f->publisher, line, (size_t)size);
        rig_send(&f->publisher);
        expected += count * FANOUT * delivered;
        rig_wait_for(&f->heard, expected, "subscribers do not hear all of a slab");
        f->slabs++;
    }
    if (f->heard > expected + strlen("PING\r\n")) rig_fail("more came than was sent");
    atomic_fetch_sub(&flooding, 1);
    return NULL;
}

static void *hear(void *arg) {
    struct flood *f = arg;
    while (!atomic_load(&over)) atomic_fetch_add(&f->heard, rig_discard(&f->subscriber, 20));
    return NULL;
}

static void probe(struct rig_client *asker, struct rig_client *answerer) {
    struct rig_message m;
    while (atomic_load(&flooding)) {
        uint64_t start = clock_monotonic_ns();
        rig_put(asker, "PUB probe 2\r\nhi\r\n");
        rig_send(asker);
        rig_await(answerer, RIG_MESSAGE, &m);
        rig_put(answerer, "PUB answer 2\r\nhi\r\n");
        rig_send(answerer);
        rig_await(asker, RIG_MESSAGE, &m);
        round_trips[probes++ % PROBES_MAX] = clock_monotonic_ns() - start;
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    struct rig_client asker, answerer;
    pthread_t hearers[2], publishers[2];
    rig_prepare(&rig, argc, argv);
    rig.options.max_pending = 1 << 30; /* a slow machine's subscribers are not to be cut off */
    rig_start(&rig, 2);
    rig_open(&rig, &asker, 0, "");
    rig_open(&rig, &answerer, 0, "");
    rig_put(&asker, "SUB answer 1\r\n");
    rig_sync(&asker);
    rig_put(&answerer, "SUB probe 1\r\n");
    rig_sync(&answerer);
    for (int i = 0; i < 2; i++) {
        struct flood *f = &floods[i];
        rig_open(&rig, &f->publisher, f->publisher_on, "");
        rig_open(&rig, &f->subscriber, 0, "");
        for (int sid = 10; sid < 10 + FANOUT; sid++)
            rig_put(&f->subscriber, "SUB %s %d\r\n", f->subject, sid);
        rig_sync(&f->subscriber);
        hearers[i] = rig_thread(hear, f);
    }
    for (int i = 0; i < 2; i++) publishers[i] = rig_thread(flood, &floods[i]);
    probe(&asker, &answerer);
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(publishers[i], NULL);
        pthread_join(hearers[i], NULL);
        rig_close(&floods[i].publisher);
        rig_close(&floods[i].subscriber);
    }
    rig_close(&asker);
    rig_close(&answerer);
    uint64_t longest = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t ns = atomic_load(&rig.broker.workers.list[i]->longest_callback_ns);
        if (ns > longest) longest = ns;
    }
    rig_stop(&rig);
    size_t kept = probes < PROBES_MAX ? probes : PROBES_MAX;
    qsort(round_trips, kept, sizeof *round_trips, by_size);
#ifdef PERIGEE_SANITIZED
    uint64_t bound = SANITIZED_BOUND_MS;
#else
    uint64_t bound = BOUND_MS;
#endif
    if (longest > bound * 1000000)
        rig_fail("a callback took %.1f ms, more than %llu", (double)longest / 1e6,
                 (unsigned long long)bound);
    printf(
        "long slab: beside %llu and %llu slabs, the longest callback took %.1f ms; %zu requests, "
        "p50 %.1f ms, p99 %.1f ms\n",
        (unsigned long long)floods[0].slabs, (unsigned long long)floods[1].slabs,
        (double)longest / 1e6, probes, (double)round_trips[kept / 2] / 1e6,
        (double)round_trips[kept * 99 / 100] / 1e6);
    return 0;
}
