/*
 * A broker that ends while its workers are full of each other's mail, connections wait for credit and
 * for requests' outcomes, sockets are being accepted and some clients do not read: it ends soon, cuts
 * everybody off and leaves nothing allocated or open.
 *
 * Fails when a connection that waits for credit is waited for although its peer has ended (the broker
 * never ends), and when letters that nobody reads any more are thrown away with what they hold
 * (descriptors stay open; under AddressSanitizer payloads leak, too).
 */
#include "base/clock.h"
#include "rig.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WORKERS = 3,
    PUBLISHERS = 4,
    HEARERS = 4,
    SIDS = 200, /* on worker 0, whose mail takes long to read */
    PATIENCE_S = 60,
    LARGE = 70 * 1000,
    BATCH = 50,
    LIGHT_BATCH = 5000,
    CREDIT = 8 * 1024, /* so that it is used up when the end comes */
};

static struct rig rig;
static atomic_bool over;
static char payload[LARGE];
static uint64_t longest; /* end */

/* To all workers, until it is cut off. */
static void *blast(void *arg) {
    struct rig_client *c = arg;
    uint64_t x = (uintptr_t)arg | 1;
    do {
        for (int i = 0; i < BATCH; i++) {
            size_t size = rig_random(&x) % 50 ? rig_random(&x) % 200 : LARGE;
            rig_put(c, "PUB %s %s %zu\r\n", rig_random(&x) % 3 ? "all" : "few",
                    rig_random(&x) % 2 ? "" : "answer", size);
            rig_put_bytes(c, payload, size);
            rig_put(c, "\r\n");
        }
    } while (rig_try_send(c));
    return NULL;
}

/* From the worker that has most to read to the one that has least: the latter has gone first. */
static void *blast_lightly(void *arg) {
    struct rig_client *c = arg;
    do {
        for (int i = 0; i < LIGHT_BATCH; i++) rig_put(c, "PUB light 10\r\n0123456789\r\n");
    } while (rig_try_send(c));
    return NULL;
}

static void *hear(void *arg) {
    struct rig_client *c = arg;
    struct rig_message m;
    while (rig_next(c, &m, 60000) != RIG_CLOSED) continue;
    return NULL;
}

/* Comes over the listener and goes, whether somebody accepts or not. */
static void *knock(void *arg) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rig.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while (!atomic_load(&over)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) usleep(1000);
        if (fd >= 0) close(fd);
    }
    return arg;
}

static void subscribe(struct rig_client *c, unsigned worker) {
    for (int sid = 0; sid < (worker == 0 ? SIDS : 1); sid++) rig_put(c, "SUB all %d\r\n", sid);
    rig_put(c, "SUB few group 1000\r\nSUB few group 1001\r\nUNSUB 1001 50\r\n");
    if (worker == 1) rig_put(c, "SUB light 1002\r\n");
    rig_sync(c);
}

static unsigned open_descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void give_up(int signal) {
    (void)signal;
    static const char text[] = "FAILED: the broker does not end\n";
    ssize_t n = write(1, text, sizeof text - 1);
    (void)n;
    _exit(1);
}

static void play(int argc, char **argv, uint64_t *x) {
    struct rig_client publishers[PUBLISHERS], hearers[HEARERS], deaf;
    pthread_t threads[PUBLISHERS + HEARERS + 1];
    unsigned n = 0;
    atomic_store(&over, false);
    rig_prepare(&rig, argc, argv);
    rig.options.write_deadline_ns = 1000 * 1000 * 1000;
    rig.options.max_pending = 1 << 30; /* nobody stalls: credit is what holds publishers */
    rig_start(&rig, WORKERS);
    rig.broker.workers.office.credit = CREDIT; /* nobody reads it before the first client */
    rig_listen(&rig);
    for (unsigned i = 0; i < HEARERS; i++) {
        rig_open(&rig, &hearers[i], i % WORKERS, "");
        subscribe(&hearers[i], i % WORKERS);
    }
    rig_open(&rig, &deaf, 1, "");
    subscribe(&deaf, 1);
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        rig_open(&rig, &publishers[i], i % WORKERS, "");
        rig_put(&publishers[i], "SUB answer 1\r\n");
        rig_sync(&publishers[i]);
    }
    for (int i = 0; i < HEARERS; i++) threads[n++] = rig_thread(hear, &hearers[i]);
    for (int i = 0; i < PUBLISHERS; i++)
        threads[n++] = rig_thread(i ? blast : blast_lightly, &publishers[i]);
    threads[n++] = rig_thread(knock, NULL);
    usleep((unsigned)(rig_random(x) % 200000));
    uint64_t start = clock_monotonic_ns();
    alarm(PATIENCE_S);
    rig_cut(&rig);
    alarm(0);
    uint64_t took = clock_monotonic_ns() - start;
    if (took > longest) longest = took;
    atomic_store(&over, true);
    while (n) pthread_join(threads[--n], NULL);
    for (int i = 0; i < PUBLISHERS; i++) rig_close(&publishers[i]);
    for (int i = 0; i < HEARERS; i++) rig_close(&hearers[i]);
    rig_close(&deaf);
}

int main(int argc, char **argv) {
    uint64_t x = 123456789, start = clock_monotonic_ns(), rounds = 0, length = 0;
    unsigned before = 0;
    memset(payload, 'x', sizeof payload);
    signal(SIGALRM, give_up);
    for (; !length || clock_monotonic_ns() < start + length; rounds++) {
        play(argc, argv, &x);
        if (!length) length = rig.end_ns - start;
        unsigned after = open_descriptors(); /* the log keeps its own from the first round on */
        if (rounds && after > before) rig_fail("%u descriptors are open, %u were", after, before);
        before = after;
    }
    printf("end: the broker ended %llu times in the middle of everything, within %.1f s\n",
           (unsigned long long)rounds, (double)longest / 1e9);
    return 0;
}
