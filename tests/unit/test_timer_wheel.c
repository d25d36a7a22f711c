#include "base/timer_wheel.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define TICK (UINT64_C(1) << 24) /* the wheel's resolution: 16.8 ms */
#define START (12345 * SECOND + 678)

static struct timer_wheel wheel;

static int prepare(void **state) {
    (void)state;
    timer_wheel_init(&wheel, START);
    return 0;
}

static void a_timer_fires_at_or_after_its_deadline_and_within_a_tick(void **state) {
    (void)state;
    for (uint64_t wait = 0; wait < 3 * SECOND; wait += 7 * MS + 13) {
        struct timer t = {0};
        timer_wheel_init(&wheel, START);
        timer_set(&wheel, &t, START + wait);
        if (wait) assert_null(timer_wheel_due(&wheel, START + wait - 1));
        assert_true(timer_is_set(&t));
        assert_ptr_equal(timer_wheel_due(&wheel, START + wait + TICK), &t);
        assert_false(timer_is_set(&t));
        assert_null(timer_wheel_due(&wheel, START + wait + TICK));
    }
}

static void a_deadline_in_the_past_fires_soon(void **state) {
    (void)state;
    struct timer t = {0};
    assert_null(timer_wheel_due(&wheel, START + SECOND));
    timer_set(&wheel, &t, START - SECOND);
    assert_ptr_equal(timer_wheel_due(&wheel, START + SECOND + TICK), &t);
}

static void a_cancelled_timer_does_not_fire_and_may_be_cancelled_again(void **state) {
    (void)state;
    struct timer a = {0}, b = {0}, c = {0};
    timer_set(&wheel, &a, START + SECOND);
    timer_set(&wheel, &b, START + SECOND);
    timer_set(&wheel, &c, START + SECOND);
    timer_cancel(&wheel, &b);
    timer_cancel(&wheel, &b);
    assert_false(timer_is_set(&b));
    assert_int_equal(wheel.count, 2);
    struct timer *first = timer_wheel_due(&wheel, START + 2 * SECOND);
    struct timer *second = timer_wheel_due(&wheel, START + 2 * SECOND);
    assert_true((first == &a && second == &c) || (first == &c && second == &a));
    assert_null(timer_wheel_due(&wheel, START + 2 * SECOND));
    assert_int_equal(wheel.count, 0);
}

static void a_timer_that_is_set_again_has_the_new_deadline_only(void **state) {
    (void)state;
    struct timer t = {0};
    timer_set(&wheel, &t, START + SECOND);
    timer_set(&wheel, &t, START + 5 * SECOND);
    assert_int_equal(wheel.count, 1);
    assert_null(timer_wheel_due(&wheel, START + 4 * SECOND));
    assert_ptr_equal(timer_wheel_due(&wheel, START + 6 * SECOND), &t);
}

static void a_deadline_beyond_a_round_waits_for_its_round(void **state) {
    (void)state;
    uint64_t round = TIMER_SLOTS * TICK;
    struct timer far = {0}, near = {0};
    timer_set(&wheel, &far, START + 3 * round + TICK);
    timer_set(&wheel, &near, START + TICK); /* the same slot */
    assert_ptr_equal(timer_wheel_due(&wheel, START + 2 * TICK), &near);
    for (uint64_t now = START; now < START + 3 * round; now += 50 * MS)
        assert_null(timer_wheel_due(&wheel, now));
    assert_ptr_equal(timer_wheel_due(&wheel, START + 3 * round + 2 * TICK), &far);
}

static void nothing_is_missed_when_the_clock_jumps_over_many_rounds(void **state) {
    (void)state;
    enum { N = 500 };
    static struct timer timers[N];
    for (uint64_t i = 0; i < N; i++) timer_set(&wheel, &timers[i], START + i * 97 * MS);
    uint32_t fired = 0;
    while (timer_wheel_due(&wheel, START + 1000 * SECOND)) fired++;
    assert_int_equal(fired, N);
    assert_int_equal(wheel.count, 0);
}

static void a_timer_may_be_set_while_others_fire(void **state) {
    (void)state;
    struct timer a = {0}, b = {0};
    timer_set(&wheel, &a, START + SECOND);
    assert_ptr_equal(timer_wheel_due(&wheel, START + 2 * SECOND), &a);
    timer_set(&wheel, &a, START + 2 * SECOND); /* due already */
    timer_set(&wheel, &b, START + 3 * SECOND);
    assert_ptr_equal(timer_wheel_due(&wheel, START + 2 * SECOND + TICK), &a);
    assert_null(timer_wheel_due(&wheel, START + 2 * SECOND + TICK));
    assert_ptr_equal(timer_wheel_due(&wheel, START + 3 * SECOND + TICK), &b);
}

static void an_empty_wheel_waits_for_ever_and_a_full_one_until_something_may_be_due(void **state) {
    (void)state;
    assert_int_equal(timer_wheel_wait_ms(&wheel, START), -1);
    for (uint64_t wait = 0; wait < 15 * SECOND; wait += 111 * MS) {
        struct timer t = {0};
        timer_wheel_init(&wheel, START);
        timer_set(&wheel, &t, START + wait);
        uint64_t now = START;
        int wakes = 0;
        while (!timer_wheel_due(&wheel, now)) {
            int ms = timer_wheel_wait_ms(&wheel, now);
            assert_in_range(ms, 0, 17000);
            now += (uint64_t)(ms ? ms : 1) * MS;
            assert_true(++wakes < 4);
        }
        assert_true(now >= START + wait && now <= START + wait + 2 * TICK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_timer_fires_at_or_after_its_deadline_and_within_a_tick, prepare),
        cmocka_unit_test_setup(a_deadline_in_the_past_fires_soon, prepare),
        cmocka_unit_test_setup(a_cancelled_timer_does_not_fire_and_may_be_cancelled_again, prepare),
        cmocka_unit_test_setup(a_timer_that_is_set_again_has_the_new_deadline_only, prepare),
        cmocka_unit_test_setup(a_deadline_beyond_a_round_waits_for_its_round, prepare),
        cmocka_unit_test_setup(nothing_is_missed_when_the_clock_jumps_over_many_rounds, prepare),
        cmocka_unit_test_setup(a_timer_may_be_set_while_others_fire, prepare),
        cmocka_unit_test_setup(
            an_empty_wheel_waits_for_ever_and_a_full_one_until_something_may_be_due, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
