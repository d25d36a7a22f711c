#include "rig.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 * 1000 };
#define HOUR_NS UINT64_C(3600000000000)

void rig_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("FAILED: ", stdout);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    _exit(1);
}

/* --- the broker ----------------------------------------------------------------------------------
 */

static void admit(struct client *c) {
    struct worker *w = c->connection.worker;
    struct letter *letter =
        mail_write(&w->mail, w->index, LETTER_ADMIT, c->connection.id, sizeof(struct admit_letter));
    memset(letter->body, 0, sizeof(struct admit_letter));
}

static void ignore_closed(struct client *c) {
    (void)c;
}

static void ignore_answer(uint64_t request, unsigned worker) {
    (void)request;
    (void)worker;
}

static void ignore_http(struct connection *c, struct slice method, struct slice path,
                        struct slice query, unsigned minor, bool keep_alive) {
    (void)c, (void)method, (void)path, (void)query, (void)minor, (void)keep_alive;
}

static double seconds(int argc, char **argv) {
    const char *text = argc > 1 ? argv[1] : getenv("PERIGEE_STRESS_SECONDS");
    double n = text ? strtod(text, NULL) : 5;
    if (n <= 0) rig_fail("\"%s\" is no number of seconds", text);
    return n;
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void rig_prepare(struct rig *rig, int argc, char **argv) {
    double n = seconds(argc, argv);
    memset(rig, 0, sizeof *rig);
    pthread_mutex_init(&rig->control, NULL);
    raise_descriptor_limit();
    hash_seed();
    char error[256];
    if (log_configure(&(struct log_settings){.file = "/dev/null"}, error, sizeof error) != 0)
        rig_fail("%s", error);
    broker_prepare(&rig->broker);
    rig->options = (struct perigee_options){
        .max_payload = 1024 * 1024,
        .max_pending = 64 * 1024 * 1024,
        .max_connections = 64 * 1024,
        .max_control_line = 4096,
        .ping_max = 1000,
        .ping_interval_ns = HOUR_NS,
        .write_deadline_ns = 10 * INT64_C(1000000000),
        .headers = true,
        .match_cache = true,
        .first = {"INFO {\"server_id\":\"RIG\"", "}\r\n"},
        .connected = {"INFO {\"server_id\":\"RIG\"", "}\r\n"},
    };
    rig->end_ns = clock_monotonic_ns() + (uint64_t)(n * 1e9);
}

void rig_start(struct rig *rig, unsigned workers) {
    struct broker_observer observer = {admit, ignore_closed, ignore_answer, ignore_http};
    int failed = broker_start(&rig->broker, workers, &rig->options, &observer);
    if (failed) rig_fail("the broker does not start: %s", strerror(-failed));
}

/* What closed clients leave behind goes away in slices. */
static void wait_until_forgotten(struct rig *rig) {
    struct broker *b = &rig->broker;
    uint64_t deadline = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);
    for (;;) {
        uint64_t subscriptions = 0;
        for (unsigned i = 0; i < b->workers.count; i++)
            subscriptions += counter_get(&b->per_worker[i]->totals.subscriptions);
        interest_lock(&b->interest, 0);
        uint64_t indexed = subject_index_stats(b->global->index).nodes;
        interest_unlock(&b->interest, 0);
        int64_t clients = atomic_load(&b->client_count);
        if (!subscriptions && !indexed && !clients) return;
        if (clock_monotonic_ns() > deadline)
            rig_fail(
                "closed, yet there are %lld clients, %llu subscriptions, %llu nodes in the index",
                (long long)clients, (unsigned long long)subscriptions, (unsigned long long)indexed);
        sched_yield();
    }
}

void rig_stop(struct rig *rig) {
    wait_until_forgotten(rig);
    rig_cut(rig);
}

void rig_cut(struct rig *rig) {
    broker_stop(&rig->broker);
    log_stop();
    pthread_mutex_destroy(&rig->control);
}

bool rig_goes_on(const struct rig *rig) {
    return clock_monotonic_ns() < rig->end_ns;
}

void rig_give(struct rig *rig, unsigned worker, int fd) {
    struct workers *workers = &rig->broker.workers;
    pthread_mutex_lock(&rig->control);
    struct letter *letter =
        workers_letter(workers, worker, LETTER_SOCKET, 0, sizeof(struct socket_letter));
    *(struct socket_letter *)(void *)letter->body = (struct socket_letter){fd, KIND_CLIENT, false};
    workers_send(workers);
    pthread_mutex_unlock(&rig->control);
}

