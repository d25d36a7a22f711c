#include "ffi/records.h"
#include "base/memory.h"
#include "ffi/events.h"
#include <stdlib.h>

enum {
    ANSWER_BYTES = 64 * 1024,   /* one answer; the rest comes with the next question */
    LISTED_MAX = 4096,          /* subscriptions listed with one connection ... */
    LISTED_BYTES = 1024 * 1024, /* ... and bytes of them */
};

static char *grow(struct records *r, size_t size) {
    if (r->size + size > r->room) {
        r->room = (r->size + size) * 2;
        r->at = memory_resize(r->at, r->room);
    }
    char *at = r->at + r->size;
    memset(at, 0, size);
    r->size += size;
    return at;
}

void records_free(struct records *r) {
    free(r->at);
    *r = (struct records){0};
}

static size_t up8(size_t n) {
    return (n + 7) & ~(size_t)7;
}

static char *put(char *at, const char *text, size_t size) {
    if (size) memcpy(at, text, size);
    return at + size;
}

/* The index is read under the worker's own lock, which keeps the node's subject from changing. */
static void add_subscription(struct records *r, struct broker_worker *bw,
                             const struct subscription *s) {
    char local[1024], *subject = local;
    interest_lock(&bw->broker->interest, bw->worker->index);
    size_t n = index_node_subject(s->node, local, sizeof local);
    if (n > sizeof local) {
        subject = memory_new(n);
        index_node_subject(s->node, subject, n);
    }
    interest_unlock(&bw->broker->interest, bw->worker->index);
    size_t queue = s->queue ? strlen(s->queue) : 0;
    size_t size = up8(sizeof(struct perigee_subscription) + n + queue + s->sid_size);
    char *at = grow(r, size);
    *(struct perigee_subscription *)(void *)at = (struct perigee_subscription){
        .size = (uint32_t)size,
        .account = s->client->account->number,
        .cid = s->client->cid,
        .msgs = s->delivered,
        .max = s->max,
        .subject_size = (uint32_t)n,
        .queue_size = (uint32_t)queue,
        .sid_size = s->sid_size,
    };
    at = put(at + sizeof(struct perigee_subscription), subject, n);
    at = put(at, s->queue, queue);
    put(at, subscription_sid(s), s->sid_size);
    if (subject != local) free(subject);
}

/* The wall clock at a connection's last activity: counted from its start, so that it stays the same
 * and is never before, however that clock is set meanwhile. */
static uint64_t activity_ns(const struct client *c) {
    return c->start_wall_ns + (c->last_activity_ns - c->start_ns);
}

static uint64_t stop_ns(const struct worker *w, const struct client *c) {
    if (!c->connection.closing) return 0;
    return w->wall_ns > activity_ns(c) ? w->wall_ns : activity_ns(c);
}

static size_t length(const char *text) {
    return text ? strlen(text) : 0;
}

void records_add_client(struct records *r, const struct client *c, bool with_subscriptions) {
    struct broker_worker *bw = client_worker(c);
    const struct worker *w = bw->worker;
    const struct connect_options *o = &c->options;
    struct perigee_connection record = {
        .id = c->connection.id,
        .cid = c->cid,
        .start_ns = (int64_t)c->start_wall_ns,
        .stop_ns = (int64_t)stop_ns(w, c),
        .last_activity_ns = (int64_t)activity_ns(c),
        .rtt_ns = (int64_t)c->rtt_ns,
        .pending_bytes = c->connection.output.pending,
        .in_msgs = c->in_msgs,
        .in_bytes = c->in_bytes,
        .out_msgs = c->out_msgs,
        .out_bytes = c->out_bytes,
        .stalls = c->stalls,
        .subscriptions = c->sids.count,
        .port = c->connection.port,
        .reason = c->connection.reason,
        .account = c->account->number,
        .ip_size = (uint32_t)length(c->connection.ip),
        .name_size = (uint32_t)length(o->name),
        .lang_size = (uint32_t)length(o->lang),
        .version_size = (uint32_t)length(o->version),
        .sent_connect = c->connected,
    };
    size_t texts = record.ip_size + record.name_size + record.lang_size + record.version_size;
    size_t start = r->size;
    char *at = grow(r, up8(sizeof record + texts)) + sizeof record;
    at = put(at, c->connection.ip, record.ip_size);
    at = put(at, o->name, record.name_size);
    at = put(at, o->lang, record.lang_size);
    put(at, o->version, record.version_size);
    if (with_subscriptions) {
        uint64_t cursor = 0;
        struct hash_link *link = NULL;
        while (record.listed < LISTED_MAX && r->size - start < LISTED_BYTES &&
               (link = linear_hash_each(&c->sids, &cursor, link))) {
            add_subscription(r, bw,
                             (const void *)((char *)link - offsetof(struct subscription, link)));
            record.listed++;
        }
    }
    record.size = (uint32_t)(r->size - start);
    memcpy(r->at + start, &record, sizeof record);
}

/* Connections go by slot: the cursor is the next one. */
static uint64_t collect_connections(struct records *r, struct worker *w,
                                    const struct collect_letter *l) {
    uint32_t cursor = (uint32_t)l->cursor;
    struct connection *c;
    while ((c = connections_each(w, &cursor))) {
        if (c->kind != &client_kind || c->closing || (l->cid && client_of(c)->cid != l->cid))
            continue;
        records_add_client(r, client_of(c), l->what == PERIGEE_COLLECT_CONNECTIONS_SUBS);
        if (r->size >= ANSWER_BYTES || worker_budget_over(w, 16)) return cursor;
    }
    return 0;
}

static uint64_t collect_subscriptions(struct records *r, struct worker *w,
                                      const struct collect_letter *l) {
    struct broker_worker *bw = broker_worker_of(w);
    uint32_t cursor = (uint32_t)l->cursor;
    struct subscription *s;
    while ((s = slots_each(&bw->subscriptions, &cursor))) {
        if (s->removed || s->client->connection.closing) continue;
        add_subscription(r, bw, s);
        if (r->size >= ANSWER_BYTES || worker_budget_over(w, 8)) return cursor;
    }
    return 0;
}

void records_on_collect(void *context, const struct letter *letter) {
    struct worker *w = context;
    const struct collect_letter *l = (const void *)letter->body;
    struct records r = {0};
    uint64_t cursor = l->what == PERIGEE_COLLECT_SUBSCRIPTIONS ? collect_subscriptions(&r, w, l)
                                                               : collect_connections(&r, w, l);
    events_put(&(struct perigee_event){.kind = PERIGEE_EVENT_ANSWER,
                                       .number = (int32_t)w->index,
                                       .request = letter->id,
                                       .cursor = cursor,
                                       .data = {r.at, r.size}});
    records_free(&r);
}
