#include "net/connection.h"
#include "base/memory.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    IOVECS = 64,
    DISCARD_MAX = 64 * 1024,
    WRITE_MAX = 1024 * 1024,      /* bytes of one connection written at once: some 0.3 ms */
    BATCH_MAX = 64 * 1024 * 1024, /* bytes that a write deadline is for, as in Go */
};

struct connection_slot {
    struct slot_head head;
    struct connection *connection;
};

static void watch(struct connection *c);

/* --- opening and finding
 * ------------------------------------------------------------------------------------------ */

static void read_address(struct connection *c) {
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getpeername(c->fd, (struct sockaddr *)&a, &n) != 0) return;
    if (a.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&a;
        inet_ntop(AF_INET, &v4->sin_addr, c->ip, sizeof c->ip);
        c->port = ntohs(v4->sin_port);
    } else if (a.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&a;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], c->ip, sizeof c->ip);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, c->ip, sizeof c->ip);
        c->port = ntohs(v6->sin6_port);
    }
}

struct connection *connection_open(struct worker *w, const struct connection_kind *kind, int fd) {
    struct connection_slot *slot = slots_take(&w->connections);
    if (!slot) {
        close(fd);
        return NULL;
    }
    struct connection *c = memory_zero(kind->size);
    slot->connection = c;
    c->worker = w;
    c->kind = kind;
    c->id = slots_id(&w->connections, slot);
    c->fd = fd;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    read_address(c);
    if (uv_poll_init(&w->loop, &c->poll, fd) != 0) {
        slots_give(&w->connections, slot);
        free(c);
        close(fd);
        return NULL;
    }
    c->poll.data = c;
    c->write_timer.fire = connection_write_expired;
    atomic_fetch_add_explicit(&w->connection_count, 1, memory_order_relaxed);
    kind->opened(c);
    watch(c);
    return c;
}

struct connection *connection_find(const struct worker *w, uint64_t id) {
    struct connection_slot *slot = slots_find(&w->connections, id);
    return slot && !slot->connection->closing ? slot->connection : NULL;
}

struct connection *connections_each(const struct worker *w, uint32_t *cursor) {
    struct connection_slot *slot = slots_each(&w->connections, cursor);
    return slot ? slot->connection : NULL;
}

/* --- output
 * -------------------------------------------------------------------------------------------------------
 */

void connection_mark_dirty(struct connection *c) {
    struct worker *w = c->worker;
    c->dirty = true;
    c->next_dirty = NULL;
    if (w->dirty.last)
        w->dirty.last->next_dirty = c;
    else
        w->dirty.first = c;
    w->dirty.last = c;
}

void connection_flush_early(struct connection *c) {
    struct worker *w = c->worker;
    if (c->early || c->want_write) return;
    c->early = true;
    c->next_early = NULL;
    if (w->early.last)
        w->early.last->next_early = c;
    else
        w->early.first = c;
    w->early.last = c;
}

void connection_append(struct connection *c, const char *at, size_t size) {
    output_append(&c->output, &c->worker->chunks, at, size);
    connection_appended(c);
}

/* `written`: what the socket took of it before it was full. */
static void begin_batch(struct connection *c, size_t written) {
    c->batch_left = c->output.pending < BATCH_MAX ? c->output.pending : BATCH_MAX;
    c->batch = c->batch_left + written;
    worker_timer(c->worker, &c->write_timer, c->worker->now_ns + c->kind->write_deadline_ns(c));
}

/* The rest is written when the socket is writable again. */
static void wait_writable(struct connection *c, size_t written) {
    if (!c->want_write || !c->batch_left) begin_batch(c, written);
    c->want_write = true;
    watch(c);
}

/* Offers what is pending once. Returns the bytes written, -1 when the socket is broken; `*full`: it
 * takes no more. */
static ssize_t write_once(struct connection *c, bool *full) {
    struct iovec vectors[IOVECS];
    int n = 0;
    size_t offered = 0;
    for (struct output_part *p = c->output.first; p && n < IOVECS; p = p->next) {
        if (!p->size) continue;
        vectors[n++] = (struct iovec){(void *)(uintptr_t)p->at, p->size};
        offered += p->size;
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (size_t)n};
    ssize_t written;
    do written = n ? sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    if (written < 0) written = 0;
    *full = (size_t)written < offered;
    return written;
}

bool connection_write(struct connection *c) {
    size_t sum = 0;
    while (c->output.first) {
        bool full;
        ssize_t written = write_once(c, &full);
        if (written < 0) {
            output_clear(&c->output, &c->worker->chunks);
            connection_close(c, c->kind->reason_write_error, false);
            return true;
        }
        sum += (size_t)written;
        output_consume(&c->output, &c->worker->chunks, (size_t)written);
        c->batch_left -= (size_t)written < c->batch_left ? (size_t)written : c->batch_left;
        if (c->kind->written && written) c->kind->written(c);
        if (full || (sum >= WRITE_MAX && c->output.first)) {
            wait_writable(c, sum);
            return false;
        }
    }
    timer_cancel(&c->worker->wheel, &c->write_timer);
    if (c->want_write) {
        c->want_write = false;
        watch(c);
    }
    return true;
}

