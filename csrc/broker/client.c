#include "broker/client.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/publish.h"
#include "broker/trace.h"
#include "match/subject.h"
#include "wire/go_quote.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIRST_READ = 16 * 1024,        /* bytes taken at once before anything is known of the peer */
    LARGE_PAYLOAD = 64 * 1024,     /* from here a payload gets a counted buffer of its own */
    CONTROL_LINE_MAX = 128 * 1024, /* more than this max_control_line cannot allow */
    REAP_AT_ONCE = 64,             /* subscriptions removed at once; more are reaped in slices */
    STALL_MAX_NS = 10 * 1000 *
                   1000, /* per STALL_READ bytes of a read, as Go reads at most that much at once */
    STALL_READ = 64 * 1024,
    PEER_SLOW_NS = 200 * 1000 * 1000, /* how long a peer's word of a slow consumer holds */
    STALL_TOLD_NS = 5 * 1000 * 1000,  /* the log says when a producer waited longer in one read */
};
/* What is incomplete is read on into a slab behind what is there of it. */
static_assert(sizeof "CONNECT" + CLIENT_IGNORED_MAX + CONTROL_LINE_MAX + LARGE_PAYLOAD + 2 <
                  SLAB_SIZE,
              "an operation fits into a slab");

#define SECOND_NS UINT64_C(1000000000)
#define FIRST_PING_NS (2 * SECOND_NS)
#define RTT_AGAIN_NS (3600 * SECOND_NS)

/* --- what the server says
 * ----------------------------------------------------------------------------------------- */

void client_close_slow(struct client *c) {
    struct broker_worker *bw = client_worker(c);
    if (c->connection.closing) return;
    counter_add(&bw->totals.slow_consumers, 1);
    counter_add(&bw->totals.slow_pending, 1);
    counter_add(&c->account->traffic[bw->worker->index].slow_consumers, 1);
    trace_slow_pending(c, bw->options->max_pending);
    output_clear(&c->connection.output, &bw->worker->chunks);
    connection_close(&c->connection, CLOSE_SLOW_PENDING, false);
}

void client_said(struct client *c) {
    uint64_t pending = c->connection.output.pending;
    uint64_t max = (uint64_t)client_worker(c)->options->max_pending;
    if (c->connection.closing) return;
    if (pending > max)
        client_close_slow(c);
    else if (pending > EARLY_FLUSH || pending > max / 2)
        connection_flush_early(&c->connection);
}

static void say(struct client *c, const char *text) {
    connection_append(&c->connection, text, strlen(text));
    if (log_enabled(LOG_TRACE)) trace_out(c, slice_of(text, strlen(text) - 2));
    client_said(c);
}

void client_error(struct client *c, const char *text) {
    connection_append(&c->connection, "-ERR '", 6);
    connection_append(&c->connection, text, strlen(text));
    connection_append(&c->connection, "'\r\n", 3);
    if (log_enabled(LOG_TRACE)) trace_out_error(c, slice_text(text));
    client_said(c);
}

void client_refuse(struct client *c, const char *text, enum close_reason reason) {
    client_error(c, text);
    connection_close(&c->connection, reason, true);
}

/* The same, and the log has it, too: behind the end, as with Go. */
static void refuse_and_tell(struct client *c, const char *text, enum close_reason reason) {
    client_refuse(c, text, reason);
    trace_error(c, text);
}

void client_info(struct client *c, const struct perigee_info *line) {
    char own[128];
    int n = snprintf(own, sizeof own, ",\"client_id\":%llu", (unsigned long long)c->cid);
    if (*c->connection.ip)
        n += snprintf(own + n, sizeof own - (size_t)n, ",\"client_ip\":\"%s\"", c->connection.ip);
    connection_append(&c->connection, line->head, strlen(line->head));
    connection_append(&c->connection, own, (size_t)n);
    connection_append(&c->connection, line->tail, strlen(line->tail));
    client_said(c);
}

