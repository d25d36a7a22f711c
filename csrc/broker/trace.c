#include "broker/trace.h"
#include "base/log.h"
#include "base/memory.h"
#include "wire/go_quote.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)

/* Lines that one client only writes for a while: struct broker's limited_ns. */
enum limited { LIMITED_CONNECTIONS, LIMITED_SUBSCRIPTIONS, LIMITED_STALLS };

/* --- text that grows
 * ----------------------------------------------------------------------------------------------
 */

struct line {
    char *at;
    size_t size, room;
};

static char *line_grow(struct line *l, size_t size) {
    if (l->room - l->size < size + 1) {
        l->room = (l->size + size) * 2 + 64;
        l->at = memory_resize(l->at, l->room);
    }
    return l->at + l->size;
}

static void line_add(struct line *l, struct slice text) {
    if (!text.size) return;
    memcpy(line_grow(l, text.size), text.at, text.size);
    l->size += text.size;
}

static void line_text(struct line *l, const char *text) {
    line_add(l, slice_text(text ? text : ""));
}

static void line_format(struct line *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line_format(struct line *l, const char *format, ...) {
    char text[256]; /* numbers and fixed words only */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_add(l, slice_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

static void line_quoted(struct line *l, struct slice text) {
    size_t room = text.size * 4 + 3;
    l->size += go_quote(text, line_grow(l, room), room);
}

/* As Go prints a time.Duration. */
static void line_duration(struct line *l, uint64_t ns) {
    uint64_t minutes = ns / (60 * SECOND_NS), hours = minutes / 60;
    if (ns < 1000 && ns)
        line_format(l, "%uns", (unsigned)ns);
    else if (ns < 1000 * 1000 && ns)
        line_format(l, "%.9g\xc2\xb5s", (double)ns / 1e3);
    else if (ns < SECOND_NS && ns)
        line_format(l, "%.9gms", (double)ns / 1e6);
    else {
        if (hours) line_format(l, "%lluh", (unsigned long long)hours);
        if (minutes) line_format(l, "%um", (unsigned)(minutes % 60));
        line_format(l, "%.11gs", (double)(ns % (60 * SECOND_NS)) / 1e9);
    }
}

/* --- whom a line is about
 * ----------------------------------------------------------------------------------------------
 */

/* Of the credentials that were sent, the one that Go's log names; NULL: none. */
static const char *credential(const struct connect_options *o, const char **kind) {
    const char *text = o->nkey ? o->nkey : o->user ? o->user : o->auth_token ? "" : NULL;
    *kind = o->nkey ? "nkey:" : o->user ? "user:" : "token";
    return text;
}

char *trace_label(const struct client *c, const struct account *account) {
    const struct connect_options *o = &c->options;
    struct line said = {0}, label = {0};
    if (o->version) line_text(&said, "v");
    line_text(&said, o->version);
    if (o->lang && said.size) line_text(&said, ":");
    line_text(&said, o->lang);
    if (o->name && said.size) line_text(&said, ":");
    line_text(&said, o->name);
    if (said.size) {
        line_text(&label, " - ");
        line_quoted(&label, slice_of(said.at, said.size));
    }
    const char *kind, *user = credential(o, &kind);
    if (user) {
        said.size = 0;
        line_text(&said, account->name);
        line_text(&said, "/");
        line_text(&said, kind);
        line_text(&said, user);
        line_text(&label, " - ");
        line_quoted(&label, slice_of(said.at, said.size));
    }
    free(said.at);
    if (!label.size) return NULL;
    label.at[label.size] = 0;
    char *exact = memory_text(slice_of(label.at, label.size));
    free(label.at);
    return exact;
}

/* `127.0.0.1:5000 - cid:7`, and after CONNECT ` - "v1.2:go:name" - "$G/user:u"` (CP-018). */
static void begin(struct line *l, const struct client *c) {
    const char *ip = c->connection.ip;
    bool v6 = strchr(ip, ':') != NULL;
    line_format(l, v6 ? "[%.64s]:%u - cid:%llu" : "%.64s:%u - cid:%llu", ip, c->connection.port,
                (unsigned long long)c->cid);
    line_text(l, c->label);
    line_text(l, " - ");
}

/* Writes it and frees it. */
static void end(struct line *l, enum log_level level) {
    log_text(level, l->at, l->size);
    free(l->at);
}

/* --- operations
 * ----------------------------------------------------------------------------------------------
 */

static void write_op(const struct client *c, const char *arrow, const char *op, struct slice text) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, arrow);
    line_text(&l, " [");
    line_text(&l, op);
    line_add(&l, text);
    line_text(&l, "]");
    end(&l, LOG_TRACE);
}

void trace_in(struct client *c, const struct client_op *op) {
    switch (op->verb) {
    case CLIENT_CONNECT: {
        size_t room = connect_redact(op->arg, NULL, 0) + 1;
        char *redacted = memory_new(room);
        connect_redact(op->arg, redacted, room);
        write_op(c, "<<-", "CONNECT ", slice_of(redacted, room - 1));
        free(redacted);
        break;
    }
    case CLIENT_PUB:
        write_op(c, "<<-", "PUB ", op->arg);
        break;
    case CLIENT_HPUB:
        write_op(c, "<<-", "HPUB ", op->arg);
        break;
    case CLIENT_SUB:
        write_op(c, "<<-", "SUB ", op->arg);
        break;
    case CLIENT_UNSUB:
        write_op(c, "<<-", "UNSUB ", op->arg);
        break;
    case CLIENT_PING:
        write_op(c, "<<-", "PING", (struct slice){0});
        break;
    case CLIENT_PONG:
        write_op(c, "<<-", "PONG", (struct slice){0});
        break;
    default: /* INFO, +OK and -ERR are not traced */
        break;
    }
}

void trace_out(struct client *c, struct slice text) {
    if (text.size && text.at[0] == '+')
        text = slice_of(text.at + 1, text.size - 1); /* Go prints [OK] */
    write_op(c, "->>", "", text);
}

void trace_out_error(struct client *c, struct slice text) {
    write_op(c, "->>", "-ERR ", text);
}

void trace_delivered(struct client *c, const char *line, size_t size, const struct message *m) {
    write_op(c, "->>", "", slice_of(line, size));
    const struct perigee_options *options = client_worker(c)->options;
    uint32_t skip = m->with_headers && !c->headers ? m->header_size : 0;
    trace_payload(c, "->>", m->body + skip, m->total_size - skip, m->header_size - skip, options);
}

void trace_delsub(struct client *c, struct slice sid) {
    write_op(c, "<->", "DELSUB ", sid);
}

void trace_mapping(struct client *c, struct slice from, struct slice to) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "<<- [MAPPING ");
    line_add(&l, from);
    line_text(&l, " -> ");
    line_add(&l, to);
    line_text(&l, "]");
    end(&l, LOG_TRACE);
}

