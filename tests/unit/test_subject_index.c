#include "../support/subject_model.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct index_node *insert(struct subject_index *index, const char *subject, uint64_t id) {
    return subject_index_insert(index, slice_text(subject), slice_text(""), id);
}

static bool remove_plain(struct subject_index *index, struct index_node *node, uint64_t id) {
    return subject_index_remove(index, node, slice_text(""), id);
}

struct found {
    size_t nodes, plain, groups, in_groups;
    char subjects[512]; /* each followed by a blank, in the order of visits */
};

static void note(void *arg, const struct index_node *node) {
    struct found *f = arg;
    f->nodes++;
    if (index_node_plain(node)) f->plain += index_node_plain(node)->count;
    for (const struct index_group *g = index_node_first_group(node); g; g = index_group_next(g)) {
        f->groups++;
        f->in_groups += index_group_members(g)->count;
    }
    size_t used = strlen(f->subjects);
    size_t n = index_node_subject(node, f->subjects + used, sizeof f->subjects - used - 2);
    memcpy(f->subjects + used + n, " ", 2);
}

static struct found match(struct subject_index *index, const char *subject) {
    struct found f = {0};
    subject_index_match(index, slice_text(subject), note, &f);
    assert_int_equal(subject_index_has_interest(index, slice_text(subject)), f.nodes > 0);
    return f;
}

static struct found collide(struct subject_index *index, const char *filter) {
    struct found f = {0};
    subject_index_collide(index, slice_text(filter), note, &f);
    return f;
}

static size_t matches(struct subject_index *index, const char *subject) {
    return match(index, subject).nodes;
}

static size_t collisions(struct subject_index *index, const char *filter) {
    return collide(index, filter).nodes;
}

static uint64_t nodes_of(struct subject_index *index) {
    return subject_index_stats(index).nodes;
}

static int setup(void **state) {
    *state = subject_index_new();
    return 0;
}

static int teardown(void **state) {
    subject_index_free(*state);
    return 0;
}

static void an_empty_index_matches_nothing(void **state) {
    assert_int_equal(matches(*state, "foo"), 0);
    assert_int_equal(collisions(*state, ">"), 0);
    assert_int_equal(nodes_of(*state), 0);
    subject_index_free(NULL);
}

static void a_literal_matches_itself_only(void **state) {
    insert(*state, "foo.bar", 1);
    assert_int_equal(matches(*state, "foo.bar"), 1);
    assert_int_equal(matches(*state, "foo"), 0);
    assert_int_equal(matches(*state, "foo.ba"), 0);
    assert_int_equal(matches(*state, "foo.barx"), 0);
    assert_int_equal(matches(*state, "foo.bar.baz"), 0);
    assert_int_equal(matches(*state, "fox.bar"), 0);
    assert_int_equal(matches(*state, "bar"), 0);
    insert(*state, "foo", 2);
    assert_int_equal(matches(*state, "foo"), 1);
    assert_int_equal(matches(*state, "foo.bar"), 1);
    assert_string_equal(match(*state, "foo.bar").subjects, "foo.bar ");
}

static void a_star_matches_one_token(void **state) {
    insert(*state, "foo.*.baz", 1);
    insert(*state, "*.bar", 2);
    insert(*state, "foo.*", 3);
    assert_int_equal(matches(*state, "foo.x.baz"), 1);
    assert_int_equal(matches(*state, "foo.bar.baz"), 1);
    assert_int_equal(matches(*state, "foo.bar"), 2);
    assert_int_equal(matches(*state, "x.bar"), 1);
    assert_int_equal(matches(*state, "foo"), 0);
    assert_int_equal(matches(*state, "foo.x.y.baz"), 0);
    assert_int_equal(matches(*state, "x.bar.y"), 0);
}

