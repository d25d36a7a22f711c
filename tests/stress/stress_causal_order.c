/*
 * Causal order (rule 1): what a client could have learnt from a message has been delivered everywhere.
 *
 *   A (worker 0) publishes "x 1 n", then "b n".
 *   B (worker 1) and C (worker 0) hear "b n". B publishes "x 2 n"; C has D (worker 1) publish "x 3 n".
 *   X (worker 2) and Y (worker 1) must hear "1 n" before "2 n" and "3 n", for every n.
 *
 * Noise from worker 2 to worker 1 makes the drains of that inbox long.
 *
 * Fails when a turn's mail is handed over to one peer after the other, each under a lock of its own
 * and rung at once (X); when sockets are written before the mail is handed over (X and Y, through C);
 * when the inbox is not drained between a read and the parsing of its bytes, and when bytes are parsed
 * although mail that was there at their read has been taken but not handled (Y).
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 64, NOISES = 50, BURST = 20 };

static struct rig rig;
static struct rig_client a, b, c, d, x, y, loud, hearer;
static _Atomic(uint64_t) heard_by_x, heard_by_y; /* replies */
static _Atomic(uint64_t) asked, noises;          /* noises: bytes */
static atomic_bool over, quiet;

static void *ask(void *arg) {
    (void)arg;
    uint64_t n = 0;
    while (rig_goes_on(&rig)) {
        char text[32];
        int size = snprintf(text, sizeof text, "1 %llu", (unsigned long long)++n);
        rig_put(&a, "PUB x %d\r\n%s\r\n", size, text);
        rig_put(&a, "PUB b %d\r\n%s\r\n", size, text);
        rig_send(&a);
        atomic_store(&asked, n);
        if (n <= WINDOW) continue;
        rig_wait_for(&heard_by_x, 2 * (n - WINDOW), "X hears too little");
        rig_wait_for(&heard_by_y, 2 * (n - WINDOW), "Y hears too little");
    }
    rig_wait_for(&heard_by_x, 2 * n, "X hears too little at the end");
    rig_wait_for(&heard_by_y, 2 * n, "Y hears too little at the end");
    atomic_store(&over, true);
    return NULL;
}

/* Publishes through `to` what it hears of "b" from `from`, with another digit. */
static void relay(struct rig_client *from, struct rig_client *to, char digit) {
    struct rig_message m;
    while (!atomic_load(&over)) {
        enum rig_event event = rig_next(from, &m, 20);
        if (event == RIG_NOTHING) continue;
        if (event != RIG_MESSAGE) rig_fail("a relay hears no message");
        rig_put(to, "PUB x %zu\r\n%c", m.payload.size, digit);
        rig_put_bytes(to, m.payload.at + 1, m.payload.size - 1);
        rig_put(to, "\r\n");
        rig_send(to);
    }
}

static void *relay_b(void *arg) {
    relay(&b, &b, '2');
    return arg;
}

static void *relay_c(void *arg) {
    relay(&c, &d, '3');
    return arg;
}

/* Rounds are numbered, and A's messages come in order: so the last one heard of A is enough. */
static void check(struct rig_client *by, const char *name, _Atomic(uint64_t) *heard) {
    struct rig_message m;
    uint64_t cause = 0;
    while (!atomic_load(&over)) {
        enum rig_event event = rig_next(by, &m, 20);
        if (event == RIG_NOTHING) continue;
        if (event != RIG_MESSAGE) rig_fail("%s hears no message", name);
        size_t at = 2;
        uint64_t n = rig_number(m.payload, &at);
        if (*m.payload.at == '1') {
            if (n != cause + 1)
                rig_fail("%s: %llu follows %llu", name, (unsigned long long)n,
                         (unsigned long long)cause);
            cause = n;
        } else {
            if (n > cause)
                rig_fail("%s: reply %c to %llu came when only %llu were there", name, *m.payload.at,
                         (unsigned long long)n, (unsigned long long)cause);
            atomic_fetch_add(heard, 1);
        }
    }
}

static void *check_x(void *arg) {
    check(&x, "X", &heard_by_x);
    return arg;
}

static void *check_y(void *arg) {
    check(&y, "Y", &heard_by_y);
    return arg;
}

/* A burst at a time: noise that piles up would only make the rounds few. Now and then one is too much
 * for a turn of worker 1, which then has mail that it has taken and not read. */
static void *make_noise(void *arg) {
    static const char word[] = "PUB noise 16\r\n0123456789abcdef\r\n";
    size_t delivered = strlen("MSG noise 10 16\r\n0123456789abcdef\r\n");
    uint64_t expected = 0;
    for (unsigned n = 0; !atomic_load(&over); n++) {
        unsigned burst = n % 16 ? BURST : BURST * 100;
        for (unsigned i = 0; i < burst; i++) rig_put_bytes(&loud, word, sizeof word - 1);
        rig_send(&loud);
        expected += burst * NOISES * delivered;
        rig_wait_for(&noises, expected, "noise is not heard");
    }
    atomic_store(&quiet, true);
    return arg;
}

static void *hear_noise(void *arg) {
    while (!atomic_load(&quiet)) atomic_fetch_add(&noises, rig_discard(&hearer, 20));
    return arg;
}

int main(int argc, char **argv) {
    rig_prepare(&rig, argc, argv);
    rig_start(&rig, 3);
    struct {
        struct rig_client *client;
        unsigned worker;
        const char *subject;
    } clients[] = {{&a, 0, NULL}, {&b, 1, "b"}, {&c, 0, "b"},     {&d, 1, NULL},
                   {&x, 2, "x"},  {&y, 1, "x"}, {&loud, 2, NULL}, {&hearer, 1, NULL}};
    enum { CLIENTS = sizeof clients / sizeof *clients };
    for (int i = 0; i < CLIENTS; i++) {
        rig_open(&rig, clients[i].client, clients[i].worker, "");
        if (clients[i].subject) rig_put(clients[i].client, "SUB %s 1\r\n", clients[i].subject);
        rig_sync(clients[i].client);
    }
    for (int i = 10; i < 10 + NOISES; i++) rig_put(&hearer, "SUB noise %d\r\n", i);
    rig_sync(&hearer);
    void *(*const runs[])(void *) = {relay_b,    relay_c,    check_x, check_y,
                                     make_noise, hear_noise, ask};
    enum { THREADS = sizeof runs / sizeof *runs };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = rig_thread(runs[i], NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < CLIENTS; i++) rig_close(clients[i].client);
    rig_stop(&rig);
    printf("causal order: %llu rounds, nothing came before its cause\n", (unsigned long long)asked);
    return 0;
}