void clients_info(struct broker_worker *bw, const struct perigee_info *line) {
    free((char *)(uintptr_t)bw->info.head);
    free((char *)(uintptr_t)bw->info.tail);
    bw->info.head = memory_text(slice_text(line->head));
    bw->info.tail = memory_text(slice_text(line->tail));
    bw->info_cursor = 0;
    bw->informing = true;
    worker_stay_awake(bw->worker);
}

bool clients_inform(struct broker_worker *bw) {
    struct connection *c;
    while (bw->informing && (c = connections_each(bw->worker, &bw->info_cursor))) {
        if (c->kind != &client_kind || c->closing) continue;
        struct client *client = client_of(c);
        if (client->pinged && client->options.protocol >= 1) client_info(client, &bw->info);
        if (worker_budget_over(bw->worker, 16)) return true;
    }
    return bw->informing = false;
}

static void say_ok(struct client *c) {
    if (c->verbose) say(c, "+OK\r\n");
}

/* --- opening
 * ------------------------------------------------------------------------------------------------------
 */

static void on_ping_timer(struct timer *timer);

static void set_ping(struct client *c, uint64_t after_ns) {
    if (c->connection.closing) return; /* its timer was cancelled for the last time */
    worker_timer(c->connection.worker, &c->ping_timer, c->connection.worker->now_ns + after_ns);
}

/* Behind each CONNECT a round trip is measured soon. */
static void set_first_ping(struct client *c) {
    struct broker_worker *bw = client_worker(c);
    uint64_t soon = bw->options->ping_interval_ns;
    if (soon > FIRST_PING_NS) soon = FIRST_PING_NS;
    set_ping(c, soon + broker_random(bw) % (soon / 5 + 1));
}

static void opened(struct connection *connection) {
    struct client *c = client_of(connection);
    struct broker_worker *bw = client_worker(c);
    struct worker *w = connection->worker;
    const struct perigee_options *o = bw->options;
    c->account = bw->broker->global;
    c->cid = atomic_fetch_add(&bw->broker->next_client, 1) + 1;
    c->echo = c->verbose = c->pedantic = true;
    connect_options_init(&c->options);
    c->start_ns = c->last_activity_ns = c->last_in_ns = w->now_ns;
    c->start_wall_ns = w->wall_ns;
    c->ping_timer.fire = on_ping_timer;
    counter_add(&bw->totals.total_clients, 1);
    int64_t others = atomic_fetch_add(&bw->broker->client_count, 1);
    c->counted = true;
    atomic_fetch_add(&c->account->connections, 1);
    if (log_enabled(LOG_DEBUG)) trace_note(c, "Client connection created");
    client_info(c, &o->first);
    if (o->max_connections < 0 || others >= o->max_connections) {
        client_error(c, "maximum connections exceeded");
        trace_max_connections(c);
        connection_close(&c->connection, CLOSE_MAX_CONNECTIONS, true);
        return;
    }
    set_ping(c, o->ping_interval_ns);
}

/* --- pings
 * --------------------------------------------------------------------------------------------------------
 */

static void send_ping(struct client *c) {
    c->rtt_start_ns = c->connection.worker->now_ns;
    c->pings_out++;
    say(c, "PING\r\n");
}

/* Most clients send CONNECT and PING and wait for the PONG: nothing may come before that, unless they
 * had time enough (CP-154). */
void client_measure(struct client *c) {
    if (c->pinged || c->connection.worker->now_ns - c->start_ns > FIRST_PING_NS) send_ping(c);
}

/* Go: client.processPingTimer. Traffic delays a PING; only a PONG clears what is outstanding. */
static void on_ping_timer(struct timer *timer) {
    struct client *c =
        (struct client *)(void *)((char *)timer - offsetof(struct client, ping_timer));
    struct broker_worker *bw = client_worker(c);
    const struct perigee_options *o = bw->options;
    uint64_t now = bw->worker->now_ns;
    if (c->connection.closing) return;
    bool rtt_due = !c->rtt_ns || !c->rtt_start_ns || now - c->rtt_start_ns > RTT_AGAIN_NS;
    bool busy = now - c->last_in_ns < (uint64_t)o->ping_interval_ns;
    trace_note(c, "Client Ping Timer");
    if (busy && !rtt_due) {
        trace_ping_delayed(c, now - c->last_in_ns);
    } else {
        if (c->pings_out + 1 > o->ping_max) {
            trace_note(c, "Stale Client Connection - Closing");
            counter_add(&bw->totals.stale, 1);
            client_refuse(c, "Stale Connection", CLOSE_STALE);
            return;
        }
        send_ping(c);
    }
    set_ping(c, o->ping_interval_ns);
}

