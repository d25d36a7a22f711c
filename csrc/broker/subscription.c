#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/client.h"
#include "broker/trace.h"
#include <stdlib.h>

static struct subscription *of_link(struct hash_link *link) {
    return (struct subscription *)(void *)((char *)link - offsetof(struct subscription, link));
}

struct subscription *subscription_find(struct client *c, struct slice sid) {
    struct hash_link *link = linear_hash_first(&c->sids, (uint32_t)hash_slice(sid));
    for (; link; link = linear_hash_next(link)) {
        struct subscription *s = of_link(link);
        if (s->sid_size == sid.size && memcmp(subscription_sid(s), sid.at, sid.size) == 0) return s;
    }
    return NULL;
}

static struct slice queue_of(const struct subscription *s) {
    return s->queue ? slice_text(s->queue) : (struct slice){0};
}

bool subscription_add(struct client *c, struct slice subject, struct slice queue,
                      struct slice sid) {
    struct broker_worker *bw = client_worker(c);
    struct subscription *s = slots_take(&bw->subscriptions);
    if (!s) return false;
    s->client = c;
    s->sid_size = (uint32_t)sid.size & 0x7fffffff;
    if (sid.size < sizeof s->inline_sid)
        memcpy(s->inline_sid, sid.at, sid.size);
    else
        s->long_sid = memory_text(sid);
    if (queue.size) s->queue = memory_text(queue);
    s->node = interest_add(&bw->broker->interest, c->account, subject, queue,
                           slots_id(&bw->subscriptions, s));
    if (!s->node) {
        if (s->sid_size >= sizeof s->inline_sid) free(s->long_sid);
        free(s->queue);
        slots_give(&bw->subscriptions, s);
        return false;
    }
    linear_hash_insert(&c->sids, &s->link, (uint32_t)hash_slice(sid));
    counter_add(&bw->totals.subscriptions, 1);
    return true;
}

/* From here on nobody finds it; its memory stays until the end of the turn. */
void subscription_remove(struct subscription *s) {
    if (s->removed) return;
    struct client *c = s->client;
    struct broker_worker *bw = client_worker(c);
    s->removed = true;
    if (log_enabled(LOG_TRACE) && c->connection.reason != CLOSE_SERVER_SHUTDOWN)
        trace_delsub(c, slice_of(subscription_sid(s), s->sid_size));
    linear_hash_remove(&c->sids, &s->link);
    interest_remove(&bw->broker->interest, c->account, s->node, queue_of(s),
                    slots_id(&bw->subscriptions, s));
    counter_add(&bw->totals.subscriptions, (uint64_t)-1);
    if (s->sid_size >= sizeof s->inline_sid) free(s->long_sid);
    s->next_dead = bw->graveyard;
    bw->graveyard = s;
}

void subscriptions_bury(struct broker_worker *bw) {
    while (bw->graveyard) {
        struct subscription *s = bw->graveyard;
        bw->graveyard = s->next_dead;
        free(s->queue);
        slots_give(&bw->subscriptions, s);
    }
}

uint32_t subscription_count(const struct client *c) {
    return c->sids.count;
}

bool subscriptions_reap(struct client *c) {
    while (c->sids.count) {
        struct hash_link *link = linear_hash_each(&c->sids, &c->reap_cursor, NULL);
        if (!link)
            c->reap_cursor = 0; /* the table shrank: what moved to buckets already passed */
        else
            subscription_remove(of_link(link));
        if (worker_budget_over(c->connection.worker, 8) && c->sids.count) return false;
    }
    linear_hash_free(&c->sids);
    return true;
}
