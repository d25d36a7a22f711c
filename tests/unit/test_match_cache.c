#include "base/hash.h"
#include "broker/account.h"
#include "broker/match_cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 4, SELF = 1, SLOTS = 4096 };

static struct interest interest;
static struct account *account;
static struct match_cache *cache;
static char things[SLOTS]; /* what stands for subscriptions: the cache never looks into one */
static bool gone[SLOTS];

static struct subscription *find(void *arg, uint64_t id) {
    (void)arg;
    assert_int_equal(id_worker(id), SELF);
    uint32_t slot = id_slot(id);
    return gone[slot] ? NULL : (struct subscription *)(void *)&things[slot];
}

static int prepare(void **state) {
    (void)state;
    memset(gone, 0, sizeof gone);
    interest_init(&interest, WORKERS);
    account = account_new(0, slice_text("$G"));
    cache = match_cache_new(&interest, SELF, true, find, NULL);
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    match_cache_free(cache);
    account_free(account);
    interest_free(&interest);
    return 0;
}

static struct index_node *add(const char *subject, const char *queue, unsigned worker,
                              uint32_t slot) {
    struct index_node *node = interest_add(&interest, account, slice_text(subject),
                                           slice_text(queue), id_make(worker, slot, 1));
    assert_non_null(node);
    return node;
}

static void drop(struct index_node *node, const char *queue, unsigned worker, uint32_t slot) {
    interest_remove(&interest, account, node, slice_text(queue), id_make(worker, slot, 1));
}

static const struct match *look(const char *subject) {
    return match_find(cache, account, slice_text(subject));
}

static uint64_t hits(void) {
    return match_cache_stats(cache).hits;
}

/* Looks until the result is stored; the next look is a hit. */
static const struct match *warm(const char *subject) {
    look(subject);
    look(subject);
    uint64_t before = hits();
    const struct match *m = look(subject);
    assert_int_equal(hits(), before + 1);
    return m;
}

static bool has(const struct match *m, uint32_t slot) {
    for (uint32_t i = 0; i < m->plain_count; i++)
        if (m->plain[i] == (struct subscription *)(void *)&things[slot]) return true;
    return false;
}

static void own_subscriptions_are_pointers_and_others_a_bit_for_their_worker(void **state) {
    (void)state;
    add("a.b", "", SELF, 1);
    add("a.*", "", SELF, 2);
    add("a.>", "", 0, 3);
    add("a.b", "", 3, 4);
    add("a.b", "", 3, 5);
    add("x", "", 2, 6);
    const struct match *m = look("a.b");
    assert_int_equal(m->plain_count, 2);
    assert_true(has(m, 1) && has(m, 2));
    assert_int_equal(m->remote, 1 << 0 | 1 << 3);
    assert_int_equal(m->group_count, 0);
}

static void nobody_is_a_result_too_and_a_hit(void **state) {
    (void)state;
    const struct match *m = warm("nobody.here");
    assert_int_equal(m->plain_count + m->group_count, 0);
    assert_int_equal(m->remote, 0);
}

static void groups_of_one_name_on_several_subjects_are_one_with_members_in_order(void **state) {
    (void)state;
    add("a.b", "q", 2, 20);
    add("a.*", "q", 0, 21);
    add("a.>", "q", SELF, 22);
    add("a.b", "other", 3, 23);
    for (int round = 0; round < 3; round++) { /* from the index and from the cache */
        const struct match *m = look("a.b");
        assert_int_equal(m->group_count, 2);
        const struct match_group *q = &m->groups[slice_is(m->groups[0].name, "q") ? 0 : 1];
        assert_true(slice_is(q->name, "q"));
        assert_int_equal(q->count, 3);
        assert_int_equal(q->members[0], id_make(0, 21, 1));
        assert_int_equal(q->members[1], id_make(SELF, 22, 1));
        assert_int_equal(q->members[2], id_make(2, 20, 1));
        assert_int_equal(m->remote, 0); /* of plain members only */
    }
}

static void the_second_sight_stores_and_the_third_hits_without_an_allocation(void **state) {
    (void)state;
    add("a", "", SELF, 1);
    look("a");
    assert_int_equal(match_cache_stats(cache).entries, 0);
    look("a");
    struct match_cache_stats before = match_cache_stats(cache);
    assert_int_equal(before.entries, 1);
    for (int i = 0; i < 100; i++) assert_true(has(look("a"), 1));
    struct match_cache_stats after = match_cache_stats(cache);
    assert_int_equal(after.hits, before.hits + 100);
    assert_int_equal(after.allocations, before.allocations);
}

static void a_subscription_that_comes_or_goes_is_seen_at_once(void **state) {
    (void)state;
    static const char *const wanted[] = {"a.b.c", "a.b.*", "a.*.c", "a.>",   "*.b.c", ">",
                                         "a.b.>", "*.*.*", "*.>",   "a.*.*", "a.b.c"};
    for (uint32_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        warm("a.b.c");
        struct index_node *node = add(wanted[i], "", SELF, i);
        assert_true(has(warm("a.b.c"), i));
        gone[i] = true;
        drop(node, "", SELF, i);
        assert_false(has(look("a.b.c"), i));
        gone[i] = false;
    }
}

