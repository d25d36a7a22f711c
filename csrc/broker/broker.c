#include "broker/broker.h"
#include "base/clock.h"
#include "base/memory.h"
#include "broker/client.h"
#include "broker/http_client.h"
#include "broker/publish.h"
#include <stdlib.h>
#include <sys/random.h>

enum { CREDIT_MIN = 64 * 1024 };

const char *close_reason_text(unsigned reason) {
    static const char *const texts[] = {
        "Unknown State",
        "Client Closed",
        "Authentication Timeout",
        "Authentication Failure",
        "TLS Handshake Failure",
        "Slow Consumer (Pending Bytes)",
        "Slow Consumer (Write Deadline)",
        "Write Error",
        "Read Error",
        "Parse Error",
        "Stale Connection",
        "Protocol Violation",
        "Bad Client Protocol Version",
        "Incorrect Port",
        "Maximum Account Connections Exceeded",
        "Maximum Connections Exceeded",
        "Maximum Message Payload Exceeded",
        "Maximum Control Line Exceeded",
        "Maximum Subscriptions Exceeded",
        "Duplicate Route",
        "Route Removed",
        "Server Shutdown",
        "Authentication Expired",
        "Wrong Gateway",
        "Missing Account",
        "Credentials Revoked",
        "Internal Client",
        "Message Header Violation",
        "No Responders Requires Headers",
        "Cluster Name Conflict",
        "Duplicate Remote LeafNode Connection",
        "Duplicate Client ID",
        "Duplicate Server Name",
        "Minimum Version Required",
        "Cluster Names Identical",
        "Kicked",
        "Proxy Not Trusted",
        "Proxy Required",
    };
    return reason < sizeof texts / sizeof *texts ? texts[reason] : texts[0];
}

/* --- per worker
 * ---------------------------------------------------------------------------------------------------
 */

static struct subscription *find_subscription(void *arg, uint64_t id) {
    struct broker_worker *bw = arg;
    struct subscription *s = slots_find(&bw->subscriptions, id);
    return s && !s->removed ? s : NULL;
}

static void use_options(struct broker_worker *bw, const struct perigee_options *options) {
    uint64_t three_quarters = (uint64_t)options->max_pending / 4 * 3;
    bw->options = options;
    bw->much_pending = three_quarters < EARLY_FLUSH ? three_quarters : EARLY_FLUSH;
}

static void start_worker(struct worker *w) {
    struct broker *b = broker_of(w->workers);
    struct broker_worker *bw = memory_zero(sizeof *bw);
    bw->worker = w;
    bw->broker = b;
    use_options(bw, b->options);
    bw->cache =
        match_cache_new(&b->interest, w->index, bw->options->match_cache, find_subscription, bw);
    slots_init(&bw->subscriptions, w->index, (sizeof(struct subscription) + 7) & ~(size_t)7);
    slots_init(&bw->outcomes, w->index, (publish_outcome_size() + 7) & ~(size_t)7);
    bw->mapped = memory_new(MAPPED_MAX);
    if (getrandom(&bw->random, sizeof bw->random, 0) < 0 || !bw->random)
        bw->random = clock_wall_ns() | 1;
    uv_timer_init(&w->loop, &bw->stall_timer);
    bw->stall_timer.data = bw;
    w->domain = bw;
    b->per_worker[w->index] = bw;
}

static void stop_worker(struct worker *w) {
    struct broker_worker *bw = broker_worker_of(w);
    subscriptions_bury(bw);
}

static void free_worker(struct broker_worker *bw) {
    match_cache_free(bw->cache);
    slots_free(&bw->subscriptions);
    slots_free(&bw->outcomes);
    free(bw->mapped);
    free(bw->picks);
    free((char *)(uintptr_t)bw->info.head);
    free((char *)(uintptr_t)bw->info.tail);
    free(bw);
}

static void end_of_turn(struct worker *w) {
    subscriptions_bury(broker_worker_of(w));
}

static bool background(struct worker *w) {
    struct broker_worker *bw = broker_worker_of(w);
    bool reaping = clients_reap(bw), informing = clients_inform(bw);
    return reaping || informing;
}

/* --- letters from the control plane
 * ------------------------------------------------------------------------------- */

static void on_admit(void *context, const struct letter *letter) {
    struct worker *w = context;
    const struct admit_letter *l = (const void *)letter->body;
    struct client *c = client_find(w, letter->id);
    if (!c || !(c->connection.paused & PAUSE_ADMISSION)) return;
    struct broker *b = broker_of(w->workers);
    client_admit(c, b->accounts[l->account], *l->error ? l->error : NULL, l->reason);
}

static void on_close(void *context, const struct letter *letter) {
    struct connection *c = connection_find(context, letter->id);
    int32_t reason;
    memcpy(&reason, letter->body, sizeof reason);
    if (c) connection_close(c, (uint16_t)reason, true);
}

static void on_ping(void *context, const struct letter *letter) {
    struct client *c = client_find(context, letter->id);
    if (c && !c->rtt_ns) client_measure(c);
}

static void on_info(void *context, const struct letter *letter) {
    struct broker_worker *bw = broker_worker_of(context);
    const char *head = letter->body;
    struct perigee_info line = {head, head + strlen(head) + 1};
    clients_info(bw, &line);
}

static void on_options(void *context, const struct letter *letter) {
    struct worker *w = context;
    struct broker_worker *bw = broker_worker_of(w);
    const struct perigee_options *options;
    memcpy(&options, letter->body, sizeof options);
    use_options(bw, options);
    bw->broker->observer.answered(letter->id, w->index);
}

/* --- start and stop
 * -----------------------------------------------------------------------------------------------
 */

/* Mail under way ends up in outputs: with a small max_pending a burst of it must not be what makes
 * a consumer slow. */
static uint64_t credit_for(const struct perigee_options *o) {
    uint64_t eighth = (uint64_t)o->max_pending / 8;
    return eighth > MAIL_CREDIT ? MAIL_CREDIT : eighth < CREDIT_MIN ? CREDIT_MIN : eighth;
}

int broker_start(struct broker *b, unsigned workers, const struct perigee_options *options,
                 const struct broker_observer *observer) {
    b->options = options;
    b->observer = *observer;
    interest_init(&b->interest, workers);
    b->start_wall_ns = clock_wall_ns();
    b->workers.hooks = (struct worker_hooks){start_worker, end_of_turn, background, stop_worker};
    b->workers.kinds[KIND_CLIENT] = &client_kind;
    b->workers.kinds[KIND_HTTP] = &http_kind;
    letter_handler **handlers = b->workers.handlers;
    handlers[LETTER_DELIVER] = publish_on_deliver;
    handlers[LETTER_OUTCOME] = publish_on_outcome;
    handlers[LETTER_STALL] = publish_on_stall;
    handlers[LETTER_ADMIT] = on_admit;
    handlers[LETTER_CLOSE] = on_close;
    handlers[LETTER_INFO] = on_info;
    handlers[LETTER_PING] = on_ping;
    handlers[LETTER_OPTIONS] = on_options;
    handlers[LETTER_HTTP] = http_on_answer;
    b->workers.credit = credit_for(options);
    return workers_start(&b->workers, workers);
}

void broker_prepare(struct broker *b) {
    memset(b, 0, sizeof *b);
    b->accounts[0] = b->global = account_new(0, slice_text("$G"));
}

void broker_stop(struct broker *b) {
    workers_stop(&b->workers);
    for (unsigned i = 0; i < b->workers.count; i++) free_worker(b->per_worker[i]);
    interest_free(&b->interest);
    account_free(b->global);
}
