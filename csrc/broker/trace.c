#include "broker/trace.h"
#include "base/log.h"
#include "base/memory.h"
#include "wire/go_quote.h"
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_MAX = 512 };
#define LIMITED_NS UINT64_C(2000000000)

/* `127.0.0.1:5000 - cid:7`, and after CONNECT ` - "v1.2:go:name"` (CP-018). */
static const char *label(const struct client *c, char out[LABEL_MAX]) {
    const struct connect_options *o = &c->options;
    bool v6 = strchr(c->connection.ip, ':') != NULL;
    int n = snprintf(out, LABEL_MAX, "%s%s%s:%u - cid:%llu", v6 ? "[" : "", c->connection.ip,
                     v6 ? "]" : "", c->connection.port, (unsigned long long)c->cid);
    if (!c->connected) return out;
    const char *lang = o->lang ? o->lang : "", *version = o->version ? o->version : "",
               *name = o->name ? o->name : "";
    if (*lang || *version || *name) {
        n += snprintf(out + n, LABEL_MAX - (size_t)n, " - \"%s%.64s%s%.64s%s%.128s\"",
                      *version ? "v" : "", version, *version && *lang ? ":" : "", lang,
                      (*version || *lang) && *name ? ":" : "", name);
    }
    return out;
}

static void write_line(enum log_level level, const struct client *c, const char *text,
                       size_t size) {
    char who[LABEL_MAX];
    label(c, who);
    size_t n = strlen(who);
    char *line = memory_new(n + 3 + size);
    memcpy(line, who, n);
    memcpy(line + n, " - ", 3);
    memcpy(line + n + 3, text, size);
    log_text(level, line, n + 3 + size);
    free(line);
}

/* arrow [text] */
static void write_op(const struct client *c, const char *arrow, const char *op, struct slice text) {
    size_t room = strlen(arrow) + strlen(op) + text.size + 8;
    char *line = memory_new(room);
    int n = snprintf(line, room, "%s [%s%s", arrow, op, *op && text.size ? " " : "");
    memcpy(line + n, text.at, text.size);
    n += (int)text.size;
    line[n++] = ']';
    write_line(LOG_TRACE, c, line, (size_t)n);
    free(line);
}

void trace_in(struct client *c, const struct client_op *op) {
    static const char *const names[] = {"CONNECT", "PUB",  "HPUB", "SUB", "UNSUB",
                                        "PING",    "PONG", "INFO", "+OK", "-ERR"};
    if (op->verb == CLIENT_CONNECT) {
        size_t room = op->arg.size * 2 + 256;
        char *redacted = memory_new(room);
        size_t n = connect_redact(op->arg, redacted, room);
        write_op(c, "<<-", "CONNECT", slice_of(redacted, n < room ? n : room - 1));
        free(redacted);
        return;
    }
    bool bare = op->verb == CLIENT_PING || op->verb == CLIENT_PONG || op->verb == CLIENT_OK;
    write_op(c, "<<-", names[op->verb], bare ? (struct slice){0} : op->arg);
}

void trace_out(struct client *c, struct slice text) {
    if (text.size && text.at[0] == '+')
        text = slice_of(text.at + 1, text.size - 1); /* Go prints [OK] */
    write_op(c, "->>", "", text);
}

void trace_delivered(struct client *c, const char *line, size_t size, const struct message *m) {
    write_op(c, "->>", "", slice_of(line, size));
    const struct perigee_options *options = client_worker(c)->options;
    uint32_t skip = m->with_headers && !c->headers ? m->header_size : 0;
    trace_payload(c, "->>", m->body + skip, m->total_size - skip, m->header_size - skip, options);
}

void trace_delsub(struct client *c, struct slice sid) {
    write_op(c, "<->", "DELSUB", sid);
}

void trace_mapping(struct client *c, struct slice from, struct slice to) {
    size_t room = from.size + to.size + 8;
    char *text = memory_new(room);
    int n = snprintf(text, room, "%.*s -> %.*s", (int)from.size, from.at, (int)to.size, to.at);
    write_op(c, "<<-", "MAPPING", slice_of(text, (size_t)n));
    free(text);
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
    size_t room = (size_t)size * 4 + 64;
    char *text = memory_new(room);
    int n = snprintf(text, room, "%s MSG_PAYLOAD: [", arrow);
    n += (int)go_quote(slice_of(body, size), text + n, room - (size_t)n);
    if (cut) { /* the dots stand inside the quotes */
        n--;
        n += snprintf(text + n, room - (size_t)n, "...\"");
    }
    text[n++] = ']';
    write_line(LOG_TRACE, c, text, (size_t)n);
    free(text);
}

void trace_note(struct client *c, const char *text) {
    if (log_enabled(LOG_DEBUG)) write_line(LOG_DEBUG, c, text, strlen(text));
}

void trace_error(struct client *c, const char *text) {
    write_line(LOG_ERROR, c, text, strlen(text));
}

void trace_limited(struct client *c, const char *text) {
    struct broker_worker *bw = client_worker(c);
    if (bw->limited_text == text && bw->worker->now_ns - bw->limited_ns < LIMITED_NS) return;
    bw->limited_text = text;
    bw->limited_ns = bw->worker->now_ns;
    trace_error(c, text);
}

void trace_violation(struct client *c, const char *what, struct slice subject) {
    size_t room = subject.size * 4 + 128;
    char *text = memory_new(room);
    int n = snprintf(text, room, "%s ", what);
    n += (int)go_quote(subject, text + n, room - (size_t)n);
    write_line(LOG_ERROR, c, text, (size_t)n);
    free(text);
}

void trace_client_error(struct client *c, struct slice text) {
    size_t room = text.size + 32;
    char *line = memory_new(room);
    int n = snprintf(line, room, "Client Error %.*s", (int)text.size, text.at);
    write_line(LOG_ERROR, c, line, (size_t)n);
    free(line);
}

void trace_closed(struct client *c) {
    char text[128];
    int n = snprintf(text, sizeof text, "Client connection closed: %s",
                     close_reason_text(c->connection.reason));
    write_line(LOG_DEBUG, c, text, (size_t)n);
}

void trace_slow_pending(struct client *c, int64_t max_pending) {
    char text[128];
    int n = snprintf(text, sizeof text, "Slow Consumer Detected: MaxPending of %lld Exceeded",
                     (long long)max_pending);
    write_line(LOG_INFO, c, text, (size_t)n);
}

void trace_slow_deadline(struct client *c, uint64_t deadline_ns) {
    char text[160];
    uint32_t chunks = 0;
    for (struct output_part *p = c->connection.output.first; p; p = p->next) chunks++;
    int n = snprintf(
        text, sizeof text,
        "Slow Consumer Detected: WriteDeadline of %gs exceeded with %u chunks of %llu total bytes.",
        (double)deadline_ns / 1e9, chunks, (unsigned long long)c->connection.output.pending);
    write_line(LOG_INFO, c, text, (size_t)n);
}

void trace_stalled(struct client *c, uint64_t ns) {
    char text[128];
    int n =
        snprintf(text, sizeof text, "Producer was stalled for a total of %gms", (double)ns / 1e6);
    write_line(LOG_WARN, c, text, (size_t)n);
}
