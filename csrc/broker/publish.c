#include "broker/publish.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/client.h"
#include "broker/trace.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DELIVER_PLAIN = 1,
    DELIVER_HEADERS = 2,
    DELIVER_TRACED = 4,
    DELIVER_COUNTED = 8,
    DELIVER_FROM_CLIENT = 16
};
enum { OUTCOME_NONE, OUTCOME_REFUSAL, OUTCOME_PIECES };

/* A queue member chosen on another worker. */
struct pick {
    uint64_t member;
    uint64_t tried; /* workers that have refused: they are not asked again */
    struct slice name;
};

/* The body of LETTER_DELIVER; the letter's id is the publisher's connection. Behind it: for each
 * pick its fixed part and name, then subject, reply, sizes and body. */
struct deliver_letter {
    uint32_t account, flags, want, picks;
    uint64_t outcome;        /* the sender's struct outcome with OUTCOME_PIECES */
    uint32_t outcome_worker; /* whose: a letter that was passed on is answered to the publisher's
                                worker */
    uint32_t subject_size, reply_size, sizes_size, header_size, total_size;
    struct counted *counted; /* DELIVER_COUNTED: the letter holds a reference */
};
struct deliver_pick {
    uint64_t member, tried;
    uint32_t name_size, unused;
};

/* The body of LETTER_OUTCOME; the letter's id is the publisher's connection. */
struct outcome_letter {
    uint64_t outcome; /* with pieces: which; 0: the one piece was refused, and subject and reply
                         stand behind */
    uint32_t pieces, taken;
    uint32_t subject_size, reply_size;
};

/* Answers that a publisher still waits for. */
struct outcome {
    struct slot_head head;
    uint64_t from_id;
    uint32_t pieces, subject_size, reply_size;
    bool taken;
    char *text; /* subject, reply */
};

size_t publish_outcome_size(void) {
    return sizeof(struct outcome);
}

/* --- delivery to one subscription
 * --------------------------------------------------------------------------------- */

/* Copies in steps of 16 bytes and may write and read up to 15 more: for short texts whose buffers
 * have a margin. */
static inline char *copy_short(char *to, const char *from, size_t size) {
    for (size_t i = 0; i < size; i += 16) memcpy(to + i, from + i, 16);
    return to + size;
}