static void on_pong(struct client *c) {
    c->pings_out = 0;
    if (c->rtt_start_ns) c->rtt_ns = c->connection.worker->now_ns - c->rtt_start_ns;
    if (c->rtt_start_ns && !c->rtt_ns) c->rtt_ns = 1;
}

static void on_ping(struct client *c) {
    struct broker_worker *bw = client_worker(c);
    c->last_in_ns = bw->worker->now_ns;
    say(c, "PONG\r\n");
    if (!c->connected || c->pinged) return;
    c->pinged = true;
    if (c->options.protocol >= 1) client_info(c, &bw->options->connected);
}

/* --- CONNECT
 * ------------------------------------------------------------------------------------------------------
 */

static void close_bad(struct client *c, const char *why) {
    trace_error(c, why);
    connection_close(&c->connection, CLOSE_PROTOCOL_VIOLATION, true);
}

/* Removes all subscriptions. False: there are many, clients_reap() goes on with them. */
static bool reap(struct client *c) {
    struct broker_worker *bw = client_worker(c);
    if (c->reaping) return false;
    if (c->sids.count <= REAP_AT_ONCE) {
        while (!subscriptions_reap(c)) continue;
        return true;
    }
    connection_hold(&c->connection);
    c->reaping = true;
    c->next_reaping = bw->reaping;
    bw->reaping = c;
    worker_stay_awake(bw->worker);
    return false;
}

static void on_connect(struct client *c, struct slice json) {
    struct broker_worker *bw = client_worker(c);
    c->last_activity_ns = bw->worker->now_ns;
    c->rtt_ns = bw->worker->now_ns - c->start_ns ? bw->worker->now_ns - c->start_ns : 1;
    set_first_ping(c);
    char why[256];
    if (connect_merge(&c->options, json, why, sizeof why) != 0) {
        close_bad(c, why);
        return;
    }
    connection_pause(&c->connection, PAUSE_ADMISSION);
    /* A repeated CONNECT begins anew, in $G and without subscriptions (CP-031). */
    if (!c->connected || reap(c)) bw->broker->observer.connect(c);
}

/* What CONNECT asked for and the server gives; the checks in Go's order. */
void client_admit(struct client *c, struct account *account, const char *error,
                  enum close_reason reason) {
    struct broker_worker *bw = client_worker(c);
    const struct connect_options *o = &c->options;
    if (error)
        trace_refused(c);
    else if (!c->connected)
        c->label = trace_label(c, account);
    connect_options_forget_secrets(&c->options);
    if (error) {
        client_refuse(c, error, reason);
        return;
    }
    if (account != c->account) {
        atomic_fetch_sub(&c->account->connections, 1);
        c->account = account;
        atomic_fetch_add(&c->account->connections, 1);
    }
    c->connected = true;
    c->echo = o->echo;
    c->verbose = o->verbose;
    c->pedantic = o->pedantic;
    c->headers = o->headers && bw->options->headers;
    c->no_responders = o->no_responders && c->headers;
    if (o->protocol < 0 || o->protocol > 1) {
        refuse_and_tell(c, "invalid client protocol", CLOSE_BAD_PROTOCOL_VERSION);
        return;
    }
    if (o->no_responders && !c->headers) {
        refuse_and_tell(c, "no responders requires headers support",
                        CLOSE_NO_RESPONDERS_REQUIRES_HEADERS);
        return;
    }
    say_ok(c);
    c->connection.read_all = true;
    connection_resume(&c->connection, PAUSE_ADMISSION);
}

/* --- SUB and UNSUB
 * ------------------------------------------------------------------------------------------------
 */

