#include "wire/headers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Each block is copied to memory of just its size, so that AddressSanitizer sees the byte behind. */
static char *copied(const char *text, size_t room) {
    char *copy = malloc(room ? room : 1);
    memcpy(copy, text, strlen(text));
    return copy;
}

static void value_is(const char *block, const char *key, const char *expected) {
    char *copy = copied(block, strlen(block));
    struct slice value;
    bool found = headers_get(slice_of(copy, strlen(block)), key, &value);
    assert_int_equal(found, expected != NULL);
    if (expected) {
        assert_int_equal(value.size, strlen(expected));
        assert_memory_equal(value.at, expected, value.size);
    }
    free(copy);
}

static void becomes(const char *block, const char *key, const char *value, const char *expected) {
    size_t room = strlen(block) + strlen(key) + strlen(value) + HEADERS_EXTRA;
    char *copy = copied(block, strlen(block)), *out = malloc(room);
    size_t size = headers_set(slice_of(copy, strlen(block)), key, slice_text(value), out);
    assert_true(size <= room);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(out, expected, size);
    assert_memory_equal(copy, block, strlen(block));
    free(copy);
    free(out);
}

/* In another buffer and in place. */
static void leaves(const char *block, const char *key, const char *expected) {
    char *copy = copied(block, strlen(block)), *out = copied("", strlen(block));
    size_t size = headers_remove(slice_of(copy, strlen(block)), key, out);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(out, expected, size);
    assert_memory_equal(copy, block, strlen(block));
    assert_int_equal(headers_remove(slice_of(copy, strlen(block)), key, copy), size);
    assert_memory_equal(copy, expected, size);
    free(copy);
    free(out);
}

static void a_value_is_found_by_its_key(void **state) {
    (void)state;
    const char *block = "NATS/1.0\r\na: 1\r\nNats-Msg-Id: x y\r\nb:2\r\n\r\n";
    value_is(block, "a", "1");
    value_is(block, "Nats-Msg-Id", "x y");
    value_is(block, "b", "2");
    value_is(block, "c", NULL);
    value_is("", "a", NULL);
    value_is("NATS/1.0\r\n\r\n", "a", NULL);
}

static void the_first_of_several_lines_counts(void **state) {
    (void)state;
    value_is("NATS/1.0\r\na: 1\r\na: 2\r\n\r\n", "a", "1");
}

static void keys_are_compared_with_their_case(void **state) {
    (void)state;
    value_is("NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n", "nats-msg-id", NULL);
    value_is("NATS/1.0\r\nnats-msg-id: 1\r\nNats-Msg-Id: 2\r\n\r\n", "Nats-Msg-Id", "2");
}

static void a_longer_key_is_another_key(void **state) {
    (void)state;
    const char *longer = "Nats-Expected-Last-Subject-Sequence-Subject",
               *key = "Nats-Expected-Last-Subject-Sequence";
    char block[256];
    snprintf(block, sizeof block, "NATS/1.0\r\n%s: foo\r\n%s: 24\r\n\r\n", longer, key);
    value_is(block, key, "24");
    value_is("NATS/1.0\r\nPrevious-Nats-Msg-Id: user\r\nNats-Msg-Id: control\r\n\r\n",
             "Nats-Msg-Id", "control");
    value_is("NATS/1.0\r\naa: 1\r\na: 2\r\n\r\n", "a", "2");
    value_is("NATS/1.0\r\nPrevious-Nats-Msg-Id: user\r\n\r\n", "Nats-Msg-Id", NULL);
}

static void a_key_within_a_value_is_none(void **state) {
    (void)state;
    value_is("NATS/1.0\r\nx: see a: 5\r\na: 1\r\n\r\n", "a", "1");
    value_is("NATS/1.0\r\nx: a: 5\r\n\r\n", "a", NULL);
    value_is("NATS/1.0\r\nx: y\na: 5\r\n\r\n", "a", NULL);
    value_is("a: 1\r\n\r\n", "a", NULL);
    value_is("NATS/1.0\r\na : 1\r\n\r\n", "a", NULL);
}