static inline char *copy_exact(char *to, const char *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

/* What is left over the largest head: an HMSG line with a subject and a reply as long as a control
 * line allows. */
enum { COPY_MARGIN = 16, SIZES_MAX = 32 };

/* A reply of this length makes a message a request, as Go sees it. */
enum { REQUEST_REPLY = 16 };

/* Writes MSG or HMSG to the subscriber's output. */
static void append_message(struct client *c, const struct subscription *s,
                           const struct message *m) {
    struct output *out = &c->connection.output;
    struct chunk_pool *pool = &c->connection.worker->chunks;
    bool with_headers = m->with_headers && c->headers;
    struct slice sizes = m->sizes;
    const char *body = m->body;
    size_t body_size = (size_t)m->total_size + 2;
    char stripped[SIZES_MAX];
    if (m->with_headers && !with_headers) {
        body += m->header_size;
        body_size -= m->header_size;
        sizes = slice_of(stripped, (size_t)snprintf(stripped, sizeof stripped, "%u\r\n",
                                                    m->total_size - m->header_size));
    }
    const char *sid = subscription_sid(s);
    size_t head = 5 + m->subject.size + 1 + s->sid_size + 1 +
                  (m->reply.size ? m->reply.size + 1 : 0) + sizes.size;
    bool small = head + body_size + COPY_MARGIN <= 2048 && !m->counted;
    if (head + COPY_MARGIN >
        OUTPUT_CHUNK) { /* only with a control line configured to be that long */
        output_append(out, pool, with_headers ? "HMSG " : "MSG ", with_headers ? 5 : 4);
        output_append(out, pool, m->subject.at, m->subject.size);
        output_append(out, pool, " ", 1);
        output_append(out, pool, sid, s->sid_size);
        output_append(out, pool, " ", 1);
        output_append(out, pool, m->reply.at, m->reply.size);
        if (m->reply.size) output_append(out, pool, " ", 1);
        output_append(out, pool, sizes.at, sizes.size);
    } else {
        char *start = output_room(out, pool, head + (small ? body_size : 0) + COPY_MARGIN),
             *at = start;
        if (with_headers) *at++ = 'H';
        memcpy(at, "MSG ", 4);
        at = copy_exact(at + 4, m->subject.at, m->subject.size);
        *at++ = ' ';
        at = s->sid_size < sizeof s->inline_sid ? copy_short(at, sid, s->sid_size)
                                                : copy_exact(at, sid, s->sid_size);
        *at++ = ' ';
        if (m->reply.size) {
            at = copy_exact(at, m->reply.at, m->reply.size);
            *at++ = ' ';
        }
        if (small && m->contiguous && body == m->body) {
            size_t rest = sizes.size + body_size;
            at = rest <= 64 ? copy_short(at, sizes.at, rest) : copy_exact(at, sizes.at, rest);
            output_commit(out, (size_t)(at - start));
            connection_appended(&c->connection);
            return;
        }
        at = copy_exact(at, sizes.at, sizes.size);
        if (small) at = copy_exact(at, body, body_size);
        output_commit(out, (size_t)(at - start));
        if (small) {
            connection_appended(&c->connection);
            return;
        }
    }
    if (m->counted)
        output_reference(out, m->counted, body, body_size);
    else
        output_append(out, pool, body, body_size);
    connection_appended(&c->connection);
}

static void trace_message(struct client *c, const struct subscription *s, const struct message *m) {
    bool with_headers = m->with_headers && c->headers;
    size_t room = m->subject.size + m->reply.size + s->sid_size + m->sizes.size + 64;
    char *line = memory_new(room);
    int n = snprintf(line, room, "%s %.*s %.*s %.*s%s", with_headers ? "HMSG" : "MSG",
                     (int)m->subject.size, m->subject.at, (int)s->sid_size, subscription_sid(s),
                     (int)m->reply.size, m->reply.at, m->reply.size ? " " : "");
    if (m->with_headers && !with_headers)
        n += snprintf(line + n, room - (size_t)n, "%u", m->total_size - m->header_size);
    else
        n += snprintf(line + n, room - (size_t)n, "%.*s", (int)m->sizes.size - 2, m->sizes.at);
    trace_delivered(c, line, (size_t)n, m);
    free(line);
}

/* Whether the producer will wait, so that only what it waits for is counted. Of one on another worker
 * nothing is known but that it waits once for what it sent in this turn. */
static bool may_stall(struct broker_worker *bw, const struct message *m, uint32_t ms) {
    if (m->from) return client_may_stall(m->from, ms);
    if (bw->far_producer == m->from_id && bw->far_turn_ns == bw->worker->turn_ns) return false;
    bw->far_producer = m->from_id;
    bw->far_turn_ns = bw->worker->turn_ns;
    return true;
}

/* A consumer above three quarters of max_pending: its producer waits, or with
 * no_fast_producer_stall it does not get this message. Returns false for the latter. (Go:
 * client.deliverMsg, stalledWait) */
static bool hold_producer(struct broker_worker *bw, struct client *c, const struct message *m) {
    if (bw->options->no_fast_producer_stall) return false;
    uint32_t ms = c->connection.output.pending >= (uint64_t)bw->options->max_pending ? 5 : 2;
    c->gate_open = true;
    if (!may_stall(bw, m, ms)) return true;
    if (bw->stall_ms < ms) bw->stall_ms = ms;
    c->stalls++;
    counter_add(&bw->totals.stalls, 1);
    return true;
}

/* Delivers to one subscription of this worker: the only place where that happens. False: not taken.
 */
static inline bool deliver(struct broker_worker *bw, struct subscription *s,
                           const struct message *m) {
    struct client *c = s->client;
    if (s->removed || c->connection.closing || (c == m->from && !c->echo)) return false;
    s->delivered++;
    bool last = false;
    if (s->max) {
        last = s->delivered >= s->max;
        if (last && log_enabled(LOG_DEBUG)) trace_unsubscribed(c, s);
        if (s->delivered > s->max) {
            subscription_remove(s);
            return false;
        }
    }
    c->out_msgs++;
    c->out_bytes += m->total_size;
    if (m->with_headers && !c->headers) c->out_bytes -= m->header_size;
    uint64_t pending = c->connection.output.pending;
    if (pending > bw->much_pending) {
        if (pending > (uint64_t)bw->options->max_pending / 4 * 3 && m->from_id &&
            !hold_producer(bw, c, m)) {
            if (last) subscription_remove(s);
            return false;
        }
        connection_flush_early(&c->connection);
    }
    if (!c->rtt_ns && m->reply.size >= REQUEST_REPLY) {
        client_measure(c);
        if (c->connection.closing) return false; /* the PING was too much for it */
    }
    append_message(c, s, m);
    if (log_enabled(LOG_TRACE)) trace_message(c, s, m);
    c->last_activity_ns = bw->worker->now_ns;
    if (c->connection.output.pending > (uint64_t)bw->options->max_pending) client_close_slow(c);
    if (last) subscription_remove(s);
    return true;
}

/* --- no responders
 * ------------------------------------------------------------------------------------------------
 */

/* Nobody took it: the publisher's own plain subscription to the reply hears 503
 * (client-protocol.md, "No responders"). */
static void no_responders(struct broker_worker *bw, struct client *c, struct slice subject,
                          struct slice reply) {
    const struct match *m = match_find(bw->cache, c->account, reply);
    for (uint32_t i = 0; i < m->plain_count; i++) {
        struct subscription *s = m->plain[i];
        if (s->client != c || s->removed) continue;
        struct connection *to = &c->connection;
        char sizes[64];
        size_t total = 32 + subject.size;
        int n = snprintf(sizes, sizeof sizes, " %zu %zu\r\nNATS/1.0 503\r\nNats-Subject: ", total,
                         total);
        connection_append(to, "HMSG ", 5);
        connection_append(to, reply.at, reply.size);
        connection_append(to, " ", 1);
        connection_append(to, subscription_sid(s), s->sid_size);
        connection_append(to, sizes, (size_t)n);
        connection_append(to, subject.at, subject.size);
        connection_append(to, "\r\n\r\n\r\n", 6);
        client_said(c);
        return;
    }
}

/* --- distribution
 * -------------------------------------------------------------------------------------------------
 */

static bool own(const struct broker_worker *bw, uint64_t id) {
    return id_worker(id) == bw->worker->index;
}

static bool deliver_to_member(struct broker_worker *bw, uint64_t id, const struct message *m) {
    struct subscription *s = slots_find(&bw->subscriptions, id);
    return s && deliver(bw, s, m);
}

/* Walks the group from a random member until one takes it, or until a member of another worker
 * comes up: that one is chosen, whether it takes the message is found out there. Returns that id,
 * or 0; `*taken` tells about own members. */
static uint64_t choose_member(struct broker_worker *bw, const struct match_group *g,
                              const struct message *m, bool *taken) {
    uint32_t at = g->count > 1 ? (uint32_t)((broker_random(bw) >> 32) * g->count >> 32) : 0;
    for (uint32_t i = 0; i < g->count; i++) {
        uint64_t id = g->members[at];
        if (++at == g->count) at = 0;
        if (!own(bw, id)) return id;
        if (deliver_to_member(bw, id, m)) {
            *taken = true;
            return 0;
        }
    }
    return 0;
}

static size_t up8(size_t n) {
    return (n + 7) & ~(size_t)7;
}

static void write_letter(struct broker_worker *bw, unsigned to, const struct message *m, bool plain,
                         const struct pick *picks, size_t pick_count, unsigned want,
                         uint64_t outcome, unsigned outcome_worker) {
    size_t size = sizeof(struct deliver_letter), named = 0;
    for (size_t i = 0; i < pick_count; i++)
        if (id_worker(picks[i].member) == to) {
            size += sizeof(struct deliver_pick) + up8(picks[i].name.size);
            named++;
        }
    size_t body = m->counted ? 0 : (size_t)m->total_size + 2;
    size += m->subject.size + m->reply.size + m->sizes.size + body;
    struct letter *letter =
        mail_write(&bw->worker->mail, to, LETTER_DELIVER, m->from_id, size + COPY_MARGIN);
    if (m->counted) mail_add_weight(&bw->worker->mail, to, m->counted->size);
    struct deliver_letter *l = (void *)letter->body;
    *l = (struct deliver_letter){
        .account = m->account->number,
        .flags = (plain ? DELIVER_PLAIN : 0u) | (m->with_headers ? DELIVER_HEADERS : 0u) |
                 (m->traced ? DELIVER_TRACED : 0u) | (m->counted ? DELIVER_COUNTED : 0u),
        .want = want,
        .picks = (uint32_t)named,
        .outcome = outcome,
        .outcome_worker = outcome_worker,
        .subject_size = (uint32_t)m->subject.size,
        .reply_size = (uint32_t)m->reply.size,
        .sizes_size = (uint32_t)m->sizes.size,
        .header_size = m->header_size,
        .total_size = m->total_size,
        .counted = m->counted ? counted_keep(m->counted) : NULL,
    };
    char *at = letter->body + sizeof *l;
    for (size_t i = 0; i < pick_count; i++) {
        if (id_worker(picks[i].member) != to) continue;
        struct deliver_pick p = {picks[i].member, picks[i].tried, (uint32_t)picks[i].name.size, 0};
        memcpy(at, &p, sizeof p);
        memcpy(at + sizeof p, picks[i].name.at, picks[i].name.size);
        at += sizeof p + up8(picks[i].name.size);
    }
    at = copy_exact(at, m->subject.at, m->subject.size);
    if (m->reply.size) at = copy_exact(at, m->reply.at, m->reply.size);
    if (m->contiguous) {
        copy_exact(at, m->sizes.at, m->sizes.size + body);
    } else {
        at = copy_exact(at, m->sizes.at, m->sizes.size);
        if (body) copy_exact(at, m->body, body);
    }
}

/* Remembers that `pieces` answers are awaited. */
static uint64_t outcome_new(struct broker_worker *bw, const struct message *m, uint32_t pieces) {
    struct outcome *o = slots_take(&bw->outcomes);
    if (!o) return 0;
    o->from_id = m->from_id;
    o->pieces = pieces;
    o->subject_size = (uint32_t)m->subject.size;
    o->reply_size = (uint32_t)m->reply.size;
    o->text = memory_new(m->subject.size + m->reply.size);
    memcpy(o->text, m->subject.at, m->subject.size);
    memcpy(o->text + m->subject.size, m->reply.at, m->reply.size);
    return slots_id(&bw->outcomes, o);
}

static void write_letters(struct broker_worker *bw, const struct message *m, uint64_t plain,
                          size_t picks, bool wants) {
    uint64_t to = plain;
    for (size_t i = 0; i < picks; i++) to |= 1ull << id_worker(bw->picks[i].member);
    unsigned want = OUTCOME_NONE;
    uint64_t outcome = 0;
    if (wants) {
        uint32_t pieces = (uint32_t)__builtin_popcountll(plain) + (uint32_t)picks;
        want = pieces == 1 ? OUTCOME_REFUSAL : OUTCOME_PIECES;
        if (pieces > 1 && !(outcome = outcome_new(bw, m, pieces))) want = OUTCOME_NONE;
    }
    for (; to; to &= to - 1) {
        unsigned worker = (unsigned)__builtin_ctzll(to);
        write_letter(bw, worker, m, plain >> worker & 1, bw->picks, picks, want, outcome,
                     bw->worker->index);
    }
}

static void note_pick(struct broker_worker *bw, size_t i, struct slice name, uint64_t member) {
    if (i >= bw->picks_room) {
        bw->picks_room = bw->picks_room ? bw->picks_room * 2 : 8;
        bw->picks = memory_resize(bw->picks, bw->picks_room * sizeof *bw->picks);
    }
    bw->picks[i] = (struct pick){member, 0, name};
}

/* Cold: a message with queue groups or with subscribers elsewhere. */
static uint32_t distribute_further(struct broker_worker *bw, struct message *m,
                                   const struct match *match, uint32_t taken, bool wants) {
    size_t picks = 0;
    for (uint32_t i = 0; i < match->group_count; i++) {
        bool here = false;
        uint64_t elsewhere = choose_member(bw, &match->groups[i], m, &here);
        if (elsewhere) note_pick(bw, picks++, match->groups[i].name, elsewhere);
        taken += here;
    }
    if (match->remote | picks) {
        write_letters(bw, m, match->remote, picks, wants && !taken);
        return taken ? taken : UINT32_MAX; /* others will tell */
    }
    return taken;
}

static void count_deliveries(struct broker_worker *bw, const struct message *m, uint32_t taken) {
    if (!taken) return;
    struct traffic *t = &m->account->traffic[bw->worker->index];
    uint64_t bytes = (uint64_t)taken * m->total_size;
    counter_add(&bw->totals.out_msgs, taken);
    counter_add(&bw->totals.out_bytes, bytes);
    counter_add(&t->out_msgs, taken);
    counter_add(&t->out_bytes, bytes);
}

void publish(struct broker_worker *bw, struct message *m, bool wants_outcome) {
    const struct match *match = match_find(bw->cache, m->account, m->subject);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < match->plain_count; i++) taken += deliver(bw, match->plain[i], m);
    uint32_t known = taken;
    if (match->group_count | (match->remote != 0))
        known = distribute_further(bw, m, match, taken, wants_outcome);
    if (known && known != UINT32_MAX) count_deliveries(bw, m, known);
    bw->worker->units += match->plain_count;
    if (bw->stall_ms) {
        if (m->from) client_stall(m->from, bw->stall_ms);
        bw->stall_ms = 0;
    }
    if (!known && wants_outcome) no_responders(bw, m->from, m->subject, m->reply);
}

