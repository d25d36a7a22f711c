/*
 * A storm: clients come over a listener or straight to a worker, subscribe, unsubscribe, publish and
 * request on the same few subjects, small and large, with and without headers, read or do not read,
 * say something wrong, and leave in the middle of a line. Beside them one pair exchanges numbered
 * messages over two workers, which all arrive in order.
 *
 * At the end nothing is left: no client, no subscription, no node of the index, no memory.
 *
 * Fails under AddressSanitizer when a subscription is buried at once instead of at the turn's end, when
 * a cached match is used although its generations have moved on, and when a change of the index takes
 * one worker's lock instead of all; and in every build when a client that closes leaves subscriptions.
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { WORKERS = 3, STORMERS = 6, WINDOW = 200, LARGE = 100 * 1000, ACTIONS = 60 };

static struct rig rig;
static _Atomic(uint64_t) heard, connections, published;
static atomic_bool over;
static char payload[LARGE + 2];

static const char *const literals[] = {"storm.a", "storm.b", "storm.a.b", "storm.c.d.e",
                                       "$storm.x.y"};
static const char *const wanted[] = {"storm.a", "storm.b", "storm.*",     "storm.>",
                                     "*.a.b",   "*.*",     "storm.c.*.e", "$storm.x.>"};
static const char *const queues[] = {"", "", "q1", "q2"};

#define ONE_OF(x, array) (array)[rig_random(x) % (sizeof(array) / sizeof *(array))]

static void put_publish(struct rig_client *c, uint64_t *x) {
    size_t size = rig_random(x) % 100 ? rig_random(x) % 300 : LARGE - rig_random(x) % 50000;
    const char *subject = ONE_OF(x, literals), *reply = rig_random(x) % 3 ? "" : "storm.answer";
    if (rig_random(x) % 4) {
        rig_put(c, "PUB %s %s %zu\r\n", subject, reply, size);
    } else {
        const char headers[] = "NATS/1.0\r\nA: b\r\n\r\n";
        rig_put(c, "HPUB %s %s %zu %zu\r\n%s", subject, reply, sizeof headers - 1,
                size + sizeof headers - 1, headers);
    }
    rig_put_bytes(c, payload, size);
    rig_put(c, "\r\n");
    atomic_fetch_add(&published, 1);
}

static void put_something(struct rig_client *c, uint64_t *x) {
    unsigned sid = (unsigned)(rig_random(x) % 100);
    switch (rig_random(x) % 16) {
    case 0:
    case 1:
    case 2:
        rig_put(c, "SUB %s %s %u\r\n", ONE_OF(x, wanted), ONE_OF(x, queues), sid);
        break;
    case 3:
        rig_put(c, "UNSUB %u\r\n", sid);
        break;
    case 4:
        rig_put(c, "UNSUB %u %u\r\n", sid, 1 + (unsigned)(rig_random(x) % 5));
        break;
    case 5:
        rig_put(c, "SUB storm.answer %u\r\n", sid);
        break;
    case 6:
        rig_put(c, "PING\r\n");
        break;
    case 7: /* many at once: reaped in slices when it leaves */
        if (rig_random(x) % 8 == 0)
            for (int i = 0; i < 200; i++) rig_put(c, "SUB storm.many.%d m%d\r\n", i % 50, i);
        break;
    case 8: /* a second CONNECT begins anew */
        if (rig_random(x) % 8 == 0)
            rig_put(c, "CONNECT {\"verbose\":false,\"headers\":%s,\"no_responders\":%s}\r\n",
                    *x % 2 ? "true" : "false", *x % 2 ? "true" : "false");
        break;
    default:
        put_publish(c, x);
    }
}

/* Sends, and mostly reads what has come. False: the server has had enough of it. */
static bool act(struct rig_client *c, uint64_t *x, bool reads) {
    struct rig_message m;
    for (unsigned i = (unsigned)(rig_random(x) % 10); i > 0; i--) put_something(c, x);
    if (rig_random(x) % 100 == 0) rig_put(c, "NONSENSE\r\n");
    if (!rig_try_send(c)) return false;
    for (enum rig_event event = RIG_PONG; reads && event != RIG_NOTHING;) {
        event = rig_next(c, &m, 0);
        if (event == RIG_CLOSED) return false;
    }
    return true;
}

