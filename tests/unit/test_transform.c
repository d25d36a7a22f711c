#include "match/transform.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct transform *compiled(const char *source, const char *destination,
                                  enum transform_kind kind) {
    char error[256] = "";
    struct transform *t =
        transform_compile(slice_text(source), slice_text(destination), kind, error, sizeof error);
    if (!t) print_error("%s -> %s: %s\n", source, destination, error);
    assert_non_null(t);
    return t;
}

static void refused(const char *source, const char *destination, enum transform_kind kind,
                    const char *expected) {
    char error[512] = "";
    struct transform *t =
        transform_compile(slice_text(source), slice_text(destination), kind, error, sizeof error);
    if (t) print_error("%s -> %s was accepted\n", source, destination);
    assert_null(t);
    assert_string_equal(error, expected);
}

/* `subject` is taken to match. */
static void becomes(const char *source, const char *destination, const char *subject,
                    const char *expected) {
    char out[256];
    struct transform *t = compiled(source, destination, TRANSFORM_PLAIN);
    size_t length = transform_apply(t, slice_text(subject), 0, out, sizeof out - 1);
    assert_in_range(length, 0, sizeof out - 1);
    out[length] = 0;
    if (strcmp(out, expected)) print_error("%s -> %s of %s\n", source, destination, subject);
    assert_string_equal(out, expected);
    transform_free(t);
}

static void matches(const char *source, const char *destination, const char *subject,
                    const char *expected) {
    char out[256];
    size_t length;
    struct transform *t = compiled(source, destination, TRANSFORM_PLAIN);
    assert_int_equal(transform_match(t, slice_text(subject), 0, out, sizeof out - 1, &length),
                     TRANSFORM_MATCHED);
    assert_in_range(length, 0, sizeof out - 1);
    out[length] = 0;
    if (strcmp(out, expected)) print_error("%s -> %s of %s\n", source, destination, subject);
    assert_string_equal(out, expected);
    transform_free(t);
}

static void tokens_are_moved_by_their_numbers(void **state) {
    (void)state;
    matches("foo", "bar", "foo", "bar");
    matches("foo.*.bar.*.baz", "req.$2.$1", "foo.A.bar.B.baz", "req.B.A");
    matches("foo.*.bar.*.baz", "req.{{wildcard(2)}}.{{wildcard(1)}}", "foo.A.bar.B.baz", "req.B.A");
    matches("*", "foo.bar.$1", "foo", "foo.bar.foo");
    matches("*.*", "$1.$1.$2", "a.b", "a.a.b");
    matches("*", "foo.{{ wildcard(1) }}", "x", "foo.x");
    matches("*", "foo.{{ Wildcard ( 1 ) }}", "x", "foo.x");
    matches("*", "$+1", "x", "x");
}

static void the_rest_is_copied_for_a_full_wildcard(void **state) {
    (void)state;
    matches("baz.>", "my.pre.>", "baz.1.2.3", "my.pre.1.2.3");
    matches("baz.>", "foo.bar.>", "baz.1.2.3", "foo.bar.1.2.3");
    matches("foo.>", ">", "foo.a.b", "a.b");
    matches("foo.*.>", "$1.bar.>", "foo.a.b.c", "a.bar.b.c");
    matches(">", "x.>", "a", "x.a");
}

static void an_empty_source_means_everything(void **state) {
    (void)state;
    matches("", "prefix.>", "foo", "prefix.foo");
    struct transform *t = compiled("", "prefix.>", TRANSFORM_PLAIN);
    assert_true(slice_is(transform_source(t), ">"));
    transform_free(t);
}

static void an_empty_destination_leaves_subjects_alone(void **state) {
    (void)state;
    matches("foo", "", "foo", "foo");
    matches("", "", "any.thing", "any.thing");
    transform_free(compiled("foo..", "", TRANSFORM_MAPPING)); /* the source isn't looked at */
}

