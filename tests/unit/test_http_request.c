#include "wire/http_request.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_slice(s, text)                                                                      \
    do {                                                                                           \
        struct slice slice_ = (s);                                                                 \
        assert_int_equal(slice_.size, strlen(text));                                               \
        assert_memory_equal(slice_.at ? slice_.at : "", text, slice_.size);                        \
    } while (0)

/* Feeds `bytes` in parts of `step` and says how it ended and how much was taken. */
static enum http_progress feed(struct http_request *r, struct slice bytes, size_t step,
                               size_t *taken) {
    enum http_progress progress = HTTP_MORE;
    *taken = 0;
    while (progress == HTTP_MORE && *taken < bytes.size) {
        size_t n = bytes.size - *taken < step ? bytes.size - *taken : step, used;
        char *part = malloc(n); /* exactly as large, so that reading past it is seen */
        memcpy(part, bytes.at + *taken, n);
        progress = http_request_feed(r, slice_of(part, n), &used);
        free(part);
        assert_true(used <= n);
        if (progress == HTTP_MORE) assert_int_equal(used, n);
        *taken += used;
    }
    return progress;
}

static enum http_progress feed_text(struct http_request *r, const char *text) {
    size_t taken;
    http_request_init(r);
    return feed(r, slice_text(text), SIZE_MAX, &taken);
}

static void a_request_is_taken_apart_however_it_is_split(void **state) {
    (void)state;
    static struct http_request r;
    const char *text =
        "GET /connz?subs=1&acc=%24G HTTP/1.1\r\nHost: localhost:8222\r\nAccept:  a, b \t\r\n"
        "X-Empty:\r\nUser-Agent: curl/7\r\n\r\nGET /next";
    for (size_t step = 1; step <= strlen(text); step++) {
        size_t taken;
        http_request_init(&r);
        assert_int_equal(feed(&r, slice_text(text), step, &taken), HTTP_WHOLE);
        assert_string_equal(text + taken, "GET /next");
        assert_slice(r.method, "GET");
        assert_slice(r.path, "/connz");
        assert_slice(r.query, "subs=1&acc=%24G");
        assert_int_equal(r.minor, 1);
        assert_true(r.keep_alive);
        assert_slice(http_request_header(&r, "host"), "localhost:8222");
        assert_slice(http_request_header(&r, "ACCEPT"), "a, b");
        assert_slice(http_request_header(&r, "x-empty"), "");
        assert_non_null(http_request_header(&r, "x-empty").at);
        assert_null(http_request_header(&r, "Cookie").at);
    }
}

static void requests_follow_each_other_on_a_connection(void **state) {
    (void)state;
    static struct http_request r;
    const char *text = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: "
                       "x\r\nContent-Length: 5\r\n\r\nhello"
                       "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n\r\n"
                       "HEAD /d HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char *const paths[] = {"/a", "/b", "/c", "/d"};
    for (size_t step = 1; step <= 64; step++) {
        size_t at = 0;
        http_request_init(&r);
        for (size_t i = 0; i < 4; i++) {
            size_t taken;
            assert_int_equal(feed(&r, slice_text(text + at), step, &taken), HTTP_WHOLE);
            at += taken;
            assert_slice(r.path, paths[i]);
            assert_true(r.keep_alive);
            assert_null(http_request_header(&r, "T").at);
            http_request_next(&r);
        }
        assert_int_equal(at, strlen(text));
    }
}

