/* The calls that concern the running server. There is one server in a process. */
#include "base/memory.h"
#include "broker/broker.h"
#include "broker/client.h"
#include "ffi/events.h"
#include "ffi/records.h"
#include "net/listener.h"
#include <assert.h>
#include <stdlib.h>

/* Bytes in the queue of events above which closed connections come without their subscriptions. */
enum { LISTS_QUEUED = 16 * 1024 * 1024 };

static struct broker *broker;
static bool running;

/* --- what goes up
 * -------------------------------------------------------------------------------------------------
 */

static struct perigee_text text_of(const char *text) {
    return (struct perigee_text){text ? text : "", text ? strlen(text) : 0};
}

static void on_connect(struct client *c) {
    const struct connect_options *o = &c->options;
    struct perigee_event e = {.kind = PERIGEE_EVENT_CONNECT,
                              .id = c->connection.id,
                              .cid = c->cid,
                              .flag = o->new_account};
    const char *texts[] = {
        [PERIGEE_CONNECT_IP] = c->connection.ip, [PERIGEE_CONNECT_NAME] = o->name,
        [PERIGEE_CONNECT_LANG] = o->lang,        [PERIGEE_CONNECT_VERSION] = o->version,
        [PERIGEE_CONNECT_USER] = o->user,        [PERIGEE_CONNECT_PASS] = o->pass,
        [PERIGEE_CONNECT_TOKEN] = o->auth_token, [PERIGEE_CONNECT_JWT] = o->jwt,
        [PERIGEE_CONNECT_NKEY] = o->nkey,        [PERIGEE_CONNECT_SIG] = o->sig,
        [PERIGEE_CONNECT_ACCOUNT] = o->account,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) e.texts[i] = text_of(texts[i]);
    events_put(&e);
}

static void on_closed(struct client *c) {
    struct records r = {0};
    records_add_client(&r, c, events_bytes() < LISTS_QUEUED);
    events_put(&(struct perigee_event){.kind = PERIGEE_EVENT_CLOSED,
                                       .id = c->connection.id,
                                       .cid = c->cid,
                                       .data = {r.at, r.size}});
    records_free(&r);
}

static void on_answered(uint64_t request, unsigned worker) {
    events_put(&(struct perigee_event){
        .kind = PERIGEE_EVENT_ANSWER, .number = (int32_t)worker, .request = request});
}

static void on_http(struct connection *c, struct slice method, struct slice path,
                    struct slice query, unsigned minor, bool keep_alive) {
    struct perigee_event e = {
        .kind = PERIGEE_EVENT_HTTP, .number = (int32_t)minor, .id = c->id, .flag = keep_alive};
    e.texts[PERIGEE_HTTP_METHOD] = (struct perigee_text){method.at, method.size};
    e.texts[PERIGEE_HTTP_PATH] = (struct perigee_text){path.at, path.size};
    e.texts[PERIGEE_HTTP_QUERY] = (struct perigee_text){query.at, query.size};
    e.texts[PERIGEE_HTTP_IP] = text_of(c->ip);
    events_put(&e);
}

static const struct broker_observer observer = {on_connect, on_closed, on_answered, on_http};

/* --- options
 * ------------------------------------------------------------------------------------------------------
 */

/* Old versions are kept until the end: a worker may still be writing from one. Each is small, and
 * reloads are rare. */
struct kept_options {
    struct kept_options *next;
    struct perigee_options options;
};
static struct kept_options *kept;

static const struct perigee_options *keep_options(const struct perigee_options *given) {
    struct kept_options *k = memory_new(sizeof *k);
    k->options = *given;
    const char **texts[] = {&k->options.first.head, &k->options.first.tail,
                            &k->options.connected.head, &k->options.connected.tail};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = memory_text(slice_text(*texts[i]));
    k->next = kept;
    kept = k;
    return &k->options;
}

static void free_options(void) {
    while (kept) {
        struct kept_options *next = kept->next;
        const char *texts[] = {kept->options.first.head, kept->options.first.tail,
                               kept->options.connected.head, kept->options.connected.tail};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free((char *)(uintptr_t)texts[i]);
        free(kept);
        kept = next;
    }
}

/* --- calls
 * --------------------------------------------------------------------------------------------------------
 */

static void prepare(void) {
    if (broker) return;
    broker = aligned_alloc(64, (sizeof *broker + 63) & ~(size_t)63);
    if (!broker) abort();
    broker_prepare(broker);
}

int perigee_start(unsigned workers, const struct perigee_options *options) {
    prepare();
    broker->workers.handlers[LETTER_COLLECT] = records_on_collect;
    int failed = broker_start(broker, workers, keep_options(options), &observer);
    running = failed == 0;
    return failed;
}

void perigee_stop(void) {
    if (broker && running) broker_stop(broker);
    free(broker);
    broker = NULL;
    running = false;
    free_options();
    events_clear();
}

int perigee_bind(const char *host, int port, int *real_port, char *error, size_t error_size) {
    uint16_t real = 0;
    int fd = listener_bind(host, (uint16_t)port, &real, error, error_size);
    *real_port = real;
    return fd;
}

