#include "wire/client_protocol.h"
#include "wire/go_quote.h"
#include "wire/scan.h"
#include <stdio.h>

enum { ARGUMENTS_MAX = 4, SIZE_DIGITS_MAX = 9, SHOWN_BYTES = 32 };

struct arguments {
    struct slice at[ARGUMENTS_MAX + 1];
    int count;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* -1: no digits, another character, or more than nine digits. */
static int64_t parse_size(struct slice s) {
    if (s.size == 0 || s.size > SIZE_DIGITS_MAX) return -1;
    int64_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        unsigned digit = (unsigned char)s.at[i] - (unsigned)'0';
        if (digit > 9) return -1;
        n = n * 10 + digit;
    }
    return n;
}

/* Splits at blanks; one argument more than any verb takes is kept, so that it is noticed. */
static void split(struct slice arg, bool at_cr, struct arguments *a) {
    a->count = 0;
    size_t i = 0;
    while (i < arg.size) {
        while (i < arg.size && (is_blank(arg.at[i]) || (at_cr && arg.at[i] == '\r'))) i++;
        size_t start = i;
        while (i < arg.size && !is_blank(arg.at[i]) && !(at_cr && arg.at[i] == '\r')) i++;
        if (i == start) break;
        if (a->count <= ARGUMENTS_MAX) a->at[a->count] = slice_of(arg.at + start, i - start);
        a->count++;
    }
}

/* Writes `what` and the quoted text: bytes of a client never reach a log as they are. */
static void describe(char *error, size_t size, const char *what, struct slice text) {
    int n = snprintf(error, size, "%s", what);
    if (n >= 0 && (size_t)n < size) go_quote(text, error + n, size - (size_t)n);
}

static enum client_parse bad(char *error, size_t size, const char *what, struct slice arg) {
    describe(error, size, what, arg);
    return CLIENT_BAD_ARGUMENTS;
}

static enum client_parse parse_pub(struct client_op *op, char *error, size_t error_size) {
    struct arguments a;
    split(op->arg, false, &a);
    if (a.count < 2 || a.count > 3)
        return bad(error, error_size, "processPub Parse Error: ", op->arg);
    op->subject = a.at[0];
    if (a.count == 3) op->reply = a.at[1];
    op->size_text = a.at[a.count - 1];
    int64_t size = parse_size(op->size_text);
    if (size < 0) return bad(error, error_size, "processPub Bad or Missing Size: ", op->arg);
    op->total_size = (uint32_t)size;
    return CLIENT_PARSED;
}

static enum client_parse parse_hpub(struct client_op *op, char *error, size_t error_size) {
    struct arguments a;
    split(op->arg, false, &a);
    if (a.count < 3 || a.count > 4)
        return bad(error, error_size, "processHeaderPub Parse Error: ", op->arg);
    op->subject = a.at[0];
    if (a.count == 4) op->reply = a.at[1];
    op->header_size_text = a.at[a.count - 2];
    op->size_text = a.at[a.count - 1];
    int64_t header = parse_size(op->header_size_text), total = parse_size(op->size_text);
    if (header < 0)
        return bad(error, error_size, "processHeaderPub Bad or Missing Header Size: ", op->arg);
    if (total < 0)
        return bad(error, error_size, "processHeaderPub Bad or Missing Total Size: ", op->arg);
    if (header > total)
        return bad(error, error_size,
                   "processHeaderPub Header Size larger then TotalSize: ", op->arg);
    op->header_size = (uint32_t)header;
    op->total_size = (uint32_t)total;
    return CLIENT_PARSED;
}

static enum client_parse parse_sub(struct client_op *op, char *error, size_t error_size) {
    struct arguments a;
    split(op->arg, true, &a);
    if (a.count < 2 || a.count > 3)
        return bad(error, error_size, "processSub Parse Error: ", op->arg);
    op->subject = a.at[0];
    if (a.count == 3) op->queue = a.at[1];
    op->sid = a.at[a.count - 1];
    return CLIENT_PARSED;
}

static enum client_parse parse_unsub(struct client_op *op, char *error, size_t error_size) {
    struct arguments a;
    split(op->arg, true, &a);
    if (a.count < 1 || a.count > 2)
        return bad(error, error_size, "processUnsub Parse Error: ", op->arg);
    op->sid = a.at[0];
    if (a.count == 2) {
        int64_t max = parse_size(a.at[1]);
        op->has_max = true;
        op->max = max < 0 ? 0 : (uint64_t)max;
    }
    return CLIENT_PARSED;
}

/* --- verbs
 * --------------------------------------------------------------------------------------------------------
 */

enum separator { BLANK_NEEDED, BLANK_ALLOWED, REST_IGNORED };

