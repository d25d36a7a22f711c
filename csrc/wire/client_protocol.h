/*
 * The client protocol: one control line out of contiguous bytes. Pure. The connection always shows
 * unparsed bytes in one piece (a message cut at the end of a read is carried over), so an operation
 * is parsed from its start each time and there is no state but how far the end of the line was
 * looked for.
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

enum client_verb {
    CLIENT_CONNECT,
    CLIENT_PUB,
    CLIENT_HPUB,
    CLIENT_SUB,
    CLIENT_UNSUB,
    CLIENT_PING,
    CLIENT_PONG,
    CLIENT_INFO,
    CLIENT_OK,
    CLIENT_ERR
};

enum client_parse {
    CLIENT_PARSED,
    CLIENT_PARTIAL,           /* more bytes are needed */
    CLIENT_UNKNOWN_OPERATION, /* -ERR and close */
    CLIENT_LINE_TOO_LONG,     /* -ERR and close */
    CLIENT_BAD_ARGUMENTS      /* close without -ERR */
};

/* Slices point into the parsed bytes. Fields of other verbs than the one parsed are undefined. */
struct client_op {
    enum client_verb verb;
    struct slice arg; /* the text behind the verb, as traced; also of CLIENT_BAD_ARGUMENTS */
    struct slice subject, reply, queue, sid; /* reply and queue are empty if not sent */
    struct slice size_text;                  /* digits of the total size as sent */
    struct slice header_size_text;           /* of HPUB */
    uint32_t header_size, total_size;        /* header_size <= total_size < 10^9; of PUB 0 */
    uint64_t max; /* of UNSUB: 0 if it was sent but is no number of 1 to 9 digits */
    bool has_max;
    size_t line_size; /* bytes of the line, LF included: a payload begins there */
};

/* Blanks between a verb and its argument, or text behind PING, PONG and +OK: more is a line too
 * long. The original, which keeps nothing of them, has no limit. */
enum { CLIENT_IGNORED_MAX = 16 * 1024 };

/*
 * Parses the control line at `at`. `*scanned` is 0 for a new operation and belongs to the parser
 * until it was PARSED. Errors are found as early as reading byte by byte would find them; `error`
 * then holds the words for the server's log (NULL: not wanted).
 *
 * `max_control_line` limits the argument without its line end. What is PARTIAL is never longer than
 * client_line_max().
 */
enum client_parse client_parse_line(const char *at, size_t size, uint32_t max_control_line,
                                    size_t *scanned, struct client_op *op, char *error,
                                    size_t error_size);

/* The same without the fast path for the usual PUB and HPUB, which tests compare with it. */
enum client_parse client_parse_line_slowly(const char *at, size_t size, uint32_t max_control_line,
                                           size_t *scanned, struct client_op *op, char *error,
                                           size_t error_size);

/* Bytes that a connection may have to keep of a line that is not complete. */
static inline size_t client_line_max(uint32_t max_control_line) {
    return sizeof "CONNECT" + CLIENT_IGNORED_MAX + (size_t)max_control_line + 1;
}

/* The words for the log when `bytes`, at least one, are not the CR LF that must stand behind a
 * payload. */
void client_parse_lost(struct slice bytes, char *error, size_t error_size);

/* Whether CR LF stands here, as it must behind a payload. */
static inline bool client_payload_ended(const char *after_payload) {
    return after_payload[0] == '\r' && after_payload[1] == '\n';
}
