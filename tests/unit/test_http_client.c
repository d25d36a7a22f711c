/*
 * Connections of the monitoring port and their bounds: how many, for how long, and how much of the control plane's time. The
 * worker's clock is wrapped (tests/CMakeLists.txt), so that minutes pass at once.
 */
#include "../stress/rig.h"
#include "broker/http_client.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define GET "GET /varz HTTP/1.1\r\nHost: h\r\n\r\n"
enum { MIB = 1024 * 1024, WAIT_MS = 20000, ASKED_MAX = 2 * HTTP_CONNECTIONS_MAX };

static struct rig rig;
static _Atomic(uint64_t) jumped_ns, asked;
static uint64_t ids[ASKED_MAX]; /* of the connections whose requests were asked */

int __real_clock_gettime(clockid_t which, struct timespec *t);
int __wrap_clock_gettime(clockid_t which, struct timespec *t);

int __wrap_clock_gettime(clockid_t which, struct timespec *t) {
    int result = __real_clock_gettime(which, t);
    if (which == CLOCK_MONOTONIC) t->tv_sec += (time_t)(atomic_load(&jumped_ns) / 1000000000);
    return result;
}

static void on_http(struct connection *c, struct slice method, struct slice path,
                    struct slice query, unsigned minor, bool keep_alive) {
    (void)method, (void)path, (void)query, (void)minor, (void)keep_alive;
    uint64_t n = atomic_load(&asked);
    assert_true(n < ASKED_MAX);
    ids[n] = c->id;
    atomic_store(&asked, n + 1);
}

/* Letters from the control plane to worker 0. */
static void write_letter(uint16_t handler, uint64_t id, const void *body, size_t size) {
    pthread_mutex_lock(&rig.control);
    struct letter *letter = workers_letter(&rig.broker.workers, 0, handler, id, size);
    if (size) memcpy(letter->body, body, size);
    workers_send(&rig.broker.workers);
    pthread_mutex_unlock(&rig.control);
}

static int open_http(void) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct socket_letter body = {ends[1], KIND_HTTP, false};
    write_letter(LETTER_SOCKET, 0, &body, sizeof body);
    return ends[0];
}

static void put(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads up to `size` bytes, to the end or until `wait_ms` pass without any; returns how many. */
static size_t take(int fd, char *out, size_t size, int wait_ms, bool *ended) {
    size_t n = 0;
    *ended = false;
    while (n < size) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, wait_ms) <= 0) break;
        ssize_t more = recv(fd, out + n, size - n, 0);
        *ended = more <= 0;
        if (*ended) break;
        n += (size_t)more;
    }
    return n;
}

static void expect_end(int fd) {
    char text[256];
    bool ended;
    take(fd, text, sizeof text, WAIT_MS, &ended);
    assert_true(ended);
    close(fd);
}

/* All letters before it were read, and so was what is in these sockets. */
static void settle(void) {
    struct rig_client c;
    rig_open(&rig, &c, 0, "");
    rig_sync(&c);
    rig_close(&c);
}

static int32_t count(void) {
    return atomic_load(&rig.broker.http_count);
}

static void wait_for_count(int32_t n) {
    while (count() != n) settle();
}

/* The worker's timers look at the time when one of them fires: the ping of a new client. */
static void jump(uint64_t seconds) {
    atomic_fetch_add(&jumped_ns, seconds * 1000000000);
    settle();
}

static void
a_connection_that_sends_nothing_or_half_a_head_is_closed_after_five_seconds(void **state) {
    (void)state;
    int silent = open_http(), half = open_http();
    put(half, "GET /varz HTTP/1.1\r\nHo");
    settle();
    jump(4);
    assert_int_equal(count(), 2);
    jump(2);
    expect_end(silent);
    expect_end(half);
    wait_for_count(0);
}

static void a_connection_kept_alive_is_closed_after_two_idle_minutes(void **state) {
    (void)state;
    char text[64];
    bool ended;
    int fd = open_http();
    for (uint64_t i = 1; i <= 2; i++) {
        uint64_t before = atomic_load(&asked);
        put(fd, GET);
        rig_wait_for(&asked, before + 1, "request");
        write_letter(LETTER_HTTP, ids[before], "answer", 6);
        assert_int_equal(take(fd, text, 6, WAIT_MS, &ended), 6);
        jump(100);
    }
    assert_int_equal(count(), 1);
    jump(30);
    expect_end(fd);
    wait_for_count(0);
}

static void the_next_request_waits_until_the_answer_to_the_one_before_was_read(void **state) {
    (void)state;
    static char answer[8 * MIB], got[8 * MIB];
    bool ended;
    int fd = open_http();
    uint64_t before = atomic_load(&asked);
    put(fd, GET GET GET);
    rig_wait_for(&asked, before + 1, "request");
    write_letter(LETTER_HTTP, ids[before], answer, sizeof answer);
    settle();
    assert_int_equal(atomic_load(&asked), before + 1);
    assert_int_equal(take(fd, got, sizeof got, WAIT_MS, &ended), sizeof got);
    rig_wait_for(&asked, before + 2, "second request");
    assert_int_equal(atomic_load(&asked), before + 2);
    write_letter(LETTER_HTTP, ids[before + 1], "two", 3);
    rig_wait_for(&asked, before + 3, "third request");
    write_letter(LETTER_HTTP, ids[before + 2], "three", 5);
    assert_int_equal(take(fd, got, 8, WAIT_MS, &ended), 8);
    assert_memory_equal(got, "twothree", 8);
    close(fd);
    wait_for_count(0);
}

