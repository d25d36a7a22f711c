#include "base/hash.h"
#include "match/mapping.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct dest {
    const char *destination;
    unsigned weight;
    const char *cluster;
};

static int add_list(struct mapping_builder *b, const char *source, const struct dest *d, int count,
                    char *error, size_t error_size) {
    mapping_builder_begin(b, source, strlen(source));
    for (int i = 0; i < count; i++) {
        const char *cluster = d[i].cluster ? d[i].cluster : "";
        mapping_builder_destination(b, d[i].destination, strlen(d[i].destination), d[i].weight,
                                    cluster, strlen(cluster));
    }
    return mapping_builder_end(b, error, error_size);
}

#define ADD(b, source, ...)                                                                        \
    do {                                                                                           \
        const struct dest list[] = {__VA_ARGS__};                                                  \
        char error[256] = "";                                                                      \
        int status =                                                                               \
            add_list(b, source, list, (int)(sizeof list / sizeof *list), error, sizeof error);     \
        assert_string_equal(error, "");                                                            \
        assert_int_equal(status, 0);                                                               \
    } while (0)

#define REFUSED(b, expected, source, ...)                                                          \
    do {                                                                                           \
        const struct dest list[] = {__VA_ARGS__};                                                  \
        char error[256] = "";                                                                      \
        assert_int_equal(                                                                          \
            add_list(b, source, list, (int)(sizeof list / sizeof *list), error, sizeof error),     \
            -1);                                                                                   \
        assert_string_equal(error, expected);                                                      \
    } while (0)

static struct mapping_set *finish(struct mapping_builder *b, const char *cluster) {
    return mapping_builder_finish(b, cluster, strlen(cluster));
}

/* What a subject becomes; "-" when no mapping has it, "!" when it is lost. */
static const char *select_for(const struct mapping_set *set, const char *subject, uint64_t random) {
    static char out[256];
    size_t length;
    switch (mapping_set_select(set, slice_text(subject), random, out, sizeof out - 1, &length)) {
    case MAPPING_UNCHANGED:
        return "-";
    case MAPPING_DROPPED:
        return "!";
    case MAPPING_REPLACED:
        out[length] = 0;
        return out;
    case MAPPING_TOO_LONG:
        break;
    }
    return "too long";
}

/* How many of the 100 draws give this result. */
static int share(const struct mapping_set *set, const char *subject, const char *result) {
    int n = 0;
    for (uint64_t random = 0; random < 100; random++)
        n += strcmp(select_for(set, subject, random), result) == 0;
    return n;
}

static void a_literal_source_is_replaced(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"bar", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "foo", 0), "bar");
    assert_string_equal(select_for(set, "foo.bar", 0), "-");
    assert_string_equal(select_for(set, "fo", 0), "-");
    assert_string_equal(select_for(set, "bar", 0), "-");
    assert_string_equal(select_for(set, "", 0), "-");
    assert_false(mapping_set_is_random(set));
    mapping_set_free(set);
}

static void an_empty_set_changes_nothing(void **state) {
    (void)state;
    struct mapping_set *set = finish(mapping_builder_new(), "");
    assert_string_equal(select_for(set, "foo", 0), "-");
    assert_int_equal(mapping_set_count(set), 0);
    mapping_set_free(set);
}

static void a_result_is_not_mapped_again(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo.*.*", {"bar.$2.$1", 100, ""});
    ADD(b, "bar.*.>", {"baz.$1.>", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "foo.1.2", 0), "bar.2.1");
    assert_string_equal(select_for(set, "bar.1.2.3", 0), "baz.1.2.3");
    assert_string_equal(select_for(set, "foo.1", 0), "-");
    assert_string_equal(select_for(set, "bar.1", 0), "-");
    mapping_set_free(set);
}

static void the_first_source_of_the_list_that_matches_decides(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "a.b", {"literal", 100, ""});
    ADD(b, "a.*", {"star", 100, ""});
    ADD(b, "a.c", {"never", 100, ""});
    ADD(b, "*.d.>", {"wide.>", 100, ""});
    ADD(b, "a.>", {"open.>", 100, ""});
    ADD(b, "a.d.e", {"never", 100, ""});
    ADD(b, ">", {"rest.>", 100, ""});
    ADD(b, "z", {"never", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "a.b", 0), "literal");
    assert_string_equal(select_for(set, "a.c", 0), "star");
    assert_string_equal(select_for(set, "a.d.e", 0), "wide.e");
    assert_string_equal(select_for(set, "a.x.e", 0), "open.x.e");
    assert_string_equal(select_for(set, "z", 0), "rest.z");
    assert_int_equal(mapping_set_count(set), 8);
    assert_true(slice_is(mapping_set_source(set, 0), "a.b"));
    assert_true(slice_is(mapping_set_source(set, 7), "z"));
    mapping_set_free(set);
}

