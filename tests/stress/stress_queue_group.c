/*
 * A queue group of a thousand members over three workers, each with a maximum, and publishers on all
 * of them (rules 4 and 2): as long as anybody has room a message is taken, once; nobody takes more
 * than its maximum; what is beyond all maxima is refused.
 *
 * Fails when a refused message is not passed on to the next worker, when the publisher's own worker is
 * never asked again, and when a member's maximum is not looked at where it lives.
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS = 3,
    MEMBERS = 1000,
    CONNECTIONS = 12,
    MAXIMUM = 8, /* of one member, at most */
    MESSAGES_MAX = MEMBERS * MAXIMUM * 2,
};

struct holder {
    struct rig_client client;
    _Atomic(uint64_t) synced; /* rounds whose end it has seen */
};

static struct rig rig;
static struct holder holders[CONNECTIONS];
static unsigned maximum[MEMBERS], taken_by[MEMBERS];
static atomic_uchar taken[MESSAGES_MAX];
static _Atomic(uint64_t) delivered, refused;
static atomic_bool over;
static unsigned messages; /* of this round */

static void take(const struct rig_message *m) {
    size_t at = 0;
    uint64_t member = rig_number(m->sid, &at);
    at = 0;
    uint64_t n = rig_number(m->payload, &at);
    if (member >= MEMBERS || n >= MESSAGES_MAX) rig_fail("a strange message");
    if (++taken_by[member] > maximum[member])
        rig_fail("a member took %u, more than %u", taken_by[member], maximum[member]);
    if (atomic_fetch_add(&taken[n], 1))
        rig_fail("message %llu was taken twice", (unsigned long long)n);
    atomic_fetch_add(&delivered, 1);
}

static void *hold(void *arg) {
    struct holder *h = arg;
    struct rig_message m;
    for (;;) {
        enum rig_event event = rig_next(&h->client, &m, 20);
        if (event == RIG_MESSAGE)
            take(&m);
        else if (event == RIG_PONG)
            atomic_fetch_add(&h->synced, 1);
        else if (event != RIG_NOTHING)
            rig_fail("a member was cut off");
        else if (atomic_load(&over))
            return NULL;
    }
}

static void sync_all(void) {
    static uint64_t syncs;
    syncs++;
    for (int i = 0; i < CONNECTIONS; i++) {
        rig_put(&holders[i].client, "PING\r\n");
        rig_send(&holders[i].client);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        rig_wait_for(&holders[i].synced, syncs, "a member's connection does not answer");
}

struct publisher {
    struct rig_client client;
    unsigned number;
};

/* Its third of the messages; refusals come to its own inbox. */
static void *publish(void *arg) {
    struct publisher *p = arg;
    struct rig_message m;
    unsigned sent = 0;
    for (unsigned n = p->number; n < messages; n += WORKERS) {
        char text[16];
        int size = snprintf(text, sizeof text, "%u", n);
        rig_put(&p->client, "PUB work no.%u %d\r\n%s\r\n", p->number, size, text);
        if (++sent % 20) continue;
        rig_send(&p->client);
        while (rig_next(&p->client, &m, 0) == RIG_MESSAGE) atomic_fetch_add(&refused, 1);
    }
    rig_send(&p->client);
    while (atomic_load(&delivered) + atomic_load(&refused) < messages) {
        enum rig_event event = rig_next(&p->client, &m, 1);
        if (event == RIG_MESSAGE)
            atomic_fetch_add(&refused, 1);
        else if (event != RIG_NOTHING)
            rig_fail("a publisher was cut off");
    }
    return NULL;
}

static uint64_t subscribe(uint64_t *x) {
    uint64_t room = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        room += maximum[i] = 1 + (unsigned)(rig_random(x) % MAXIMUM);
        taken_by[i] = 0;
        rig_put(&holders[i % CONNECTIONS].client, "SUB work group %u\r\nUNSUB %u %u\r\n", i, i,
                maximum[i]);
    }
    sync_all();
    return room;
}

static void play(struct publisher *publishers, uint64_t *x) {
    pthread_t threads[WORKERS];
    uint64_t room = subscribe(x);
    messages = (unsigned)(room * (50 + rig_random(x) % 100) / 100);
    delivered = refused = 0;
    for (unsigned n = 0; n < messages; n++) taken[n] = 0;
    for (int i = 0; i < WORKERS; i++) threads[i] = rig_thread(publish, &publishers[i]);
    for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < MEMBERS; i++)
        rig_put(&holders[i % CONNECTIONS].client, "UNSUB %u\r\n", i);
    sync_all();
    uint64_t expected = messages < room ? messages : room;
    if (delivered != expected || refused != messages - expected)
        rig_fail("of %u messages %llu were taken and %llu refused; there was room for %llu",
                 messages, (unsigned long long)delivered, (unsigned long long)refused,
                 (unsigned long long)room);
}

int main(int argc, char **argv) {
    struct publisher publishers[WORKERS];
    pthread_t threads[CONNECTIONS];
    uint64_t x = 2463534242, rounds = 0, all = 0;
    rig_prepare(&rig, argc, argv);
    rig_start(&rig, WORKERS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        rig_open(&rig, &holders[i].client, i % WORKERS, "");
        threads[i] = rig_thread(hold, &holders[i]);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        publishers[i].number = i;
        rig_open(&rig, &publishers[i].client, i, "");
        rig_put(&publishers[i].client, "SUB no.%u 1\r\n", i);
        rig_sync(&publishers[i].client);
    }
    for (; rig_goes_on(&rig) || !rounds; rounds++) {
        play(publishers, &x);
        all += messages;
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
        rig_close(&holders[i].client);
    }
    for (unsigned i = 0; i < WORKERS; i++) rig_close(&publishers[i].client);
    rig_stop(&rig);
    printf("queue group: %llu messages in %llu rounds were taken once while there was room\n",
           (unsigned long long)all, (unsigned long long)rounds);
    return 0;
}
