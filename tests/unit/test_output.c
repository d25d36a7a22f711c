#include "net/output.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct chunk_pool pool;
static struct output out;

static int prepare(void **state) {
    (void)state;
    pool = (struct chunk_pool){0};
    out = (struct output){0};
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    output_clear(&out, &pool);
    assert_null(out.first);
    assert_null(out.last);
    assert_int_equal(out.pending, 0);
    chunk_pool_free(&pool);
    return 0;
}

static void say(const char *text) {
    output_append(&out, &pool, text, strlen(text));
}

/* All that is pending, without taking it away. */
static size_t look(char *to, size_t room) {
    size_t n = 0;
    for (struct output_part *p = out.first; p; p = p->next) {
        assert_true(n + p->size <= room);
        memcpy(to + n, p->at, p->size);
        n += p->size;
    }
    assert_int_equal(n, out.pending);
    return n;
}

static void assert_pending(const char *expected) {
    char text[256];
    size_t n = look(text, sizeof text);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
}

static void what_is_appended_comes_out_in_order(void **state) {
    (void)state;
    say("one ");
    say("two ");
    memcpy(output_room(&out, &pool, 100), "three", 5);
    output_commit(&out, 5);
    assert_pending("one two three");
    assert_ptr_equal(out.first, out.last); /* one chunk */
}

static void a_partial_write_leaves_the_rest_and_room_behind_it(void **state) {
    (void)state;
    say("hello ");
    output_consume(&out, &pool, 4);
    assert_pending("o ");
    say("world");
    assert_pending("o world");
    output_consume(&out, &pool, 7);
    assert_null(out.first);
    assert_null(out.last);
    say("again");
    assert_pending("again");
}

static void bytes_of_any_number_fill_chunk_after_chunk(void **state) {
    (void)state;
    enum { N = 5 * OUTPUT_CHUNK + 17 };
    char *in = malloc(N), *seen = malloc(N);
    for (int i = 0; i < N; i++) in[i] = (char)(i * 7 + i / 251);
    output_append(&out, &pool, in, 10);
    output_append(&out, &pool, in + 10, N - 10);
    assert_int_equal(look(seen, N), N);
    assert_memory_equal(seen, in, N);
    size_t at = 0;
    for (size_t step = 1; at < N; step = step * 3 + 1) {
        size_t n = step < N - at ? step : N - at;
        output_consume(&out, &pool, n);
        at += n;
        assert_int_equal(look(seen, N), N - at);
        assert_memory_equal(seen, in + at, N - at);
    }
    assert_null(out.first);
    free(in);
    free(seen);
}

static void room_is_contiguous_and_a_new_chunk_when_the_last_has_too_little(void **state) {
    (void)state;
    char *first = output_room(&out, &pool, OUTPUT_CHUNK);
    memset(first, 'a', OUTPUT_CHUNK);
    output_commit(&out, OUTPUT_CHUNK - 5);
    char *second = output_room(&out, &pool, 6);
    assert_ptr_not_equal(out.first, out.last);
    memcpy(second, "123456", 6);
    output_commit(&out, 6);
    assert_int_equal(out.pending, OUTPUT_CHUNK + 1);
    output_consume(&out, &pool, OUTPUT_CHUNK - 5);
    assert_pending("123456");
}

static void room_that_was_asked_for_and_not_used_says_nothing(void **state) {
    (void)state;
    output_room(&out, &pool, 100);
    assert_int_equal(out.pending, 0);
    output_consume(&out, &pool, 0);
    assert_null(out.first);
    say("x");
    output_room(&out, &pool, OUTPUT_CHUNK);
    assert_pending("x");
}

static void a_reference_keeps_the_payload_until_it_is_written(void **state) {
    (void)state;
    struct counted *payload = counted_new(10);
    memcpy(payload->data, "0123456789", 10);
    say("<");
    output_reference(&out, payload, payload->data + 2, 6);
    say(">");
    assert_int_equal(atomic_load(&payload->references), 2);
    assert_pending("<234567>");
    output_consume(&out, &pool, 4);
    assert_pending("567>");
    assert_int_equal(atomic_load(&payload->references), 2);
    output_consume(&out, &pool, 3);
    assert_int_equal(atomic_load(&payload->references), 1);
    assert_pending(">");
    counted_drop(payload);
}

static void clearing_drops_references_and_returns_chunks(void **state) {
    (void)state;
    struct counted *payload = counted_new(3);
    memcpy(payload->data, "abc", 3);
    say("x");
    output_reference(&out, payload, payload->data, 3);
    say("y");
    output_clear(&out, &pool);
    assert_int_equal(atomic_load(&payload->references), 1);
    assert_int_equal(pool.count, 2);
    counted_drop(payload);
}

static void the_pool_is_bounded_and_reused(void **state) {
    (void)state;
    enum { CHUNKS = CHUNK_POOL_MAX + 20 };
    for (int i = 0; i < CHUNKS; i++) {
        output_room(&out, &pool, OUTPUT_CHUNK);
        output_commit(&out, OUTPUT_CHUNK);
    }
    output_clear(&out, &pool);
    assert_int_equal(pool.count, CHUNK_POOL_MAX);
    struct output_part *kept = pool.first;
    say("x");
    assert_ptr_equal(out.first, kept);
    assert_int_equal(pool.count, CHUNK_POOL_MAX - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_appended_comes_out_in_order, prepare, clean_up),
        cmocka_unit_test_setup_teardown(a_partial_write_leaves_the_rest_and_room_behind_it, prepare,
                                        clean_up),
        cmocka_unit_test_setup_teardown(bytes_of_any_number_fill_chunk_after_chunk, prepare,
                                        clean_up),
        cmocka_unit_test_setup_teardown(
            room_is_contiguous_and_a_new_chunk_when_the_last_has_too_little, prepare, clean_up),
        cmocka_unit_test_setup_teardown(room_that_was_asked_for_and_not_used_says_nothing, prepare,
                                        clean_up),
        cmocka_unit_test_setup_teardown(a_reference_keeps_the_payload_until_it_is_written, prepare,
                                        clean_up),
        cmocka_unit_test_setup_teardown(clearing_drops_references_and_returns_chunks, prepare,
                                        clean_up),
        cmocka_unit_test_setup_teardown(the_pool_is_bounded_and_reused, prepare, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