/* --- clients -------------------------------------------------------------------------------------
 */

static void greet(struct rig *rig, struct rig_client *c, int fd, const char *options) {
    *c = (struct rig_client){.rig = rig, .fd = fd};
    rig_put(
        c,
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true%s}"
        "\r\n",
        options);
    rig_sync(c);
}

void rig_open(struct rig *rig, struct rig_client *c, unsigned worker, const char *options) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        rig_fail("socketpair: %s", strerror(errno));
    rig_give(rig, worker, ends[1]);
    greet(rig, c, ends[0], options);
}

void rig_listen(struct rig *rig) {
    char error[256];
    int fd = listener_bind("127.0.0.1", 0, &rig->port, error, sizeof error);
    if (fd < 0) rig_fail("%s", error);
    pthread_mutex_lock(&rig->control);
    listener_accept(&rig->broker.workers, fd, KIND_CLIENT);
    pthread_mutex_unlock(&rig->control);
}

void rig_connect(struct rig *rig, struct rig_client *c, const char *options) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rig->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        rig_fail("connect: %s", strerror(errno));
    greet(rig, c, fd, options);
}

void rig_close(struct rig_client *c) {
    close(c->fd);
    free(c->in);
    free(c->out);
    *c = (struct rig_client){.fd = -1};
}

void rig_put_bytes(struct rig_client *c, const char *at, size_t size) {
    if (c->out_size + size > c->out_room) {
        c->out_room = (c->out_size + size) * 2;
        c->out = memory_resize(c->out, c->out_room);
    }
    memcpy(c->out + c->out_size, at, size);
    c->out_size += size;
}

void rig_put(struct rig_client *c, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text) rig_fail("too long to put: %s", format);
    rig_put_bytes(c, text, (size_t)n);
}

static bool wait_for_socket(const struct rig_client *c, short what, int timeout_ms) {
    struct pollfd p = {.fd = c->fd, .events = what};
    int n;
    do n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

bool rig_try_send(struct rig_client *c) {
    size_t sent = 0;
    while (sent < c->out_size) {
        ssize_t n = send(c->fd, c->out + sent, c->out_size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            sent += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for_socket(c, POLLOUT, PATIENCE_MS)) rig_fail("the server does not read");
        } else if (errno != EINTR) {
            c->out_size = 0;
            return false;
        }
    }
    c->out_size = 0;
    return true;
}

void rig_send(struct rig_client *c) {
    if (!rig_try_send(c)) rig_fail("the server has closed a connection: %s", strerror(errno));
}

/* False: nothing came in time, or the connection has ended. */
static bool read_more(struct rig_client *c, int timeout_ms, bool *closed) {
    if (c->at == c->end) c->at = c->end = 0;
    if (c->at > c->in_room / 2) {
        memmove(c->in, c->in + c->at, c->end - c->at);
        c->end -= c->at;
        c->at = 0;
    }
    if (c->in_room - c->end < 64 * 1024) {
        c->in_room = c->in_room ? c->in_room * 2 : 256 * 1024;
        c->in = memory_resize(c->in, c->in_room);
    }
    for (;;) {
        ssize_t n = recv(c->fd, c->in + c->end, c->in_room - c->end, MSG_DONTWAIT);
        if (n > 0) {
            c->end += (size_t)n;
            return true;
        }
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            *closed = true;
            return false;
        }
        if (timeout_ms == 0 || !wait_for_socket(c, POLLIN, timeout_ms)) return false;
    }
}

uint64_t rig_number(struct slice text, size_t *at) {
    uint64_t n = 0;
    while (*at < text.size && text.at[*at] >= '0' && text.at[*at] <= '9')
        n = n * 10 + (uint64_t)(text.at[(*at)++] - '0');
    ++*at;
    return n;
}

