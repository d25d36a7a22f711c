#include "wire/client_protocol.h"
#include "wire/go_quote.h"
#include "wire/scan.h"
#include <stdio.h>

enum { SIZE_DIGITS_MAX = 9 };

/* 1 to 9 decimal digits and nothing else. */
static inline bool parse_size(struct slice text, uint32_t *value) {
    if (text.size - 1 > SIZE_DIGITS_MAX - 1) return false;
    uint32_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned char)text.at[i] - (unsigned)'0';
        if (digit > 9) return false;
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

/*
 * The slow path, which defines the grammar. States are numbered as in the original's parser, for
 * its log lines carry the number: `first` after the verb's first byte, `second` after its second
 * one and so on upwards.
 */
struct verb {
    const char *text;
    uint8_t size;
    uint8_t verb;
    uint8_t first, second;
    enum { BLANK_NEEDED, BLANK_ALLOWED, TEXT_IGNORED } then;
};

static const struct verb verbs[] = {
    {"sub", 3, CLIENT_SUB, 43, 44, BLANK_NEEDED},
    {"ping", 4, CLIENT_PING, 29, 34, TEXT_IGNORED},
    {"pub", 3, CLIENT_PUB, 29, 30, BLANK_NEEDED},
    {"unsub", 5, CLIENT_UNSUB, 59, 60, BLANK_NEEDED},
    {"hpub", 4, CLIENT_HPUB, 18, 19, BLANK_NEEDED},
    {"pong", 4, CLIENT_PONG, 29, 37, TEXT_IGNORED},
    {"connect", 7, CLIENT_CONNECT, 10, 11, BLANK_ALLOWED},
    {"info", 4, CLIENT_INFO, 71, 72, BLANK_ALLOWED},
    {"+ok", 3, CLIENT_OK, 1, 2, TEXT_IGNORED},
    {"-err", 4, CLIENT_ERR, 4, 5, BLANK_NEEDED},
};
enum { STATE_PAYLOAD_CR = 41, STATE_PAYLOAD_LF = 42, SNIPPET = 32 };

static unsigned state_after(const struct verb *verb, size_t matched) {
    return matched == 0 ? 0 : matched == 1 ? verb->first : verb->second + (unsigned)matched - 2;
}

/* How many bytes of `verb` stand at `at`. */
static size_t match_verb(const struct verb *verb, const char *at, size_t size) {
    size_t n = 0;
    for (; n < size && n < verb->size; n++) {
        unsigned char wanted = (unsigned char)verb->text[n], is = (unsigned char)at[n];
        if (wanted >= 'a' ? (is | 0x20) != wanted : is != wanted) break;
    }
    return n;
}

static void describe_unknown(unsigned state, size_t offset, const char *at, size_t size,
                             char *error, size_t error_size) {
    char snippet[SNIPPET * 4 + 3];
    if (!error) return;
    size_t shown = size - offset < SNIPPET ? size - offset : SNIPPET;
    go_quote(slice_of(at + offset, shown), snippet, sizeof snippet);
    snprintf(error, error_size, "Client parser ERROR, state=%u, i=%zu: proto='%s...'", state,
             offset, snippet);
}

static enum client_parse too_long(char *error, size_t error_size) {
    if (error) snprintf(error, error_size, "maximum control line exceeded");
    return CLIENT_LINE_TOO_LONG;
}