static void quoted_error(struct client *c, const char *before, struct slice text,
                         const char *behind) {
    size_t room = text.size * 4 + 256;
    char *line = memory_new(room);
    int n = snprintf(line, room, "%s", before);
    n += (int)go_quote(text, line + n, room - (size_t)n);
    snprintf(line + n, room - (size_t)n, "%s", behind);
    client_error(c, line);
    free(line);
}

static void subscription_violation(struct client *c, const struct client_op *op) {
    if (op->queue.size) {
        size_t room = op->queue.size * 4 + 64;
        char *behind = memory_new(room);
        int n = snprintf(behind, room, " using queue ");
        go_quote(op->queue, behind + n, room - (size_t)n);
        quoted_error(c, "Permissions Violation for Subscription to ", op->subject, behind);
        free(behind);
    } else {
        quoted_error(c, "Permissions Violation for Subscription to ", op->subject, "");
    }
}

/* The checks in Go's order (trap 13): permission and tokens, then the limit, then whether the sid
 * is in use. */
static void on_sub(struct client *c, const struct client_op *op) {
    struct broker_worker *bw = client_worker(c);
    const struct perigee_options *o = bw->options;
    c->last_activity_ns = c->last_in_ns = bw->worker->now_ns;
    if (op->queue.size && slice_is(op->queue, "_sys_")) {
        subscription_violation(c, op);
        trace_subscription_violation(c, "Subscription Violation", op);
        return;
    }
    if (o->max_subscription_tokens &&
        subject_count_tokens(op->subject) > (uint64_t)o->max_subscription_tokens) {
        quoted_error(c, "Permissions Violation for Subscription to ", op->subject,
                     ", too many tokens");
        trace_subscription_violation(c, "Subscription Violation Too Many Tokens", op);
        return;
    }
    if (o->max_subscriptions > 0 && (int64_t)c->sids.count >= o->max_subscriptions) {
        trace_max_subscriptions(c);
        client_error(c, "maximum subscriptions exceeded");
        return;
    }
    if (!subscription_find(c, op->sid) && !subscription_add(c, op->subject, op->queue, op->sid)) {
        client_error(c, "Invalid Subject");
        return;
    }
    say_ok(c);
}

static void on_unsub(struct client *c, const struct client_op *op) {
    c->last_activity_ns = c->last_in_ns = c->connection.worker->now_ns;
    struct subscription *s = subscription_find(c, op->sid);
    say_ok(c);
    if (!s) return;
    s->max = op->has_max ? (uint32_t)op->max : 0;
    if (!s->max || s->delivered >= s->max) subscription_remove(s);
}

/* --- PUB and HPUB
 * -------------------------------------------------------------------------------------------------
 */

/* Subjects and replies that belong to the server (CP-068). A bare prefix is not caught. */
static bool reserved(struct slice s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.size > n && memcmp(s.at, prefix, n) == 0;
}

static bool may_publish(struct client *c, struct slice subject, struct slice reply) {
    if (subject.size && (subject.at[0] == '_' || subject.at[0] == '$') &&
        (reserved(subject, "_GR_.") || reserved(subject, "$GR.") || reserved(subject, "$NRG."))) {
        quoted_error(c, "Permissions Violation for Publish to ", subject, "");
        trace_violation(c, "Publish Violation - Subject", subject);
        return false;
    }
    if (reply.size && (reply.at[0] == '_' || reply.at[0] == '$') &&
        (reserved(reply, "_GR_.") || reserved(reply, "$GR.") || slice_starts_with(reply, "_R_.") ||
         slice_starts_with(reply, "$JS.ACK."))) {
        quoted_error(c, "Permissions Violation for Publish with Reply of ", reply, "");
        trace_violation(c, "Publish Violation - Reply", reply);
        return false;
    }
    return true;
}

/* Replaces the subject by what the account's mappings make of it. */
static void map_subject(struct broker_worker *bw, struct client *c, struct slice *subject) {
    size_t size = 0;
    uint64_t random = broker_random(bw);
    enum mapping_verdict verdict =
        mapping_set_select(c->account->mappings, *subject, random, bw->mapped, MAPPED_MAX, &size);
    if (verdict == MAPPING_UNCHANGED) return;
    struct slice mapped =
        verdict == MAPPING_REPLACED ? slice_of(bw->mapped, size) : slice_of("", 0);
    if (log_enabled(LOG_TRACE)) trace_mapping(c, *subject, mapped);
    *subject = mapped;
}