static void tokens_are_split_sliced_and_cut(void **state) {
    (void)state;
    matches("*", "{{splitfromleft(1,3)}}", "12345", "123.45");
    matches("*", "{{SplitFromRight(1,3)}}", "12345", "12.345");
    matches("*", "{{SliceFromLeft(1,3)}}", "1234567890", "123.456.789.0");
    matches("*", "{{SliceFromLeft(1,3)}}", "123456", "123.456");
    matches("*", "{{SliceFromLeft(1,1)}}", "123", "1.2.3");
    matches("*", "{{SliceFromRight(1,3)}}", "1234567890", "1.234.567.890");
    matches("*", "{{SliceFromRight(1,3)}}", "123456", "123.456");
    matches("*", "{{right(1,1)}}", "1234", "4");
    matches("*", "{{right(1,3)}}", "1234", "234");
    matches("*", "{{right(1,6)}}", "1234", "1234");
    matches("*", "{{left(1,1)}}", "1234", "1");
    matches("*", "{{left(1,3)}}", "1234", "123");
    matches("*", "{{left(1,6)}}", "1234", "1234");
    matches("foo.*", "bar.{{right(1,2)}}", "foo.1234", "bar.34");
    matches("baz.*", "qux.{{ left( 1 , 3 ) }}", "baz.1234", "qux.123");
}

static void a_token_not_longer_than_the_number_stays_whole(void **state) {
    (void)state;
    static const char *const calls[] = {"SplitFromLeft",  "SplitFromRight", "SliceFromLeft",
                                        "SliceFromRight", "Left",           "Right"};
    static const char *const numbers[] = {"4", "5", "0", "-1", "2147483647", "-2147483648"};
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (size_t k = 0; k < COUNT(numbers); k++) {
            char destination[64];
            snprintf(destination, sizeof destination, "{{%s(1,%s)}}", calls[i], numbers[k]);
            matches("*", destination, "1234", "1234");
        }
    }
}

static void split_drops_empty_parts(void **state) {
    (void)state;
    matches("*", "{{split(1,-)}}", "-abc-def--ghi-", "abc.def.ghi");
    matches("*", "{{split(1,-)}}", "abc-def--ghi-", "abc.def.ghi");
    matches("*.*", "{{split(2,-)}}.{{splitfromleft(1,2)}}", "foo.-abc-def--ghij-",
            "abc.def.ghij.fo.o");
    matches("*", "{{split(1, --)}}", "a--b-c", "a.b-c");
    matches("*", "{{split(1,-)}}", "abc", "abc");
    matches("*", "x.{{split(1,-)}}", "-", "x.");
}

static void two_leading_separators_leave_an_empty_first_token(void **state) {
    (void)state;
    becomes("*", "{{split(1,-)}}", "--foo", ".foo");
    becomes("*", "{{split(1,-)}}", "---foo", ".foo");
}

static void split_without_a_separator_yields_characters(void **state) {
    (void)state;
    matches("*", "{{split(1,)}}", "abc", "a.b.c");
    matches("*", "{{split(1,)}}", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z",
            "a.\xc3\xa9.\xe2\x82\xac.\xf0\x9f\x98\x80.z");
    /* Bytes that are no character count alone: cut off, overlong, a surrogate. */
    matches("*", "{{split(1,)}}", "a\xc3", "a.\xc3");
    matches("*", "{{split(1,)}}", "\xe0\x80\x80", "\xe0.\x80.\x80");
    matches("*", "{{split(1,)}}", "\xed\xa0\x80", "\xed.\xa0.\x80");
}

static void partitions_are_those_of_every_other_server(void **state) {
    (void)state;
    matches("*", "bar.{{partition(10)}}", "foo", "bar.3");
    matches("*", "bar.{{partition(10)}}", "baz", "bar.0");
    matches("*", "bar.{{partition(10)}}", "qux", "bar.9");
    matches("*.*", "bar.{{partition(10)}}", "foo.bar", "bar.6");
    matches("foo.bar", "baz.{{partition(10)}}", "foo.bar", "baz.6");
    matches("foo.baz", "qux.{{partition(10)}}", "foo.baz", "qux.4");
    matches("test.subject", "result.{{partition(5)}}", "test.subject", "result.0");
    matches("*", "bar.{{partition(10, 0)}}", "foo", "bar.3");
    matches("*", "bar.{{partition(10,1)}}", "foo", "bar.3");
    matches("*", "bar.{{partition(10,-7)}}", "foo", "bar.3");
    matches("*", "bar.{{partition(0)}}", "baz", "bar.0");
}

