#include "net/worker.h"
#include "base/clock.h"
#include "base/memory.h"
#include "net/connection.h"
#include "net/listener.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* --- time and budget
 * ---------------------------------------------------------------------------------------------- */

static void read_clock(struct worker *w) {
    w->now_ns = clock_monotonic_ns();
}

bool worker_clock_over(struct worker *w) {
    w->units = 0;
    read_clock(w);
    return w->now_ns - w->entered_ns > TURN_NS;
}

/* --- the turn
 * -----------------------------------------------------------------------------------------------------
 */

/* Between two letters: output does not pile up, and nobody hogs the loop. */
static bool had_enough(void *context) {
    struct worker *w = context;
    if (w->early.first) worker_flush_early(w);
    return worker_budget_over(w, 2);
}

bool worker_take_mail(struct worker *w) {
    if (!w->mail.unread && !mail_waits(&w->workers->office, w->index)) return true;
    if (mail_drain(&w->workers->office, &w->mail, w->workers->handlers, had_enough, w)) return true;
    worker_stay_awake(w);
    return false;
}

static struct connection *pop_dirty(struct connection_list *list) {
    struct connection *c = list->first;
    list->first = c->next_dirty;
    if (!list->first) list->last = NULL;
    c->dirty = false;
    return c;
}

static void write_dirty(struct worker *w) {
    while (w->dirty.first) {
        struct connection *c = pop_dirty(&w->dirty);
        if (!c->closing && c->output.first && !c->want_write) connection_write(c);
        connection_release(c);
        if (worker_budget_over(w, 32) && w->dirty.first)
            break; /* the rest is written in the next turn */
    }
    if (w->dirty.first) worker_stay_awake(w);
}

static void close_marked(struct worker *w) {
    while (w->closing.first) {
        struct connection *c = w->closing.first;
        w->closing.first = c->next_closing;
        if (!w->closing.first) w->closing.last = NULL;
        c->ending = false;
        connection_finish(c);
        connection_release(c);
        if (worker_budget_over(w, 64) && w->closing.first)
            break; /* the rest is closed in the next turn */
    }
    if (w->closing.first) worker_stay_awake(w);
}

void worker_flush_early(struct worker *w) {
    mail_hand_over(&w->workers->office, &w->mail);
    while (w->early.first) {
        struct connection *c = w->early.first;
        w->early.first = c->next_early;
        if (!w->early.first) w->early.last = NULL;
        c->early = false;
        if (!c->closing && !c->want_write) connection_write(c);
        connection_release(c);
    }
}

static void retry_waiting(struct worker *w, struct connection_list *list, enum pause why) {
    struct connection *c = list->first;
    *list = (struct connection_list){0};
    while (c) {
        struct connection *next = c->next_waiting;
        c->waiting = false;
        if (!c->closing) connection_resume(c, why);
        connection_release(c);
        c = next;
    }
    (void)w;
}

/* The wish is written down before a second look: a peer that drained its mail in between has not
 * seen it and will not ring. */
static void retry_credit(struct worker *w) {
    struct post_office *office = &w->workers->office;
    if (!w->wait_credit.first) return;
    /* At the end peers may have gone without reading their mail: nobody waits for them. */
    if (!w->stopping && !mail_has_credit(office, &w->mail)) {
        atomic_store(&office->boxes[w->index].wants_credit, true);
        if (!mail_has_credit(office, &w->mail)) return;
    }
    retry_waiting(w, &w->wait_credit, PAUSE_CREDIT);
}

/* Mail first, then sockets: whoever reads an answer finds what it depends on delivered everywhere
 * (rule 1). */
static void end_turn(struct worker *w) {
    if (w->workers->hooks.end_of_turn) w->workers->hooks.end_of_turn(w);
    worker_flush_early(w);
    w->entered_ns = w->now_ns;
    write_dirty(w);
    close_marked(w);
    if (w->wait_slab.first && w->slabs_taken < SLABS_MAX)
        retry_waiting(w, &w->wait_slab, PAUSE_SLAB);
    retry_credit(w);
    /* Closing may have written letters (a last will, an outcome). */
    mail_hand_over(&w->workers->office, &w->mail);
    w->in_turn = false;
}

void worker_enter(struct worker *w) {
    read_clock(w);
    w->entered_ns = w->now_ns;
    w->units = 0;
    if (!w->in_turn) {
        w->in_turn = true;
        w->turn_ns = w->now_ns;
        w->wall_ns = clock_wall_ns();
        atomic_store_explicit(&w->workers->office.boxes[w->index].asleep, false,
                              memory_order_relaxed);
    }
#ifdef PERIGEE_DEBUG
    w->entered_cpu_ns = clock_thread_ns();
#endif
    worker_take_mail(w);
}

