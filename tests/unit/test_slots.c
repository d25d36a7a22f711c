#include "base/slots.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
    struct slot_head head;
    uint64_t value[3];
};

static struct item *take(struct slots *s) {
    struct item *item = slots_take(s);
    assert_non_null(item);
    return item;
}

static void an_item_is_found_by_its_id_and_is_zeroed(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 5, sizeof(struct item));
    struct item *item = take(&s);
    assert_int_equal(item->value[0] | item->value[1] | item->value[2], 0);
    uint64_t id = slots_id(&s, item);
    assert_int_equal(id_worker(id), 5);
    assert_ptr_equal(slots_find(&s, id), item);
    assert_int_equal(s.count, 1);
    slots_give(&s, item);
    slots_free(&s);
}

static void the_id_of_a_given_item_finds_nobody_not_even_the_next_owner_of_the_slot(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 0, sizeof(struct item));
    struct item *item = take(&s);
    item->value[0] = 7;
    uint64_t old = slots_id(&s, item);
    slots_give(&s, item);
    assert_null(slots_find(&s, old));
    struct item *next = NULL;
    for (int i = 0; next != item; i++) {
        assert_true(i < SLOTS_CHUNK);
        if (next) slots_give(&s, next);
        next = take(&s);
    }
    assert_int_equal(next->value[0], 0);
    assert_null(slots_find(&s, old));
    assert_ptr_equal(slots_find(&s, slots_id(&s, next)), next);
    slots_give(&s, next);
    slots_free(&s);
}

static void slots_are_reused_oldest_first(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 0, sizeof(struct item));
    struct item *first = take(&s), *second = take(&s);
    slots_give(&s, second);
    slots_give(&s, first);
    for (int i = 2; i < SLOTS_CHUNK; i++) assert_ptr_not_equal(take(&s), second);
    assert_ptr_equal(take(&s), second);
    assert_ptr_equal(take(&s), first);
    slots_free(&s);
}

static void a_generation_that_comes_round_stays_odd_while_taken(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 0, sizeof(struct item));
    struct item *item = take(&s);
    for (int i = 1; i < SLOTS_CHUNK; i++) take(&s);
    for (uint32_t i = 0; i < 1u << ID_GENERATION_BITS; i++) {
        uint64_t old = slots_id(&s, item);
        slots_give(&s, item);
        assert_ptr_equal(slots_take(&s), item);
        assert_int_equal(item->head.generation % 2, 1);
        assert_null(slots_find(&s, old));
        assert_int_equal(id_generation(slots_id(&s, item)), item->head.generation);
    }
    slots_free(&s);
}

static void items_do_not_move_when_the_table_grows(void **state) {
    (void)state;
    enum { N = 5 * SLOTS_CHUNK + 1 };
    struct slots s;
    slots_init(&s, 63, sizeof(struct item));
    static struct item *items[N];
    static uint64_t ids[N];
    for (uint64_t i = 0; i < N; i++) {
        items[i] = take(&s);
        items[i]->value[0] = i;
        ids[i] = slots_id(&s, items[i]);
        assert_true(ids[i] < UINT64_C(1) << 53);
    }
    for (uint64_t i = 0; i < N; i++) {
        assert_ptr_equal(slots_find(&s, ids[i]), items[i]);
        assert_int_equal(items[i]->value[0], i);
    }
    slots_free(&s);
}

static void a_walk_sees_the_taken_items_only(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 0, sizeof(struct item));
    struct item *items[10];
    for (int i = 0; i < 10; i++) items[i] = take(&s);
    for (int i = 0; i < 10; i += 2) slots_give(&s, items[i]);
    uint32_t cursor = 0;
    for (int i = 1; i < 10; i += 2) assert_ptr_equal(slots_each(&s, &cursor), items[i]);
    assert_null(slots_each(&s, &cursor));
    assert_int_equal(s.count, 5);
    slots_free(&s);
}

static void ids_that_were_never_given_out_find_nobody(void **state) {
    (void)state;
    struct slots s;
    slots_init(&s, 0, sizeof(struct item));
    assert_null(slots_find(&s, id_make(0, 0, 1)));
    struct item *item = take(&s);
    assert_null(slots_find(&s, 0));
    assert_null(slots_find(&s, id_make(0, 1, 1)));
    assert_null(slots_find(&s, id_make(0, (1u << ID_SLOT_BITS) - 1, 1)));
    assert_null(slots_find(&s, slots_id(&s, item) + 2));
    slots_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_found_by_its_id_and_is_zeroed),
        cmocka_unit_test(the_id_of_a_given_item_finds_nobody_not_even_the_next_owner_of_the_slot),
        cmocka_unit_test(slots_are_reused_oldest_first),
        cmocka_unit_test(a_generation_that_comes_round_stays_odd_while_taken),
        cmocka_unit_test(items_do_not_move_when_the_table_grows),
        cmocka_unit_test(a_walk_sees_the_taken_items_only),
        cmocka_unit_test(ids_that_were_never_given_out_find_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
