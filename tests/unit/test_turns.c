/*
 * Nobody hogs a loop: what there is much of is done over several turns. How much is done in one turn is counted by wrapping
 * the function that does it (tests/CMakeLists.txt), on the worker's thread alone; each call is made to take a while, so that
 * the worker's budget is what ends a slice.
 */
#include "../stress/rig.h"
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENTS = 1500, SUBSCRIPTIONS = 20000, BURN_NS = 5000 };
enum { MIB = 1024 * 1024, MESSAGE = 32 * 1024, MESSAGES = 16 * MIB / MESSAGE };

static struct rig rig;
static struct rig_client clients[CLIENTS];

/* What one turn did of the thing that is counted; the most that any turn did; all of them. */
struct count {
    uint64_t turn_ns, here;
    _Atomic(uint64_t) most, total;
};
static struct count bytes_written, writes, shutdowns, locks, allocations;
static _Atomic(bool) swallow; /* sendmsg() says that it has written everything */
static _Atomic(bool) slow;    /* what is counted takes a while */

static const struct worker *worker(void) {
    static _Thread_local int known; /* 1: this thread is the worker, -1: it is not */
    if (!known) {
        char name[16] = "";
        pthread_getname_np(pthread_self(), name, sizeof name);
        known = strncmp(name, "worker", 6) == 0 ? 1 : -1;
    }
    return known == 1 ? rig.broker.workers.list[0] : NULL;
}

static void count(struct count *c, uint64_t n) {
    const struct worker *w = worker();
    if (!w || !atomic_load(&slow)) return;
    if (c->turn_ns != w->turn_ns) c->here = 0;
    c->turn_ns = w->turn_ns;
    c->here += n;
    if (c->here > atomic_load(&c->most)) atomic_store(&c->most, c->here);
    atomic_fetch_add(&c->total, n);
    for (uint64_t until = clock_monotonic_ns() + BURN_NS; clock_monotonic_ns() < until;) continue;
}

static void begin(void) {
    struct count *all[] = {&bytes_written, &writes, &shutdowns, &locks, &allocations};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        atomic_store(&all[i]->most, 0);
        atomic_store(&all[i]->total, 0);
    }
    atomic_store(&slow, true);
}

static void end(void) {
    atomic_store(&slow, false);
}

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
    size_t all = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) all += message->msg_iov[i].iov_len;
    ssize_t n = atomic_load(&swallow) ? (ssize_t)all : __real_sendmsg(fd, message, flags);
    count(&writes, 1);
    if (n > 0) count(&bytes_written, (uint64_t)n);
    return n;
}

int __wrap_shutdown(int fd, int how) {
    count(&shutdowns, 1);
    return __real_shutdown(fd, how);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    count(&locks, 1);
    return __real_pthread_mutex_lock(mutex);
}

void *__wrap_malloc(size_t size) {
    count(&allocations, 1);
    return __real_malloc(size);
}

static void much_output_of_one_connection_is_written_over_several_turns(void **state) {
    (void)state;
    struct rig_client *subscriber = &clients[0], *publisher = &clients[1];
    static char payload[MESSAGE];
    rig_put(subscriber, "SUB much 1\r\n");
    rig_sync(subscriber);
    for (int i = 0; i < MESSAGES; i++) {
        rig_put(publisher, "PUB much %d\r\n", MESSAGE);
        rig_put_bytes(publisher, payload, MESSAGE);
        rig_put(publisher, "\r\n");
    }
    rig_sync(publisher);
    atomic_store(&swallow, true);
    begin();
    while (atomic_load(&bytes_written.total) < 8 * MIB) rig_discard(subscriber, 1);
    end();
    atomic_store(&swallow, false);
    print_message("%llu bytes in one turn\n", (unsigned long long)atomic_load(&bytes_written.most));
    assert_true(atomic_load(&bytes_written.most) <= 3 * MIB);
}

static void a_repeated_connect_loses_many_subscriptions_over_several_turns(void **state) {
    (void)state;
    struct rig_client *c = &clients[2];
    for (int i = 0; i < SUBSCRIPTIONS; i++) rig_put(c, "SUB many.%d %d\r\n", i, i);
    rig_sync(c);
    begin();
    rig_put(c, "CONNECT {\"verbose\":false}\r\nPUB many.7 0\r\n\r\n");
    rig_sync(c); /* and no message comes */
    end();
    print_message("%llu locks in one turn\n", (unsigned long long)atomic_load(&locks.most));
    assert_true(atomic_load(&locks.total) >= SUBSCRIPTIONS);
    assert_true(atomic_load(&locks.most) <= SUBSCRIPTIONS / 4);
}

static void send_info(const char *tail) {
    const char head[] = "INFO {\"server_id\":\"NEW\"";
    pthread_mutex_lock(&rig.control);
    struct letter *letter =
        workers_letter(&rig.broker.workers, 0, LETTER_INFO, 0, sizeof head + strlen(tail) + 1);
    memcpy(letter->body, head, sizeof head);
    memcpy(letter->body + sizeof head, tail, strlen(tail) + 1);
    workers_send(&rig.broker.workers);
    pthread_mutex_unlock(&rig.control);
}

/* The last INFO is what a client has in the end, though it comes while the one before is on its way. */
static void all_clients_are_told_over_several_turns_and_the_last_word_counts(void **state) {
    (void)state;
    begin();
    send_info("}\r\n");
    send_info(",\"last\":true}\r\n");
    rig_wait_for(&writes.total, CLIENTS - 1, "clients to be told");
    end();
    print_message("%llu of %d in one turn\n", (unsigned long long)atomic_load(&writes.most),
                  CLIENTS);
    assert_true(atomic_load(&writes.most) <= CLIENTS / 2);
    assert_true(atomic_load(&allocations.most) <= CLIENTS / 2);
    for (int i = 3; i < CLIENTS; i++) {
        char text[4096] = "", *last = NULL;
        for (size_t n = 0; !last; last = strstr(text, "\"last\":true")) {
            ssize_t more = recv(clients[i].fd, text + n, sizeof text - 1 - n, 0);
            assert_true(more > 0);
            n += (size_t)more;
        }
        assert_null(strstr(last, "INFO"));
    }
}

static void many_connections_are_closed_over_several_turns(void **state) {
    (void)state;
    begin();
    broker_stop(&rig.broker);
    end();
    print_message("%llu of %d in one turn\n", (unsigned long long)atomic_load(&shutdowns.most),
                  CLIENTS);
    assert_int_equal(atomic_load(&shutdowns.total), CLIENTS);
    assert_true(atomic_load(&shutdowns.most) <= CLIENTS / 2);
}

static int start(void **state) {
    (void)state;
    char *argv[] = {(char[]){"test"}, NULL};
    rig_prepare(&rig, 1, argv);
    rig_start(&rig, 1);
    for (int i = 0; i < CLIENTS; i++) rig_open(&rig, &clients[i], 0, ",\"protocol\":1");
    return 0;
}

static int stop(void **state) {
    (void)state;
    for (int i = 0; i < CLIENTS; i++) rig_close(&clients[i]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_output_of_one_connection_is_written_over_several_turns),
        cmocka_unit_test(a_repeated_connect_loses_many_subscriptions_over_several_turns),
        cmocka_unit_test(all_clients_are_told_over_several_turns_and_the_last_word_counts),
        cmocka_unit_test(many_connections_are_closed_over_several_turns),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