static void weights_share_and_the_source_keeps_the_rest(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"bar", 50, ""}, {"baz", 30, ""});
    ADD(b, "a.*", {"b.v1.$1", 40, ""}, {"b.v2.$1", 20, ""});
    ADD(b, "x.*.>", {"y.>", 75, ""});
    ADD(b, "all", {"one", 50, ""}, {"two", 50, ""});
    struct mapping_set *set = finish(b, "");
    assert_int_equal(share(set, "foo", "foo"), 20);
    assert_int_equal(share(set, "foo", "bar"), 50);
    assert_int_equal(share(set, "foo", "baz"), 30);
    assert_int_equal(share(set, "a.7", "a.7"), 40);
    assert_int_equal(share(set, "a.7", "b.v1.7"), 40);
    assert_int_equal(share(set, "a.7", "b.v2.7"), 20);
    assert_int_equal(share(set, "x.1.2.3", "x.1.2.3"), 25);
    assert_int_equal(share(set, "x.1.2.3", "y.2.3"), 75);
    assert_int_equal(share(set, "all", "one"), 50);
    assert_int_equal(share(set, "all", "two"), 50);
    assert_true(mapping_set_is_random(set));
    /* Ascending weights: the lightest takes the lowest draws. */
    assert_string_equal(select_for(set, "foo", 19), "foo");
    assert_string_equal(select_for(set, "foo", 20), "baz");
    assert_string_equal(select_for(set, "foo", 1050), "bar");
    mapping_set_free(set);
}

static void the_rest_is_lost_when_the_source_is_listed(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"foo", 80, ""});
    ADD(b, "bar", {"bar", 0, ""});
    ADD(b, "baz.>", {"baz.>", 10, ""}, {"qux.>", 20, ""});
    struct mapping_set *set = finish(b, "");
    assert_int_equal(share(set, "foo", "foo"), 80);
    assert_int_equal(share(set, "foo", "!"), 20);
    assert_int_equal(share(set, "bar", "!"), 100);
    assert_int_equal(share(set, "baz.1", "baz.1"), 10);
    assert_int_equal(share(set, "baz.1", "qux.1"), 20);
    assert_int_equal(share(set, "baz.1", "!"), 70);
    mapping_set_free(set);
}

static void a_destination_without_weight_is_never_taken(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"bar", 0, ""});
    ADD(b, "a", {"b", 0, ""}, {"c", 100, ""});
    mapping_builder_begin(b, "none", 4);
    assert_int_equal(mapping_builder_end(b, NULL, 0), 0);
    struct mapping_set *set = finish(b, "");
    assert_int_equal(share(set, "foo", "foo"), 100);
    assert_int_equal(share(set, "a", "c"), 100);
    assert_int_equal(share(set, "none", "none"), 100);
    assert_false(mapping_set_is_random(set));
    mapping_set_free(set);
}

static struct mapping_builder *with_clusters(void) {
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"bar", 100, "SYN"});
    ADD(b, "a", {"b", 30, ""}, {"c", 40, "SYN"}, {"d", 50, "SYN"}, {"e", 100, "OTHER"});
    ADD(b, "x", {"x", 50, "SYN"});
    return b;
}

static void destinations_of_the_own_cluster_replace_the_others(void **state) {
    (void)state;
    struct mapping_set *set = finish(with_clusters(), "SYN");
    assert_int_equal(share(set, "foo", "bar"), 100);
    assert_int_equal(share(set, "a", "c"), 40);
    assert_int_equal(share(set, "a", "d"), 50);
    assert_int_equal(share(set, "a", "a"), 10);
    assert_int_equal(share(set, "x", "x"), 50);
    assert_int_equal(share(set, "x", "!"), 50);
    mapping_set_free(set);
    set = finish(with_clusters(), "OTHER");
    assert_int_equal(share(set, "foo", "foo"), 100);
    assert_int_equal(share(set, "a", "e"), 100);
    mapping_set_free(set);
}

static void other_clusters_use_what_is_for_all(void **state) {
    (void)state;
    const char *const clusters[] = {"", "syn", "ELSE"};
    for (int i = 0; i < 3; i++) {
        struct mapping_set *set = finish(with_clusters(), clusters[i]);
        assert_int_equal(share(set, "foo", "foo"), 100);
        assert_int_equal(share(set, "a", "b"), 30);
        assert_int_equal(share(set, "a", "a"), 70);
        /* The source is listed for some cluster, so nothing is left to those without a list. */
        assert_int_equal(share(set, "x", "!"), 100);
        mapping_set_free(set);
    }
}

