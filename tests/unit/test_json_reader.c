#include "wire/json_reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_slice(s, expected)                                                                  \
    do {                                                                                           \
        struct slice slice_ = (s);                                                                 \
        assert_int_equal(slice_.size, strlen(expected));                                           \
        assert_memory_equal(slice_.at, expected, slice_.size);                                     \
    } while (0)

static void a_text_is_handed_out_token_after_token(void **state) {
    (void)state;
    static const char text[] =
        " { \"a\" : [1,-2.5e3 , \"x\\\"y\", true,false,null], \"b\\\\\":{} , \"c\" :\"d\" } ";
    static const struct {
        enum json_token token;
        const char *text;
    } rows[] = {
        {JSON_OPEN_OBJECT, NULL},  {JSON_KEY, "a"},         {JSON_OPEN_ARRAY, NULL},
        {JSON_NUMBER, "1"},        {JSON_NUMBER, "-2.5e3"}, {JSON_STRING, "x\\\"y"},
        {JSON_TRUE, NULL},         {JSON_FALSE, NULL},      {JSON_NULL, NULL},
        {JSON_CLOSE_ARRAY, NULL},  {JSON_KEY, "b\\\\"},     {JSON_OPEN_OBJECT, NULL},
        {JSON_CLOSE_OBJECT, NULL}, {JSON_KEY, "c"},         {JSON_STRING, "d"},
        {JSON_CLOSE_OBJECT, NULL}, {JSON_END, NULL},        {JSON_END, NULL},
    };
    char error[JSON_ERROR_BYTES];
    assert_int_equal(json_check(slice_text(text), error), 0);
    struct json_reader r = json_reader_of(slice_text(text));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(json_next(&r), rows[i].token);
        if (rows[i].text) assert_slice(r.text, rows[i].text);
    }
}

static void values_are_skipped_whole(void **state) {
    (void)state;
    static const char text[] = "[{\"a\":[[],{\"b\":1}]},[[\"]\"]],\"x\",5,null]";
    for (int skipped = 0; skipped < 5; skipped++) {
        struct json_reader r = json_reader_of(slice_text(text));
        json_next(&r);
        for (int i = 0; i < skipped; i++) json_skip(&r, json_next(&r));
        static const enum json_token next[] = {JSON_OPEN_OBJECT, JSON_OPEN_ARRAY, JSON_STRING,
                                               JSON_NUMBER, JSON_NULL};
        assert_int_equal(json_next(&r), next[skipped]);
    }
}

static void strings_are_unescaped(void **state) {
    (void)state;
    static const struct {
        const char *raw, *means;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\ud83d", "\xef\xbf\xbd"},
        {"\\ud83dx", "\xef\xbf\xbdx"},
        {"\\ud83d\\u0041", "\xef\xbf\xbd"
                           "A"},
        {"\\ude00\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[128];
        size_t size = json_unescape(slice_text(rows[i].raw), out);
        assert_true(size <= JSON_UNESCAPED * strlen(rows[i].raw));
        assert_slice(slice_of(out, size), rows[i].means);
        assert_int_equal(json_is_plain(slice_text(rows[i].raw)),
                         strcmp(rows[i].raw, rows[i].means) == 0);
    }
}

static void integers_are_taken_to_their_ends_and_no_further(void **state) {
    (void)state;
    int64_t i;
    uint64_t u;
    assert_true(json_number_int(slice_text("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(json_number_int(slice_text("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(json_number_int(slice_text("-0"), &i) && i == 0);
    assert_true(json_number_uint(slice_text("18446744073709551615"), &u) && u == UINT64_MAX);
    static const char *const no_ints[] = {
        "9223372036854775808", "-9223372036854775809", "1.0", "1e3", "", "-"};
    for (size_t n = 0; n < sizeof no_ints / sizeof *no_ints; n++)
        assert_false(json_number_int(slice_text(no_ints[n]), &i));
    static const char *const no_uints[] = {
        "18446744073709551616", "99999999999999999999", "-1", "-0", "1.5", ""};
    for (size_t n = 0; n < sizeof no_uints / sizeof *no_uints; n++)
        assert_false(json_number_uint(slice_text(no_uints[n]), &u));
}

static void other_numbers_are_doubles(void **state) {
    (void)state;
    double d;
    assert_true(json_number_double(slice_text("-2.5e3"), &d) && d == -2500);
    assert_true(json_number_double(slice_text("0.1"), &d) && d == 0.1);
    assert_false(json_number_double(slice_text("1e400"), &d));
    char digits[301];
    memset(digits, '1', 300);
    assert_true(json_number_double(slice_of(digits, 300), &d) && d > 1e299);
}

static void times_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000000)},
        {"2024-01-02T03:04:05.123456789Z", INT64_C(1704164645123456789)},
        {"2024-01-02T03:04:05.1234567891234Z", INT64_C(1704164645123456789)},
        {"2024-01-02T05:04:05.5+02:00", INT64_C(1704164645500000000)},
        {"2024-01-01T21:34:05-05:30", INT64_C(1704164645000000000)},
        {"1678-01-01T00:00:00Z", INT64_C(-9214560000000000000)},
    };
    int64_t at;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(json_time(slice_text(rows[i].text), &at));
        assert_int_equal(at, rows[i].at);
    }
    static const char *const bad[] = {
        "",
        "x",
        "2024-01-02",
        "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00Z ",
        "9999-01-01T00:00:00Z",
        "1600-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(json_time(slice_text(bad[i]), &at));
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char *text = malloc(2 * JSON_DEPTH + 2), error[JSON_ERROR_BYTES];
    for (size_t depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int failed = json_check(slice_of(text, 2 * depth), error);
        assert_int_equal(failed, depth > JSON_DEPTH ? -1 : 0);
    }
    assert_string_equal(error, "invalid character '[' exceeded max depth");
    free(text);
}

static void broken_text_is_refused_in_the_words_of_go(void **state) {
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "unexpected end of JSON input"},
        {"{\"a\":1", "unexpected end of JSON input"},
        {"\"abc", "unexpected end of JSON input"},
        {"{]", "invalid character ']' looking for beginning of object key string"},
        {"[}", "invalid character '}' looking for beginning of value"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
        {"{\"a\":}", "invalid character '}' looking for beginning of value"},
        {"{\"a\"}", "invalid character '}' after object key"},
        {"[1}", "invalid character '}' after array element"},
        {"{\"a\":1]", "invalid character ']' after object key:value pair"},
        {"1 1", "invalid character '1' after top-level value"},
        {"\xff", "invalid character '\xc3\xbf' looking for beginning of value"},
        {"\x80", "invalid character '\\u0080' looking for beginning of value"},
        {"\x01", "invalid character '\\x01' looking for beginning of value"},
        {"[\"\\", "invalid character ' ' in string escape code"},
        {"tru\"", "invalid character '\"' in literal true (expecting 'e')"},
        {"-a", "invalid character 'a' in numeric literal"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char error[JSON_ERROR_BYTES];
        assert_int_equal(json_check(slice_text(rows[i].text), error), -1);
        assert_string_equal(error, rows[i].error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_handed_out_token_after_token),
        cmocka_unit_test(values_are_skipped_whole),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(integers_are_taken_to_their_ends_and_no_further),
        cmocka_unit_test(other_numbers_are_doubles),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(broken_text_is_refused_in_the_words_of_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