static void leave(struct rig_client *c, uint64_t *x) {
    static const char *const last_words[] = {"", "PUB storm.a 10\r\nhal", "SUB st",
                                             "PUB storm.b 90000\r\nx"};
    rig_put(c, "%s", ONE_OF(x, last_words));
    rig_try_send(c);
    if (rig_random(x) % 2) shutdown(c->fd, SHUT_WR);
    rig_close(c);
}

static void *storm(void *arg) {
    uint64_t x = 7 + *(const unsigned *)arg * UINT64_C(88172645463325252);
    while (!atomic_load(&over)) {
        struct rig_client c;
        const char *options = rig_random(&x) % 2 ? "" : ",\"echo\":false";
        if (rig_random(&x) % 2)
            rig_connect(&rig, &c, options);
        else
            rig_open(&rig, &c, (unsigned)(rig_random(&x) % WORKERS), options);
        atomic_fetch_add(&connections, 1);
        bool reads = rig_random(&x) % 8 != 0;
        for (unsigned i = (unsigned)(rig_random(&x) % ACTIONS); i > 0; i--)
            if (!act(&c, &x, reads)) break;
        leave(&c, &x);
    }
    return NULL;
}

static void *say_numbers(void *arg) {
    struct rig_client *c = arg;
    uint64_t n = 0;
    while (rig_goes_on(&rig)) {
        char number[24];
        int size = snprintf(number, sizeof number, "%llu", (unsigned long long)++n);
        rig_put(c, "PUB steady %d\r\n%s\r\n", size, number);
        rig_send(c);
        if (n > WINDOW) rig_wait_for(&heard, n - WINDOW, "the steady pair is held up");
    }
    rig_wait_for(&heard, n, "the steady pair has lost something");
    atomic_store(&over, true);
    return NULL;
}

static void *hear_numbers(void *arg) {
    struct rig_client *c = arg;
    struct rig_message m;
    while (!atomic_load(&over)) {
        enum rig_event event = rig_next(c, &m, 20);
        if (event == RIG_NOTHING) continue;
        if (event != RIG_MESSAGE) rig_fail("the steady subscriber was cut off");
        size_t at = 0;
        uint64_t n = rig_number(m.payload, &at);
        if (n != atomic_fetch_add(&heard, 1) + 1)
            rig_fail("the steady subscriber heard %llu too early", (unsigned long long)n);
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct rig_client speaker, hearer;
    pthread_t threads[STORMERS], steady[2];
    static unsigned numbers[STORMERS];
    memset(payload, 'x', sizeof payload);
    rig_prepare(&rig, argc, argv);
    rig.options.max_pending = 1024 * 1024; /* those who do not read are cut off */
    rig.options.write_deadline_ns = 200 * 1000 * 1000;
    rig_start(&rig, WORKERS);
    rig_listen(&rig);
    rig_open(&rig, &speaker, 0, "");
    rig_open(&rig, &hearer, 1, "");
    rig_put(&hearer, "SUB steady 1\r\n");
    rig_sync(&hearer);
    for (unsigned i = 0; i < STORMERS; i++) {
        numbers[i] = i + 1;
        threads[i] = rig_thread(storm, &numbers[i]);
    }
    steady[0] = rig_thread(say_numbers, &speaker);
    steady[1] = rig_thread(hear_numbers, &hearer);
    for (int i = 0; i < 2; i++) pthread_join(steady[i], NULL);
    for (int i = 0; i < STORMERS; i++) pthread_join(threads[i], NULL);
    rig_close(&speaker);
    rig_close(&hearer);
    rig_stop(&rig);
    printf("storm: %llu connections published %llu messages; %llu steady ones arrived in order\n",
           (unsigned long long)connections, (unsigned long long)published,
           (unsigned long long)heard);
    return 0;
}
