#include "wire/client_protocol.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT = 4096, ERROR_BYTES = 256 };

static struct client_op op;
static char error[ERROR_BYTES];

static enum client_parse parse_bytes(const char *at, size_t size) {
    size_t scanned = 0;
    error[0] = 0;
    return client_parse_line(at, size, LIMIT, &scanned, &op, error, sizeof error);
}

static enum client_parse parse(const char *text) {
    return parse_bytes(text, strlen(text));
}

static void assert_slice(struct slice is, const char *wanted) {
    if (slice_is(is, wanted)) return;
    fail_msg("\"%.*s\" is not \"%s\"", (int)is.size, is.at, wanted);
}

static bool same_slice(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || a.at == b.at);
}

/* Whether two parses of the same bytes say the same. */
static bool same_op(const struct client_op *a, const struct client_op *b) {
    if (a->verb != b->verb || a->line_size != b->line_size || !same_slice(a->arg, b->arg))
        return false;
    switch (a->verb) {
    case CLIENT_PUB:
    case CLIENT_HPUB:
        return same_slice(a->subject, b->subject) && same_slice(a->reply, b->reply) &&
               same_slice(a->size_text, b->size_text) &&
               same_slice(a->header_size_text, b->header_size_text) &&
               a->total_size == b->total_size && a->header_size == b->header_size;
    case CLIENT_SUB:
        return same_slice(a->subject, b->subject) && same_slice(a->queue, b->queue) &&
               same_slice(a->sid, b->sid);
    case CLIENT_UNSUB:
        return same_slice(a->sid, b->sid) && a->has_max == b->has_max && a->max == b->max;
    default:
        return true;
    }
}

static void a_publish_is_taken_apart(void **state) {
    (void)state;
    /* Alone, and with so much behind it that the fast path sees whole windows. */
    static const char *behind[] = {"", "hello\r\nPUB another.subject 5\r\nhello\r\n"
                                       "PUB another.subject 5\r\nhello\r\nPING\r\n"};
    for (int i = 0; i < 2; i++) {
        char text[256];
        snprintf(text, sizeof text, "PUB foo.bar 5\r\n%s", behind[i]);
        assert_int_equal(parse(text), CLIENT_PARSED);
        assert_int_equal(op.verb, CLIENT_PUB);
        assert_slice(op.arg, "foo.bar 5");
        assert_slice(op.subject, "foo.bar");
        assert_slice(op.reply, "");
        assert_slice(op.size_text, "5");
        assert_int_equal(op.total_size, 5);
        assert_int_equal(op.header_size, 0);
        assert_int_equal(op.line_size, 15);
        snprintf(text, sizeof text, "PUB foo reply.to 011\r\n%s", behind[i]);
        assert_int_equal(parse(text), CLIENT_PARSED);
        assert_slice(op.subject, "foo");
        assert_slice(op.reply, "reply.to");
        assert_slice(op.size_text, "011");
        assert_int_equal(op.total_size, 11);
        snprintf(text, sizeof text, "HPUB foo 12 17\r\n%s", behind[i]);
        assert_int_equal(parse(text), CLIENT_PARSED);
        assert_int_equal(op.verb, CLIENT_HPUB);
        assert_slice(op.reply, "");
        assert_slice(op.header_size_text, "12");
        assert_int_equal(op.header_size, 12);
        assert_int_equal(op.total_size, 17);
        snprintf(text, sizeof text, "HPUB foo bar 012 17\r\n%s", behind[i]);
        assert_int_equal(parse(text), CLIENT_PARSED);
        assert_slice(op.reply, "bar");
        assert_slice(op.header_size_text, "012");
        assert_slice(op.size_text, "17");
        assert_int_equal(op.line_size, 21);
    }
}

static void blanks_and_letter_case_do_not_matter(void **state) {
    (void)state;
    assert_int_equal(parse("pUb\t \tfoo \t bar\t\t2 \t\n"), CLIENT_PARSED);
    assert_slice(op.subject, "foo");
    assert_slice(op.reply, "bar");
    assert_slice(op.size_text, "2");
    assert_int_equal(parse("sub foo  1\r\n"), CLIENT_PARSED);
    assert_slice(op.queue, "");
    assert_slice(op.sid, "1");
    assert_int_equal(parse("SUB foo\tworkers  sid-7 \r\n"), CLIENT_PARSED);
    assert_slice(op.queue, "workers");
    assert_slice(op.sid, "sid-7");
}