static void a_full_wildcard_matches_one_or_more_tokens(void **state) {
    insert(*state, "foo.>", 1);
    assert_int_equal(matches(*state, "foo"), 0);
    assert_int_equal(matches(*state, "foo.bar"), 1);
    assert_int_equal(matches(*state, "foo.bar.baz.x.y"), 1);
    assert_int_equal(matches(*state, "bar.foo"), 0);
    insert(*state, ">", 2);
    assert_int_equal(matches(*state, "foo"), 1);
    assert_int_equal(matches(*state, "foo.bar"), 2);
    insert(*state, "foo.*.>", 3);
    assert_int_equal(matches(*state, "foo.bar"), 2);
    assert_int_equal(matches(*state, "foo.bar.baz"), 3);
}

static void a_wildcard_inside_a_compressed_tail_is_a_wildcard(void **state) {
    insert(*state, "a.*.c.>", 1);
    assert_int_equal(nodes_of(*state), 1);
    assert_int_equal(matches(*state, "a.b.c.d"), 1);
    assert_int_equal(matches(*state, "a.b.c.d.e"), 1);
    assert_int_equal(matches(*state, "a.b.c"), 0);
    assert_int_equal(matches(*state, "a.b.x.d"), 0);
    assert_int_equal(matches(*state, "a.b"), 0);
    assert_int_equal(matches(*state, "a.*.c.>"), 1);
    insert(*state, "a.*.c.d", 2);
    assert_int_equal(matches(*state, "a.x.c.d"), 2);
    assert_int_equal(matches(*state, "a.x.c.e"), 1);
}

static void wildcards_inside_longer_tokens_are_literal(void **state) {
    static const char *const subjects[] = {"foo.*-", "foo.>-", "foo.**", "*foo.x", "foo.>>.x"};
    for (uint64_t i = 0; i < 5; i++) {
        struct index_node *node = insert(*state, subjects[i], i);
        assert_int_equal(matches(*state, "foo.bar"), 0);
        assert_int_equal(matches(*state, "xfoo.x"), 0);
        assert_int_equal(matches(*state, subjects[i]), 1);
        assert_true(remove_plain(*state, node, i));
        assert_int_equal(matches(*state, subjects[i]), 0);
    }
}

static void a_published_wildcard_is_a_literal(void **state) {
    static const char *const subjects[] = {"foo.*", "foo.>", "*.*", ">", "foo.bar", "*.bar", "foo"};
    for (uint64_t i = 0; i < 7; i++) insert(*state, subjects[i], i);
    assert_int_equal(matches(*state, "foo.*"), 4);
    assert_int_equal(matches(*state, "foo.>"), 4);
    assert_int_equal(matches(*state, "*.bar"), 3);
    assert_int_equal(matches(*state, ">"), 1);
    assert_int_equal(matches(*state, ">.x"), 2);
    assert_int_equal(matches(*state, "foo.>.x"), 2);
}

static void an_empty_token_matches_nobody(void **state) {
    static const char *const published[] = {"",     ".",        ".foo",      "..foo",   "foo..",
                                            "foo.", "foo..bar", "foo...bar", "foo.bar."};
    insert(*state, ">", 1);
    insert(*state, "*", 2);
    insert(*state, "*.*", 3);
    insert(*state, "foo.>", 4);
    subject_index_insert(*state, slice_text(">"), slice_text("queue"), 5);
    for (size_t i = 0; i < 9; i++) assert_int_equal(matches(*state, published[i]), 0);
}

static void invalid_subjects_are_not_inserted(void **state) {
    static const char *const subjects[] = {"",      ".",         "foo.", ".foo",  "foo..bar",
                                           ">.foo", "foo.>.bar", ">.>",  "a.b..d"};
    for (size_t i = 0; i < 9; i++) assert_null(insert(*state, subjects[i], 1));
    struct subject_index_stats stats = subject_index_stats(*state);
    assert_int_equal(stats.nodes + stats.subscriptions + stats.inserts, 0);
}

static void a_subject_beyond_the_limit_is_refused_and_one_at_the_limit_is_not(void **state) {
    enum { SIZE = SUBJECT_INDEX_SIZE_MAX };
    char *long_subject = malloc(SIZE + 1);
    memset(long_subject, 'x', SIZE + 1);
    struct slice none = slice_text("");
    assert_null(subject_index_insert(*state, slice_of(long_subject, SIZE + 1), none, 1));
    assert_non_null(subject_index_insert(*state, slice_of(long_subject, SIZE), none, 1));
    assert_true(subject_index_has_interest(*state, slice_of(long_subject, SIZE)));
    assert_false(subject_index_has_interest(*state, slice_of(long_subject, SIZE + 1)));
    assert_false(subject_index_has_interest(*state, slice_of(long_subject, SIZE - 1)));
    insert(*state, "*", 2);
    assert_true(subject_index_has_interest(*state, slice_of(long_subject, SIZE + 1)));
    free(long_subject);
}