static enum client_parse bad_arguments(const char *what, struct slice arg, char *error,
                                       size_t error_size) {
    if (!error) return CLIENT_BAD_ARGUMENTS;
    int n = snprintf(error, error_size, "%s: ", what);
    if (n >= 0 && (size_t)n < error_size) go_quote(arg, error + n, error_size - (size_t)n);
    return CLIENT_BAD_ARGUMENTS;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Splits `arg` at blanks, with `lines` also at line ends. Returns the number of tokens, of which up
 * to `max` are stored. */
static unsigned split(struct slice arg, bool lines, struct slice *tokens, unsigned max) {
    unsigned n = 0;
    size_t start = 0;
    for (size_t i = 0; i <= arg.size; i++) {
        bool ends = i == arg.size || is_blank(arg.at[i]) ||
                    (lines && (arg.at[i] == '\r' || arg.at[i] == '\n'));
        if (!ends) continue;
        if (i > start && n++ < max) tokens[n - 1] = slice_of(arg.at + start, i - start);
        start = i + 1;
    }
    return n;
}

static enum client_parse parse_pub(struct client_op *op, char *error, size_t error_size) {
    struct slice tokens[3];
    unsigned n = split(op->arg, false, tokens, 3);
    /* A subject may hold anything but blanks. The one LF that could get into it, as the argument's
     * first byte, would break the lines of those who receive it. */
    if (n < 2 || n > 3 || tokens[0].at[0] == '\n')
        return bad_arguments("processPub Parse Error", op->arg, error, error_size);
    op->subject = tokens[0];
    if (n == 3) op->reply = tokens[1];
    op->size_text = tokens[n - 1];
    if (!parse_size(op->size_text, &op->total_size))
        return bad_arguments("processPub Bad or Missing Size", op->arg, error, error_size);
    return CLIENT_PARSED;
}

static enum client_parse parse_hpub(struct client_op *op, char *error, size_t error_size) {
    struct slice tokens[4];
    unsigned n = split(op->arg, false, tokens, 4);
    if (n < 3 || n > 4 || tokens[0].at[0] == '\n')
        return bad_arguments("processHeaderPub Parse Error", op->arg, error, error_size);
    op->subject = tokens[0];
    if (n == 4) op->reply = tokens[1];
    op->header_size_text = tokens[n - 2];
    op->size_text = tokens[n - 1];
    if (!parse_size(op->header_size_text, &op->header_size))
        return bad_arguments("processHeaderPub Bad or Missing Header Size", op->arg, error,
                             error_size);
    if (!parse_size(op->size_text, &op->total_size))
        return bad_arguments("processHeaderPub Bad or Missing Total Size", op->arg, error,
                             error_size);
    if (op->header_size > op->total_size)
        return bad_arguments("processHeaderPub Header Size larger then TotalSize", op->arg, error,
                             error_size);
    return CLIENT_PARSED;
}

static enum client_parse parse_sub(struct client_op *op, char *error, size_t error_size) {
    struct slice tokens[3];
    unsigned n = split(op->arg, true, tokens, 3);
    if (n < 2 || n > 3) return bad_arguments("processSub Parse Error", op->arg, error, error_size);
    op->subject = tokens[0];
    if (n == 3) op->queue = tokens[1];
    op->sid = tokens[n - 1];
    return CLIENT_PARSED;
}

static enum client_parse parse_unsub(struct client_op *op, char *error, size_t error_size) {
    struct slice tokens[2];
    unsigned n = split(op->arg, true, tokens, 2);
    if (n < 1 || n > 2)
        return bad_arguments("processUnsub Parse Error", op->arg, error, error_size);
    uint32_t max = 0;
    op->sid = tokens[0];
    op->has_max = n == 2;
    op->max = n == 2 && parse_size(tokens[1], &max) ? max : 0;
    return CLIENT_PARSED;
}

static enum client_parse parse_arguments(struct client_op *op, char *error, size_t error_size) {
    switch (op->verb) {
    case CLIENT_PUB:
        return parse_pub(op, error, error_size);
    case CLIENT_HPUB:
        return parse_hpub(op, error, error_size);
    case CLIENT_SUB:
        return parse_sub(op, error, error_size);
    case CLIENT_UNSUB:
        return parse_unsub(op, error, error_size);
    default:
        return CLIENT_PARSED;
    }
}

/* Finds the LF that ends the line, at `from` or behind. Its offset, or `size`. */
static size_t find_line_end(const char *at, size_t size, size_t from, size_t *scanned) {
    if (*scanned > from) from = *scanned;
    const char *end = from < size ? memchr(at + from, '\n', size - from) : NULL;
    *scanned = size;
    return end ? (size_t)(end - at) : size;
}

/* The verb has been read: finds its argument and the end of its line. */
static enum client_parse parse_rest(const struct verb *verb, const char *at, size_t size,
                                    uint32_t limit, size_t *scanned, struct client_op *op,
                                    char *error, size_t error_size) {
    size_t start = verb->size, taken = 0;
    if (verb->then != TEXT_IGNORED) {
        while (start < size && is_blank(at[start])) start++;
        if (start - verb->size > CLIENT_IGNORED_MAX) return too_long(error, error_size);
        if (start == size) {
            *scanned = size;
            return CLIENT_PARTIAL;
        }
        taken = 1; /* the first byte belongs to the argument, even if it is CR or LF */
    }
    size_t end = find_line_end(at, size, start + taken, scanned), arg_end = end;
    if (arg_end > start + taken && at[arg_end - 1] == '\r') arg_end--;
    if (arg_end - start > (taken ? limit : CLIENT_IGNORED_MAX)) return too_long(error, error_size);
    if (end == size) return CLIENT_PARTIAL;
    op->verb = (enum client_verb)verb->verb;
    op->arg = slice_of(at + start, arg_end - start);
    op->line_size = end + 1;
    return parse_arguments(op, error, error_size);
}

enum client_parse client_parse_line_slowly(const char *at, size_t size, uint32_t limit,
                                           size_t *scanned, struct client_op *op, char *error,
                                           size_t error_size) {
    *op = (struct client_op){0};
    const struct verb *best = &verbs[0];
    size_t matched = 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && matched < best->size; i++) {
        size_t n = match_verb(&verbs[i], at, size);
        if (n <= matched) continue;
        matched = n;
        best = &verbs[i];
    }
    bool whole = matched == best->size;
    bool wrong = whole ? best->then == BLANK_NEEDED && matched < size && !is_blank(at[matched])
                       : matched < size;
    if (wrong) {
        describe_unknown(state_after(best, matched), matched, at, size, error, error_size);
        return CLIENT_UNKNOWN_OPERATION;
    }
    if (matched == size) {
        *scanned = size;
        return CLIENT_PARTIAL;
    }
    return parse_rest(best, at, size, limit, scanned, op, error, error_size);
}