void worker_leave(struct worker *w) {
    read_clock(w);
#ifdef PERIGEE_DEBUG
    uint64_t took = clock_thread_ns() - w->entered_cpu_ns;
    if (took > 2 * TURN_NS) atomic_fetch_add_explicit(&w->long_callbacks, 1, memory_order_relaxed);
    if (took > atomic_load_explicit(&w->longest_callback_ns, memory_order_relaxed))
        atomic_store_explicit(&w->longest_callback_ns, took, memory_order_relaxed);
#endif
    if (w->now_ns - w->turn_ns > TURN_NS) end_turn(w);
}

/* --- libuv's phases
 * -----------------------------------------------------------------------------------------------
 */

static void on_busy(uv_idle_t *idle) {
    struct worker *w = idle->data;
    worker_enter(w);
    struct connection *last = w->runnable.last;
    while (w->runnable.first) {
        struct connection *c = w->runnable.first;
        w->runnable.first = c->next_runnable;
        if (!w->runnable.first) w->runnable.last = NULL;
        c->runnable = false;
        if (!c->closing) connection_run(c);
        connection_release(c);
        if (w->early.first) worker_flush_early(w);
        if (c == last || worker_budget_over(w, 64)) break;
    }
    bool more = w->workers->hooks.background && w->workers->hooks.background(w);
    if (!w->runnable.first && !w->dirty.first && !w->closing.first && !w->mail.unread && !more)
        uv_idle_stop(idle);
    worker_leave(w);
}

void worker_stay_awake(struct worker *w) {
    if (!uv_is_active((uv_handle_t *)&w->busy)) uv_idle_start(&w->busy, on_busy);
}

static void on_wheel(uv_timer_t *timer);

static void arm_wheel(struct worker *w, uint64_t due_ns) {
    w->wheel_armed_ns = due_ns;
    uint64_t wait = due_ns > w->now_ns ? (due_ns - w->now_ns) / 1000000 + 1 : 1;
    uv_update_time(&w->loop);
    uv_timer_start(&w->wheel_timer, on_wheel, wait, 0);
}

void worker_timer(struct worker *w, struct timer *timer, uint64_t due_ns) {
    timer_set(&w->wheel, timer, due_ns);
    if (!w->wheel_armed_ns || due_ns < w->wheel_armed_ns) arm_wheel(w, due_ns);
}

static void on_wheel(uv_timer_t *uv) {
    struct worker *w = uv->data;
    worker_enter(w);
    w->wheel_armed_ns = 0;
    struct timer *timer;
    while ((timer = timer_wheel_due(&w->wheel, w->now_ns))) {
        timer->fire(timer);
        if (worker_budget_over(w, 32)) break;
    }
    int wait = timer_wheel_wait_ms(&w->wheel, w->now_ns);
    if (wait >= 0) arm_wheel(w, w->now_ns + (uint64_t)wait * 1000000);
    worker_leave(w);
}

static void before_poll(uv_prepare_t *prepare) {
    struct worker *w = prepare->data;
    if (w->in_turn) end_turn(w);
    if (uv_is_active((uv_handle_t *)&w->busy)) return;
    struct mailbox *box = &w->workers->office.boxes[w->index];
    atomic_store_explicit(&box->asleep, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* pairs with mail_hand_over() */
    if (mail_waits(&w->workers->office, w->index)) {
        atomic_store_explicit(&box->asleep, false, memory_order_relaxed);
        worker_stay_awake(w);
    }
}

static void after_poll(uv_check_t *check) {
    struct worker *w = check->data;
    if (w->in_turn) end_turn(w);
}

static void on_bell(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    struct worker *w = poll->data;
    uint64_t rings;
    ssize_t n = read(w->workers->office.boxes[w->index].bell, &rings, sizeof rings);
    (void)n;
    worker_enter(w);
    worker_leave(w);
}

/* --- slabs
 * --------------------------------------------------------------------------------------------------------
 */

struct slab *worker_slab(struct worker *w) {
    if (w->slabs_taken >= SLABS_MAX) return NULL;
    struct slab *slab = w->slabs;
    if (slab)
        w->slabs = slab->next;
    else {
        slab = memory_new(sizeof *slab);
        memset(slab->data + SLAB_SIZE, 0, SLAB_MARGIN);
    }
    w->slabs_taken++;
    return slab;
}

/* Two are kept, so that a worker that was busy once does not hold megabytes for ever. */
void worker_slab_back(struct worker *w, struct slab *slab) {
    w->slabs_taken--;
    if (w->slabs && w->slabs->next) {
        free(slab);
        return;
    }
    slab->next = w->slabs;
    w->slabs = slab;
}

/* --- start and stop
 * -----------------------------------------------------------------------------------------------
 */

static void on_socket(void *context, const struct letter *letter) {
    struct worker *w = context;
    const struct socket_letter *socket = (const void *)letter->body;
    if (socket->counted) atomic_fetch_sub_explicit(&w->connection_count, 1, memory_order_relaxed);
    if (w->stopping) {
        close(socket->fd);
        return;
    }
    connection_open(w, w->workers->kinds[socket->kind], socket->fd);
}

static void on_stop(void *context, const struct letter *letter) {
    (void)letter;
    struct worker *w = context;
    w->stopping = true;
    worker_listeners_close(w);
    uint32_t cursor = 0;
    struct connection *c;
    while ((c = connections_each(w, &cursor))) connection_abort(c);
    worker_stay_awake(w);
}

static void ignore_closed(uv_handle_t *handle) {
    (void)handle;
}

static void close_handle(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, ignore_closed);
}