static void the_argument_is_what_a_trace_shows(void **state) {
    (void)state;
    assert_int_equal(parse("SUB  foo  1 \r\n"), CLIENT_PARSED);
    assert_slice(op.arg, "foo  1 ");
    assert_int_equal(parse("CONNECT{}\r\n"), CLIENT_PARSED);
    assert_slice(op.arg, "{}");
    assert_int_equal(parse("CONNECT\t {\"a\": 1} \n"), CLIENT_PARSED);
    assert_slice(op.arg, "{\"a\": 1} ");
    assert_int_equal(parse("-ERR 'Stale Connection'\r\n"), CLIENT_PARSED);
    assert_int_equal(op.verb, CLIENT_ERR);
    assert_slice(op.arg, "'Stale Connection'");
    assert_int_equal(parse("INFO {}\r\n"), CLIENT_PARSED);
    assert_int_equal(op.verb, CLIENT_INFO);
}

static void text_behind_ping_pong_and_ok_is_ignored(void **state) {
    (void)state;
    assert_int_equal(parse("PINGxyz\n"), CLIENT_PARSED);
    assert_int_equal(op.verb, CLIENT_PING);
    assert_int_equal(op.line_size, 8);
    assert_int_equal(parse("PING\r\nPONG\r\n"), CLIENT_PARSED);
    assert_int_equal(op.line_size, 6);
    assert_int_equal(parse("poNG bla\r\n"), CLIENT_PARSED);
    assert_int_equal(op.verb, CLIENT_PONG);
    assert_int_equal(parse("+OKay\r\n"), CLIENT_PARSED);
    assert_int_equal(op.verb, CLIENT_OK);
}

static void unsub_tells_its_max(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool has_max;
        uint64_t max;
    } cases[] = {{"UNSUB 1\r\n", false, 0},
                 {"UNSUB 1 5\r\n", true, 5},
                 {"UNSUB 1 999999999\n", true, 999999999},
                 {"UNSUB 1 0\r\n", true, 0},
                 {"UNSUB 1 x\r\n", true, 0},
                 {"UNSUB 1 -5\r\n", true, 0},
                 {"UNSUB 1 1000000000\r\n", true, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].text), CLIENT_PARSED);
        assert_slice(op.sid, "1");
        assert_int_equal(op.has_max, cases[i].has_max);
        assert_int_equal(op.max, cases[i].max);
    }
}

static void wrong_arguments_are_named_for_the_log(void **state) {
    (void)state;
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"PUB foo\r\n", "processPub Parse Error: \"foo\""},
        {"PUB \r\n", "processPub Parse Error: \"\\r\""},
        {"PUB foo a b 2\r\n", "processPub Parse Error: \"foo a b 2\""},
        {"PUB foo -1\r\n", "processPub Bad or Missing Size: \"foo -1\""},
        {"PUB foo 2x\r\n", "processPub Bad or Missing Size: \"foo 2x\""},
        {"PUB foo 0000000002\r\n", "processPub Bad or Missing Size: \"foo 0000000002\""},
        {"PUB foo 99999999999999999999\n",
         "processPub Bad or Missing Size: \"foo 99999999999999999999\""},
        {"PUB foo 0\r\r\n", "processPub Bad or Missing Size: \"foo 0\\r\""},
        {"HPUB foo 2\r\n", "processHeaderPub Parse Error: \"foo 2\""},
        {"HPUB foo a b 1 2\r\n", "processHeaderPub Parse Error: \"foo a b 1 2\""},
        {"HPUB foo x 2\r\n", "processHeaderPub Bad or Missing Header Size: \"foo x 2\""},
        {"HPUB foo 2 x\r\n", "processHeaderPub Bad or Missing Total Size: \"foo 2 x\""},
        {"HPUB foo 15 14\r\n", "processHeaderPub Header Size larger then TotalSize: \"foo 15 14\""},
        {"SUB \r\n", "processSub Parse Error: \"\\r\""},
        {"SUB foo\r\n", "processSub Parse Error: \"foo\""},
        {"SUB foo a b 1\r\n", "processSub Parse Error: \"foo a b 1\""},
        {"UNSUB \r\n", "processUnsub Parse Error: \"\\r\""},
        {"UNSUB 1 2 3\r\n", "processUnsub Parse Error: \"1 2 3\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].line), CLIENT_BAD_ARGUMENTS);
        assert_string_equal(error, cases[i].error);
    }
}

