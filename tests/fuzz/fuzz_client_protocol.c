/*
 * Any bytes as what a client sends. Operations are the same whether bytes come at once or one by
 * one, and on the fast path or the slow one; all that they name lies within their line.
 */
#include "wire/client_protocol.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 64, OPERATIONS_MAX = 64 };

static bool same(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || a.at == b.at);
}

static void assert_same(const struct client_op *a, const struct client_op *b) {
    assert(a->verb == b->verb && a->line_size == b->line_size && same(a->arg, b->arg));
    switch (a->verb) {
    case CLIENT_PUB:
    case CLIENT_HPUB:
        assert(same(a->subject, b->subject) && same(a->reply, b->reply));
        assert(same(a->size_text, b->size_text) && same(a->header_size_text, b->header_size_text));
        assert(a->total_size == b->total_size && a->header_size == b->header_size);
        assert(a->header_size <= a->total_size && a->total_size < 1000000000);
        break;
    case CLIENT_SUB:
        assert(same(a->subject, b->subject) && same(a->queue, b->queue) && same(a->sid, b->sid));
        break;
    case CLIENT_UNSUB:
        assert(same(a->sid, b->sid) && a->has_max == b->has_max && a->max == b->max);
        break;
    default:
        break;
    }
}

/* A token has no blanks or line ends, and lies within the argument. */
static void assert_token(struct slice token, struct slice arg) {
    if (token.size == 0) return;
    assert(token.at >= arg.at && token.at + token.size <= arg.at + arg.size);
    for (size_t i = 0; i < token.size; i++)
        assert(token.at[i] != ' ' && token.at[i] != '\t' && token.at[i] != '\n');
}

static void assert_within(const struct client_op *op, const char *at) {
    bool ignored = op->verb == CLIENT_PING || op->verb == CLIENT_PONG || op->verb == CLIENT_OK;
    assert(op->arg.size <= (ignored ? CLIENT_IGNORED_MAX : LIMIT) && op->arg.at >= at);
    assert(op->arg.at + op->arg.size < at + op->line_size && at[op->line_size - 1] == '\n');
    if (op->verb == CLIENT_PUB || op->verb == CLIENT_HPUB || op->verb == CLIENT_SUB) {
        assert(op->subject.size > 0);
        assert_token(op->subject, op->arg);
    }
    if (op->verb == CLIENT_PUB || op->verb == CLIENT_HPUB) {
        assert_token(op->reply, op->arg);
        assert_token(op->size_text, op->arg);
        assert_token(op->header_size_text, op->arg);
    }
    if (op->verb == CLIENT_SUB) assert_token(op->queue, op->arg);
    if (op->verb == CLIENT_SUB || op->verb == CLIENT_UNSUB) assert_token(op->sid, op->arg);
}

/* The same bytes one by one, each time in memory that ends behind them. */
static void parse_bytewise(const char *at, size_t size, enum client_parse wanted,
                           const struct client_op *whole) {
    size_t scanned = 0, shown = 0;
    enum client_parse parsed;
    do {
        struct client_op op;
        char *bytes = malloc(++shown), error[128];
        memcpy(bytes, at, shown);
        parsed = client_parse_line(bytes, shown, LIMIT, &scanned, &op, error, sizeof error);
        if (parsed == CLIENT_PARTIAL)
            assert(shown <= client_line_max(LIMIT));
        else if (parsed != CLIENT_PARSED)
            assert(strlen(error) < sizeof error);
        else
            assert(op.line_size == shown && op.verb == whole->verb &&
                   op.arg.size == whole->arg.size);
        free(bytes);
    } while (parsed == CLIENT_PARTIAL && shown < size);
    assert(parsed == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = malloc(size + 1);
    const char *at = bytes;
    memcpy(bytes, data, size);
    for (int i = 0; i < OPERATIONS_MAX && size > 0; i++) {
        struct client_op fast, slow;
        char error[16];
        size_t scanned = 0;
        enum client_parse f =
            client_parse_line(at, size, LIMIT, &scanned, &fast, error, sizeof error);
        scanned = 0;
        enum client_parse s = client_parse_line_slowly(at, size, LIMIT, &scanned, &slow, NULL, 0);
        assert(f == s);
        if (f == CLIENT_PARSED) {
            assert_same(&fast, &slow);
            assert_within(&fast, at);
        }
        parse_bytewise(at, size, f, &fast);
        if (f != CLIENT_PARSED) break;
        /* Payloads are left out: what follows is the next line. */
        at += fast.line_size;
        size -= fast.line_size;
    }
    free(bytes);
    return 0;
}