static void named_tokens_are_hashed_without_a_separator(void **state) {
    (void)state;
    matches("*.*", "{{partition(1000000,1,2)}}", "ab.c", "920331");
    matches("*.*", "{{partition(1000000,1,2)}}", "a.bc", "920331");
    matches("*.*", "{{partition(1000000,2,1)}}", "c.ab", "920331");
    matches("foo.bar", "{{partition(10,1,2)}}", "foo.bar",
            "6"); /* literal source: indexes ignored */
}

static void a_negative_number_of_partitions_is_a_large_one(void **state) {
    (void)state;
    matches("*", "{{partition(-1)}}", "foo", "2851307223");
    matches("*", "{{partition(-4294967296)}}", "foo", "0");
}

static void an_index_below_one_means_the_first_token(void **state) {
    (void)state;
    matches("foo.*", "x.$0", "foo.a", "x.foo");
    matches("foo.*", "x.$-5", "foo.a", "x.foo");
    matches("foo.>", "x.{{wildcard(0)}}.>", "foo.a", "x.foo.a");
    matches("foo.*", "x.{{left(0,1)}}", "foo.a", "x.f");
}

static void a_dollar_without_a_number_is_text(void **state) {
    (void)state;
    matches("foo.*", "$JS.$1", "foo.a", "$JS.a");
    matches("foo.*", "$.$1", "foo.a", "$.a");
    matches("foo.*", "$1x.$ 1", "foo.a", "$1x.$ 1");
    matches("foo.*", "$99999999999999999999", "foo.a", "$99999999999999999999");
    matches("foo", "{{}}.{}.{{a", "foo", "{{}}.{}.{{a");
}

static void random_numbers_come_from_the_caller_and_stay_below_the_limit(void **state) {
    (void)state;
    struct transform *t = compiled("*", "{{random(6)}}.{{random(6)}}", TRANSFORM_PLAIN);
    assert_true(transform_is_random(t));
    unsigned seen[36] = {0};
    for (uint64_t random = 0; random < 3600; random++) {
        char out[8], again[8];
        assert_int_equal(transform_apply(t, slice_text("qux"), random, out, sizeof out), 3);
        assert_int_equal(transform_apply(t, slice_text("qux"), random, again, sizeof again), 3);
        assert_memory_equal(out, again, 3);
        assert_in_range(out[0], '0', '5');
        assert_in_range(out[2], '0', '5');
        seen[(out[0] - '0') * 6 + out[2] - '0']++;
    }
    for (int i = 0; i < 36; i++) assert_in_range(seen[i], 50, 150);
    transform_free(t);
    matches("*", "bar.{{random(0)}}", "qux", "bar.0");
    matches("*", "bar.{{random(1)}}", "qux", "bar.0");
    matches("*", "bar.{{random(-1)}}", "qux", "bar.0");
    t = compiled("*", "{{partition(6)}}", TRANSFORM_PLAIN);
    assert_false(transform_is_random(t));
    transform_free(t);
}

static void what_a_short_subject_lacks_is_empty(void **state) {
    (void)state;
    becomes("foo.*", "one.two.{{wildcard(1)}}", "foo", "one.two.");
    becomes("*.*.>", "$1.$2.x.>", "foo", "foo..x.");
    becomes("foo.*", "x.{{split(1,-)}}.{{slicefromleft(1,2)}}.{{right(1,2)}}", "foo", "x...");
    becomes("foo.*", "x.{{partition(10,1)}}", "foo", "x.1"); /* the hash of nothing */
    becomes("foo.*", "x.$1", "", "x.");
}

static void a_call_is_found_anywhere_inside_its_braces(void **state) {
    (void)state;
    matches("*", "{{what{{wildcard(1)}}", "x", "x");
    matches("*", "{{{wildcard(1)}}", "x", "x");
    matches("*", "{{left(9)}}{{wildcard(1)}}", "x", "x"); /* wildcard is looked for first */
    matches("*", "{{ wildcard(1)\t}}", "x", "x");
    matches("*", "{{\n wildcard (1)\n}}", "x", "x");
    refused("*", "{{wildcard(1)}}.{{split(1,-)}}{{split(1,-)}}", TRANSFORM_PLAIN,
            "invalid mapping destination: too many arguments passed to the function in "
            "{{split(1,-)}}{{split(1,-)}}");
    refused("*", "{{wildcard(1\n)}}", TRANSFORM_PLAIN,
            "invalid mapping destination: unknown function in {{wildcard(1\n)}}");
}

