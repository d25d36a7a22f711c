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

/* Slices point into the parsed bytes. */
struct client_op {
    enum client_verb verb;
    struct slice arg; /* the text behind the verb, as traced */
    struct slice subject, reply, queue, sid;
    struct slice size_text;        /* digits of the total size as sent */
    struct slice header_size_text; /* of HPUB */
    uint32_t header_size, total_size;
    uint64_t max; /* of UNSUB */
    bool has_max;
    size_t line_size; /* bytes of the line, LF included: a payload begins there */
};

/*
 * Parses the control line at `at`. `*scanned` is 0 for a new operation and belongs to the parser
 * until it was PARSED. Errors are found as early as reading byte by byte would find them; `error`
 * then holds the words for the server's log.
 */
enum client_parse client_parse_line(const char *at, size_t size, uint32_t max_control_line,
                                    size_t *scanned, struct client_op *op, char *error,
                                    size_t error_size);

/* The words for the log when `bytes` are nothing that the parser knows. */
void client_parse_lost(struct slice bytes, char *error, size_t error_size);

/* Whether CR LF stands here, as it must behind a payload. */
static inline bool client_payload_ended(const char *after_payload) {
    return after_payload[0] == '\r' && after_payload[1] == '\n';
}