/* `body` holds op->total_size bytes and CR LF. */
static void on_publish(struct client *c, const struct client_op *op, const char *body,
                       struct counted *counted) {
    struct broker_worker *bw = client_worker(c);
    struct slice subject = op->subject;
    if (c->pedantic && !subject_is_valid_to_publish(subject))
        client_error(c, "Invalid Publish Subject");
    if (c->account->mappings) map_subject(bw, c, &subject);
    if (log_enabled(LOG_TRACE))
        trace_payload(c, "<<-", body, op->total_size, op->header_size, bw->options);
    c->in_msgs++;
    c->in_bytes += op->total_size;
    if (!may_publish(c, subject, op->reply)) return;
    say_ok(c);
    const char *sizes = op->header_size ? op->header_size_text.at : op->size_text.at;
    const char *line_end = op->size_text.at + op->size_text.size;
    struct message m = {
        .account = c->account,
        .from = c,
        .from_id = c->connection.id,
        .subject = subject,
        .reply = op->reply,
        .body = body,
        .header_size = op->header_size,
        .total_size = op->total_size,
        .counted = counted,
        .with_headers = op->header_size != 0,
    };
    char composed[32];
    if (line_end[0] == '\r' && line_end[1] == '\n' &&
        (!op->header_size ||
         (op->size_text.at == op->header_size_text.at + op->header_size_text.size + 1 &&
          op->size_text.at[-1] == ' '))) {
        m.sizes = slice_of(sizes, (size_t)(line_end + 2 - sizes));
        m.contiguous = line_end + 2 == body;
    } else { /* blanks, a tab or a bare LF stood there: MSG has neither */
        int n = op->header_size ? snprintf(composed, sizeof composed, "%.*s ",
                                           (int)op->header_size_text.size, op->header_size_text.at)
                                : 0;
        n += snprintf(composed + n, sizeof composed - (size_t)n, "%.*s\r\n",
                      (int)op->size_text.size, op->size_text.at);
        m.sizes = slice_of(composed, (size_t)n);
    }
    publish(bw, &m, c->no_responders && op->reply.size);
}

static bool payload_is_allowed(struct client *c, const struct client_op *op) {
    int64_t max = client_worker(c)->options->max_payload;
    bool forbidden = op->verb == CLIENT_HPUB && !c->headers;
    bool too_large = max >= 0 && op->total_size > (uint64_t)max;
    if (!forbidden && !too_large) return true;
    if (log_enabled(LOG_TRACE)) trace_in(c, op);
    if (forbidden) {
        close_bad(c, "message headers not supported");
        return false;
    }
    char text[64];
    snprintf(text, sizeof text, "maximum payload exceeded: %u vs %lld", op->total_size,
             (long long)max);
    trace_error(c, text);
    client_refuse(c, "Maximum Payload Violation", CLOSE_MAX_PAYLOAD);
    return false;
}

/* What stands behind a payload is not CR LF: the parser is lost. */
static void refuse_end(struct client *c, const char *at, size_t size) {
    char why[256];
    client_parse_lost(slice_of(at, size), why, sizeof why);
    client_error(c, "Unknown Protocol Operation");
    close_bad(c, why);
}

/* A large payload begins: it is read into a counted buffer behind a copy of its control line, which
 * holds what the message's slices point into. */
struct large_publish {
    struct client_op op;
    char line[];
};

/* What a producer may still be made to wait for the bytes of this read. */
static uint64_t stall_left(const struct client *c) {
    uint64_t most = (uint64_t)STALL_MAX_NS * (c->connection.last_read / STALL_READ + 1);
    uint64_t used = c->stalled_read == c->connection.reads ? c->stalled_ns : 0;
    return used < most ? most - used : 0;
}

/* Adds what came in since the client's counters stood at these to the totals; a producer whose
 * consumer on another worker is slow waits now. */