void trace_payload(struct client *c, const char *arrow, const char *body, uint32_t size,
                   uint32_t header_size, const struct perigee_options *o) {
    if (o->trace_headers) {
        if (header_size < 4) return;
        size = header_size - 4; /* without the last CR LF CR LF */
    }
    if (!size) return;
    bool cut = o->max_traced_msg_len && size > o->max_traced_msg_len;
    if (cut) size = (uint32_t)o->max_traced_msg_len;
    struct line l = {0};
    begin(&l, c);
    line_text(&l, arrow);
    line_text(&l, " MSG_PAYLOAD: [");
    line_quoted(&l, slice_of(body, size));
    if (cut) { /* the dots stand inside the quotes */
        l.size--;
        line_text(&l, "...\"");
    }
    line_text(&l, "]");
    end(&l, LOG_TRACE);
}

/* --- events and errors
 * ----------------------------------------------------------------------------------------------
 */

static void write_text(struct client *c, enum log_level level, const char *text) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, text);
    end(&l, level);
}

void trace_note(struct client *c, const char *text) {
    if (log_enabled(LOG_DEBUG)) write_text(c, LOG_DEBUG, text);
}

void trace_error(struct client *c, const char *text) {
    write_text(c, LOG_ERROR, text);
}

void trace_violation(struct client *c, const char *what, struct slice subject) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, what);
    line_text(&l, " ");
    line_quoted(&l, subject);
    end(&l, LOG_ERROR);
}

void trace_subscription_violation(struct client *c, const char *what, const struct client_op *op) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, what);
    line_text(&l, " - Subject ");
    line_quoted(&l, op->subject);
    if (op->queue.size && !strstr(what, "Tokens")) {
        line_text(&l, ", Queue: ");
        line_quoted(&l, op->queue);
    }
    line_text(&l, ", SID ");
    line_add(&l, op->sid);
    end(&l, LOG_ERROR);
}

void trace_refused(struct client *c) {
    const struct connect_options *o = &c->options;
    const char *kind, *user = credential(o, &kind);
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "authentication error");
    if (user) {
        line_text(&l, o->nkey ? " - Nkey " : o->user ? " - User " : " - Token ");
        line_quoted(&l, slice_text(*user ? user : "[REDACTED]"));
    }
    end(&l, LOG_ERROR);
}

