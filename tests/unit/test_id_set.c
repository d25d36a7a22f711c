#include "match/id_set.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t next_random(uint64_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void an_empty_set_has_nothing(void **state) {
    (void)state;
    struct id_set set = {0};
    assert_false(id_set_has(&set, 0));
    assert_false(id_set_has(&set, 1));
    assert_false(id_set_remove(&set, 0));
    assert_int_equal(id_set_rank(&set, 0), 0);
    assert_int_equal(id_set_rank(&set, UINT64_MAX), 0);
    id_set_copy(&set, 0, 0, NULL);
    id_set_free(&set);
    id_set_free(&set);
}

static void an_id_is_added_once_and_removed_once(void **state) {
    (void)state;
    struct id_set set = {0};
    for (uint64_t n = 1; n <= 1000; n++) {
        assert_true(id_set_add(&set, n));
        assert_false(id_set_add(&set, n));
        assert_false(id_set_add(&set, 1));
        assert_int_equal(set.count, n);
    }
    for (uint64_t n = 1; n <= 1000; n++) {
        assert_true(id_set_remove(&set, n));
        assert_false(id_set_remove(&set, n));
        assert_int_equal(set.count, 1000 - n);
    }
    assert_int_equal(set.word, 0);
    assert_int_equal(set.form, 0);
}

static void the_smallest_and_the_largest_ids_are_ordinary(void **state) {
    (void)state;
    struct id_set set = {0};
    assert_true(id_set_add(&set, UINT64_MAX));
    assert_true(id_set_add(&set, 0));
    for (uint64_t n = 0; n < 600; n++) assert_true(id_set_add(&set, 1000 + n));
    assert_int_equal(id_set_at(&set, 0), 0);
    assert_true(id_set_at(&set, 601) == UINT64_MAX);
    assert_int_equal(id_set_rank(&set, UINT64_MAX), 601);
    assert_true(id_set_remove(&set, UINT64_MAX));
    assert_true(id_set_remove(&set, 0));
    assert_int_equal(id_set_rank(&set, UINT64_MAX), 600);
    id_set_free(&set);
}

/* Checks a set against the sorted array of what it should hold. */
static void assert_holds(const struct id_set *set, const uint64_t *ids, uint32_t n) {
    assert_int_equal(set->count, n);
    uint64_t *copy = malloc((n + 1) * sizeof *copy);
    id_set_copy(set, 0, n, copy);
    assert_true(n == 0 || memcmp(copy, ids, n * sizeof *ids) == 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(id_set_at(set, i) == ids[i]);
        assert_int_equal(id_set_rank(set, ids[i]), i);
        assert_int_equal(id_set_rank(set, ids[i] + 1),
                         i + 1 < n && ids[i + 1] == ids[i] ? i : i + 1);
        assert_true(id_set_has(set, ids[i]));
    }
    for (uint32_t from = 0; from < n; from += 1 + n / 7) {
        uint32_t part = (n - from) / 2;
        id_set_copy(set, from, part, copy);
        assert_true(part == 0 || memcmp(copy, ids + from, part * sizeof *ids) == 0);
    }
    free(copy);
}

enum order { ASCENDING, DESCENDING, MIXED };

static void fill_and_drain(enum order adding, enum order removing) {
    enum { N = 3000 };
    static uint64_t sorted[N], order[N];
    struct id_set set = {0};
    uint64_t x = 88172645463325252u;
    for (uint32_t i = 0; i < N; i++) sorted[i] = 3 * (uint64_t)i;
    for (int round = 0; round < 2; round++) {
        enum order how = round == 0 ? adding : removing;
        for (uint32_t i = 0; i < N; i++) order[i] = sorted[how == DESCENDING ? N - 1 - i : i];
        for (uint32_t i = N - 1; how == MIXED && i > 0; i--) {
            uint32_t k = (uint32_t)(next_random(&x) % (i + 1));
            uint64_t id = order[i];
            order[i] = order[k];
            order[k] = id;
        }
        for (uint32_t i = 0; i < N; i++) {
            assert_true(round == 0 ? id_set_add(&set, order[i]) : id_set_remove(&set, order[i]));
            assert_int_equal(id_set_has(&set, order[i]), round == 0);
        }
        if (round == 0) assert_holds(&set, sorted, N);
    }
    assert_int_equal(set.count, 0);
    assert_int_equal(set.form, 0);
}

static void ids_come_and_go_in_any_order(void **state) {
    (void)state;
    for (int adding = ASCENDING; adding <= MIXED; adding++)
        for (int removing = ASCENDING; removing <= MIXED; removing++)
            fill_and_drain((enum order)adding, (enum order)removing);
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void random_changes_agree_with_a_plain_array(void **state) {
    (void)state;
    enum { KEYS = 4000 };
    static bool present[KEYS];
    static uint64_t ids[KEYS];
    struct id_set set = {0};
    uint64_t x = 42;
    for (int step = 0; step < 300000; step++) {
        uint64_t r = next_random(&x);
        uint32_t key = (uint32_t)(r >> 20) % KEYS;
        /* Waves: mostly additions, then mostly removals, through all forms and back. */
        bool add = step / 30000 % 2 == 0 ? r % 8 != 0 : r % 8 == 0;
        if (add)
            assert_int_equal(id_set_add(&set, key), !present[key]);
        else
            assert_int_equal(id_set_remove(&set, key), present[key]);
        present[key] = add;
        if (step % 1013 == 0) {
            uint32_t n = 0;
            for (uint32_t k = 0; k < KEYS; k++)
                if (present[k]) ids[n++] = k;
            qsort(ids, n, sizeof *ids, compare);
            assert_holds(&set, ids, n);
        }
    }
    id_set_free(&set);
}

static void a_hundred_thousand_members_are_found_by_id_and_by_position(void **state) {
    (void)state;
    enum { N = 100000 };
    struct id_set set = {0};
    for (uint32_t i = 0; i < N; i++)
        assert_true(id_set_add(&set, i * UINT64_C(2654435761) % 4294967291u));
    uint64_t previous = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint64_t id = id_set_at(&set, i);
        assert_true(i == 0 || id > previous);
        assert_int_equal(id_set_rank(&set, id), i);
        previous = id;
    }
    for (uint32_t i = 0; i < N; i++)
        assert_true(id_set_remove(&set, i * UINT64_C(2654435761) % 4294967291u));
    assert_int_equal(set.count, 0);
    assert_int_equal(set.form, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(an_id_is_added_once_and_removed_once),
        cmocka_unit_test(the_smallest_and_the_largest_ids_are_ordinary),
        cmocka_unit_test(ids_come_and_go_in_any_order),
        cmocka_unit_test(random_changes_agree_with_a_plain_array),
        cmocka_unit_test(a_hundred_thousand_members_are_found_by_id_and_by_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