/*
 * The fast path: PUB and HPUB in upper case with single blanks between their arguments and CR LF
 * behind them, within SCAN_BYTES: what every client library sends. False: nothing is said about the
 * line, the slow path has to look. `window` shows SCAN_BYTES of what follows the verb's blank at
 * `begin`; behind the bytes at hand it is zero.
 */
static inline bool parse_fast(const char *begin, const char *window, bool headers, uint32_t limit,
                              struct client_op *op) {
    struct scan s = scan_64(window);
    if (!s.lf) return false;
    unsigned line_end = (unsigned)__builtin_ctzll(s.lf);
    uint64_t line = (1ull << line_end) - 1, blanks = s.space & line;
    if (line_end < 4 || window[line_end - 1] != '\r' || line_end - 1 > limit) return false;
    /* Not at the start, not side by side. One at the end leaves no digits. */
    if (!blanks || (blanks & 1) || (blanks & blanks << 1) || (s.tab & line)) return false;
    /* Where the arguments end: those of the sizes come last, a reply stands between. */
    unsigned ends[5], n = 0, sizes = headers ? 2 : 1;
    for (; blanks && n < sizes + 2; blanks &= blanks - 1)
        ends[n++] = (unsigned)__builtin_ctzll(blanks);
    ends[n++] = line_end - 1;
    if (n < sizes + 1 || n > sizes + 2) return false;
    op->subject = slice_of(begin, ends[0]);
    op->reply = slice_of(begin + ends[0] + 1, n == sizes + 2 ? ends[1] - ends[0] - 1 : 0);
    op->size_text = slice_of(begin + ends[n - 2] + 1, ends[n - 1] - ends[n - 2] - 1);
    if (!parse_size(op->size_text, &op->total_size)) return false;
    op->header_size = 0;
    op->header_size_text = slice_of(begin, 0);
    if (headers) {
        op->header_size_text = slice_of(begin + ends[n - 3] + 1, ends[n - 2] - ends[n - 3] - 1);
        if (!parse_size(op->header_size_text, &op->header_size)) return false;
        if (op->header_size > op->total_size) return false;
    }
    op->verb = headers ? CLIENT_HPUB : CLIENT_PUB;
    op->arg = slice_of(begin, line_end - 1);
    op->line_size = (headers ? 5 : 4) + line_end + 1;
    return true;
}

static inline bool is_word(const char *at, const char *word) {
    uint32_t a, b;
    memcpy(&a, at, 4);
    memcpy(&b, word, 4);
    return a == b;
}

/* The same near the end of the bytes, where whole windows cannot be read. */
static bool parse_fast_at_end(const char *at, size_t size, size_t verb_size, uint32_t limit,
                              struct client_op *op) {
    char window[SCAN_BYTES] = {0};
    size_t shown = size - verb_size;
    memcpy(window, at + verb_size, shown < SCAN_BYTES ? shown : SCAN_BYTES);
    return parse_fast(at + verb_size, window, verb_size == 5, limit, op);
}

enum client_parse client_parse_line(const char *at, size_t size, uint32_t limit, size_t *scanned,
                                    struct client_op *op, char *error, size_t error_size) {
    if (size >= 5 + SCAN_BYTES) {
        if (is_word(at, "PUB ")) {
            if (parse_fast(at + 4, at + 4, false, limit, op)) return CLIENT_PARSED;
        } else if (is_word(at, "HPUB") && at[4] == ' ') {
            if (parse_fast(at + 5, at + 5, true, limit, op)) return CLIENT_PARSED;
        }
    } else if (*scanned == 0 && size > 5) {
        size_t verb_size = is_word(at, "PUB ") ? 4 : is_word(at, "HPUB") && at[4] == ' ' ? 5 : 0;
        if (verb_size && parse_fast_at_end(at, size, verb_size, limit, op)) return CLIENT_PARSED;
    }
    return client_parse_line_slowly(at, size, limit, scanned, op, error, error_size);
}

void client_parse_lost(struct slice bytes, char *error, size_t error_size) {
    bool cr = bytes.size > 1 && bytes.at[0] == '\r';
    describe_unknown(cr ? STATE_PAYLOAD_LF : STATE_PAYLOAD_CR, cr ? 1 : 0, bytes.at, bytes.size,
                     error, error_size);
}