void trace_client_error(struct client *c, struct slice text) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "Client Error ");
    line_add(&l, text);
    end(&l, LOG_ERROR);
}

void trace_closed(struct client *c) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "Client connection closed: ");
    line_text(&l, close_reason_text(c->connection.reason));
    end(&l, LOG_DEBUG);
}

void trace_unsubscribed(struct client *c, const struct subscription *s) {
    struct line l = {0};
    begin(&l, c);
    if (s->delivered == s->max) {
        line_format(&l, "Auto-unsubscribe limit of %u reached for sid '", s->max);
        line_add(&l, slice_of(subscription_sid(s), s->sid_size));
        line_text(&l, "'");
    } else {
        line_format(&l, "Auto-unsubscribe limit [%u] exceeded", s->max);
    }
    end(&l, LOG_DEBUG);
}

void trace_ping_delayed(struct client *c, uint64_t ago_ns) {
    if (!log_enabled(LOG_DEBUG)) return;
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "Delaying PING due to remote client data or ping ");
    line_duration(&l, (ago_ns + SECOND_NS / 2) / SECOND_NS * SECOND_NS);
    line_text(&l, " ago");
    end(&l, LOG_DEBUG);
}

void trace_slow_pending(struct client *c, int64_t max_pending) {
    struct line l = {0};
    begin(&l, c);
    line_format(&l, "Slow Consumer Detected: MaxPending of %lld Exceeded", (long long)max_pending);
    end(&l, LOG_INFO);
}

/* Chunks that so many bytes fill. */
static unsigned long long chunks_of(uint64_t bytes) {
    return (bytes + OUTPUT_CHUNK - 1) / OUTPUT_CHUNK;
}

void trace_slow_deadline(struct client *c) {
    struct line l = {0};
    begin(&l, c);
    line_text(&l, c->slow ? "Slow Consumer State: WriteDeadline of "
                          : "Slow Consumer Detected: WriteDeadline of ");
    line_duration(&l, (uint64_t)client_worker(c)->options->write_deadline_ns);
    line_format(&l, " exceeded with %llu chunks of %llu total bytes.",
                chunks_of(c->connection.batch), (unsigned long long)c->connection.batch);
    end(&l, LOG_INFO);
}

void trace_slow_recovered(struct client *c) {
    uint64_t deadline = (uint64_t)client_worker(c)->options->write_deadline_ns;
    uint64_t begun = c->connection.write_timer.due_ns - deadline;
    uint64_t bytes = c->connection.batch;
    struct line l = {0};
    begin(&l, c);
    line_format(&l,
                "Slow Consumer Recovered: Flush took %.3fs with %llu chunks of %llu total bytes.",
                (double)(c->connection.worker->now_ns - begun) / 1e9, chunks_of(bytes),
                (unsigned long long)bytes);
    end(&l, LOG_INFO);
}

/* --- lines that come in swarms
 * ----------------------------------------------------------------------------------------------
 */

/* Whether it is this client's turn to write such a line, of all workers' clients. */
static bool may_write(const struct client *c, enum limited which, uint64_t interval_ns) {
    const struct broker_worker *bw = client_worker(c);
    _Atomic(uint64_t) *last_ns = &bw->broker->limited_ns[which];
    uint64_t last = atomic_load(last_ns), now = bw->worker->now_ns;
    if (last && now < last + interval_ns) return false;
    return atomic_compare_exchange_strong(last_ns, &last, now);
}

void trace_max_connections(struct client *c) {
    if (may_write(c, LIMITED_CONNECTIONS, SECOND_NS))
        write_text(c, LOG_ERROR, "maximum connections exceeded");
}

void trace_max_subscriptions(struct client *c) {
    if (may_write(c, LIMITED_SUBSCRIPTIONS, 2 * SECOND_NS))
        write_text(c, LOG_ERROR, "maximum subscriptions exceeded");
}

void trace_stalled(struct client *c, uint64_t ns) {
    if (!may_write(c, LIMITED_STALLS, SECOND_NS)) return;
    struct line l = {0};
    begin(&l, c);
    line_text(&l, "Producer was stalled for a total of ");
    line_duration(&l, (ns + 500000) / 1000000 * 1000000);
    if (c->connected) {
        line_text(&l, " - Account:");
        line_text(&l, c->account->name);
    }
    end(&l, LOG_WARN);
}