static void subjects_of_one_token_and_below_a_dollar_are_no_exception(void **state) {
    (void)state;
    static const struct {
        const char *subject, *wanted;
    } cases[] = {{"one", "one"},         {"one", "*"},           {"one", ">"},
                 {"$A", "$A"},           {"$A.b", "$A.b"},       {"$A.b", "$A.*"},
                 {"$A.b.c", "$A.b.*"},   {"$A.b.c", "$A.*.c"},   {"$A.b.c", "$A.b.c"},
                 {"$A.b.c.d", "$A.b.>"}, {"$A.b.c.d", "$A.>"},   {"$A.b.c.d", "$A.b.c.*"},
                 {"a.b", "a.b"},         {"a.b.c.d", "a.b.c.d"}, {"a.b.c.d", "a.b.*.d"}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(warm(cases[i].subject)->plain_count, 0);
        struct index_node *node = add(cases[i].wanted, "", SELF, i);
        assert_int_equal(warm(cases[i].subject)->plain_count, 1);
        drop(node, "", SELF, i);
        assert_int_equal(warm(cases[i].subject)->plain_count, 0);
    }
}

static void a_change_elsewhere_does_not_empty_the_cache(void **state) {
    (void)state;
    add("orders.>", "", SELF, 1);
    warm("orders.new.eu");
    uint64_t before = hits();
    for (uint32_t i = 0; i < 500; i++) {
        char inbox[32];
        snprintf(inbox, sizeof inbox, "_INBOX.%u.*", i);
        drop(add(inbox, "", 0, i), "", 0, i);
        look("orders.new.eu");
    }
    assert_true(hits() - before > 490); /* counters are shared by hash */
}

static void an_inbox_is_never_stored(void **state) {
    (void)state;
    static const char *const once[] = {"_INBOX.abc", "_R_.abc", "_GR_.abc", "$JS.ACK.a.b"};
    for (uint32_t i = 0; i < 4; i++) {
        add(once[i], "", SELF, i);
        for (int n = 0; n < 3; n++) assert_true(has(look(once[i]), i));
    }
    assert_int_equal(match_cache_stats(cache).entries, 0);
    warm("_INBOX");
}

static void an_own_id_that_is_gone_is_left_out(void **state) {
    (void)state;
    add("a", "", SELF, 1);
    add("a", "", SELF, 2);
    gone[1] = true;
    const struct match *m = look("a");
    assert_int_equal(m->plain_count, 1);
    assert_true(has(m, 2));
}

static void names_of_groups_stay_when_the_group_is_gone_from_the_index(void **state) {
    (void)state;
    static const char *const subjects[] = {"_INBOX.x", "a"}; /* not stored, and stored */
    for (int i = 0; i < 2; i++) {
        struct index_node *node = add(subjects[i], "some long name of a group", 0, 1);
        if (i) warm(subjects[i]);
        const struct match *m = look(subjects[i]);
        drop(node, "some long name of a group", 0, 1);
        assert_true(slice_is(m->groups[0].name, "some long name of a group"));
        assert_int_equal(m->groups[0].members[0], id_make(0, 1, 1));
    }
}

static void what_the_cache_keeps_is_bounded(void **state) {
    (void)state;
    char subject[32];
    for (uint32_t i = 0; i < SLOTS; i++) add("many.>", "", SELF, i); /* 32 KB for each entry */
    for (int i = 0; i < 1200; i++) {
        snprintf(subject, sizeof subject, "many.%d", i);
        look(subject);
        assert_int_equal(look(subject)->plain_count, SLOTS);
    }
    struct match_cache_stats stats = match_cache_stats(cache);
    assert_in_range(stats.bytes, 1, 32 * 1024 * 1024);
    assert_true(stats.entries < 1200);
}

static void without_a_cache_every_look_goes_to_the_index(void **state) {
    (void)state;
    struct match_cache *none = match_cache_new(&interest, SELF, false, find, NULL);
    add("a", "", SELF, 1);
    for (int i = 0; i < 5; i++) assert_true(has(match_find(none, account, slice_text("a")), 1));
    assert_int_equal(match_cache_stats(none).hits, 0);
    assert_int_equal(match_cache_stats(none).entries, 0);
    match_cache_free(none);
}

static void accounts_do_not_see_each_other(void **state) {
    (void)state;
    struct account *other = account_new(1, slice_text("other"));
    add("a", "", SELF, 1);
    warm("a");
    for (int i = 0; i < 3; i++)
        assert_int_equal(match_find(cache, other, slice_text("a"))->plain_count, 0);
    assert_true(has(look("a"), 1));
    account_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(own_subscriptions_are_pointers_and_others_a_bit_for_their_worker),
        TEST(nobody_is_a_result_too_and_a_hit),
        TEST(groups_of_one_name_on_several_subjects_are_one_with_members_in_order),
        TEST(the_second_sight_stores_and_the_third_hits_without_an_allocation),
        TEST(a_subscription_that_comes_or_goes_is_seen_at_once),
        TEST(subjects_of_one_token_and_below_a_dollar_are_no_exception),
        TEST(a_change_elsewhere_does_not_empty_the_cache),
        TEST(an_inbox_is_never_stored),
        TEST(an_own_id_that_is_gone_is_left_out),
        TEST(names_of_groups_stay_when_the_group_is_gone_from_the_index),
        TEST(what_the_cache_keeps_is_bounded),
        TEST(without_a_cache_every_look_goes_to_the_index),
        TEST(accounts_do_not_see_each_other),
    };
    hash_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
