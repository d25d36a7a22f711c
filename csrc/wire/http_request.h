/*
 * HTTP/1.0 and 1.1 requests out of bytes, for the monitoring port and for WebSocket's upgrade.
 * Pure: bytes in, one request after the other out, or the status with which to refuse. The grammar
 * is libhttp-parser's.
 *
 * A request owns everything it shows; slices point into it and hold until http_request_next().
 * Bounds: HTTP_HEAD_BYTES for the request line and the headers together, HTTP_FIELDS headers; a
 * body is read past and dropped, up to HTTP_BODY_BYTES. A struct http_request is large and has no
 * pointers: the caller allocates it for as long as a connection reads. One thread.
 */
#pragma once
#include "base/slice.h"
#include <http_parser.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_HEAD_BYTES = 16384, HTTP_FIELDS = 100, HTTP_BODY_BYTES = 256 * 1024 };

enum http_progress {
    HTTP_MORE,  /* everything was taken, more is needed */
    HTTP_WHOLE, /* a request stands in the struct; what was not taken belongs to the next */
    HTTP_BAD,   /* answer with `status` and close */
};

struct http_field {
    struct slice name, value; /* as sent, without blanks around */
};

struct http_request {
    /* Valid after HTTP_WHOLE */
    struct slice method;
    struct slice
        path; /* percent-encoded, of an absolute URL too; "*" of OPTIONS; empty for CONNECT */
    struct slice query; /* without '?' */
    unsigned minor;     /* HTTP/1.minor */
    bool keep_alive;    /* the connection can serve another request */
    bool upgrade;       /* asks for another protocol; what follows the head is not HTTP */

    /* Valid after HTTP_BAD */
    unsigned status;
    const char *reason; /* what the answer says behind the status' own text, or NULL */

    /* Inside */
    http_parser parser;
    uint64_t body_bytes;
    size_t head_bytes;
    bool head_done, done, in_value, too_many;
    size_t field_count;
    struct http_field fields[HTTP_FIELDS];
    size_t target_size;
    size_t text_size;
    char text[HTTP_HEAD_BYTES]; /* the target, then the fields' names and values */
};

/* Makes it ready for a connection's first request, and for the next one after HTTP_WHOLE. */
void http_request_init(struct http_request *r);
void http_request_next(struct http_request *r);

/* Reads on. `*taken` says how many of the bytes were used, all of them unless the request is whole.
 */
enum http_progress http_request_feed(struct http_request *r, struct slice bytes, size_t *taken);

/* The value of the first header with that name in any case, or a NULL slice. */
struct slice http_request_header(const struct http_request *r, const char *name);

/* The standard text of a status that this server uses, as Go names it. */
const char *http_status_text(unsigned status);

/* The whole answer to a request that is bad: what net/http of Go sends, after which it closes.
 * Written to `out` like snprintf; returns its size. HTTP_REFUSAL_BYTES are always enough. */
enum { HTTP_REFUSAL_BYTES = 512 };
size_t http_request_refusal(const struct http_request *r, char *out, size_t size);