static const struct verb {
    const char *name;
    enum client_verb verb;
    enum separator separator;
} verbs[] = {
    {"CONNECT", CLIENT_CONNECT, BLANK_ALLOWED}, {"PUB", CLIENT_PUB, BLANK_NEEDED},
    {"HPUB", CLIENT_HPUB, BLANK_NEEDED},        {"SUB", CLIENT_SUB, BLANK_NEEDED},
    {"UNSUB", CLIENT_UNSUB, BLANK_NEEDED},      {"PING", CLIENT_PING, REST_IGNORED},
    {"PONG", CLIENT_PONG, REST_IGNORED},        {"INFO", CLIENT_INFO, BLANK_ALLOWED},
    {"+OK", CLIENT_OK, REST_IGNORED},           {"-ERR", CLIENT_ERR, BLANK_NEEDED},
};

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static const struct verb *find_verb(const char *at, size_t size, bool *possible) {
    *possible = false;
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
        const char *name = verbs[v].name;
        size_t i = 0;
        while (name[i] && i < size && upper(at[i]) == name[i]) i++;
        if (!name[i]) return &verbs[v];
        if (i == size) *possible = true;
    }
    return NULL;
}

void client_parse_lost(struct slice bytes, char *error, size_t error_size) {
    char shown[SHOWN_BYTES * 4 + 3];
    if (bytes.size > SHOWN_BYTES) bytes.size = SHOWN_BYTES;
    go_quote(bytes, shown, sizeof shown);
    snprintf(error, error_size, "Client parser ERROR, proto='%s...'", shown);
}

static enum client_parse unknown(const char *at, size_t size, char *error, size_t error_size) {
    client_parse_lost(slice_of(at, size), error, error_size);
    return CLIENT_UNKNOWN_OPERATION;
}

static enum client_parse too_long(char *error, size_t error_size, uint32_t limit) {
    snprintf(error, error_size, "maximum control line exceeded: limit %u", limit);
    return CLIENT_LINE_TOO_LONG;
}

static enum client_parse parse_slowly(const char *at, size_t size, uint32_t limit, size_t *scanned,
                                      struct client_op *op, char *error, size_t error_size) {
    bool possible;
    const struct verb *v = find_verb(at, size, &possible);
    if (!v) return possible ? CLIENT_PARTIAL : unknown(at, size, error, error_size);
    size_t begin = strlen(v->name);
    if (begin == size) return CLIENT_PARTIAL;
    if (v->separator == BLANK_NEEDED && !is_blank(at[begin]))
        return unknown(at, size, error, error_size);
    if (*scanned < begin) *scanned = begin;
    const char *lf = memchr(at + *scanned, '\n', size - *scanned);
    while (v->separator != REST_IGNORED && begin < size && is_blank(at[begin])) begin++;
    if (!lf) {
        *scanned = size;
        if (v->separator != REST_IGNORED && size - begin > limit)
            return too_long(error, error_size, limit);
        return CLIENT_PARTIAL;
    }
    size_t end = (size_t)(lf - at);
    op->verb = v->verb;
    op->line_size = end + 1;
    if (end > begin && at[end - 1] == '\r') end--;
    if (end < begin) end = begin;
    op->arg = slice_of(at + begin, end - begin);
    if (v->separator != REST_IGNORED && op->arg.size > limit)
        return too_long(error, error_size, limit);
    switch (v->verb) {
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

/* Up to nine digits and nothing else; false: look slowly. */
static inline bool digits_of(const char *at, size_t size, uint32_t *out) {
    uint32_t n = 0;
    if (size - 1 > SIZE_DIGITS_MAX - 1) return false;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned char)at[i] - (unsigned)'0';
        if (digit > 9) return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

/*
 * `PUB subject [reply] size CR LF` with single blanks, in upper case and within 64 bytes: what
 * every client library sends. False: look slowly; then nothing is said about the line.
 */
static inline bool parse_pub_fast(const char *at, uint32_t limit, struct client_op *op) {
    const char *begin = at + 4;
    struct scan s = scan_64(begin);
    if (!s.lf) return false;
    unsigned end = (unsigned)__builtin_ctzll(s.lf);
    uint64_t line = (1ull << end) - 1, blanks = s.space & line;
    if (end < 4 || begin[end - 1] != '\r' || end - 1 > limit) return false;
    /* One or two blanks, not at the start, not side by side. */
    if (!blanks || (blanks & 1) || (blanks & blanks << 1) || (s.tab & line)) return false;
    unsigned first = (unsigned)__builtin_ctzll(blanks);
    uint64_t rest = blanks & (blanks - 1);
    unsigned last = rest ? (unsigned)__builtin_ctzll(rest) : first;
    if (rest & (rest - 1)) return false;
    size_t digits = end - 1 - (last + 1);
    if (!digits_of(begin + last + 1, digits, &op->total_size)) return false;
    op->verb = CLIENT_PUB;
    op->arg = slice_of(begin, end - 1);
    op->subject = slice_of(begin, first);
    op->reply = rest ? slice_of(begin + first + 1, last - first - 1) : slice_of(begin, 0);
    op->size_text = slice_of(begin + last + 1, digits);
    op->header_size = 0;
    op->line_size = 4 + end + 1;
    return true;
}

static bool is_pub(const char *at) {
    uint32_t word, pub;
    memcpy(&word, at, 4);
    memcpy(&pub, "PUB ", 4);
    return word == pub;
}

enum client_parse client_parse_line(const char *at, size_t size, uint32_t limit, size_t *scanned,
                                    struct client_op *op, char *error, size_t error_size) {
    if (size >= 4 + SCAN_BYTES && is_pub(at) && parse_pub_fast(at, limit, op)) return CLIENT_PARSED;
    *op = (struct client_op){0};
    return parse_slowly(at, size, limit, scanned, op, error, error_size);
}
