/*
 * Deadlines of connections: many, coarse and mostly cancelled. A wheel of slots, each a list of
 * timers; a timer whose deadline lies more than a round ahead stays in its slot and is passed over
 * until its round comes.
 *
 * Resolution is 16 ms: a timer fires at or after its deadline, never before. Setting and cancelling
 * cost a few pointer moves. Used by one thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct timer {
    struct timer *next, **link; /* link: what points to this one; NULL when not set */
    uint64_t due_ns;
    void (*fire)(struct timer *); /* the owner's: what to do when it is due */
};

enum { TIMER_SLOTS = 1024 };

struct timer_wheel {
    struct timer *slots[TIMER_SLOTS];
    uint64_t tick; /* the first tick that has not been run */
    uint32_t count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ns);
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);
static inline bool timer_is_set(const struct timer *timer) {
    return timer->link != 0;
}

/* Takes out one timer that is due at `now_ns`, or NULL. Called until it returns NULL; the caller
 * may set and cancel any timer in between. */
struct timer *timer_wheel_due(struct timer_wheel *wheel, uint64_t now_ns);

/* Milliseconds until the next tick that may have something due; at most the wheel's round (16 s);
 * -1 when empty. */
int timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ns);
