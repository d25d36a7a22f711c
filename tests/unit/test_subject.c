#include "match/subject.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Every combination of predicates that a subject can have, with the subjects that have it. */
struct row {
    const char *subject;
    bool subscribe, valid, literal, publish, wildcard;
};

static const struct row rows[] = {
    {"foo", true, true, true, true, false},
    {"foo.bar.baz", true, true, true, true, false},
    {"*", true, true, false, false, true},
    {">", true, true, false, false, true},
    {"foo.*", true, true, false, false, true},
    {"foo.>", true, true, false, false, true},
    {"*.bar", true, true, false, false, true},
    {"foo.*.bar.>", true, true, false, false, true},
    /* wildcards inside longer tokens are plain bytes */
    {"foo*", true, true, true, true, false},
    {"foo.**", true, true, true, true, false},
    {"foo*bar.x", true, true, true, true, false},
    {"*bar", true, true, true, true, false},
    {"foo>", true, true, true, true, false},
    {"foo.>>", true, true, true, true, false},
    {">bar", true, true, true, true, false},
    {"foo>.bar", true, true, true, true, false},
    /* `>` that isn't last */
    {">.bar", false, false, false, false, true},
    {"foo.>.bar", false, false, false, false, true},
    {">.>", false, false, false, false, true},
    /* empty tokens */
    {"", false, false, false, false, false},
    {".", false, false, false, false, false},
    {".foo", false, false, false, false, false},
    {"foo.", false, false, false, false, false},
    {"foo..bar", false, false, false, false, false},
    {"foo.*.", false, false, false, false, true},
    {"..*", false, false, false, false, true},
    /* blanks */
    {" ", true, false, true, false, false},
    {"foo. bar", true, false, true, false, false},
    {"foo\tbar", true, false, true, false, false},
    {"foo.b\n", true, false, true, false, false},
    {"foo.\r", true, false, true, false, false},
    {"\f.foo", true, false, true, false, false},
    {"foo. .*", true, false, false, false, true},
    {"foo\vbar", true, true, true, true, false},
};

static void each_predicate_decides_as_the_reference_says(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = rows + i;
        struct slice s = slice_text(r->subject);
        bool same = subject_is_valid_to_subscribe(s) == r->subscribe &&
                    subject_is_valid(s) == r->valid && subject_is_valid_literal(s) == r->literal &&
                    subject_is_valid_to_publish(s) == r->publish &&
                    subject_has_wildcard(s) == r->wildcard;
        if (!same) fail_msg("predicates of \"%s\"", r->subject);
    }
}

static bool is_text(const char *s) {
    return subject_is_valid_text(slice_text(s));
}

static void text_is_utf8_without_nul_and_replacement_characters(void **state) {
    (void)state;
    assert_true(is_text("foo.bar"));
    assert_true(is_text("gr\xC3\xBC\xC3\x9F.\xE2\x82\xAC.\xF0\x9F\x98\x80"));
    assert_true(is_text("\xF4\x8F\xBF\xBF.\xED\x9F\xBF.\xEE\x80\x80"));
    assert_false(subject_is_valid_text(slice_of("foo.\0", 5)));
    assert_false(subject_is_valid_text(slice_of("\0", 1)));
    assert_false(is_text("foo.\xEF\xBF\xBD"));
    assert_false(is_text("foo.\x80"));
    assert_false(is_text("foo.\xC3"));
    assert_false(is_text("foo.\xC3."));
    assert_false(is_text("\xC0\xAF"));
    assert_false(is_text("\xC1\xBF"));
    assert_false(is_text("\xE0\x9F\xBF"));
    assert_false(is_text("\xED\xA0\x80"));
    assert_false(is_text("\xF0\x8F\xBF\xBF"));
    assert_false(is_text("\xF4\x90\x80\x80"));
    assert_false(is_text("\xF5\x80\x80\x80"));
    assert_false(is_text("\xFF"));
    assert_false(is_text("\xE2\x82"));
    assert_false(is_text("foo bar"));
    assert_false(is_text("foo..bar"));
    assert_false(is_text(""));
}

static bool subset(const char *subject, const char *filter) {
    return subject_is_subset(slice_text(subject), slice_text(filter));
}

static void a_subset_is_covered_by_its_filter(void **state) {
    (void)state;
    assert_true(subset("foo.bar", "foo.bar"));
    assert_true(subset("foo.bar", "foo.*"));
    assert_true(subset("foo.*", ">"));
    assert_true(subset("foo.*", "*.*"));
    assert_true(subset("foo.*", "foo.*"));
    assert_true(subset("foo.>", ">"));
    assert_true(subset("foo.>", "*.>"));
    assert_true(subset("foo.>", "foo.>"));
    assert_true(subset("foo.*.>", "foo.>"));
    assert_true(subset("foo", ">"));
    assert_true(subset(">", ">"));
    assert_true(subset("*.>", ">"));
    assert_true(subset("foo*.x", "foo*.x"));
}

