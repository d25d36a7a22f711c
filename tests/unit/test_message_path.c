/*
 * What a message costs on the way between two clients of one worker, once its subject is in the match cache: no
 * allocation and no lock. Counted by wrapping the functions that do either (tests/CMakeLists.txt), on the worker's thread
 * alone. A socket read may allocate (a message cut off at its end is carried over), so the bound is per read, and a read
 * holds thousands of messages.
 */
#include "../stress/rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGES = 200000, PER_BATCH = 1000, MESSAGES_PER_COUNT = 100 };

static _Atomic(uint64_t) allocations, locks;
static _Thread_local int is_worker; /* 0: not known yet, 1: yes, -1: no */

static bool on_worker(void) {
    if (!is_worker) {
        char name[16] = "";
        pthread_getname_np(pthread_self(), name, sizeof name);
        if (!name[0]) return false;
        is_worker = strncmp(name, "worker", 6) == 0 ? 1 : -1;
    }
    return is_worker == 1;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t size) {
    if (on_worker()) atomic_fetch_add(&allocations, 1);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    if (on_worker()) atomic_fetch_add(&allocations, 1);
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size) {
    if (on_worker()) atomic_fetch_add(&allocations, 1);
    return __real_realloc(at, size);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    if (on_worker()) atomic_fetch_add(&locks, 1);
    return __real_pthread_mutex_lock(mutex);
}

static struct rig rig;
static struct rig_client publisher, subscriber;

/* Publishes batches and waits for the messages at the other end. */
static void exchange(const char *subject, int messages, int receivers) {
    for (int sent = 0; sent < messages; sent += PER_BATCH) {
        for (int i = 0; i < PER_BATCH; i++)
            rig_put(&publisher, "PUB %s 16\r\n0123456789abcdef\r\n", subject);
        rig_send(&publisher);
        for (int i = 0; i < PER_BATCH * receivers; i++) {
            struct rig_message message;
            rig_await(&subscriber, RIG_MESSAGE, &message);
        }
    }
}

static void count_exchange(const char *subject, int receivers) {
    exchange(subject, PER_BATCH * 2, receivers); /* into the cache, buffers to their size */
    atomic_store(&allocations, 0);
    atomic_store(&locks, 0);
    exchange(subject, MESSAGES, receivers);
    print_message("%s: %d messages, %llu allocations, %llu locks\n", subject, MESSAGES,
                  (unsigned long long)atomic_load(&allocations),
                  (unsigned long long)atomic_load(&locks));
    assert_true(atomic_load(&allocations) < MESSAGES / MESSAGES_PER_COUNT);
    assert_true(atomic_load(&locks) < MESSAGES / MESSAGES_PER_COUNT);
}

static void plain_subscribers_cost_no_allocation_and_no_lock(void **state) {
    (void)state;
    rig_put(&subscriber, "SUB plain.subject 1\r\nSUB plain.* 2\r\n");
    rig_sync(&subscriber);
    count_exchange("plain.subject", 2);
}

static void queue_members_cost_no_allocation_and_no_lock(void **state) {
    (void)state;
    rig_put(&subscriber, "SUB queue.subject q 3\r\nSUB queue.subject q 4\r\n");
    rig_sync(&subscriber);
    count_exchange("queue.subject", 1);
}

/* The counters work: a new connection allocates, and a subject that is not in the cache is looked up under the lock. */
static void what_does_allocate_and_lock_is_counted(void **state) {
    (void)state;
    rig_put(&subscriber, "SUB _INBOX.> 5\r\n");
    rig_sync(&subscriber);
    atomic_store(&allocations, 0);
    struct rig_client another;
    rig_open(&rig, &another, 0, "");
    rig_close(&another);
    assert_true(atomic_load(&allocations) > 0);
    atomic_store(&locks, 0);
    exchange("_INBOX.1", PER_BATCH, 1);
    assert_true(atomic_load(&locks) >= PER_BATCH / 2);
}

static int start(void **state) {
    (void)state;
    char *argv[] = {(char[]){"test"}, NULL};
    rig_prepare(&rig, 1, argv);
    rig_start(&rig, 1);
    rig_open(&rig, &publisher, 0, "");
    rig_open(&rig, &subscriber, 0, "");
    return 0;
}

static int stop(void **state) {
    (void)state;
    rig_close(&publisher);
    rig_close(&subscriber);
    rig_stop(&rig);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_subscribers_cost_no_allocation_and_no_lock),
        cmocka_unit_test(queue_members_cost_no_allocation_and_no_lock),
        cmocka_unit_test(what_does_allocate_and_lock_is_counted),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