static void bad_mappings_are_refused_with_a_reason(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    REFUSED(b, "invalid subject", "foo..bar", {"x", 100, ""});
    REFUSED(b, "invalid subject", "foo bar", {"x", 100, ""});
    REFUSED(b, "invalid subject", "", {"x", 100, ""});
    REFUSED(b, "invalid subject", ">.a", {"x", 100, ""});
    REFUSED(b, "individual weights need to be <= 100", "foo", {"bar", 150, ""});
    REFUSED(b, "individual weights need to be <= 100", "foo", {"bar", 4294967295u, ""});
    REFUSED(b, "duplicate entry for \"bar\"", "foo", {"bar", 50, ""}, {"bar", 50, ""});
    REFUSED(b, "duplicate entry for \"bar\"", "foo", {"bar", 50, "A"}, {"bar", 50, "B"});
    REFUSED(b, "total weight needs to be <= 100", "foo", {"bar", 50, ""}, {"baz", 60, ""});
    REFUSED(b, "total weight needs to be <= 100", "foo", {"a", 50, ""}, {"b", 60, "A"},
            {"c", 60, "A"});
    REFUSED(b, "invalid mapping destination: unknown function in {{nope(1)}}", "foo.*",
            {"{{nope(1)}}", 100, ""});
    REFUSED(b, "invalid mapping destination: invalid transform", "foo", {"a b", 100, ""});
    REFUSED(b, "invalid mapping destination: wildcard index out of range in $2: [2]", "foo.*",
            {"a.$2", 100, ""});
    /* A source that reads like a placeholder cannot be kept for the rest. */
    REFUSED(b, "invalid mapping destination: wildcard index out of range in $1", "$1",
            {"a", 50, ""});
    ADD(b, "$1", {"a", 100, "A"}, {"b", 100, ""});
    ADD(b, "ok", {"a", 60, "A"}, {"b", 60, "B"}, {"c", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_int_equal(mapping_set_count(set), 2);
    mapping_set_free(set);
}

static void a_name_in_an_error_is_quoted(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    REFUSED(b, "duplicate entry for \"a\\\"b\\\\c\\x01\"", "foo", {"a\"b\\c\001", 1, ""},
            {"a\"b\\c\001", 1, ""});
    mapping_builder_free(b);
}

static void the_same_source_replaces_in_its_place(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "a.*", {"one.$1", 100, ""});
    ADD(b, "a.b", {"two", 100, ""});
    ADD(b, "a.*", {"three.$1", 100, ""});
    REFUSED(b, "invalid subject", "a.*", {"four.*", 100, ""}); /* leaves the old one */
    struct mapping_set *set = finish(b, "");
    assert_int_equal(mapping_set_count(set), 2);
    assert_string_equal(select_for(set, "a.b", 0), "three.b");
    mapping_set_free(set);
}

static void a_mapping_that_was_begun_and_not_ended_is_forgotten(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    mapping_builder_begin(b, "lost", 4);
    mapping_builder_destination(b, "x", 1, 100, "", 0);
    ADD(b, "foo", {"bar", 100, ""});
    mapping_builder_begin(b, "lost", 4);
    struct mapping_set *set = finish(b, "");
    assert_int_equal(mapping_set_count(set), 1);
    mapping_set_free(set);
    b = mapping_builder_new();
    ADD(b, "foo", {"bar", 100, ""});
    mapping_builder_begin(b, "lost", 4);
    mapping_builder_free(b);
}

static void too_many_destinations_are_refused(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    mapping_builder_begin(b, "foo", 3);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "d%d", i);
        mapping_builder_destination(b, name, (size_t)size, 0, "", 0);
    }
    char error[64];
    assert_int_equal(mapping_builder_end(b, error, sizeof error), -1);
    assert_string_equal(error, "more than 1024 destinations");
    mapping_builder_free(b);
}

static void odd_published_subjects_are_mapped_as_ever(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo.*", {"star.$1", 100, ""});
    ADD(b, "foo.>", {"open.>", 100, ""});
    ADD(b, "bar.*x", {"odd", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "foo.*", 0), "star.*");
    assert_string_equal(select_for(set, "foo.>", 0), "open.>");
    assert_string_equal(select_for(set, "foo..a", 0), "open..a");
    assert_string_equal(select_for(set, "foo.", 0), "open.");
    assert_string_equal(select_for(set, ".foo", 0), "-");
    assert_string_equal(select_for(set, "bar.y", 0), "odd");
    assert_string_equal(select_for(set, "bar.*", 0), "-");
    assert_string_equal(select_for(set, "bar.*x", 0), "odd");
    mapping_set_free(set);
}