static void expect_refusal(void) {
    char text[256] = "";
    bool ended;
    int fd = open_http();
    take(fd, text, sizeof text - 1, WAIT_MS, &ended);
    assert_true(ended);
    assert_int_equal(strncmp(text, "HTTP/1.1 503 Service Unavailable\r\n", 34), 0);
    close(fd);
}

static int fds[HTTP_CONNECTIONS_MAX];

static void one_connection_too_many_gets_503(void **state) {
    (void)state;
    for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) fds[i] = open_http();
    wait_for_count(HTTP_CONNECTIONS_MAX);
    expect_refusal();
    wait_for_count(HTTP_CONNECTIONS_MAX);
    close(fds[0]);
    wait_for_count(HTTP_CONNECTIONS_MAX - 1);
    fds[0] = open_http();
    uint64_t before = atomic_load(&asked);
    put(fds[0], GET);
    rig_wait_for(&asked, before + 1, "request");
    for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) close(fds[i]);
    wait_for_count(1);
    write_letter(LETTER_HTTP, ids[before], "late", 4);
    wait_for_count(0);
}

/* Else whoever asks and goes away would fill the control plane's queue. */
static void requests_of_connections_that_have_gone_count_until_they_are_answered(void **state) {
    (void)state;
    uint64_t before = atomic_load(&asked);
    for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        int fd = open_http();
        put(fd, GET);
        rig_wait_for(&asked, before + (uint64_t)i + 1, "request");
        close(fd);
    }
    settle();
    expect_refusal();
    for (uint64_t i = before; i < before + HTTP_CONNECTIONS_MAX; i++)
        write_letter(LETTER_HTTP, ids[i], "late", 4);
    wait_for_count(0);
}

static void answers_that_nobody_reads_are_bounded_in_bytes(void **state) {
    (void)state;
    static char answer[8 * MIB], text[64];
    enum { UNREAD = HTTP_ANSWERS_MAX / sizeof answer };
    bool ended;
    for (size_t i = 0; i <= UNREAD + 1; i++) {
        uint64_t before = atomic_load(&asked);
        fds[i] = open_http();
        put(fds[i], GET);
        rig_wait_for(&asked, before + 1, "request");
        write_letter(LETTER_HTTP, ids[before], i <= UNREAD ? answer : "small",
                     i <= UNREAD ? sizeof answer : 5);
        settle();
    }
    take(fds[UNREAD + 1], text, sizeof text, WAIT_MS, &ended);
    assert_int_equal(strncmp(text, "HTTP/1.1 503 ", 13), 0);
    for (size_t i = 0; i <= UNREAD + 1; i++) close(fds[i]);
    wait_for_count(0);
    while (atomic_load(&rig.broker.http_answers)) settle();
}

static void letters_for_a_client_find_none_in_a_connection_of_another_kind(void **state) {
    (void)state;
    uint64_t before = atomic_load(&asked), outcome = 0;
    uint32_t stall_ms = 5;
    char nobody[128] = {0}; /* an outcome: refused, with an empty subject and reply */
    char text[8];
    bool ended;
    int fd = open_http();
    put(fd, GET);
    rig_wait_for(&asked, before + 1, "request");
    uint64_t id = ids[before];
    memcpy(nobody, &outcome, sizeof outcome);
    write_letter(LETTER_ADMIT, id, &(struct admit_letter){0}, sizeof(struct admit_letter));
    write_letter(LETTER_PING, id, NULL, 0);
    write_letter(LETTER_STALL, id, &stall_ms, sizeof stall_ms);
    write_letter(LETTER_OUTCOME, id, nobody, sizeof nobody);
    write_letter(LETTER_HTTP, id, "answer", 6);
    assert_int_equal(take(fd, text, 6, WAIT_MS, &ended), 6);
    assert_memory_equal(text, "answer", 6);
    close(fd);
    wait_for_count(0);
}

static int start(void **state) {
    (void)state;
    char *argv[] = {(char[]){"test"}, NULL};
    rig_prepare(&rig, 1, argv);
    rig.options.ping_interval_ns = 1000000;
    rig_start(&rig, 1);
    rig.broker.observer.http = on_http;
    return 0;
}

static int stop(void **state) {
    (void)state;
    rig_stop(&rig);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_connection_that_sends_nothing_or_half_a_head_is_closed_after_five_seconds),
        cmocka_unit_test(a_connection_kept_alive_is_closed_after_two_idle_minutes),
        cmocka_unit_test(the_next_request_waits_until_the_answer_to_the_one_before_was_read),
        cmocka_unit_test(one_connection_too_many_gets_503),
        cmocka_unit_test(requests_of_connections_that_have_gone_count_until_they_are_answered),
        cmocka_unit_test(answers_that_nobody_reads_are_bounded_in_bytes),
        cmocka_unit_test(letters_for_a_client_find_none_in_a_connection_of_another_kind),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