/* --- letters
 * ------------------------------------------------------------------------------------------------------
 */

static const struct match_group *group_named(const struct match *match, struct slice name) {
    for (uint32_t i = 0; i < match->group_count; i++)
        if (slice_equal(match->groups[i].name, name)) return &match->groups[i];
    return NULL;
}

/* The chosen member, else another one of this worker's. */
static bool deliver_to_group(struct broker_worker *bw, const struct match_group *g, uint64_t chosen,
                             const struct message *m) {
    if (deliver_to_member(bw, chosen, m)) return true;
    if (!g) return false;
    uint32_t at = g->count > 1 ? (uint32_t)((broker_random(bw) >> 32) * g->count >> 32) : 0;
    for (uint32_t i = 0; i < g->count; i++, at = at + 1 == g->count ? 0 : at + 1)
        if (own(bw, g->members[at]) && g->members[at] != chosen &&
            deliver_to_member(bw, g->members[at], m))
            return true;
    return false;
}

/* Refused here: the message goes on to the next worker that has members and was not tried. */
static bool pass_on(struct broker_worker *bw, const struct match_group *g,
                    const struct deliver_letter *l, const struct deliver_pick *p,
                    const struct message *m) {
    uint64_t tried = p->tried | 1ull << bw->worker->index;
    for (uint32_t i = 0; g && i < g->count; i++) {
        unsigned to = id_worker(g->members[i]);
        if (tried >> to & 1) continue;
        struct pick pick = {g->members[i], tried, g->name};
        write_letter(bw, to, m, false, &pick, 1, l->want, l->outcome, l->outcome_worker);
        return true;
    }
    return false;
}