void connection_write_expired(struct timer *timer) {
    struct connection *c =
        (struct connection *)(void *)((char *)timer - offsetof(struct connection, write_timer));
    if (!c->output.pending) return;
    if (!c->closing && !c->kind->write_expired(c, c->batch - c->batch_left)) {
        begin_batch(c, 0);
        mail_hand_over(&c->worker->workers->office, &c->worker->mail); /* rule 1 */
        connection_write(c); /* it may take something though it is not said to be writable */
        return;
    }
    output_clear(&c->output, &c->worker->chunks);
    if (c->closing)
        connection_finish(c);
    else
        connection_close(c, c->kind->reason_write_deadline, false);
}

/* --- input
 * --------------------------------------------------------------------------------------------------------
 */

static void drop_input(struct connection *c) {
    if (c->slab) worker_slab_back(c->worker, c->slab);
    free(c->carry);
    c->slab = NULL;
    c->carry = NULL;
    c->at = c->end = 0;
    c->input_ready = false;
}

static const char *held(const struct connection *c) {
    return c->slab ? c->slab->data : c->carry;
}

/* Moves unused bytes out of a slab into a buffer of the connection's own. */
static void carry_over(struct connection *c) {
    uint32_t rest = c->end - c->at;
    if (c->slab) {
        char *carry = memory_new(rest + SLAB_MARGIN);
        memcpy(carry, c->slab->data + c->at, rest);
        worker_slab_back(c->worker, c->slab);
        c->slab = NULL;
        c->carry = carry;
        c->at = 0;
        c->end = rest;
    }
}

static void make_runnable(struct connection *c) {
    struct worker *w = c->worker;
    if (c->runnable) return;
    c->runnable = true;
    c->next_runnable = NULL;
    if (w->runnable.last)
        w->runnable.last->next_runnable = c;
    else
        w->runnable.first = c;
    w->runnable.last = c;
    worker_stay_awake(w);
}

static void wait_in(struct connection_list *list, struct connection *c) {
    if (c->waiting) return;
    c->waiting = true;
    c->next_waiting = NULL;
    if (list->last)
        list->last->next_waiting = c;
    else
        list->first = c;
    list->last = c;
}

static void wait_for_credit(struct connection *c) {
    connection_pause(c, PAUSE_CREDIT);
    wait_in(&c->worker->wait_credit, c); /* looked after at the end of each turn */
}

/* Not now: the connection is paused, or mail that came before the input has not been handled. */
static bool must_hold(struct connection *c) {
    struct worker *w = c->worker;
    if (!c->paused && c->behind_mail > w->mail.handled) {
        c->input_ready = true;
        make_runnable(c);
        return true;
    }
    if (!c->paused && !mail_has_credit(&w->workers->office, &w->mail)) wait_for_credit(c);
    if (!c->paused) return false;
    c->input_ready = true;
    carry_over(c);
    return true;
}

static void finish_large(struct connection *c) {
    struct counted *whole = c->large;
    if (!whole || c->large_filled < whole->size) return;
    c->large = NULL;
    c->kind->large(c, whole);
}

/* Shows the kind what is held and files away what it leaves. */
static void use_input(struct connection *c) {
    if (must_hold(c)) return;
    c->input_ready = false;
    finish_large(c);
    if (!c->paused && !c->closing && c->at < c->end)
        c->at += (uint32_t)c->kind->bytes(c, held(c) + c->at, c->end - c->at);
    if (c->closing || c->at == c->end) {
        drop_input(c);
    } else if (c->paused) {
        c->input_ready = true;
        carry_over(c);
    } else if (c->input_ready) {
        make_runnable(c);
    } else {
        carry_over(c);
    }
}

void connection_run(struct connection *c) {
    if (c->input_ready && !c->closing) use_input(c);
    watch(c);
}

void connection_read_large(struct connection *c, struct counted *counted, uint32_t filled) {
    c->large = counted;
    c->large_filled = filled;
}

/* A read goes first into the large payload that is being waited for, and only then into the slab.
 */
static void count_read(struct connection *c, size_t read) {
    if (c->large) {
        uint32_t missing = c->large->size - c->large_filled;
        uint32_t n = read < missing ? (uint32_t)read : missing;
        c->large_filled += n;
        read -= n;
    }
    c->end += (uint32_t)read;
}