/* "subject sid [reply] [header size] size" */
static bool take_message(struct rig_client *c, struct slice line, bool with_headers,
                         size_t line_size, struct rig_message *m) {
    struct slice words[6] = {{0}};
    unsigned count = 0;
    for (size_t at = 0, start = 0; at <= line.size && count < 6; at++) {
        if (at < line.size && line.at[at] != ' ') continue;
        words[count++] = slice_of(line.at + start, at - start);
        start = at + 1;
    }
    unsigned sizes = with_headers ? 2 : 1;
    if (count != 2 + sizes && count != 3 + sizes)
        rig_fail("a strange message line: %.*s", (int)line.size, line.at);
    size_t at = 0, headers = 0, total = rig_number(words[count - 1], &at);
    if (with_headers) {
        at = 0;
        headers = rig_number(words[count - 2], &at);
    }
    if (c->end - c->at < line_size + total + 2) return false;
    const char *body = c->in + c->at + line_size;
    if (headers > total || memcmp(body + total, "\r\n", 2) != 0)
        rig_fail("a message of a wrong size");
    *m = (struct rig_message){
        .subject = words[0],
        .sid = words[1],
        .reply = count == 3 + sizes ? words[2] : (struct slice){0},
        .headers = slice_of(body, headers),
        .payload = slice_of(body + headers, total - headers),
    };
    c->at += line_size + total + 2;
    return true;
}

/* One line, or a whole message; RIG_NOTHING: incomplete. `*passed`: one that nobody wants to see. */
static enum rig_event take(struct rig_client *c, struct rig_message *m, bool *passed) {
    const char *start = c->in + c->at;
    const char *newline = c->end > c->at ? memchr(start, '\n', c->end - c->at) : NULL;
    if (!newline) return RIG_NOTHING;
    size_t size = (size_t)(newline + 1 - start);
    struct slice line = slice_of(start, size > 1 && newline[-1] == '\r' ? size - 2 : size - 1);
    bool with_headers = slice_starts_with(line, "HMSG ");
    if (with_headers || slice_starts_with(line, "MSG ")) {
        size_t verb = with_headers ? 5 : 4;
        struct slice rest = slice_of(line.at + verb, line.size - verb);
        return take_message(c, rest, with_headers, size, m) ? RIG_MESSAGE : RIG_NOTHING;
    }
    c->at += size;
    if (slice_is(line, "PONG")) return RIG_PONG;
    if (slice_starts_with(line, "-ERR")) {
        *m = (struct rig_message){.payload = line};
        return RIG_ERROR;
    }
    *passed = slice_starts_with(line, "INFO ") || slice_is(line, "PING") || slice_is(line, "+OK");
    if (!*passed) rig_fail("the server says: %.*s", (int)line.size, line.at);
    return RIG_NOTHING;
}

enum rig_event rig_next(struct rig_client *c, struct rig_message *m, int timeout_ms) {
    bool closed = false;
    for (;;) {
        bool passed = false;
        enum rig_event event = take(c, m, &passed);
        if (event != RIG_NOTHING) return event;
        if (!passed && !read_more(c, timeout_ms, &closed)) return closed ? RIG_CLOSED : RIG_NOTHING;
    }
}

size_t rig_discard(struct rig_client *c, int timeout_ms) {
    bool closed = false;
    c->at = c->end = 0;
    if (!read_more(c, timeout_ms, &closed) && closed) rig_fail("a listener was cut off");
    return c->end;
}

void rig_await(struct rig_client *c, enum rig_event event, struct rig_message *m) {
    static const char *const names[] = {"nothing", "a closed connection", "PONG", "a message",
                                        "-ERR"};
    enum rig_event got = rig_next(c, m, PATIENCE_MS);
    if (got != event) rig_fail("%s came instead of %s", names[got], names[event]);
}

void rig_sync(struct rig_client *c) {
    struct rig_message none;
    rig_put(c, "PING\r\n");
    rig_send(c);
    rig_await(c, RIG_PONG, &none);
}

/* --- others --------------------------------------------------------------------------------------
 */

pthread_t rig_thread(void *(*run)(void *), void *arg) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, arg) != 0) rig_fail("no thread can be had");
    return thread;
}

uint64_t rig_random(uint64_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

void rig_wait_for(const _Atomic(uint64_t) *count, uint64_t least, const char *what) {
    uint64_t deadline = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);
    while (atomic_load(count) < least) {
        if (clock_monotonic_ns() > deadline)
            rig_fail("%s: %llu of %llu", what, (unsigned long long)atomic_load(count),
                     (unsigned long long)least);
        sched_yield();
    }
}