static void count_input(struct client *c, uint64_t messages, uint64_t bytes) {
    if (c->in_msgs == messages) return;
    struct broker_worker *bw = client_worker(c);
    struct traffic *t = &c->account->traffic[bw->worker->index];
    c->last_activity_ns = c->last_in_ns = bw->worker->now_ns;
    counter_add(&bw->totals.in_msgs, c->in_msgs - messages);
    counter_add(&bw->totals.in_bytes, c->in_bytes - bytes);
    counter_add(&t->in_msgs, c->in_msgs - messages);
    counter_add(&t->in_bytes, c->in_bytes - bytes);
    if (c->peer_slow_until_ns > bw->worker->now_ns)
        client_stall(c, (uint32_t)(stall_left(c) / 1000000));
}

/* The payload has come; takes the reference. */
static void publish_large(struct client *c, struct counted *payload) {
    struct large_publish *large = c->large;
    c->large = NULL;
    if (client_payload_ended(payload->data + large->op.total_size))
        on_publish(c, &large->op, payload->data, payload);
    else
        refuse_end(c, payload->data + large->op.total_size, 2);
    counted_drop(payload);
    free(large);
}

static void on_large(struct connection *connection, struct counted *payload) {
    struct client *c = client_of(connection);
    uint64_t messages = c->in_msgs, bytes = c->in_bytes;
    publish_large(c, payload);
    count_input(c, messages, bytes);
}

static size_t begin_large(struct client *c, const struct client_op *op, const char *at,
                          size_t size) {
    uint32_t whole = op->total_size + 2;
    size_t there = size - op->line_size;
    struct counted *payload = counted_new(whole);
    if (there > whole) there = whole;
    memcpy(payload->data, at + op->line_size, there);
    struct large_publish *large = memory_new(sizeof *large + op->line_size);
    large->op = *op;
    memcpy(large->line, at, op->line_size);
    struct slice *slices[] = {&large->op.subject, &large->op.reply, &large->op.size_text,
                              &large->op.header_size_text};
    size_t count = op->verb == CLIENT_HPUB ? 4 : 3; /* PUB leaves the last one unset */
    for (size_t i = 0; i < count; i++)
        if (slices[i]->at) slices[i]->at = large->line + (slices[i]->at - at);
    c->large = large;
    if (there == whole) {
        publish_large(c, payload); /* counted with what else is in this read */
    } else {
        connection_read_large(&c->connection, payload, (uint32_t)there);
    }
    return op->line_size + there;
}

/* --- the parser's loop
 * -------------------------------------------------------------------------------------------- */

static void on_parse_error(struct client *c, enum client_parse error, const char *why) {
    if (error == CLIENT_LINE_TOO_LONG) {
        refuse_and_tell(c, "maximum control line exceeded", CLOSE_MAX_CONTROL_LINE);
    } else if (error == CLIENT_UNKNOWN_OPERATION) {
        client_error(c, "Unknown Protocol Operation");
        close_bad(c, why);
    } else {
        close_bad(c, why);
    }
}

static void on_client_err(struct client *c, struct slice text) {
    trace_client_error(c, text);
    connection_close(&c->connection, CLOSE_PARSE_ERROR, true);
}

static void on_other(struct client *c, const struct client_op *op) {
    switch (op->verb) {
    case CLIENT_CONNECT:
        on_connect(c, op->arg);
        break;
    case CLIENT_SUB:
        on_sub(c, op);
        break;
    case CLIENT_UNSUB:
        on_unsub(c, op);
        break;
    case CLIENT_PING:
        on_ping(c);
        break;
    case CLIENT_PONG:
        on_pong(c);
        break;
    case CLIENT_INFO: {
        char why[128];
        if (connect_check_info(op->arg, why, sizeof why) != 0) close_bad(c, why);
        break;
    }
    case CLIENT_ERR:
        on_client_err(c, op->arg);
        break;
    default:
        break;
    }
}