static void answer(struct broker_worker *bw, const struct deliver_letter *l,
                   const struct message *m, uint32_t pieces, bool taken) {
    bool refusal = l->want == OUTCOME_REFUSAL;
    if (l->want == OUTCOME_NONE || !pieces || (refusal && taken)) return;
    size_t texts = refusal ? m->subject.size + m->reply.size : 0;
    struct letter *letter = mail_write(&bw->worker->mail, l->outcome_worker, LETTER_OUTCOME,
                                       m->from_id, sizeof(struct outcome_letter) + texts);
    *(struct outcome_letter *)(void *)letter->body = (struct outcome_letter){
        l->outcome, pieces, taken, (uint32_t)m->subject.size, (uint32_t)m->reply.size};
    if (!refusal) return;
    char *at =
        copy_exact(letter->body + sizeof(struct outcome_letter), m->subject.at, m->subject.size);
    copy_exact(at, m->reply.at, m->reply.size);
}

static void read_letter(struct broker_worker *bw, const struct letter *letter,
                        const struct deliver_letter *l, const char *at, struct message *m) {
    *m = (struct message){.account = bw->broker->accounts[l->account],
                          .from_id = letter->id,
                          .subject = slice_of(at, l->subject_size),
                          .reply = slice_of(at + l->subject_size, l->reply_size),
                          .sizes = slice_of(at + l->subject_size + l->reply_size, l->sizes_size),
                          .header_size = l->header_size,
                          .total_size = l->total_size,
                          .counted = l->counted,
                          .with_headers = l->flags & DELIVER_HEADERS,
                          .traced = l->flags & DELIVER_TRACED,
                          .contiguous = !l->counted};
    m->body = l->counted ? l->counted->data : m->sizes.at + l->sizes_size;
}

