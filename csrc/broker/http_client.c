#include "broker/http_client.h"
#include "base/memory.h"
#include "broker/broker.h"
#include "wire/http_request.h"
#include <assert.h>
#include <stdlib.h>

#define HEADER_TIMEOUT_NS UINT64_C(5000000000) /* as in Go */
#define IDLE_TIMEOUT_NS UINT64_C(120000000000)
#define WRITE_DEADLINE_NS UINT64_C(60000000000)

struct http_client {
    struct connection connection; /* first */
    struct http_request *request; /* while a request is being read */
    struct timer timer;           /* for a head to come, or for the next request */
    bool keep_alive;
    bool asked;        /* a request is with the control plane */
    int64_t answering; /* bytes of its answer, while that is being written */
};

static struct http_client *http_of(struct connection *c) {
    return (struct http_client *)(void *)c;
}

static void on_timeout(struct timer *timer) {
    struct http_client *h =
        (struct http_client *)(void *)((char *)timer - offsetof(struct http_client, timer));
    connection_close(&h->connection, CLOSE_CLIENT_CLOSED, true);
}

static struct broker *broker_behind(const struct worker *w) {
    return broker_of(w->workers);
}

static void say_busy(struct connection *c) {
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
    connection_append(c, busy, sizeof busy - 1);
    connection_close(c, CLOSE_MAX_CONNECTIONS, true);
}

static void opened(struct connection *c) {
    struct http_client *h = http_of(c);
    if (atomic_fetch_add(&broker_behind(c->worker)->http_count, 1) >= HTTP_CONNECTIONS_MAX) {
        say_busy(c);
        return;
    }
    h->timer.fire = on_timeout;
    worker_timer(c->worker, &h->timer, c->worker->now_ns + HEADER_TIMEOUT_NS);
}

static void refuse(struct http_client *h) {
    char text[HTTP_REFUSAL_BYTES];
    size_t n = http_request_refusal(h->request, text, sizeof text);
    connection_append(&h->connection, text, n);
    connection_close(&h->connection, CLOSE_CLIENT_CLOSED, true);
}

static size_t use_bytes(struct connection *c, const char *at, size_t size) {
    struct http_client *h = http_of(c);
    if (!h->request) {
        h->request = memory_new(sizeof *h->request);
        http_request_init(h->request);
        worker_timer(c->worker, &h->timer, c->worker->now_ns + HEADER_TIMEOUT_NS);
    }
    size_t taken = 0;
    enum http_progress progress = http_request_feed(h->request, slice_of(at, size), &taken);
    if (progress == HTTP_MORE) return taken;
    timer_cancel(&c->worker->wheel, &h->timer);
    if (progress == HTTP_BAD) {
        refuse(h);
        return taken;
    }
    h->keep_alive = h->request->keep_alive;
    connection_pause(c, PAUSE_ADMISSION);
    h->asked = true;
    broker_behind(c->worker)->observer.http(c, h->request->method, h->request->path,
                                            h->request->query, h->request->minor, h->keep_alive);
    free(h->request);
    h->request = NULL;
    return taken;
}

void http_on_answer(void *context, const struct letter *letter) {
    struct worker *w = context;
    struct connection *c = connection_find(w, letter->id);
    if (!c) { /* closed meanwhile */
        atomic_fetch_sub(&broker_behind(w)->http_count, 1);
        return;
    }
    struct http_client *h = http_of(c);
    assert(c->kind == &http_kind && h->asked);
    h->asked = false;
    if (atomic_load(&broker_behind(w)->http_answers) >= HTTP_ANSWERS_MAX) {
        say_busy(c);
        return;
    }
    h->answering = letter->size;
    atomic_fetch_add(&broker_behind(w)->http_answers, h->answering);
    connection_append(c, letter->body, letter->size);
    if (!h->keep_alive) connection_close(c, CLOSE_CLIENT_CLOSED, true);
}

static void forget_answer(struct http_client *h) {
    atomic_fetch_sub(&broker_behind(h->connection.worker)->http_answers, h->answering);
    h->answering = 0;
}

/* The next request is read when nothing is left of the answer to the one before. */
static void written(struct connection *c) {
    struct http_client *h = http_of(c);
    if (!h->answering || c->closing || c->output.pending) return;
    forget_answer(h);
    worker_timer(c->worker, &h->timer, c->worker->now_ns + IDLE_TIMEOUT_NS);
    connection_resume(c, PAUSE_ADMISSION);
}

static void closing(struct connection *c) {
    struct http_client *h = http_of(c);
    timer_cancel(&c->worker->wheel, &h->timer);
    if (!h->asked) atomic_fetch_sub(&broker_behind(c->worker)->http_count, 1);
}

static void freed(struct connection *c) {
    forget_answer(http_of(c));
    free(http_of(c)->request);
}

static uint64_t write_deadline(const struct connection *c) {
    (void)c;
    return WRITE_DEADLINE_NS;
}

/* A large document may take its time, as long as it is being read. */
static bool write_expired(struct connection *c, uint64_t written) {
    (void)c;
    return !written;
}

const struct connection_kind http_kind = {
    .name = "Monitoring",
    .size = sizeof(struct http_client),
    .first_read = 8 * 1024,
    .opened = opened,
    .bytes = use_bytes,
    .closing = closing,
    .freed = freed,
    .reason_client_closed = CLOSE_CLIENT_CLOSED,
    .reason_read_error = CLOSE_READ_ERROR,
    .reason_write_error = CLOSE_WRITE_ERROR,
    .reason_write_deadline = CLOSE_SLOW_DEADLINE,
    .reason_shutdown = CLOSE_SERVER_SHUTDOWN,
    .write_deadline_ns = write_deadline,
    .write_expired = write_expired,
    .written = written,
};