/* Uses one operation; returns its bytes, 0 when more are needed. */
static size_t use_operation(struct client *c, const char *at, size_t size,
                            uint32_t max_control_line) {
    struct connection *connection = &c->connection;
    struct client_op op;
    char why[256];
    enum client_parse parsed =
        client_parse_line(at, size, max_control_line, &connection->scanned, &op, why, sizeof why);
    if (parsed != CLIENT_PARSED) {
        if (parsed == CLIENT_BAD_ARGUMENTS && log_enabled(LOG_TRACE)) trace_in(c, &op);
        if (parsed != CLIENT_PARTIAL) on_parse_error(c, parsed, why);
        return 0;
    }
    connection->scanned = 0;
    if (op.verb != CLIENT_PUB && op.verb != CLIENT_HPUB) {
        if (log_enabled(LOG_TRACE)) trace_in(c, &op);
        on_other(c, &op);
        return op.line_size;
    }
    if (!payload_is_allowed(c, &op)) return 0;
    if (op.total_size >= LARGE_PAYLOAD) {
        if (log_enabled(LOG_TRACE)) trace_in(c, &op);
        return begin_large(c, &op, at, size);
    }
    size_t whole = op.line_size + op.total_size + 2;
    if (size < whole) {
        /* Too long already? Then it will not get better. */
        if (size > whole - 2 && at[whole - 2] != '\r')
            refuse_end(c, at + whole - 2, size - (whole - 2));
        return 0;
    }
    if (log_enabled(LOG_TRACE)) trace_in(c, &op);
    if (!client_payload_ended(at + whole - 2)) {
        refuse_end(c, at + whole - 2, size - (whole - 2));
        return 0;
    }
    on_publish(c, &op, at + op.line_size, NULL);
    return whole;
}

static size_t use_bytes(struct connection *connection, const char *at, size_t size) {
    struct client *c = client_of(connection);
    struct worker *w = connection->worker;
    struct broker_worker *bw = w->domain;
    int64_t max_control_line = bw->options->max_control_line;
    if (max_control_line > CONTROL_LINE_MAX) max_control_line = CONTROL_LINE_MAX;
    uint64_t messages = c->in_msgs, bytes = c->in_bytes;
    if (c->stalled_read != connection->reads) { /* a stall is bounded per read */
        c->stalled_read = connection->reads;
        if (c->stalled_ns >= STALL_TOLD_NS) trace_stalled(c, c->stalled_ns);
        c->stalled_ns = 0;
    }
    size_t used = 0;
    while (used < size) {
        size_t n = use_operation(c, at + used, size - used, (uint32_t)max_control_line);
        used += n;
        if (w->early.first) worker_flush_early(w); /* may find that this one's own socket is gone */
        if (n == 0 || connection->paused | connection->closing) break;
        if (worker_budget_over(w, 1)) {
            connection->input_ready = true;
            break;
        }
    }
    count_input(c, messages, bytes);
    return used;
}

/* --- stalled producers
 * -------------------------------------------------------------------------------------------- */

static void on_stall_timer(uv_timer_t *timer) {
    struct broker_worker *bw = timer->data;
    worker_enter(bw->worker);
    clients_unstall(bw, false);
    worker_leave(bw->worker);
}

/* The consumer's worker is heard of once a turn, in which several reads may be published: so what
 * this read may still wait is waited at once, and for a while so do the reads that follow. */
void client_stall_for_peer(struct client *c) {
    c->peer_slow_until_ns = c->connection.worker->now_ns + PEER_SLOW_NS;
    client_stall(c, (uint32_t)(stall_left(c) / 1000000));
}

bool client_may_stall(const struct client *c, uint32_t ms) {
    return !c->connection.closing && !c->stalled && (uint64_t)ms * 1000000 <= stall_left(c);
}

void client_stall(struct client *c, uint32_t ms) {
    struct broker_worker *bw = client_worker(c);
    uint64_t wait = (uint64_t)ms * 1000000;
    if (!ms || !client_may_stall(c, ms)) return;
    if (c->stalled_read != c->connection.reads) c->stalled_ns = 0;
    c->stalled_read = c->connection.reads;
    c->stalled_ns += wait;
    c->stall_until_ns = bw->worker->now_ns + wait;
    c->stalled = true;
    c->next_stalled = bw->stalled;
    bw->stalled = c;
    connection_pause(&c->connection, PAUSE_STALL);
    if (!uv_is_active((uv_handle_t *)&bw->stall_timer))
        uv_timer_start(&bw->stall_timer, on_stall_timer, 1, 1);
}