static void subjects_of_thousands_of_tokens_are_looked_up(void **state) {
    enum { TOKENS = 30000 };
    char *subject = malloc(TOKENS * 2), *wild = malloc(TOKENS * 2);
    for (size_t i = 0; i < TOKENS; i++) {
        memcpy(subject + 2 * i, "a.", 2);
        memcpy(wild + 2 * i, i % 2 ? "*." : "a.", 2);
    }
    struct slice none = slice_text("");
    size_t size = TOKENS * 2 - 1, expected = 0;
    for (size_t n = 1; n <= TOKENS; n += n < 2000 ? 1 : 977) {
        insert(*state, "x", n);
        subject_index_insert(*state, slice_of(subject, 2 * n - 1), none, n);
        subject_index_insert(*state, slice_of(wild, 2 * n - 1), none, n);
    }
    subject_index_insert(*state, slice_of(subject, size), none, 1);
    subject_index_insert(*state, slice_of(wild, size), none, 1);
    for (const char **at = (const char *[]){subject, wild, NULL}; *at; at++) {
        struct subject_model *m = calloc(1, sizeof *m);
        subject_index_match(*state, slice_of(subject, size), model_visit, m);
        assert_int_equal(m->visits, 2);
        m->visits = 0;
        subject_index_collide(*state, slice_of(*at, size), model_visit, m);
        expected = m->visits;
        free(m);
        assert_int_equal(expected, 2);
    }
    assert_true(subject_index_has_interest(*state, slice_of(subject, 3999)));
    free(subject);
    free(wild);
}

static void members_of_a_node_are_plain_or_in_groups(void **state) {
    struct index_node *node = NULL;
    struct slice foo = slice_text("foo"), q = slice_text("q"), r = slice_text("r");
    for (uint64_t id = 1; id <= 3; id++) node = insert(*state, "foo", id);
    assert_ptr_equal(subject_index_insert(*state, foo, q, 1), node);
    assert_ptr_equal(subject_index_insert(*state, foo, q, 4), node);
    assert_ptr_equal(subject_index_insert(*state, foo, r, 4), node);
    struct found f = match(*state, "foo");
    assert_int_equal(f.nodes, 1);
    assert_int_equal(f.plain, 3);
    assert_int_equal(f.groups, 2);
    assert_int_equal(f.in_groups, 3);
    assert_false(subject_index_remove(*state, node, r, 1));
    assert_false(subject_index_remove(*state, node, slice_text("s"), 4));
    assert_false(remove_plain(*state, node, 4));
    assert_true(subject_index_remove(*state, node, r, 4));
    assert_int_equal(match(*state, "foo").groups, 1);
    for (uint64_t id = 1; id <= 3; id++) assert_true(remove_plain(*state, node, id));
    assert_null(index_node_plain(node));
    assert_true(subject_index_remove(*state, node, q, 1));
    assert_int_equal(matches(*state, "foo"), 1);
    assert_true(subject_index_remove(*state, node, q, 4));
    assert_int_equal(nodes_of(*state), 0);
}

static void the_same_id_twice_counts_once(void **state) {
    struct index_node *node = insert(*state, "foo", 7);
    assert_ptr_equal(insert(*state, "foo", 7), node);
    assert_int_equal(subject_index_stats(*state).subscriptions, 1);
    assert_int_equal(subject_index_stats(*state).inserts, 1);
    insert(*state, "foo.x", 7);
    assert_int_equal(subject_index_stats(*state).subscriptions, 2);
    assert_true(remove_plain(*state, node, 7));
    assert_int_equal(subject_index_stats(*state).removes, 1);
}

