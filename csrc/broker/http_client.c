#include "broker/http_client.h"
#include "base/memory.h"
#include "broker/broker.h"
#include "wire/http_request.h"
#include <stdlib.h>

#define HEADER_TIMEOUT_NS UINT64_C(5000000000)
#define WRITE_DEADLINE_NS UINT64_C(60000000000)

struct http_client {
    struct connection connection; /* first */
    struct http_request *request; /* while a request is being read */
    struct timer timer;           /* headers take 5 s at most, as in Go */
    bool keep_alive;
};

static struct http_client *http_of(struct connection *c) {
    return (struct http_client *)(void *)c;
}

static void on_timeout(struct timer *timer) {
    struct http_client *h =
        (struct http_client *)(void *)((char *)timer - offsetof(struct http_client, timer));
    connection_close(&h->connection, CLOSE_CLIENT_CLOSED, true);
}

static void opened(struct connection *c) {
    struct http_client *h = http_of(c);
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
    struct broker *broker = broker_of(c->worker->workers);
    broker->observer.http(c, h->request->method, h->request->path, h->request->query,
                          h->request->minor, h->keep_alive);
    free(h->request);
    h->request = NULL;
    return taken;
}

void http_on_answer(void *context, const struct letter *letter) {
    struct connection *c = connection_find(context, letter->id);
    if (!c) return;
    struct http_client *h = http_of(c);
    connection_append(c, letter->body, letter->size);
    if (!h->keep_alive) {
        connection_close(c, CLOSE_CLIENT_CLOSED, true);
        return;
    }
    connection_resume(c, PAUSE_ADMISSION);
}

static void closing(struct connection *c) {
    timer_cancel(&c->worker->wheel, &http_of(c)->timer);
}

static void freed(struct connection *c) {
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
};