/* Lets those go on whose time is over, or all. */
void clients_unstall(struct broker_worker *bw, bool all) {
    struct client **at = &bw->stalled;
    while (*at) {
        struct client *c = *at;
        if (!all && !c->connection.closing && c->stall_until_ns > bw->worker->now_ns) {
            at = &c->next_stalled;
            continue;
        }
        *at = c->next_stalled;
        c->stalled = false;
        connection_resume(&c->connection, PAUSE_STALL);
    }
    if (!bw->stalled) uv_timer_stop(&bw->stall_timer);
}

/* The consumer takes messages again, or is gone: its producers need not wait any longer. Who they are
 * is not known, so all go on; those whose consumer is another one are soon stalled again. */
static void release_producers(struct broker_worker *bw, struct client *c) {
    c->gate_open = false;
    clients_unstall(bw, true);
    for (unsigned i = 0; i < bw->broker->workers.count; i++)
        if (i != bw->worker->index) mail_write(&bw->worker->mail, i, LETTER_STALL, 0, 0);
}

static void written(struct connection *connection) {
    struct client *c = client_of(connection);
    struct broker_worker *bw = client_worker(c);
    if (c->slow && !connection->batch_left) {
        trace_slow_recovered(c);
        c->slow = false;
    }
    if (!c->gate_open || connection->output.pending > (uint64_t)bw->options->max_pending / 4 * 3)
        return;
    release_producers(bw, c);
}

static uint64_t write_deadline(const struct connection *connection) {
    return client_worker((const struct client *)(const void *)connection)
        ->options->write_deadline_ns;
}

static bool write_expired(struct connection *connection, uint64_t written_bytes) {
    struct client *c = client_of(connection);
    struct broker_worker *bw = client_worker(c);
    counter_add(&bw->totals.slow_consumers, 1);
    counter_add(&bw->totals.slow_deadline, 1);
    counter_add(&c->account->traffic[bw->worker->index].slow_consumers, 1);
    trace_slow_deadline(c);
    if (!bw->options->write_retry || !written_bytes) return true;
    c->slow = true;
    return false;
}

/* --- closing
 * ------------------------------------------------------------------------------------------------------
 */

static void unlink_stalled(struct broker_worker *bw, struct client *c) {
    struct client **at = &bw->stalled;
    while (*at && *at != c) at = &(*at)->next_stalled;
    if (*at) *at = c->next_stalled;
    c->stalled = false;
}

static void closing(struct connection *connection) {
    struct client *c = client_of(connection);
    struct broker_worker *bw = client_worker(c);
    if (log_enabled(LOG_DEBUG)) trace_closed(c);
    bw->broker->observer.closed(c);
    timer_cancel(&bw->worker->wheel, &c->ping_timer);
    if (c->counted) {
        atomic_fetch_sub(&bw->broker->client_count, 1);
        atomic_fetch_sub(&c->account->connections, 1);
        c->counted = false;
    }
    if (c->stalled) unlink_stalled(bw, c);
    if (c->gate_open) release_producers(bw, c);
    reap(c);
}

bool clients_reap(struct broker_worker *bw) {
    while (bw->reaping) {
        struct client *c = bw->reaping;
        if (!subscriptions_reap(c)) return true;
        bw->reaping = c->next_reaping;
        c->reaping = false;
        if (!c->connection.closing) bw->broker->observer.connect(c); /* what it waited for */
        connection_unhold(&c->connection);
    }
    return false;
}

static void freed(struct connection *connection) {
    struct client *c = client_of(connection);
    assert(c->sids.count == 0);
    subscriptions_bury(client_worker(c));
    connect_options_free(&c->options);
    free(c->label);
    free(c->large);
}

const struct connection_kind client_kind = {
    .name = "Client",
    .size = sizeof(struct client),
    .first_read = FIRST_READ,
    .opened = opened,
    .bytes = use_bytes,
    .large = on_large,
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