static void a_thousand_groups_at_one_node_are_told_apart(void **state) {
    struct index_node *node = NULL;
    for (uint64_t i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "q%d", (int)i);
        node = subject_index_insert(*state, slice_text("foo.*"), slice_text(name), i);
    }
    assert_int_equal(match(*state, "foo.x").groups, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "q%d", (int)i);
        if (i == 0) assert_false(subject_index_remove(*state, node, slice_text(name), 1));
        assert_true(subject_index_remove(*state, node, slice_text(name), i));
        assert_int_equal(match(*state, "foo.x").groups, 999 - i);
    }
    assert_int_equal(nodes_of(*state), 0);
}

static void a_long_chain_is_one_node_until_it_is_divided(void **state) {
    struct index_node *a = insert(*state, "orders.eu.created.today", 1);
    assert_int_equal(nodes_of(*state), 1);
    struct index_node *b = insert(*state, "orders.eu.deleted", 2);
    assert_int_equal(nodes_of(*state), 3);
    struct index_node *c = insert(*state, "orders", 3);
    assert_int_equal(nodes_of(*state), 4);
    assert_ptr_equal(insert(*state, "orders.eu.created.today", 9), a);
    assert_string_equal(match(*state, "orders.eu.created.today").subjects,
                        "orders.eu.created.today ");
    assert_string_equal(match(*state, "orders.eu.deleted").subjects, "orders.eu.deleted ");
    assert_int_equal(matches(*state, "orders.eu"), 0);
    assert_true(remove_plain(*state, b, 2));
    assert_true(remove_plain(*state, c, 3));
    assert_int_equal(nodes_of(*state), 1);
    assert_int_equal(match(*state, "orders.eu.created.today").plain, 2);
    assert_true(remove_plain(*state, a, 1));
    assert_true(remove_plain(*state, a, 9));
    assert_int_equal(nodes_of(*state), 0);
}

static void removing_prunes_up_to_the_next_node_that_is_needed(void **state) {
    struct index_node *deep = insert(*state, "a.b.c.d.e.f", 1);
    struct index_node *mid = insert(*state, "a.b.c", 2);
    struct index_node *star = insert(*state, "a.b.*.d.e", 3);
    struct index_node *full = insert(*state, "a.b.*.d.>", 4);
    assert_true(remove_plain(*state, deep, 1));
    assert_int_equal(matches(*state, "a.b.c"), 1);
    assert_int_equal(matches(*state, "a.b.c.d.e"), 2);
    assert_true(remove_plain(*state, mid, 2));
    assert_int_equal(matches(*state, "a.b.c.d.e"), 2);
    assert_true(remove_plain(*state, star, 3));
    assert_int_equal(matches(*state, "a.b.c.d.e"), 1);
    assert_true(remove_plain(*state, full, 4));
    assert_int_equal(nodes_of(*state), 0);
}

static void churn_beside_a_lasting_subscription_leaves_nothing_behind(void **state) {
    insert(*state, "a.b.c.d.e.f.g.h", 1);
    for (uint64_t round = 0; round < 1000; round++) {
        struct index_node *nodes[3];
        nodes[0] = insert(*state, round % 2 ? "a.b.c.x" : "a.x", 2);
        nodes[1] = insert(*state, round % 3 ? "a.b.c.d.*.f" : "a.b.c.d.e.f.g", 3);
        nodes[2] = insert(*state, round % 5 ? "a.b.>" : "a.b.c.d.e.>", 4);
        assert_int_equal(matches(*state, "a.b.c.d.e.f.g.h"), 2);
        for (uint64_t i = 0; i < 3; i++)
            assert_true(remove_plain(*state, nodes[(i + round) % 3], 2 + (i + round) % 3));
        assert_int_equal(nodes_of(*state), 1);
    }
}