static void invalid_subjects_are_refused(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"foo..", "bar"},     {"foo", "bar..baz"}, {"foo.*", "bar.*"}, {"foo.*", "bar.$1.>"},
        {"foo.>", "bar.baz"}, {"foo.>.bar", "x"},  {".", "x"},         {"foo.>", "bar.>.x"},
        {"foo", "bar.>"},     {"foo.*", ".$1"},    {"foo.*", "$1."},
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        refused(pairs[i][0], pairs[i][1], TRANSFORM_PLAIN, "invalid subject");
}

#define BAD "invalid mapping destination: "
static const char range[] = BAD "wildcard index out of range in ";
static const char few[] = BAD "not enough arguments passed to the function in ";
static const char many[] = BAD "too many arguments passed to the function in ";
static const char wrong[] = BAD "function argument is invalid or in the wrong format in ";
static const char unknown[] = BAD "unknown function in ";

static void bad_placeholders_are_named_with_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *source, *token, *error, *suffix;
    } cases[] = {
        {"foo.*", "$2", range, ": [2]"},
        {"foo.*", "{{wildcard(2)}}", range, ": [2]"},
        {"foo.*", "{{partition(10,1,3)}}", range, ": [3]"},
        {"foo.>", "$1", range, ": [1]"},
        {"foo", "{{wildcard(1)}}", range, ""},
        {"foo", "$1", range, ""},
        {"foo", "{{left(1,2)}}", range, ""},
        {"foo.*", "{{unimplemented(1)}}", unknown, ""},
        {"foo.*", "{{ wildcard5) }}", unknown, ""},
        {"foo.*", "{{splitLeft(2,2}}", unknown, ""},
        {"foo.*", "{{WILDCARD(1)}}", unknown, ""},
        {"foo", "{{x}}", unknown, ""},
        {"foo.*", "{{wildcard()}}", few, ""},
        {"foo.*", "{{wildcard( )}}", wrong, ""},
        {"foo.*", "{{wildcard(1,2)}}", many, ""},
        {"foo.*", "{{wildcard(foo)}}", wrong, ""},
        {"foo.*", "{{wildcard(1x)}}", wrong, ""},
        {"foo.*", "{{wildcard(\t1)}}", wrong, ""},
        {"foo.*", "{{wildcard(9223372036854775808)}}", wrong, ""},
        {"foo.*", "{{partition()}}", wrong, ""},
        {"foo.*", "{{partition(2,)}}", wrong, ""},
        {"foo.*", "{{partition(2147483648)}}", wrong, ""},
        {"foo.*", "{{partition(2147483648,1)}}", wrong, ""},
        {"foo.*", "{{partition(2,x)}}", wrong, ""},
        {"foo.*", "{{random()}}", wrong, ""},
        {"foo.*", "{{random(1,2)}}", few, ""},
        {"foo.*", "{{random(2147483648)}}", wrong, ""},
        {"foo.*", "{{left(1)}}", few, ""},
        {"foo.*", "{{left(1,2,3)}}", many, ""},
        {"foo.*", "{{left(x,2)}}", wrong, ""},
        {"foo.*", "{{left(1,x)}}", wrong, ""},
        {"foo.*", "{{left(1,2147483648)}}", wrong, ""},
        {"foo.*", "{{right(1,-2147483649)}}", wrong, ""},
        {"foo.*", "{{split(1)}}", few, ""},
        {"foo.*", "{{split(1,a,b)}}", many, ""},
        {"foo.*", "{{split(1,- )}}", wrong, ""},
        {"foo.*", "{{split(x,-)}}", wrong, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char destination[128], error[256];
        bool open = strchr(cases[i].source, '>');
        snprintf(destination, sizeof destination, "a.%s%s", cases[i].token, open ? ".>" : "");
        snprintf(error, sizeof error, "%s%s%s", cases[i].error, cases[i].token, cases[i].suffix);
        refused(cases[i].source, destination, TRANSFORM_PLAIN, error);
        refused(cases[i].source, destination, TRANSFORM_MAPPING, error);
    }
    /* The largest numbers that are none too large. */
    transform_free(compiled("foo.*", "foo.{{partition(2147483647)}}", TRANSFORM_PLAIN));
    transform_free(compiled("foo.*", "foo.{{random(2147483647)}}", TRANSFORM_PLAIN));
    transform_free(compiled("foo.bar", "foo.{{random(2147483647)}}", TRANSFORM_PLAIN));
}