static void on_readable(struct connection *c) {
    struct worker *w = c->worker;
    struct slab *slab = worker_slab(w);
    if (!slab) {
        connection_pause(c, PAUSE_SLAB);
        wait_in(&w->wait_slab, c);
        return;
    }
    assert(!c->slab);
    uint32_t rest = c->end - c->at;
    if (rest) memcpy(slab->data, c->carry + c->at, rest);
    free(c->carry);
    c->carry = NULL;
    c->slab = slab;
    c->at = 0;
    c->end = rest;
    size_t room = !c->read_all && !c->large ? c->kind->first_read : SLAB_SIZE;
    if (room > SLAB_SIZE - rest) room = SLAB_SIZE - rest;
    struct iovec vectors[2];
    int n = 0;
    if (c->large)
        vectors[n++] =
            (struct iovec){c->large->data + c->large_filled, c->large->size - c->large_filled};
    vectors[n++] = (struct iovec){slab->data + rest, room};
    ssize_t read =
        n == 1 ? recv(c->fd, vectors[0].iov_base, room, MSG_DONTWAIT) : readv(c->fd, vectors, n);
    int failure = errno;
    c->reads++;
    c->last_read = read > 0 ? (uint32_t)read : 0;
    if (!worker_take_mail(w)) c->behind_mail = w->mail.taken; /* mail before bytes: rule 1 */
    if (c->closing) {
        drop_input(c);
    } else if (read > 0) {
        count_read(c, (size_t)read);
        use_input(c);
    } else if (read < 0 && (failure == EAGAIN || failure == EINTR)) {
        carry_over(c);
    } else {
        drop_input(c);
        connection_close(c, read == 0 ? c->kind->reason_client_closed : c->kind->reason_read_error,
                         read == 0);
    }
}

void connection_pause(struct connection *c, enum pause why) {
    c->paused |= (uint8_t)why;
    watch(c);
}

void connection_resume(struct connection *c, enum pause why) {
    c->paused &= (uint8_t)~why;
    if (c->paused || c->closing) return;
    if (c->input_ready) make_runnable(c);
    watch(c);
}

/* --- polling
 * ------------------------------------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct connection *c = poll->data;
    struct worker *w = c->worker;
    worker_enter(w);
    if (status < 0) { /* a broken socket, which libuv has ceased to watch: there may be input before
                         the error, and output that will never go */
        c->polled = 0;
        events = UV_READABLE | (c->want_write ? UV_WRITABLE : 0);
    }
    if (events & UV_WRITABLE) {
        mail_hand_over(&w->workers->office,
                       &w->mail); /* from earlier callbacks of the turn: rule 1 */
        if (c->closing)
            connection_finish(c);
        else if (c->output.first)
            connection_write(c);
    }
    if (events & UV_READABLE && !c->closing && !c->paused && !c->input_ready) on_readable(c);
    if (status < 0) watch(c);
    worker_leave(w);
}

/* Tells the poll handle what the connection waits for now. */
static void watch(struct connection *c) {
    if (c->closed_fd) return;
    int events = 0;
    if (!c->closing && !c->paused && !c->input_ready) events |= UV_READABLE;
    if (c->want_write) events |= UV_WRITABLE;
    if (events == c->polled) return;
    c->polled = (uint8_t)events;
    if (events)
        uv_poll_start(&c->poll, events, on_poll);
    else
        uv_poll_stop(&c->poll);
}

/* --- closing
 * ------------------------------------------------------------------------------------------------------
 */

void connection_close(struct connection *c, uint16_t reason, bool flush) {
    if (c->closing) {
        if (!flush) c->flush_on_close = false;
        return;
    }
    struct worker *w = c->worker;
    c->closing = true;
    c->flush_on_close = flush;
    c->reason = reason;
    c->kind->closing(c);
    c->ending = true;
    c->next_closing = NULL;
    if (w->closing.last)
        w->closing.last->next_closing = c;
    else
        w->closing.first = c;
    w->closing.last = c;
    if (!c->closed_fd) watch(c);
}

void connection_release(struct connection *c) {
    bool listed = c->dirty || c->early || c->runnable || c->waiting || c->ending;
    if (!c->released || c->holds || listed) return;
    struct worker *w = c->worker;
    struct connection_slot *slot = slots_find(&w->connections, c->id);
    c->kind->freed(c);
    atomic_fetch_sub_explicit(&w->connection_count, 1, memory_order_relaxed);
    slots_give(&w->connections, slot);
    free(c);
}

void connection_unhold(struct connection *c) {
    c->holds--;
    connection_release(c);
}

static void on_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    c->released = true;
    connection_release(c);
}

/* Unread input at close() would make the kernel answer with a reset, which can overtake a last -ERR
 * on its way. */
static void close_socket(struct connection *c) {
    char discard[4096];
    shutdown(c->fd, SHUT_WR);
    for (size_t n = 0; n < DISCARD_MAX; n += sizeof discard)
        if (recv(c->fd, discard, sizeof discard, MSG_DONTWAIT) <= 0) break;
    close(c->fd);
}

void connection_finish(struct connection *c) {
    if (c->closed_fd) return;
    if (!c->flush_on_close) output_clear(&c->output, &c->worker->chunks);
    if (c->output.first && !connection_write(c))
        return; /* comes again when writable, or when the deadline passes */
    output_clear(&c->output, &c->worker->chunks);
    timer_cancel(&c->worker->wheel, &c->write_timer);
    drop_input(c);
    counted_drop(c->large);
    c->large = NULL;
    c->closed_fd = true;
    uv_close((uv_handle_t *)&c->poll, on_closed); /* libuv still asks about the descriptor here */
    close_socket(c);
}

void connection_abort(struct connection *c) {
    connection_close(c, c->kind->reason_shutdown, true);
    if (!c->want_write) return;
    c->flush_on_close = false; /* its socket takes nothing, and nobody waits for it now */
    connection_finish(c);
}