static void collisions_with_stored_literals_are_found(void **state) {
    static const char *const subjects[] = {"foo", "bar", "foo.bar", "foo.baz", "foo.bar.baz"};
    for (uint64_t i = 0; i < 5; i++) insert(*state, subjects[i], i);
    assert_string_equal(collide(*state, "foo").subjects, "foo ");
    assert_string_equal(collide(*state, "bar").subjects, "bar ");
    assert_int_equal(collisions(*state, "baz"), 0);
    assert_int_equal(collisions(*state, "*"), 2);
    assert_int_equal(collisions(*state, "foo.*"), 2);
    assert_int_equal(collisions(*state, "*.*"), 2);
    assert_string_equal(collide(*state, "*.bar").subjects, "foo.bar ");
    assert_string_equal(collide(*state, "*.baz").subjects, "foo.baz ");
    assert_int_equal(collisions(*state, "bar.*"), 0);
    assert_int_equal(collisions(*state, "*.bat"), 0);
    assert_int_equal(collisions(*state, "foo.>"), 3);
    assert_int_equal(collisions(*state, ">"), 5);
    assert_int_equal(collisions(*state, "foo..bar"), 0);
    assert_int_equal(collisions(*state, ">.foo"), 0);
    assert_int_equal(collisions(*state, ""), 0);
}

static void collisions_with_stored_wildcards_are_found(void **state) {
    insert(*state, "uplink.*.*.>", 1);
    assert_int_equal(collisions(*state, "uplink.1.*.*.>"), 1);
    assert_int_equal(collisions(*state, "uplink.1.2.3.>"), 1);
    assert_int_equal(collisions(*state, "uplink.>"), 1);
    assert_int_equal(collisions(*state, "uplink.1.2"), 0);
    assert_int_equal(collisions(*state, "*.1.2.*"), 1);
    insert(*state, "uplink.*", 2);
    insert(*state, "*", 3);
    assert_string_equal(collide(*state, "uplink.x").subjects, "uplink.* ");
    assert_string_equal(collide(*state, "*").subjects, "* ");
    assert_int_equal(collisions(*state, ">"), 3);
    assert_int_equal(collisions(*state, "uplink.>"), 2);
}

static void interest_is_seen_as_it_comes_and_goes(void **state) {
    static const struct {
        const char *subject;
        bool foo, foo_bar, foo_baz, foo_bar_baz;
    } rows[] = {
        {"foo", true, false, false, false},   {"foo.*", false, true, true, false},
        {"foo.>", false, true, true, true},   {"*.>", false, true, true, true},
        {"*.bar", false, true, false, false}, {"*", true, false, false, false},
        {">", true, true, true, true},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const char *queues[] = {i % 2 ? "q" : "", i % 2 ? "r" : ""};
        struct slice subject = slice_text(rows[i / 2].subject);
        struct index_node *node = NULL;
        for (uint64_t k = 0; k < 2; k++)
            node = subject_index_insert(*state, subject, slice_text(queues[k]), k);
        for (uint64_t k = 0; k < 2; k++) {
            assert_int_equal(matches(*state, "foo"), rows[i / 2].foo);
            assert_int_equal(matches(*state, "foo.bar"), rows[i / 2].foo_bar);
            assert_int_equal(matches(*state, "foo.baz"), rows[i / 2].foo_baz);
            assert_int_equal(matches(*state, "foo.bar.baz"), rows[i / 2].foo_bar_baz);
            assert_true(subject_index_remove(*state, node, slice_text(queues[k]), k));
        }
        assert_int_equal(matches(*state, "foo") + matches(*state, "foo.bar"), 0);
    }
    insert(*state, "stream.A.child", 1);
    insert(*state, "stream.*", 2);
    assert_int_equal(matches(*state, "stream.A.child"), 1);
    assert_int_equal(matches(*state, "stream.A"), 1);
}

static void a_subject_that_does_not_fit_is_measured(void **state) {
    char buffer[8] = "unused";
    struct index_node *node = insert(*state, "foo.bar.baz", 1);
    insert(*state, "foo.x", 1);
    assert_int_equal(index_node_subject(node, buffer, sizeof buffer), 11);
    assert_int_equal(index_node_subject(node, NULL, 0), 11);
}