void publish_on_deliver(void *context, const struct letter *letter) {
    struct broker_worker *bw = broker_worker_of(context);
    const struct deliver_letter *l = (const void *)letter->body;
    const char *picks = letter->body + sizeof *l, *at = picks;
    for (uint32_t i = 0; i < l->picks; i++)
        at += sizeof(struct deliver_pick) +
              up8(((const struct deliver_pick *)(const void *)at)->name_size);
    struct message m;
    read_letter(bw, letter, l, at, &m);
    if (letter->id && own(bw, letter->id)) /* passed on to where it came from: echo matters */
        m.from = client_find(bw->worker, letter->id);
    const struct match *match = match_find(bw->cache, m.account, m.subject);
    uint32_t taken = 0, pieces = 0;
    if (l->flags & DELIVER_PLAIN) {
        pieces++;
        for (uint32_t i = 0; i < match->plain_count; i++) taken += deliver(bw, match->plain[i], &m);
    }
    for (uint32_t i = 0; i < l->picks; i++) {
        const struct deliver_pick *p = (const void *)picks;
        struct slice name = slice_of(picks + sizeof *p, p->name_size);
        picks += sizeof *p + up8(p->name_size);
        const struct match_group *g = group_named(match, name);
        if (deliver_to_group(bw, g, p->member, &m))
            taken++;
        else if (pass_on(bw, g, l, p, &m))
            continue; /* answered from there */
        pieces++;
    }
    count_deliveries(bw, &m, taken);
    answer(bw, l, &m, pieces, taken);
    if (bw->stall_ms) {
        if (letter->id)
            mail_write(&bw->worker->mail, id_worker(letter->id), LETTER_STALL, letter->id, 0);
        bw->stall_ms = 0;
    }
    counted_drop(l->counted);
    bw->worker->units += taken;
}

void publish_on_outcome(void *context, const struct letter *letter) {
    struct broker_worker *bw = broker_worker_of(context);
    const struct outcome_letter *l = (const void *)letter->body;
    struct client *c = client_find(bw->worker, letter->id);
    if (!l->outcome) {
        const char *at = letter->body + sizeof *l;
        if (c)
            no_responders(bw, c, slice_of(at, l->subject_size),
                          slice_of(at + l->subject_size, l->reply_size));
        return;
    }
    struct outcome *o = slots_find(&bw->outcomes, l->outcome);
    assert(o && o->pieces >= l->pieces);
    o->taken |= l->taken != 0;
    o->pieces -= l->pieces;
    if (o->pieces) return;
    if (c && !o->taken)
        no_responders(bw, c, slice_of(o->text, o->subject_size),
                      slice_of(o->text + o->subject_size, o->reply_size));
    free(o->text);
    slots_give(&bw->outcomes, o);
}

void publish_on_stall(void *context, const struct letter *letter) {
    struct broker_worker *bw = broker_worker_of(context);
    struct client *c = client_find(bw->worker, letter->id);
    if (!letter->id) clients_unstall(bw, true);
    if (c) client_stall_for_peer(c);
}