static void unknown_operations_are_found_at_their_first_wrong_byte(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned parser_state, offset;
    } cases[] = {
        {" PING\r\n", 0, 0}, {"\r\n", 0, 0},      {"\n", 0, 0},       {"R", 0, 0},
        {"L", 0, 0},         {"A", 0, 0},         {"M", 0, 0},        {"GET / ", 0, 0},
        {"PX", 29, 1},       {"PUX", 30, 2},      {"PUB\r\n", 31, 3}, {"PUBX", 31, 3},
        {"PIX", 34, 2},      {"POX", 37, 2},      {"SX", 43, 1},      {"SUX", 44, 2},
        {"SUB\r", 45, 3},    {"UNSUBx", 63, 5},   {"HX", 18, 1},      {"HPUX", 20, 3},
        {"HPUB\n", 21, 4},   {"CONNECX", 15, 6},  {"INX", 72, 2},     {"+K", 1, 1},
        {"+OX", 2, 2},       {"-ERX", 6, 3},      {"-ERR\r\n", 7, 4}, {"0UB ", 0, 0},
        {"P\x15", 29, 1},    {"\x0dING\n", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[64];
        assert_int_equal(parse(cases[i].text), CLIENT_UNKNOWN_OPERATION);
        snprintf(wanted, sizeof wanted, "Client parser ERROR, state=%u, i=%u: proto='",
                 cases[i].parser_state, cases[i].offset);
        if (strncmp(error, wanted, strlen(wanted)) != 0) fail_msg("%s: %s", cases[i].text, error);
        /* Not later, and not earlier either. */
        assert_int_equal(parse_bytes(cases[i].text, cases[i].offset + 1), CLIENT_UNKNOWN_OPERATION);
        if (cases[i].offset)
            assert_int_equal(parse_bytes(cases[i].text, cases[i].offset), CLIENT_PARTIAL);
    }
}

static void bytes_of_a_client_reach_the_log_quoted_and_bounded(void **state) {
    (void)state;
    assert_int_equal(parse("G\x1b[2J\r\n0123456789012345678901234567890123456789"),
                     CLIENT_UNKNOWN_OPERATION);
    assert_string_equal(error, "Client parser ERROR, state=0, i=0: "
                               "proto='\"G\\x1b[2J\\r\\n0123456789012345678901234\"...'");
    char small[12];
    size_t scanned = 0;
    assert_int_equal(client_parse_line("PUB foo x\r\n", 11, LIMIT, &scanned, &op, small, 12),
                     CLIENT_BAD_ARGUMENTS);
    assert_true(strlen(small) < sizeof small);
    scanned = 0;
    assert_int_equal(client_parse_line("PUB foo x\r\n", 11, LIMIT, &scanned, &op, NULL, 0),
                     CLIENT_BAD_ARGUMENTS);
}

static void what_follows_a_payload_must_be_cr_lf(void **state) {
    (void)state;
    assert_true(client_payload_ended("\r\n"));
    assert_false(client_payload_ended("\n\r"));
    assert_false(client_payload_ended("\rX"));
    client_parse_lost(slice_text("X\r\n"), error, sizeof error);
    assert_string_equal(error, "Client parser ERROR, state=41, i=0: proto='\"X\\r\\n\"...'");
    client_parse_lost(slice_text("\rX"), error, sizeof error);
    assert_string_equal(error, "Client parser ERROR, state=42, i=1: proto='\"X\"...'");
}

/* "PUB xxxx" with an argument of `arg` bytes and `end` behind it. */
static enum client_parse parse_long(const char *verb, size_t arg, const char *end) {
    static char text[CLIENT_IGNORED_MAX + 2 * LIMIT];
    size_t n = strlen(verb);
    memcpy(text, verb, n);
    memset(text + n, 'x', arg);
    memcpy(text + n + arg, end, strlen(end));
    return parse_bytes(text, n + arg + strlen(end));
}

