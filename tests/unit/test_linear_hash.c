#include "base/linear_hash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
    struct hash_link link;
    uint32_t key;
};

static uint32_t mix(uint32_t k) {
    return k * 2654435761u ^ k >> 7;
}

static struct item *find(const struct linear_hash *t, uint32_t key) {
    struct hash_link *l = linear_hash_first(t, mix(key));
    while (l && ((struct item *)l)->key != key) l = linear_hash_next(l);
    return (struct item *)l;
}

static uint32_t walk(const struct linear_hash *t) {
    uint64_t cursor = 0;
    uint32_t n = 0;
    for (struct hash_link *l = NULL; (l = linear_hash_each(t, &cursor, l));) n++;
    return n;
}

static void every_entry_is_found_at_every_size(void **state) {
    (void)state;
    enum { N = 5000 };
    static struct item items[N];
    struct linear_hash t = {0};
    for (uint32_t i = 0; i < N; i++) {
        items[i].key = i;
        linear_hash_insert(&t, &items[i].link, mix(i));
        if (i < 600 || i % 251 == 0)
            for (uint32_t k = 0; k <= i; k++) assert_ptr_equal(find(&t, k), &items[k]);
        assert_null(find(&t, i + 1));
    }
    assert_int_equal(walk(&t), N);
    for (uint32_t i = 0; i < N; i++) {
        linear_hash_remove(&t, &items[i].link);
        assert_null(find(&t, i));
        if (i % 97 == 0 || i > N - 600)
            for (uint32_t k = i + 1; k < N; k++) assert_ptr_equal(find(&t, k), &items[k]);
        assert_int_equal(t.count, N - i - 1);
    }
    assert_int_equal(walk(&t), 0);
    linear_hash_free(&t);
}

static void equal_hashes_are_all_found(void **state) {
    (void)state;
    static struct item items[100];
    struct linear_hash t = {0};
    for (uint32_t i = 0; i < 100; i++) {
        items[i].key = i;
        linear_hash_insert(&t, &items[i].link, 7);
    }
    uint32_t n = 0;
    for (struct hash_link *l = linear_hash_first(&t, 7); l; l = linear_hash_next(l)) n++;
    assert_int_equal(n, 100);
    linear_hash_remove(&t, &items[50].link);
    n = 0;
    for (struct hash_link *l = linear_hash_first(&t, 7); l; l = linear_hash_next(l)) n++;
    assert_int_equal(n, 99);
    linear_hash_free(&t);
}

static void random_inserts_and_removes_agree_with_a_plain_array(void **state) {
    (void)state;
    enum { N = 2000 };
    static struct item items[N];
    static int present[N];
    struct linear_hash t = {0};
    uint32_t x = 1, count = 0;
    for (int step = 0; step < 200000; step++) {
        x = x * 1664525u + 1013904223u;
        uint32_t k = (x >> 8) % N;
        /* Waves: mostly inserts, then mostly removes, so that the table grows and shrinks through all its forms. */
        if (!present[k] && (step / 20000 % 2 == 0 || x % 8 == 0)) {
            items[k].key = k;
            linear_hash_insert(&t, &items[k].link, mix(k));
            present[k] = 1;
            count++;
        } else if (present[k] && (step / 20000 % 2 == 1 || x % 8 == 0)) {
            linear_hash_remove(&t, &items[k].link);
            present[k] = 0;
            count--;
        }
        assert_int_equal(t.count, count);
    }
    for (uint32_t k = 0; k < N; k++) assert_int_equal(find(&t, k) != NULL, present[k]);
    assert_int_equal(walk(&t), count);
    linear_hash_free(&t);
}

static void a_table_that_has_become_small_gives_its_buckets_back(void **state) {
    (void)state;
    enum { N = 5000 };
    static struct item items[N];
    struct linear_hash t = {0};
    for (uint32_t i = 0; i < N; i++) linear_hash_insert(&t, &items[i].link, mix(i));
    for (uint32_t i = 0; i < N; i++) {
        linear_hash_remove(&t, &items[i].link);
        assert_true(t.buckets <= 4 * t.count + 8);
    }
    linear_hash_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_found_at_every_size),
        cmocka_unit_test(equal_hashes_are_all_found),
        cmocka_unit_test(a_table_that_has_become_small_gives_its_buckets_back),
        cmocka_unit_test(random_inserts_and_removes_agree_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
