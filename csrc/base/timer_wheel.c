#include "base/timer_wheel.h"
#include <string.h>

enum { TICK_SHIFT = 24 }; /* 2^24 ns: 16.8 ms */

static uint64_t tick_after(uint64_t ns) { /* the first tick that begins at or after ns */
    return (ns + (1u << TICK_SHIFT) - 1) >> TICK_SHIFT;
}

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ns) {
    memset(w, 0, sizeof *w);
    w->tick = tick_after(now_ns);
}

static void detach(struct timer *t) {
    *t->link = t->next;
    if (t->next) t->next->link = t->link;
    t->link = NULL;
}

void timer_set(struct timer_wheel *w, struct timer *t, uint64_t due_ns) {
    timer_cancel(w, t);
    uint64_t tick = tick_after(due_ns);
    if (tick < w->tick) tick = w->tick;
    struct timer **slot = &w->slots[tick % TIMER_SLOTS];
    t->due_ns = due_ns;
    t->next = *slot;
    t->link = slot;
    if (t->next) t->next->link = &t->next;
    *slot = t;
    w->count++;
}

void timer_cancel(struct timer_wheel *w, struct timer *t) {
    if (!t->link) return;
    detach(t);
    w->count--;
}

struct timer *timer_wheel_due(struct timer_wheel *w, uint64_t now_ns) {
    uint64_t now_tick = now_ns >> TICK_SHIFT;
    if (now_tick >= w->tick + TIMER_SLOTS)
        w->tick = now_tick - TIMER_SLOTS + 1; /* one round is all */
    while (w->tick <= now_tick) {
        for (struct timer *t = w->slots[w->tick % TIMER_SLOTS]; t; t = t->next) {
            if (t->due_ns > now_ns) continue;
            detach(t);
            w->count--;
            return t;
        }
        w->tick++;
    }
    return NULL;
}

int timer_wheel_wait_ms(const struct timer_wheel *w, uint64_t now_ns) {
    if (w->count == 0) return -1;
    uint64_t tick = w->tick;
    while (tick < w->tick + TIMER_SLOTS - 1 && !w->slots[tick % TIMER_SLOTS]) tick++;
    uint64_t at = tick << TICK_SHIFT;
    return at <= now_ns ? 0 : (int)((at - now_ns) / 1000000 + 1);
}