void perigee_addresses(int descriptor, char *out, size_t size) {
    listener_addresses(descriptor, out, size);
}

int perigee_accept(int what, int descriptor) {
    return listener_accept(&broker->workers, descriptor,
                           what == PERIGEE_LISTEN_HTTP ? KIND_HTTP : KIND_CLIENT);
}

void perigee_unlisten(int listener) {
    listener_close(&broker->workers, listener);
}

static void *letter(unsigned to, uint16_t handler, uint64_t id, size_t size) {
    assert(to < broker->workers.count);
    return workers_letter(&broker->workers, to, handler, id, size)->body;
}

static void send_letters(void) {
    workers_send(&broker->workers);
}

void perigee_reconfigure(const struct perigee_options *options, uint64_t request) {
    const struct perigee_options *own = keep_options(options);
    for (unsigned w = 0; w < broker->workers.count; w++)
        memcpy(letter(w, LETTER_OPTIONS, request, sizeof own), &own, sizeof own);
    send_letters();
}

void perigee_admit(uint64_t id, uint32_t account, const char *error, int reason) {
    struct admit_letter *l = letter(id_worker(id), LETTER_ADMIT, id, sizeof *l);
    *l = (struct admit_letter){.account = account, .reason = (uint16_t)reason};
    if (error) memcpy(l->error, error, strnlen(error, sizeof l->error - 1));
    send_letters();
}

void perigee_http_answer(uint64_t id, const char *text, size_t size) {
    memcpy(letter(id_worker(id), LETTER_HTTP, id, size), text, size);
    send_letters();
}

void perigee_collect(uint64_t request, unsigned worker, int what, uint64_t cursor, uint64_t cid) {
    struct collect_letter *l = letter(worker, LETTER_COLLECT, request, sizeof *l);
    *l = (struct collect_letter){.what = what, .cursor = cursor, .cid = cid};
    send_letters();
}

void perigee_close(uint64_t id, int reason) {
    int32_t why = reason;
    memcpy(letter(id_worker(id), LETTER_CLOSE, id, sizeof why), &why, sizeof why);
    send_letters();
}

void perigee_ping(uint64_t id) {
    letter(id_worker(id), LETTER_PING, id, 0);
    send_letters();
}

void perigee_inform(const struct perigee_info *info) {
    size_t head = strlen(info->head) + 1, tail = strlen(info->tail) + 1;
    for (unsigned w = 0; w < broker->workers.count; w++) {
        char *at = letter(w, LETTER_INFO, 0, head + tail);
        memcpy(at, info->head, head);
        memcpy(at + head, info->tail, tail);
    }
    send_letters();
}

unsigned perigee_worker_count(void) {
    return broker ? broker->workers.count : 0;
}

static void add_worker(struct perigee_totals *t, const struct broker_worker *bw) {
    const struct broker_totals *from = &bw->totals;
    t->in_msgs += counter_get(&from->in_msgs);
    t->in_bytes += counter_get(&from->in_bytes);
    t->out_msgs += counter_get(&from->out_msgs);
    t->out_bytes += counter_get(&from->out_bytes);
    t->subscriptions += counter_get(&from->subscriptions);
    t->total_clients += counter_get(&from->total_clients);
    t->slow_consumers += counter_get(&from->slow_consumers);
    t->stale_connections += counter_get(&from->stale);
    t->stalled_clients += counter_get(&from->stalls);
    struct match_cache_stats cache = match_cache_stats(bw->cache);
    t->cache_hits += cache.hits;
    t->index_matches += cache.hits + cache.misses;
    t->cache_entries += cache.entries;
    t->cache_bytes += cache.bytes;
    t->cache_allocations += cache.allocations;
    t->fanout_sum += cache.fanout_sum;
    t->fanout_count += cache.fanout_count;
    if (cache.fanout_max > t->fanout_max) t->fanout_max = cache.fanout_max;
    t->long_callbacks += counter_get(&bw->worker->long_callbacks);
    if (counter_get(&bw->worker->longest_callback_ns) > t->longest_callback_ns)
        t->longest_callback_ns = counter_get(&bw->worker->longest_callback_ns);
}

void perigee_totals(struct perigee_totals *t) {
    *t = (struct perigee_totals){0};
    t->clients = (uint64_t)atomic_load(&broker->client_count);
    for (unsigned i = 0; i < broker->workers.count; i++) add_worker(t, broker->per_worker[i]);
    interest_lock(&broker->interest, 0);
    struct subject_index_stats index = subject_index_stats(broker->global->index);
    interest_unlock(&broker->interest, 0);
    t->index_inserts = index.inserts;
    t->index_removes = index.removes;
}

void perigee_set_mappings(uint32_t account, struct mapping_set *mappings) {
    prepare();
    assert(account == 0 && !running);
    broker->global->mappings = mappings;
}

const char *perigee_close_reason(int reason) {
    return close_reason_text((unsigned)reason);
}