static void *run(void *arg) {
    struct worker *w = arg;
    while (!(w->stopping && w->connections.count == 0)) uv_run(&w->loop, UV_RUN_ONCE);
    w->workers->hooks.stop(w);
    uv_walk(&w->loop, close_handle, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    return NULL;
}

static int worker_init(struct worker *w) {
    if (uv_loop_init(&w->loop) != 0) return -ENOMEM;
    read_clock(w);
    w->turn_ns = w->now_ns;
    w->wall_ns = clock_wall_ns();
    timer_wheel_init(&w->wheel, w->now_ns);
    slots_init(&w->connections, w->index, sizeof(struct slot_head) + sizeof(struct connection *));
    w->mail.self = w->index;
    uv_prepare_init(&w->loop, &w->before_poll);
    uv_check_init(&w->loop, &w->after_poll);
    uv_idle_init(&w->loop, &w->busy);
    uv_timer_init(&w->loop, &w->wheel_timer);
    if (uv_poll_init(&w->loop, &w->bell, w->workers->office.boxes[w->index].bell) != 0)
        return -EMFILE;
    w->before_poll.data = w->after_poll.data = w->busy.data = w->wheel_timer.data = w->bell.data =
        w;
    uv_prepare_start(&w->before_poll, before_poll);
    uv_check_start(&w->after_poll, after_poll);
    uv_poll_start(&w->bell, UV_READABLE, on_bell);
    return 0;
}

int workers_start(struct workers *workers, unsigned count) {
    assert(count >= 1 && count <= ID_WORKERS_MAX);
    if (!post_office_init(&workers->office, count)) return -EMFILE;
    workers->count = count;
    if (workers->credit) workers->office.credit = workers->credit;
    workers->control_mail.self = count;
    workers->handlers[LETTER_SOCKET] = on_socket;
    workers->handlers[LETTER_STOP] = on_stop;
    workers->handlers[LETTER_LISTEN] = worker_on_listen;
    workers->handlers[LETTER_UNLISTEN] = worker_on_unlisten;
    for (unsigned i = 0; i < count; i++) {
        struct worker *w = workers->list[i] = memory_zero(sizeof *w);
        w->index = i;
        w->workers = workers;
        int failed = worker_init(w);
        if (failed) return failed;
        workers->hooks.start(w);
    }
    for (unsigned i = 0; i < count; i++) {
        if (pthread_create(&workers->list[i]->thread, NULL, run, workers->list[i]) != 0)
            return -EAGAIN;
        char name[16];
        snprintf(name, sizeof name, "worker-%u", i);
        pthread_setname_np(workers->list[i]->thread, name);
    }
    return 0;
}

struct letter *workers_letter(struct workers *workers, unsigned to, uint16_t handler, uint64_t id,
                              size_t size) {
    return mail_write(&workers->control_mail, to, handler, id, size);
}

void workers_send(struct workers *workers) {
    mail_hand_over(&workers->office, &workers->control_mail);
}

static void worker_free(struct worker *w) {
    uv_loop_close(&w->loop);
    mail_free(&w->mail);
    chunk_pool_free(&w->chunks);
    while (w->slabs) {
        struct slab *next = w->slabs->next;
        free(w->slabs);
        w->slabs = next;
    }
    slots_free(&w->connections);
    free(w);
}

static bool never_enough(void *context) {
    (void)context;
    return false;
}

/* Nobody is left to take what was under way, but letters hold descriptors, counted payloads and
 * outcomes. The threads have ended, so their handlers run here, until all boxes are empty. */
static void drain_rest(struct workers *workers) {
    struct post_office *office = &workers->office;
    for (bool more = true; more;) {
        more = false;
        for (unsigned i = 0; i < workers->count; i++) {
            struct worker *w = workers->list[i];
            more |= w->mail.unread || mail_waits(office, i);
            mail_drain(office, &w->mail, workers->handlers, never_enough, w);
            more |= !mail_is_empty(&w->mail);
            mail_hand_over(office, &w->mail);
        }
    }
}

void workers_stop(struct workers *workers) {
    for (unsigned i = 0; i < workers->count; i++) workers_letter(workers, i, LETTER_STOP, 0, 0);
    workers_send(workers);
    for (unsigned i = 0; i < workers->count; i++) pthread_join(workers->list[i]->thread, NULL);
    drain_rest(workers);
    for (unsigned i = 0; i < workers->count; i++) worker_free(workers->list[i]);
    mail_free(&workers->control_mail);
    post_office_free(&workers->office);
}