static void max_control_line_counts_the_argument_only(void **state) {
    (void)state;
    assert_int_equal(parse_long("SUB ", LIMIT - 2, " 1\r\n"), CLIENT_PARSED);
    assert_int_equal(parse_long("SUB ", LIMIT - 1, " 1\r\n"), CLIENT_LINE_TOO_LONG);
    assert_string_equal(error, "maximum control line exceeded");
    assert_int_equal(parse_long("PUB ", LIMIT - 2, " 0\r\n"), CLIENT_PARSED);
    assert_int_equal(parse_long("PUB ", LIMIT - 1, " 0\r\n"), CLIENT_LINE_TOO_LONG);
    assert_int_equal(parse_long("CONNECT ", LIMIT, "\n"), CLIENT_PARSED);
    assert_int_equal(parse_long("CONNECT ", LIMIT + 1, "\n"), CLIENT_LINE_TOO_LONG);
    assert_int_equal(parse_long("INFO ", LIMIT + 1, "\n"), CLIENT_LINE_TOO_LONG);
    assert_int_equal(parse_long("-ERR ", LIMIT + 1, "\n"), CLIENT_LINE_TOO_LONG);
    size_t scanned = 0;
    assert_int_equal(client_parse_line("PUB foo.bar 1\r\n0123456789012345678901234567890123456789"
                                       "012345678901234567890123456789",
                                       85, 8, &scanned, &op, error, sizeof error),
                     CLIENT_LINE_TOO_LONG);
}

static void a_line_that_is_too_long_is_refused_before_it_ends(void **state) {
    (void)state;
    assert_int_equal(parse_long("PUB ", LIMIT, ""), CLIENT_PARTIAL);
    assert_int_equal(parse_long("PUB ", LIMIT, "\r"), CLIENT_PARTIAL);
    assert_int_equal(parse_long("PUB ", LIMIT + 1, ""), CLIENT_LINE_TOO_LONG);
    assert_int_equal(parse_long("PUB ", LIMIT, "\rx"), CLIENT_LINE_TOO_LONG);
}

static void what_a_partial_line_makes_a_connection_keep_is_bounded(void **state) {
    (void)state;
    static char text[CLIENT_IGNORED_MAX + 3 * LIMIT];
    static const char *beginnings[] = {"PING", "+OK", "CONNECT", "SUB ", "CONNECT x"};
    static const char fill[] = {' ', 'x'};
    for (size_t b = 0; b < sizeof beginnings / sizeof *beginnings; b++)
        for (size_t f = 0; f < sizeof fill; f++) {
            memset(text, fill[f], sizeof text);
            memcpy(text, beginnings[b], strlen(beginnings[b]));
            size_t scanned = 0, size = 1;
            while (client_parse_line(text, size, LIMIT, &scanned, &op, NULL, 0) == CLIENT_PARTIAL)
                assert_true(++size <= client_line_max(LIMIT) + 1);
        }
    assert_int_equal(parse_long("PING", CLIENT_IGNORED_MAX, "\r\n"), CLIENT_PARSED);
    assert_int_equal(parse_long("PING", CLIENT_IGNORED_MAX + 1, "\r\n"), CLIENT_LINE_TOO_LONG);
}

/* The original takes the first byte behind the blanks into the argument whatever it is. */
static void the_first_byte_of_an_argument_ends_no_line(void **state) {
    (void)state;
    assert_int_equal(parse("SUB \n"), CLIENT_PARTIAL);
    assert_int_equal(parse("SUB \nfoo 1\n"), CLIENT_PARSED);
    assert_slice(op.subject, "foo");
    assert_int_equal(parse("CONNECT\n{}\n"), CLIENT_PARSED);
    assert_slice(op.arg, "\n{}");
    assert_int_equal(parse("CONNECT\r\n"), CLIENT_PARSED);
    assert_slice(op.arg, "\r");
}

static void no_subject_contains_a_line_end(void **state) {
    (void)state;
    assert_int_equal(parse("PUB \nfoo 2\r\n"), CLIENT_BAD_ARGUMENTS);
    assert_int_equal(parse("HPUB \nfoo 0 2\r\n"), CLIENT_BAD_ARGUMENTS);
    assert_int_equal(parse("SUB foo\rbar 1\r\n"), CLIENT_PARSED);
    assert_slice(op.subject, "foo");
    assert_slice(op.queue, "bar");
}

