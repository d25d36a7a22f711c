#include "wire/go_quote.h"
#include "wire/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Texts whose results Go's %q and JSON encoder have given. */
static const struct {
    const char *text;
    size_t size;
    const char *quoted, *escaped;
} cases[] = {
#define TEXT(t) t, sizeof(t) - 1
    {TEXT(""), "\"\"", ""},
    {TEXT("foo.bar"), "\"foo.bar\"", "foo.bar"},
    {TEXT("a\"b\\c"), "\"a\\\"b\\\\c\"", "a\\\"b\\\\c"},
    {TEXT("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\"", "\\u0007\\b\\f\\n\\r\\t\\u000b"},
    {TEXT("\0\x1b\x7f"), "\"\\x00\\x1b\\x7f\"", "\\u0000\\u001b\x7f"},
    {TEXT("<a>&'`"), "\"<a>&'`\"", "\\u003ca\\u003e\\u0026'`"},
    {TEXT("\xff"), "\"\\xff\"", "\\ufffd"},
    /* Letters, a combining mark and an emoji are shown; blanks and controls of Unicode are not. */
    {TEXT("\xc3\xa4\xd0\xb6\xe6\x97\xa5"), "\"\xc3\xa4\xd0\xb6\xe6\x97\xa5\"",
     "\xc3\xa4\xd0\xb6\xe6\x97\xa5"},
    {TEXT("a\xcc\x88\xf0\x9f\x98\x80"), "\"a\xcc\x88\xf0\x9f\x98\x80\"",
     "a\xcc\x88\xf0\x9f\x98\x80"},
    {TEXT("\xc2\xa0\xc2\xad\xc2\x85"), "\"\\u00a0\\u00ad\\u0085\"", "\xc2\xa0\xc2\xad\xc2\x85"},
    {TEXT("\xe2\x80\xa8\xe2\x80\xa9"), "\"\\u2028\\u2029\"", "\\u2028\\u2029"},
    {TEXT("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"", "\xef\xbf\xbd"},
    {TEXT("\xf4\x8f\xbf\xbf"), "\"\\U0010ffff\"", "\xf4\x8f\xbf\xbf"},
    /* Malformed: a cut character, an overlong one, a surrogate, one beyond the last. */
    {TEXT("\xe6\x97"), "\"\\xe6\\x97\"", "\\ufffd\\ufffd"},
    {TEXT("\xc0\xaf"), "\"\\xc0\\xaf\"", "\\ufffd\\ufffd"},
    {TEXT("\xe0\x80\xaf"), "\"\\xe0\\x80\\xaf\"", "\\ufffd\\ufffd\\ufffd"},
    {TEXT("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"", "\\ufffd\\ufffd\\ufffd"},
    {TEXT("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"", "\\ufffd\\ufffd\\ufffd\\ufffd"},
#undef TEXT
};
enum { CASES = sizeof cases / sizeof *cases, ROOM = 128 };

static void text_is_quoted_as_go_quotes_it(void **state) {
    (void)state;
    char out[ROOM];
    for (int i = 0; i < CASES; i++) {
        size_t n = go_quote(slice_of(cases[i].text, cases[i].size), out, sizeof out);
        assert_string_equal(out, cases[i].quoted);
        assert_int_equal(n, strlen(cases[i].quoted));
    }
}

static void text_is_escaped_as_go_writes_json(void **state) {
    (void)state;
    char out[ROOM];
    for (int i = 0; i < CASES; i++) {
        size_t n = json_escape(slice_of(cases[i].text, cases[i].size), out, sizeof out);
        assert_string_equal(out, cases[i].escaped);
        assert_int_equal(n, strlen(cases[i].escaped));
    }
}

static void results_are_no_longer_than_promised(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        assert_true(strlen(cases[i].quoted) <= 4 * cases[i].size + 2);
        assert_true(strlen(cases[i].escaped) <= 6 * cases[i].size);
    }
}

/* In every room: nothing behind it is touched, what is there is a whole number of characters, and
 * the length is told. */
static void check_every_room(size_t (*write)(struct slice, char *, size_t), struct slice text,
                             const char *whole) {
    size_t length = strlen(whole), before = 0;
    for (size_t size = 0; size <= length + 1; size++) {
        char *out = malloc(size + 1);
        memset(out, '#', size + 1);
        assert_int_equal(write(text, out, size), length);
        assert_int_equal(out[size], '#');
        if (size > 0) {
            size_t n = strlen(out);
            assert_true(n < size && n >= before);
            assert_memory_equal(out, whole, n);
            assert_true((whole[n] & 0xC0) != 0x80 && (n == length) == (size > length));
            before = n;
        }
        free(out);
    }
}

static void a_small_room_is_never_overrun(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct slice text = slice_of(cases[i].text, cases[i].size);
        check_every_room(go_quote, text, cases[i].quoted);
        check_every_room(json_escape, text, cases[i].escaped);
    }
}

static void nothing_follows_a_piece_that_did_not_fit(void **state) {
    (void)state;
    char out[5];
    go_quote(slice_text("ab\xffz"), out, sizeof out);
    assert_string_equal(out, "\"ab");
}

static void every_character_survives_coding(void **state) {
    (void)state;
    for (int32_t rune = 0; rune <= 0x10FFFF; rune++) {
        if (rune >= 0xD800 && rune <= 0xDFFF) continue;
        char bytes[UTF8_MAX];
        size_t size = utf8_encode(rune, bytes), width;
        assert_int_equal(utf8_decode(bytes, size, &width), rune);
        assert_int_equal(width, size);
        if (size > 1) {
            assert_int_equal(utf8_decode(bytes, size - 1, &width), -1);
            assert_int_equal(width, 1);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_quoted_as_go_quotes_it),
        cmocka_unit_test(text_is_escaped_as_go_writes_json),
        cmocka_unit_test(results_are_no_longer_than_promised),
        cmocka_unit_test(a_small_room_is_never_overrun),
        cmocka_unit_test(nothing_follows_a_piece_that_did_not_fit),
        cmocka_unit_test(every_character_survives_coding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