static void values_lose_the_blanks_in_front_only(void **state) {
    (void)state;
    value_is("NATS/1.0\r\na:   1  \r\n\r\n", "a", "1  ");
    value_is("NATS/1.0\r\na:\t1\r\n\r\n", "a", "\t1");
    value_is("NATS/1.0\r\na:\r\n\r\n", "a", "");
    value_is("NATS/1.0\r\na:   \r\n\r\n", "a", "");
}

static void a_block_that_breaks_off_is_read_to_its_end(void **state) {
    (void)state;
    value_is("NATS/1.0\r\na: 1", "a", "1");
    value_is("NATS/1.0\r\na: 1\r", "a", "1\r");
    value_is("NATS/1.0\r\na:", "a", "");
    value_is("NATS/1.0\r\na", "a", NULL);
    value_is("\r\na:1", "a", "1");
    value_is("\na:1", "a", NULL);
    value_is("a", "abc", NULL);
}

static void a_value_takes_the_place_of_the_one_that_is_there(void **state) {
    (void)state;
    const char *block = "NATS/1.0\r\nKey1: Val1\r\nKey2: Val2\r\n\r\n";
    becomes(block, "Key1", "Val1Updated", "NATS/1.0\r\nKey1: Val1Updated\r\nKey2: Val2\r\n\r\n");
    becomes(block, "Key1", "v1", "NATS/1.0\r\nKey1: v1\r\nKey2: Val2\r\n\r\n");
    becomes(block, "Key2", "", "NATS/1.0\r\nKey1: Val1\r\nKey2: \r\n\r\n");
    becomes("NATS/1.0\r\na:1\r\n\r\n", "a", "2", "NATS/1.0\r\na:2\r\n\r\n");
    becomes("NATS/1.0\r\na: 1\r\na: 2\r\n\r\n", "a", "3", "NATS/1.0\r\na: 3\r\na: 2\r\n\r\n");
    becomes("NATS/1.0\r\nba: 1\r\na: 2\r\n\r\n", "a", "3", "NATS/1.0\r\nba: 1\r\na: 3\r\n\r\n");
    becomes("NATS/1.0\r\na: 1", "a", "3", "NATS/1.0\r\na: 3");
}

static void a_new_key_gets_the_last_line(void **state) {
    (void)state;
    becomes("NATS/1.0\r\na: 1\r\n\r\n", "b", "2", "NATS/1.0\r\na: 1\r\nb: 2\r\n\r\n");
    becomes("NATS/1.0 503\r\n\r\n", "b", "2", "NATS/1.0 503\r\nb: 2\r\n\r\n");
    becomes("NATS/1.0\r\n\r\n", "b", "2", "NATS/1.0\r\nb: 2\r\n\r\n");
    becomes("", "b", "2", "NATS/1.0\r\nb: 2\r\n\r\n");
}

static void a_new_key_stands_in_a_line_of_its_own_behind_a_broken_block(void **state) {
    (void)state;
    becomes("NATS/1.0\r\na: 1\r\n", "b", "2", "NATS/1.0\r\na: 1\r\nb: 2\r\n\r\n");
    becomes("NATS/1.0\r\na: 1", "b", "2", "NATS/1.0\r\na: 1\r\nb: 2\r\n\r\n");
    becomes("x", "b", "2", "x\r\nb: 2\r\n\r\n");
}

static void a_value_cannot_bring_a_line_of_its_own(void **state) {
    (void)state;
    becomes("NATS/1.0\r\n\r\n", "a", "1\r\nb: 2", "NATS/1.0\r\na: 1  b: 2\r\n\r\n");
    becomes("NATS/1.0\r\na: 0\r\n\r\n", "a", "1\r\nb: 2", "NATS/1.0\r\na: 1  b: 2\r\n\r\n");
}