static void verbs_of_servers_are_unknown(void **state) {
    (void)state;
    static const char *lines[] = {
        "MSG foo 1 0\r\n\r\n", "RMSG $G foo 0\r\n\r\n", "RS+ $G foo\r\n", "LS+ foo\r\n",
        "A+ acc\r\n",          "HMSG foo 1\r\n",        "LMSG foo 0\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(parse(lines[i]), CLIENT_UNKNOWN_OPERATION);
}

/* A line of pieces that make sense together more often than single random bytes do. */
static size_t random_line(char *out, size_t max) {
    static const char *pieces[] = {"PUB ",
                                   "HPUB ",
                                   "SUB ",
                                   "UNSUB ",
                                   "PING",
                                   "CONNECT ",
                                   "pub ",
                                   "foo",
                                   "bench.subject",
                                   " ",
                                   " ",
                                   " ",
                                   "\t",
                                   "1",
                                   "16",
                                   "12",
                                   "999999999",
                                   "0000000001",
                                   "\r\n",
                                   "\r\n",
                                   "\r\n",
                                   "\n",
                                   "\r",
                                   "{}",
                                   "x",
                                   "_INBOX.abcdef.12",
                                   "\xff\x80",
                                   "longer.subject.with.many.tokens.and.even.more"};
    size_t size = 0;
    int count = 2 + rand() % 12;
    for (int i = 0; i < count; i++) {
        int choice = i == 0 ? rand() % 7 : rand() % (int)(sizeof pieces / sizeof *pieces);
        size_t n = strlen(pieces[choice]);
        if (size + n > max) break;
        memcpy(out + size, pieces[choice], n);
        size += n;
    }
    return size;
}

static void both_paths_agree(void **state) {
    (void)state;
    char text[512];
    size_t parsed = 0;
    srand(7);
    for (int i = 0; i < 1000000; i++) {
        /* What stands behind the line must not matter, nor whether there is anything. */
        size_t size = random_line(text, 256), scanned = 0;
        if (rand() % 2) {
            memset(text + size, "P\n \r"[rand() % 4], 80);
            size += 80;
        }
        struct client_op fast, slow;
        enum client_parse f = client_parse_line(text, size, 40, &scanned, &fast, NULL, 0);
        scanned = 0;
        enum client_parse s = client_parse_line_slowly(text, size, 40, &scanned, &slow, NULL, 0);
        if (f != s || (f == CLIENT_PARSED && !same_op(&fast, &slow)))
            fail_msg("%d and %d: %.*s", f, s, (int)size, text);
        parsed += f == CLIENT_PARSED;
    }
    assert_true(parsed > 10000);
}

static void reads_split_at_any_byte_say_the_same(void **state) {
    (void)state;
    char text[512];
    srand(11);
    for (int i = 0; i < 20000; i++) {
        size_t size = random_line(text, 256), scanned = 0;
        struct client_op whole, split;
        enum client_parse w = client_parse_line(text, size, 40, &scanned, &whole, NULL, 0), s;
        scanned = 0;
        size_t shown = 0;
        do {
            s = client_parse_line(text, ++shown, 40, &scanned, &split, NULL, 0);
        } while (s == CLIENT_PARTIAL && shown < size);
        if (s != w || (w == CLIENT_PARSED && !same_op(&whole, &split)))
            fail_msg("%d in one piece, %d byte by byte: %.*s", w, s, (int)size, text);
        if (w == CLIENT_PARSED) assert_int_equal(shown, whole.line_size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_is_taken_apart),
        cmocka_unit_test(blanks_and_letter_case_do_not_matter),
        cmocka_unit_test(the_argument_is_what_a_trace_shows),
        cmocka_unit_test(text_behind_ping_pong_and_ok_is_ignored),
        cmocka_unit_test(unsub_tells_its_max),
        cmocka_unit_test(wrong_arguments_are_named_for_the_log),
        cmocka_unit_test(unknown_operations_are_found_at_their_first_wrong_byte),
        cmocka_unit_test(bytes_of_a_client_reach_the_log_quoted_and_bounded),
        cmocka_unit_test(what_follows_a_payload_must_be_cr_lf),
        cmocka_unit_test(max_control_line_counts_the_argument_only),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_before_it_ends),
        cmocka_unit_test(what_a_partial_line_makes_a_connection_keep_is_bounded),
        cmocka_unit_test(the_first_byte_of_an_argument_ends_no_line),
        cmocka_unit_test(no_subject_contains_a_line_end),
        cmocka_unit_test(verbs_of_servers_are_unknown),
        cmocka_unit_test(both_paths_agree),
        cmocka_unit_test(reads_split_at_any_byte_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