static void a_large_level_grows_and_shrinks(void **state) {
    enum { N = 20000 };
    static struct index_node *nodes[N];
    char subject[32];
    for (uint64_t i = 0; i < N; i++) {
        snprintf(subject, sizeof subject, "device.%d.telemetry", (int)i);
        nodes[i] = insert(*state, subject, i);
    }
    assert_int_equal(nodes_of(*state), N + 1);
    for (uint64_t i = 0; i < N; i += 7) {
        snprintf(subject, sizeof subject, "device.%d.telemetry", (int)i);
        assert_int_equal(matches(*state, subject), 1);
    }
    for (uint64_t i = 0; i < N; i++) assert_true(remove_plain(*state, nodes[i], i));
    assert_int_equal(nodes_of(*state), 0);
}

static uint32_t next_random(uint64_t *x) {
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*x >> 33);
}

/* Mostly valid subjects of up to seven tokens of a small alphabet, so that they meet often. */
static void random_subject(uint64_t *x, char *subject) {
    static const char *const tokens[] = {"a", "b",  "c",  "a",  "b", "dd", "ddd", "*",
                                         "*", "x*", "*x", "a>", ">", ">>", "**",  "long-token"};
    uint32_t count = 1 + next_random(x) % 7;
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = next_random(x);
        const char *token = k % 97 == 0 ? "" : tokens[k % 16];
        if (strcmp(token, ">") == 0 && i + 1 < count && k % 5) token = "e";
        n += (size_t)snprintf(subject + n, MODEL_SUBJECT_MAX - n, "%s%s", i ? "." : "", token);
    }
}

static const char *random_step(struct subject_model *m, uint64_t *x, int step) {
    char subject[MODEL_SUBJECT_MAX];
    char queue[MODEL_QUEUE_MAX] = "";
    uint32_t r = next_random(x), limit = step / 10000 % 2 ? 40 : 500;
    random_subject(x, subject);
    if (r % 4 == 0) return model_match(m, subject);
    if (r % 4 == 1) return r % 16 == 1 ? model_collide(m, subject) : model_match(m, subject);
    if (m->count > next_random(x) % limit) return model_remove(m, next_random(x) % m->count);
    if (next_random(x) % 3 == 0) snprintf(queue, sizeof queue, "q%d", (int)(next_random(x) % 3));
    return model_insert(m, subject, queue, next_random(x) % 8);
}

static void random_changes_and_lookups_agree_with_the_model(void **state) {
    (void)state;
    enum { STEPS = 100000 };
    static struct subject_model m;
    uint64_t x = 2152;
    m.index = subject_index_new();
    for (int step = 0; step < STEPS; step++) {
        const char *wrong = random_step(&m, &x, step);
        if (!wrong && step % 64 == 0) wrong = model_check_stats(&m);
        if (wrong) fail_msg("step %d: %s", step, wrong);
    }
    assert_true(m.removes > STEPS / 10);
    assert_null(model_drain(&m));
    subject_index_free(m.index);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        test(an_empty_index_matches_nothing),
        test(a_literal_matches_itself_only),
        test(a_star_matches_one_token),
        test(a_full_wildcard_matches_one_or_more_tokens),
        test(a_wildcard_inside_a_compressed_tail_is_a_wildcard),
        test(wildcards_inside_longer_tokens_are_literal),
        test(a_published_wildcard_is_a_literal),
        test(an_empty_token_matches_nobody),
        test(invalid_subjects_are_not_inserted),
        test(a_subject_beyond_the_limit_is_refused_and_one_at_the_limit_is_not),
        test(subjects_of_thousands_of_tokens_are_looked_up),
        test(members_of_a_node_are_plain_or_in_groups),
        test(the_same_id_twice_counts_once),
        test(a_thousand_groups_at_one_node_are_told_apart),
        test(a_long_chain_is_one_node_until_it_is_divided),
        test(removing_prunes_up_to_the_next_node_that_is_needed),
        test(churn_beside_a_lasting_subscription_leaves_nothing_behind),
        test(collisions_with_stored_literals_are_found),
        test(collisions_with_stored_wildcards_are_found),
        test(interest_is_seen_as_it_comes_and_goes),
        test(a_subject_that_does_not_fit_is_measured),
        test(a_large_level_grows_and_shrinks),
        cmocka_unit_test(random_changes_and_lookups_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