static void a_literal_first_in_the_list_hashes_nothing(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"p.{{partition(10)}}", 100, ""});
    ADD(b, "baz", {"p.{{partition(10)}}", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "foo", 0), "p.1");
    assert_string_equal(select_for(set, "baz", 0), "p.0");
    mapping_set_free(set);
}

static void an_empty_destination_leaves_the_subject(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"", 100, ""});
    struct mapping_set *set = finish(b, "");
    assert_string_equal(select_for(set, "foo", 0), "foo");
    mapping_set_free(set);
}

static void random_destinations_follow_the_callers_number(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo", {"r.{{random(4)}}", 100, ""});
    struct mapping_set *set = finish(b, "");
    int seen[4] = {0};
    assert_true(mapping_set_is_random(set));
    for (uint64_t random = 0; random < 400; random++) {
        const char *got = select_for(set, "foo", random);
        assert_int_equal(strlen(got), 3);
        assert_in_range(got[2], '0', '3');
        seen[got[2] - '0']++;
    }
    for (int i = 0; i < 4; i++) assert_in_range(seen[i], 60, 140);
    mapping_set_free(set);
}

static void a_result_that_does_not_fit_is_reported_with_its_length(void **state) {
    (void)state;
    struct mapping_builder *b = mapping_builder_new();
    ADD(b, "foo.*", {"$1.$1", 100, ""});
    struct mapping_set *set = finish(b, "");
    char out[9];
    size_t length = 0;
    assert_int_equal(mapping_set_select(set, slice_text("foo.12345"), 0, out, sizeof out, &length),
                     MAPPING_TOO_LONG);
    assert_int_equal(length, 11);
    assert_int_equal(mapping_set_select(set, slice_text("foo.1234"), 0, out, sizeof out, &length),
                     MAPPING_REPLACED);
    assert_int_equal(length, 9);
    mapping_set_free(set);
}

static void thousands_of_sources_are_all_found(void **state) {
    (void)state;
    enum { N = 3000 };
    char source[32], destination[32];
    struct mapping_builder *b = mapping_builder_new();
    hash_seed();
    for (int i = 0; i < N; i++) {
        snprintf(source, sizeof source, i % 2 ? "t%d.%d" : "t%d.*.%d", i % 7, i);
        snprintf(destination, sizeof destination, "d.%d", i);
        ADD(b, source, {destination, 100, ""});
    }
    struct mapping_set *set = finish(b, "x");
    for (int i = 0; i < N; i += 13) {
        snprintf(source, sizeof source, i % 2 ? "t%d.%d" : "t%d.x.%d", i % 7, i);
        snprintf(destination, sizeof destination, "d.%d", i);
        assert_string_equal(select_for(set, source, 0), destination);
        snprintf(source, sizeof source, "t%d.%d", i % 7, i + N);
        assert_string_equal(select_for(set, source, 0), "-");
    }
    mapping_set_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_source_is_replaced),
        cmocka_unit_test(an_empty_set_changes_nothing),
        cmocka_unit_test(a_result_is_not_mapped_again),
        cmocka_unit_test(the_first_source_of_the_list_that_matches_decides),
        cmocka_unit_test(weights_share_and_the_source_keeps_the_rest),
        cmocka_unit_test(the_rest_is_lost_when_the_source_is_listed),
        cmocka_unit_test(a_destination_without_weight_is_never_taken),
        cmocka_unit_test(destinations_of_the_own_cluster_replace_the_others),
        cmocka_unit_test(other_clusters_use_what_is_for_all),
        cmocka_unit_test(bad_mappings_are_refused_with_a_reason),
        cmocka_unit_test(a_name_in_an_error_is_quoted),
        cmocka_unit_test(the_same_source_replaces_in_its_place),
        cmocka_unit_test(a_mapping_that_was_begun_and_not_ended_is_forgotten),
        cmocka_unit_test(too_many_destinations_are_refused),
        cmocka_unit_test(odd_published_subjects_are_mapped_as_ever),
        cmocka_unit_test(a_literal_first_in_the_list_hashes_nothing),
        cmocka_unit_test(an_empty_destination_leaves_the_subject),
        cmocka_unit_test(random_destinations_follow_the_callers_number),
        cmocka_unit_test(a_result_that_does_not_fit_is_reported_with_its_length),
        cmocka_unit_test(thousands_of_sources_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