static void a_mappings_destination_is_validated_first(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"bar", "foo"},
        {"foo", "foo.bar"},
        {"*", "{{wildcard(1)}}"},
        {"foo.>", ">"},
        {"foo.*.>", "bar.{{wildcard(1)}}.>"},
        {"*", "foo.{{ wildcard(1) }}"},
        {"*", "foo.{{wildcard( 1 )}}"},
        {"*", "foo.{{partition(2,1)}}"},
        {"*.*", "foo.{{SplitFromLeft(2,1)}}"},
        {"*.*", "foo.{{SplitFromRight(2,1)}}"},
        {"*.*", "foo.{{SliceFromLeft(2,1)}}"},
        {"*.*", "foo.{{SliceFromRight(2,1)}}"},
        {"*.*", "foo.{{split(1,-)}}"},
        {"*", "foo.{{random(1)}}"},
        {"*", "foo.{{left(1,2)}}"},
        {"*", "foo.{{Right(1,2)}}"},
        {"*", "foo.{{ left( 1 , 2 ) }}"},
    };
    for (size_t i = 0; i < COUNT(good); i++)
        transform_free(compiled(good[i][0], good[i][1], TRANSFORM_MAPPING));
    refused("foo", "foo..}", TRANSFORM_MAPPING, BAD "invalid transform");
    refused("foo", "foo. bar}", TRANSFORM_MAPPING, BAD "invalid transform");
    refused("foo", "foo.\tbar", TRANSFORM_MAPPING, BAD "invalid transform");
    refused("foo.>", "foo.>.bar", TRANSFORM_MAPPING, BAD "invalid transform in bar");
    refused("foo.*", "bar.*", TRANSFORM_MAPPING, "invalid subject");
    /* An unknown function is reported before what is wrong with the arguments of an earlier one. */
    refused("*", "{{wildcard(9)}}.{{unknown(1)}}", TRANSFORM_MAPPING,
            BAD "unknown function in {{unknown(1)}}");
    refused("*", "{{wildcard(9)}}.{{unknown(1)}}", TRANSFORM_PLAIN,
            BAD "wildcard index out of range in {{wildcard(9)}}: [9]");
}

static void imports_may_only_move_tokens_and_must_keep_all(void **state) {
    (void)state;
    transform_free(compiled("foo.*", "bar.{{Wildcard(1)}}", TRANSFORM_IMPORT));
    transform_free(compiled("foo.>", "bar.>", TRANSFORM_IMPORT));
    refused("foo.*.*", "bar.$2", TRANSFORM_IMPORT,
            BAD "not using all of the token wildcard(s) in bar.$2");
    refused("foo.*", "foo.$foo", TRANSFORM_IMPORT,
            BAD "not using all of the token wildcard(s) in foo.$foo");
    refused("foo.*", "bar.{{Partition(2,1)}}", TRANSFORM_IMPORT,
            BAD "the only mapping function allowed for import transforms is {{Wildcard()}} in "
                "{{Partition(2,1)}}");
    transform_free(compiled("foo.*.*", "bar.$2", TRANSFORM_PLAIN));
}

static void undoes(const char *source, const char *destination, const char *subject,
                   const char *reversed_source, const char *reversed_destination) {
    char there[128], back[128];
    struct transform *t = compiled(source, destination, TRANSFORM_IMPORT);
    struct transform *r = transform_reverse(t);
    assert_non_null(r);
    assert_true(slice_is(transform_source(r), reversed_source));
    assert_true(slice_is(transform_destination(r), reversed_destination));
    size_t size = transform_apply(t, slice_text(subject), 0, there, sizeof there);
    size = transform_apply(r, slice_of(there, size), 0, back, sizeof back);
    assert_true(slice_equal(slice_of(back, size), slice_text(subject)));
    transform_free(t);
    transform_free(r);
}