static void a_subject_that_may_leave_the_filter_is_no_subset(void **state) {
    (void)state;
    assert_false(subset("foo.*", "foo.bar"));
    assert_false(subset("foo.>", "foo.bar"));
    assert_false(subset("foo.>", "foo.*"));
    assert_false(subset("foo.>", "foo.*.>"));
    assert_false(subset(">", "*"));
    assert_false(subset(">", "*.>"));
    assert_false(subset("foo", "foo.>"));
    assert_false(subset("foo", "foo.*"));
    assert_false(subset("foo.bar", "foo"));
    assert_false(subset("foo.bar.baz", "foo.*"));
    assert_false(subset("foobar", "foo"));
    assert_false(subset("foo", "foobar"));
    assert_false(subset("foo", "foo*"));
}

static void an_empty_token_before_the_filters_end_is_no_subset(void **state) {
    (void)state;
    assert_false(subset("foo..bar", "foo.*"));
    assert_false(subset("foo..bar", "foo.*.bar"));
    assert_false(subset("foo.*", "foo..bar"));
    assert_false(subset("foo..bar", "foo..bar"));
    assert_false(subset("", ""));
    assert_false(subset("", ">"));
    assert_false(subset("foo", ""));
    assert_false(subset(".", "*.*"));
    assert_false(subset("foo.", "foo.*"));
    assert_true(subset("foo..bar", "foo.>"));
}

static void a_filter_token_that_begins_with_a_star_covers_any_literal(void **state) {
    (void)state;
    assert_true(subset("foo.bar", "foo.*x"));
    assert_false(subset("foo.*", "foo.*x"));
    assert_false(subset("foo.>", "foo.*x"));
}

static bool collides(const char *a, const char *b) {
    bool there = subject_collides(slice_text(a), slice_text(b));
    assert_int_equal(subject_collides(slice_text(b), slice_text(a)), there);
    return there;
}

static void subjects_collide_when_a_literal_matches_both(void **state) {
    (void)state;
    assert_true(collides("foo", "foo"));
    assert_true(collides("foo.*", "foo.foo"));
    assert_true(collides("foo.*", "*.foo"));
    assert_true(collides("foo.bar.>", "*.bar.foo"));
    assert_true(collides("foo.>", "*.bar.*.x"));
    assert_true(collides(">", "*"));
    assert_true(collides("*.>", ">"));
    assert_true(collides("foo.>", "foo.bar.>"));
    assert_true(collides("a.*.c.>", "*.b.>"));
    assert_false(collides("foo.*", "foo.*.bar.>"));
    assert_false(collides("foo", "bar"));
    assert_false(collides("foo", "foo.>"));
    assert_false(collides("foo", "foo.*"));
    assert_false(collides("foo.*", "bar.>"));
    assert_false(collides("*.*", "*"));
    assert_false(collides("foo.*.a", "*.x.b"));
    assert_false(collides("foo*.a", "bar.*"));
    assert_false(collides("foo..bar", "foo.*.bar"));
    assert_false(collides("foo.", "foo.*"));
    assert_false(collides("", "*"));
}

static void tokens_are_counted_and_found(void **state) {
    (void)state;
    assert_int_equal(subject_count_tokens(slice_text("")), 0);
    assert_int_equal(subject_count_tokens(slice_of(NULL, 0)), 0);
    assert_int_equal(subject_count_tokens(slice_text("foo")), 1);
    assert_int_equal(subject_count_tokens(slice_text("foo.bar.*")), 3);
    assert_int_equal(subject_count_tokens(slice_text("..")), 3);
    struct slice s = slice_text("foo.bar..*");
    assert_true(slice_is(subject_token(s, 0), "foo"));
    assert_true(slice_is(subject_token(s, 1), "bar"));
    assert_true(slice_is(subject_token(s, 2), ""));
    assert_true(slice_is(subject_token(s, 3), "*"));
    assert_int_equal(subject_token(s, 4).size, 0);
    assert_null(subject_token(s, 4).at);
    assert_null(subject_token(slice_of(NULL, 0), 0).at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_predicate_decides_as_the_reference_says),
        cmocka_unit_test(text_is_utf8_without_nul_and_replacement_characters),
        cmocka_unit_test(a_subset_is_covered_by_its_filter),
        cmocka_unit_test(a_subject_that_may_leave_the_filter_is_no_subset),
        cmocka_unit_test(an_empty_token_before_the_filters_end_is_no_subset),
        cmocka_unit_test(a_filter_token_that_begins_with_a_star_covers_any_literal),
        cmocka_unit_test(subjects_collide_when_a_literal_matches_both),
        cmocka_unit_test(tokens_are_counted_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