static void the_target_may_be_a_whole_url(void **state) {
    (void)state;
    static struct http_request r;
    assert_int_equal(feed_text(&r, "GET http://h:1/varz?x HTTP/1.1\r\nHost: x\r\n\r\n"),
                     HTTP_WHOLE);
    assert_slice(r.path, "/varz");
    assert_slice(r.query, "x");
    assert_int_equal(feed_text(&r, "GET http://h HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
    assert_slice(r.path, "");
    assert_int_equal(feed_text(&r, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
    assert_slice(r.path, "*");
    assert_int_equal(feed_text(&r, "CONNECT h:80 HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
    assert_slice(r.path, "");
    assert_int_equal(feed_text(&r, "GET /? HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
    assert_slice(r.path, "/");
    assert_slice(r.query, "");
}

static void keep_alive_follows_version_and_header(void **state) {
    (void)state;
    static struct http_request r;
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\nHost: x\n\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(feed_text(&r, rows[i].text), HTTP_WHOLE);
        assert_int_equal(r.keep_alive, rows[i].keep);
    }
}

static void an_upgrade_ends_with_the_head(void **state) {
    (void)state;
    static struct http_request r;
    const char *text = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                       "websocket\r\n\r\n\x81\x05hello";
    size_t taken;
    http_request_init(&r);
    assert_int_equal(feed(&r, slice_text(text), SIZE_MAX, &taken), HTTP_WHOLE);
    assert_true(r.upgrade);
    assert_int_equal(taken, strlen(text) - 7);
    assert_slice(http_request_header(&r, "upgrade"), "websocket");
}

static void a_body_that_is_not_worth_waiting_for_is_not_waited_for(void **state) {
    (void)state;
    static struct http_request r;
    assert_int_equal(feed_text(&r, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"),
                     HTTP_WHOLE);
    assert_false(r.keep_alive);
    assert_int_equal(
        feed_text(&r,
                  "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
        HTTP_WHOLE);
    assert_false(r.keep_alive);
    assert_int_equal(feed_text(&r, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell"),
                     HTTP_MORE);
}

static void bad_requests_are_refused_with_the_status_of_go(void **state) {
    (void)state;
    static struct http_request r;
    static const struct {
        const char *text;
        unsigned status;
        const char *line;
    } rows[] = {
        {"hello\r\n\r\n", 400, "400 Bad Request"},
        {"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"},
        {"GET /\r\n\r\n", 400, "400 Bad Request"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "400 Bad Request: missing required Host header"},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "400 Bad Request"},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505,
         "505 HTTP Version Not Supported: unsupported protocol version"},
        {"GET varz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400, "400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400, "400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: x\r\nbad : h\r\n\r\n", 400,
         "400 Bad Request: invalid header name"},
        {"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400, "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400,
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400,
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
         "400 Bad Request"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: foo\r\n\r\n", 501, "501 Not Implemented"},
        {"\x16\x03\x01\x02", 400, "400 Bad Request"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 100; step += 7) {
            size_t taken;
            http_request_init(&r);
            assert_int_equal(feed(&r, slice_text(rows[i].text), step, &taken), HTTP_BAD);
            assert_int_equal(r.status, rows[i].status);
        }
        char answer[HTTP_REFUSAL_BYTES], start[128];
        size_t size = http_request_refusal(&r, answer, sizeof answer);
        assert_true(size < sizeof answer);
        snprintf(start, sizeof start, "HTTP/1.1 %s\r\n", rows[i].line);
        assert_memory_equal(answer, start, strlen(start));
        assert_non_null(strstr(answer, "Connection: close\r\n"));
        if (r.status != 501)
            assert_string_equal(answer + size - strlen(rows[i].line), rows[i].line);
    }
}

/* A request whose head is `size` bytes long. */
static char *head_of(size_t size) {
    static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\nA: ", end[] = "\r\n\r\n";
    char *text = malloc(size + 1);
    memset(text, 'a', size);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + size - (sizeof end - 1), end, sizeof end);
    return text;
}

static void a_head_has_a_largest_size(void **state) {
    (void)state;
    static struct http_request r;
    static const size_t steps[] = {1000, 4096, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        size_t taken;
        char *fits = head_of(HTTP_HEAD_BYTES), *not = head_of(HTTP_HEAD_BYTES + 1);
        http_request_init(&r);
        assert_int_equal(feed(&r, slice_text(fits), steps[i], &taken), HTTP_WHOLE);
        http_request_init(&r);
        assert_int_equal(feed(&r, slice_text(not ), steps[i], &taken), HTTP_BAD);
        assert_int_equal(r.status, 431);
        free(fits);
        free(not );
    }
}

static void headers_have_a_largest_number(void **state) {
    (void)state;
    static struct http_request r;
    for (int extra = 0; extra < 2; extra++) {
        char text[4096];
        size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 1; i < HTTP_FIELDS + extra; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "A: b\r\n");
        snprintf(text + n, sizeof text - n, "\r\n");
        assert_int_equal(feed_text(&r, text), extra ? HTTP_BAD : HTTP_WHOLE);
        if (extra) assert_int_equal(r.status, 431);
    }
}

/* Here the last header, one too many, is broken, too. */
static void what_is_wrong_with_a_head_does_not_depend_on_where_reads_end(void **state) {
    (void)state;
    static struct http_request r;
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n"), taken;
    for (int i = 1; i < HTTP_FIELDS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "A: b\r\n");
    n += (size_t)snprintf(text + n, sizeof text - n, "broken@name: x\r\n\r\n");
    for (size_t step = 1; step <= n; step++) {
        http_request_init(&r);
        assert_int_equal(feed(&r, slice_of(text, n), step, &taken), HTTP_BAD);
        assert_int_equal(r.status, 400);
    }
}

static void a_chunked_body_has_a_largest_size(void **state) {
    (void)state;
    static struct http_request r;
    static char chunk[4096 + 8];
    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "1000\r\n", 6);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    assert_int_equal(
        feed_text(&r, "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HTTP_MORE);
    size_t taken;
    for (size_t sent = 0; sent < HTTP_BODY_BYTES; sent += 4096)
        assert_int_equal(http_request_feed(&r, slice_of(chunk, sizeof chunk), &taken), HTTP_MORE);
    assert_int_equal(http_request_feed(&r, slice_of(chunk, sizeof chunk), &taken), HTTP_BAD);
    assert_int_equal(r.status, 413);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken_apart_however_it_is_split),
        cmocka_unit_test(requests_follow_each_other_on_a_connection),
        cmocka_unit_test(the_target_may_be_a_whole_url),
        cmocka_unit_test(keep_alive_follows_version_and_header),
        cmocka_unit_test(an_upgrade_ends_with_the_head),
        cmocka_unit_test(a_body_that_is_not_worth_waiting_for_is_not_waited_for),
        cmocka_unit_test(bad_requests_are_refused_with_the_status_of_go),
        cmocka_unit_test(a_head_has_a_largest_size),
        cmocka_unit_test(headers_have_a_largest_number),
        cmocka_unit_test(what_is_wrong_with_a_head_does_not_depend_on_where_reads_end),
        cmocka_unit_test(a_chunked_body_has_a_largest_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