static void a_reversed_transform_undoes_it(void **state) {
    (void)state;
    undoes("foo.*.*", "bar.$2.{{Wildcard(1)}}", "foo.b.a", "bar.*.*", "foo.$2.$1");
    undoes("foo.*.*.*", "bar.$2.$3.$1", "foo.a.b.c", "bar.*.*.*", "foo.$3.$1.$2");
    undoes("foo", "bar.baz", "foo", "bar.baz", "foo");
    undoes("foo.>", "bar.baz.>", "foo.a.b", "bar.baz.>", "foo.>");
    undoes(">", "bar.>", "a.b", "bar.>", ">");
    undoes("foo.*.>", "$1.bar.>", "foo.a.b.c", "*.bar.>", "foo.$1.>");
    undoes("$9.*", "x.$1", "$9.a", "x.*", "$9.$1"); /* what looks like a placeholder stays text */
}

static void nothing_undoes_a_transform_that_doubles_a_token(void **state) {
    (void)state;
    struct transform *t = compiled("foo.*", "bar.$1.$1", TRANSFORM_IMPORT);
    assert_null(transform_reverse(t));
    transform_free(t);
    t = compiled("foo.*.*", "bar.$1.$1", TRANSFORM_IMPORT);
    assert_null(transform_reverse(t));
    transform_free(t);
    t = compiled("foo.*.*", "bar.$1", TRANSFORM_PLAIN);
    assert_null(transform_reverse(t));
    transform_free(t);
    t = compiled("foo.*", "bar.{{left(1,2)}}", TRANSFORM_PLAIN);
    assert_null(transform_reverse(t));
    transform_free(t);
}

static enum transform_result result_of(const char *source, const char *destination,
                                       const char *subject) {
    char out[64];
    size_t length;
    struct transform *t = compiled(source, destination, TRANSFORM_PLAIN);
    enum transform_result result =
        transform_match(t, slice_text(subject), 0, out, sizeof out, &length);
    transform_free(t);
    return result;
}

static void only_literal_subjects_of_the_source_match(void **state) {
    (void)state;
    assert_int_equal(result_of("foo.*", "bar.$1", "foo"), TRANSFORM_NO_MATCH);
    assert_int_equal(result_of("foo.*", "bar.$1", "foo.a.b"), TRANSFORM_NO_MATCH);
    assert_int_equal(result_of("foo.>", "bar.>", "foo"), TRANSFORM_NO_MATCH);
    assert_int_equal(result_of("foo.*", "bar.$1", "foo.*"), TRANSFORM_INVALID_SUBJECT);
    assert_int_equal(result_of("foo.*", "bar.$1", "foo."), TRANSFORM_INVALID_SUBJECT);
    assert_int_equal(result_of("", "bar.>", "foo.."), TRANSFORM_INVALID_SUBJECT);
    assert_string_equal(transform_result_text(TRANSFORM_NO_MATCH),
                        "no matching transforms available");
    assert_string_equal(transform_result_text(TRANSFORM_INVALID_SUBJECT), "invalid subject");
}

static void everything_to_everything_matches_even_invalid_subjects(void **state) {
    (void)state;
    matches(">", ">", "foo..bar", "foo..bar");
    matches("", ">", "*", "*");
    matches("", "", "", "");
}

static void a_result_that_does_not_fit_is_measured_and_not_written(void **state) {
    (void)state;
    char out[16];
    struct transform *t = compiled("*", "aaa.{{slicefromleft(1,1)}}.bbb", TRANSFORM_PLAIN);
    for (size_t size = 0; size < 13; size++) {
        memset(out, '#', sizeof out);
        assert_int_equal(transform_apply(t, slice_text("123"), 0, size ? out : NULL, size), 13);
        for (size_t i = size; i < sizeof out; i++) assert_int_equal(out[i], '#');
    }
    assert_int_equal(transform_apply(t, slice_text("123"), 0, out, 13), 13);
    assert_memory_equal(out, "aaa.1.2.3.bbb", 13);
    transform_free(t);
}

static void an_error_is_cut_off_at_the_buffers_end(void **state) {
    (void)state;
    char error[8];
    memset(error, '#', sizeof error);
    assert_null(
        transform_compile(slice_text("foo.*"), slice_text("bar.*"), TRANSFORM_PLAIN, error, 7));
    assert_string_equal(error, "invali");
    assert_null(
        transform_compile(slice_text("foo.*"), slice_text("bar.$4"), TRANSFORM_PLAIN, NULL, 0));
}