static void all_lines_of_a_key_are_removed(void **state) {
    (void)state;
    leaves("NATS/1.0\r\na: 1\r\na: 2\r\nc: 3\r\na: 4\r\na: 5\r\n\r\n", "a",
           "NATS/1.0\r\nc: 3\r\n\r\n");
    leaves("NATS/1.0\r\nX-Note: Nats-Msg-Id is set below\r\nNats-Msg-Id: real\r\nc: 3\r\n\r\n",
           "Nats-Msg-Id", "NATS/1.0\r\nX-Note: Nats-Msg-Id is set below\r\nc: 3\r\n\r\n");
    leaves("NATS/1.0\r\naa: 1\r\na: 2\r\nba: 3\r\n\r\n", "a", "NATS/1.0\r\naa: 1\r\nba: 3\r\n\r\n");
    leaves("NATS/1.0 408 Timeout\r\na: 1\r\n\r\n", "a", "NATS/1.0 408 Timeout\r\n\r\n");
}

static void what_has_no_such_key_stays_as_it_is(void **state) {
    (void)state;
    leaves("NATS/1.0\r\na: 1\r\n\r\n", "b", "NATS/1.0\r\na: 1\r\n\r\n");
    leaves("NATS/1.0\r\n\r\n", "b", "NATS/1.0\r\n\r\n");
    leaves("", "b", "");
}

static void without_its_last_line_nothing_is_left(void **state) {
    (void)state;
    leaves("NATS/1.0\r\na: 1\r\n\r\n", "a", "");
    leaves("NATS/1.0\r\na: 1\r\na: 2\r\n\r\n", "a", "");
    leaves("NATS/1.0\r\na: 1", "a", "");
}

/* Blocks of the pieces that matter, in any order: what was set is got, what was removed is not. */
static void any_block_holds_what_was_set_and_not_what_was_removed(void **state) {
    (void)state;
    static const char *const pieces[] = {"NATS/1.0", "\r\n", "\r", "\n", "a",  "ab",
                                         ":",        ": ",   "1",  " ",  "a:", "x"};
    uint32_t random = 7;
    for (int round = 0; round < 20000; round++) {
        char block[128], out[192];
        size_t size = 0;
        for (int i = 0; i < 12; i++) {
            random = random * 1103515245 + 12345;
            const char *piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
            memcpy(block + size, piece, strlen(piece));
            size += strlen(piece);
        }
        struct slice value;
        size_t set = headers_set(slice_of(block, size), "a", slice_text("new"), out);
        assert_true(set <= size + 4 + HEADERS_EXTRA);
        assert_true(headers_get(slice_of(out, set), "a", &value) && slice_is(value, "new"));
        size_t removed = headers_remove(slice_of(out, set), "a", out);
        assert_false(headers_get(slice_of(out, removed), "a", &value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_key),
        cmocka_unit_test(the_first_of_several_lines_counts),
        cmocka_unit_test(keys_are_compared_with_their_case),
        cmocka_unit_test(a_longer_key_is_another_key),
        cmocka_unit_test(a_key_within_a_value_is_none),
        cmocka_unit_test(values_lose_the_blanks_in_front_only),
        cmocka_unit_test(a_block_that_breaks_off_is_read_to_its_end),
        cmocka_unit_test(a_value_takes_the_place_of_the_one_that_is_there),
        cmocka_unit_test(a_new_key_gets_the_last_line),
        cmocka_unit_test(a_new_key_stands_in_a_line_of_its_own_behind_a_broken_block),
        cmocka_unit_test(a_value_cannot_bring_a_line_of_its_own),
        cmocka_unit_test(all_lines_of_a_key_are_removed),
        cmocka_unit_test(what_has_no_such_key_stays_as_it_is),
        cmocka_unit_test(without_its_last_line_nothing_is_left),
        cmocka_unit_test(any_block_holds_what_was_set_and_not_what_was_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
