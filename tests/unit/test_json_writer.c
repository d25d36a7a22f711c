#include "wire/json_writer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define EXPECT(w, text)                                                                            \
    do {                                                                                           \
        assert_null(json_writer_error(w));                                                         \
        assert_int_equal((w)->size, strlen(text));                                                 \
        assert_memory_equal((w)->at, text, (w)->size);                                             \
    } while (0)

static void small_document(struct json_writer *w) {
    json_write_open(w, '{');
    json_write_key(w, slice_text("a"));
    json_write_int(w, INT64_MIN);
    json_write_key(w, slice_text("b"));
    json_write_open(w, '[');
    json_write_uint(w, UINT64_MAX);
    json_write_open(w, '{');
    json_write_close(w, '}');
    json_write_open(w, '[');
    json_write_close(w, ']');
    json_write_bool(w, true);
    json_write_null(w);
    json_write_close(w, ']');
    json_write_close(w, '}');
}

static void a_compact_document_has_no_blanks(void **state) {
    (void)state;
    struct json_writer w;
    json_writer_init(&w, 4096, 0);
    small_document(&w);
    EXPECT(&w, "{\"a\":-9223372036854775808,\"b\":[18446744073709551615,{},[],true,null]}");
    json_writer_free(&w);
}

static void an_indented_document_keeps_empty_brackets_together(void **state) {
    (void)state;
    struct json_writer w;
    json_writer_init(&w, 4096, 2);
    small_document(&w);
    EXPECT(&w, "{\n  \"a\": -9223372036854775808,\n  \"b\": [\n    18446744073709551615,\n    {},\n"
               "    [],\n    true,\n    null\n  ]\n}");
    json_writer_reset(&w, 0);
    json_write_raw(&w, slice_text("{\"x\":1}"));
    EXPECT(&w, "{\"x\":1}");
    json_writer_free(&w);
}

static void strings_are_escaped_as_go_does(void **state) {
    (void)state;
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"plain $SYS.>", "\"plain $SYS.\\u003e\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\b\t\n\f\r\v\x01\x1f\x7f", "\"\\b\\t\\n\\f\\r\\u000b\\u0001\\u001f\x7f\""},
        {"<&>", "\"\\u003c\\u0026\\u003e\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xe2\x80\xa8|\xe2\x80\xa9|\xe2\x80\xaa", "\"\\u2028|\\u2029|\xe2\x80\xaa\""},
        {"\xf0\x9f\x90\x98", "\"\xf0\x9f\x90\x98\""},
        {"a\xff", "\"a\\ufffd\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc3(", "\"\\ufffd(\""},
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xe2\x80", "\"\\ufffd\\ufffd\""},
    };
    struct json_writer w;
    json_writer_init(&w, 4096, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_writer_reset(&w, 0);
        json_write_string(&w, slice_text(rows[i].text));
        EXPECT(&w, rows[i].json);
    }
    json_writer_reset(&w, 0);
    json_write_string(&w, slice_of("a\0b", 3));
    EXPECT(&w, "\"a\\u0000b\"");
    json_writer_free(&w);
}

static void numbers_are_as_short_as_possible(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *json;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {2, "2"},
        {0.75, "0.75"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {100, "100"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {-2.5e-10, "-2.5e-10"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992"},
        {123456.789, "123456.789"},
        {12.5, "12.5"},
    };
    struct json_writer w;
    json_writer_init(&w, 4096, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_writer_reset(&w, 0);
        json_write_double(&w, rows[i].value);
        EXPECT(&w, rows[i].json);
    }
    const double none[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        json_writer_reset(&w, 0);
        json_write_double(&w, none[i]);
        assert_non_null(json_writer_error(&w));
    }
    json_writer_free(&w);
}

static void times_are_rfc_3339_without_trailing_zeros(void **state) {
    (void)state;
    static const struct {
        int64_t at;
        const char *json;
    } rows[] = {
        {0, "\"1970-01-01T00:00:00Z\""},
        {1, "\"1970-01-01T00:00:00.000000001Z\""},
        {-1, "\"1969-12-31T23:59:59.999999999Z\""},
        {INT64_C(1704164645123456789), "\"2024-01-02T03:04:05.123456789Z\""},
        {INT64_C(1704164645120000000), "\"2024-01-02T03:04:05.12Z\""},
        {INT64_C(1709164800000000000), "\"2024-02-29T00:00:00Z\""},
        {INT64_C(951782400) * 1000000000, "\"2000-02-29T00:00:00Z\""},
        {INT64_C(4102444800) * 1000000000, "\"2100-01-01T00:00:00Z\""},
        {INT64_MAX, "\"2262-04-11T23:47:16.854775807Z\""},
        {INT64_MIN, "\"1677-09-21T00:12:43.145224192Z\""},
    };
    struct json_writer w;
    json_writer_init(&w, 4096, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_writer_reset(&w, 0);
        json_write_time(&w, rows[i].at);
        EXPECT(&w, rows[i].json);
    }
    json_writer_free(&w);
}

static void a_document_that_would_pass_its_limit_is_refused(void **state) {
    (void)state;
    struct json_writer w;
    for (size_t limit = 0; limit < 20; limit++) {
        json_writer_init(&w, limit, 0);
        json_write_open(&w, '[');
        json_write_string(&w, slice_text("0123456789abcdef"));
        json_write_close(&w, ']');
        assert_string_equal(json_writer_error(&w), "document too large");
        assert_true(w.size <= limit);
        json_writer_free(&w);
    }
    json_writer_init(&w, 20, 0);
    json_write_open(&w, '[');
    json_write_string(&w, slice_text("0123456789abcdef"));
    json_write_close(&w, ']');
    EXPECT(&w, "[\"0123456789abcdef\"]");
    json_writer_free(&w);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    struct json_writer w;
    json_writer_init(&w, 4096, 0);
    for (int i = 0; i < JSON_WRITER_DEPTH; i++) json_write_open(&w, '[');
    assert_null(json_writer_error(&w));
    json_write_open(&w, '[');
    assert_string_equal(json_writer_error(&w), "document nested too deeply");
    json_write_close(&w, ']');
    json_writer_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compact_document_has_no_blanks),
        cmocka_unit_test(an_indented_document_keeps_empty_brackets_together),
        cmocka_unit_test(strings_are_escaped_as_go_does),
        cmocka_unit_test(numbers_are_as_short_as_possible),
        cmocka_unit_test(times_are_rfc_3339_without_trailing_zeros),
        cmocka_unit_test(a_document_that_would_pass_its_limit_is_refused),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