static void too_many_tokens_and_indexes_are_refused(void **state) {
    (void)state;
    char source[2 * TRANSFORM_TOKENS_MAX + 2];
    for (size_t i = 0; i < sizeof source; i += 2) memcpy(source + i, "*.", 2);
    source[2 * TRANSFORM_TOKENS_MAX - 1] = 0;
    struct transform *t = compiled(source, "x.$256", TRANSFORM_PLAIN);
    transform_free(t);
    source[2 * TRANSFORM_TOKENS_MAX - 1] = '.';
    source[2 * TRANSFORM_TOKENS_MAX + 1] = 0;
    refused(source, "x.$256", TRANSFORM_PLAIN, "invalid subject");
    source[0] = 'x'; /* now as a destination */
    refused("*", source, TRANSFORM_PLAIN, "invalid subject");

    char call[2048] = "{{partition(5";
    for (int i = 0; i < 300; i++) strcat(call, ",1");
    strcat(call, ")}}");
    char error[4096];
    assert_null(
        transform_compile(slice_text("*"), slice_text(call), TRANSFORM_PLAIN, error, sizeof error));
    assert_non_null(strstr(error, "too many arguments"));
}

static void wildcards_are_numbered_and_restored(void **state) {
    (void)state;
    static const char *const numbered[][2] = {
        {"foo.*.*", "foo.$1.$2"}, {"*.>", "$1.>"}, {"foo", "foo"}, {"foo.*x", "foo.*x"}};
    static const char *const restored[][2] = {
        {"bar", "bar"},
        {"foo.$2.$1", "foo.*.*"},
        {"foo.{{wildcard(2)}}.{{wildcard(1)}}", "foo.*.*"},
        {"$JS.$0.$", "$JS.$0.$"},
        {"{{wildcard()}}.{{wildcard(1,2)}}.>", "{{wildcard()}}.{{wildcard(1,2)}}.>"},
    };
    char out[64];
    for (size_t i = 0; i < COUNT(numbered); i++) {
        size_t size = transform_number_wildcards(slice_text(numbered[i][0]), out, sizeof out);
        assert_true(slice_is(slice_of(out, size), numbered[i][1]));
    }
    for (size_t i = 0; i < COUNT(restored); i++) {
        size_t size = transform_restore_wildcards(slice_text(restored[i][0]), out, sizeof out);
        assert_true(slice_is(slice_of(out, size), restored[i][1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_moved_by_their_numbers),
        cmocka_unit_test(the_rest_is_copied_for_a_full_wildcard),
        cmocka_unit_test(an_empty_source_means_everything),
        cmocka_unit_test(an_empty_destination_leaves_subjects_alone),
        cmocka_unit_test(tokens_are_split_sliced_and_cut),
        cmocka_unit_test(a_token_not_longer_than_the_number_stays_whole),
        cmocka_unit_test(split_drops_empty_parts),
        cmocka_unit_test(two_leading_separators_leave_an_empty_first_token),
        cmocka_unit_test(split_without_a_separator_yields_characters),
        cmocka_unit_test(partitions_are_those_of_every_other_server),
        cmocka_unit_test(named_tokens_are_hashed_without_a_separator),
        cmocka_unit_test(a_negative_number_of_partitions_is_a_large_one),
        cmocka_unit_test(an_index_below_one_means_the_first_token),
        cmocka_unit_test(a_dollar_without_a_number_is_text),
        cmocka_unit_test(random_numbers_come_from_the_caller_and_stay_below_the_limit),
        cmocka_unit_test(what_a_short_subject_lacks_is_empty),
        cmocka_unit_test(a_call_is_found_anywhere_inside_its_braces),
        cmocka_unit_test(invalid_subjects_are_refused),
        cmocka_unit_test(bad_placeholders_are_named_with_what_is_wrong),
        cmocka_unit_test(a_mappings_destination_is_validated_first),
        cmocka_unit_test(imports_may_only_move_tokens_and_must_keep_all),
        cmocka_unit_test(a_reversed_transform_undoes_it),
        cmocka_unit_test(nothing_undoes_a_transform_that_doubles_a_token),
        cmocka_unit_test(only_literal_subjects_of_the_source_match),
        cmocka_unit_test(everything_to_everything_matches_even_invalid_subjects),
        cmocka_unit_test(a_result_that_does_not_fit_is_measured_and_not_written),
        cmocka_unit_test(an_error_is_cut_off_at_the_buffers_end),
        cmocka_unit_test(too_many_tokens_and_indexes_are_refused),
        cmocka_unit_test(wildcards_are_numbered_and_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
