#include "wire/http_request.h"
#include <assert.h>
#include <stdio.h>
#include <strings.h>

/* Callbacks stop the parser by returning STOP; what was wrong is in `status`. (1 means something
 * else to it.) */
enum { GO_ON = 0, STOP = -1 };

static struct http_request *request_of(http_parser *p) {
    return p->data;
}

static int refuse(struct http_request *r, unsigned status, const char *reason) {
    if (r->status == 0) {
        r->status = status;
        r->reason = reason;
    }
    return STOP;
}

/* Appends to the text, which has room for as many bytes as the parser is given before the head is
 * done. */
static char *keep(struct http_request *r, const char *at, size_t size) {
    assert(size <= sizeof r->text - r->text_size);
    char *to = r->text + r->text_size;
    memcpy(to, at, size);
    r->text_size += size;
    return to;
}

static int on_url(http_parser *p, const char *at, size_t size) {
    struct http_request *r = request_of(p);
    keep(r, at, size);
    r->target_size += size;
    return GO_ON;
}

static int on_field(http_parser *p, const char *at, size_t size) {
    struct http_request *r = request_of(p);
    if (r->head_done) return GO_ON; /* a trailer of a chunked body */
    if (r->in_value || r->field_count == 0) {
        /* Refused at the end of the head: what is wrong behind must not depend on where reads end.
         */
        r->too_many = r->too_many || r->field_count == HTTP_FIELDS;
        if (r->too_many) return GO_ON;
        r->fields[r->field_count++] = (struct http_field){{r->text + r->text_size, 0}, {"", 0}};
        r->in_value = false;
    }
    keep(r, at, size);
    r->fields[r->field_count - 1].name.size += size;
    return GO_ON;
}

static int on_value(http_parser *p, const char *at, size_t size) {
    struct http_request *r = request_of(p);
    if (r->head_done || r->too_many) return GO_ON;
    struct slice *value = &r->fields[r->field_count - 1].value;
    if (!r->in_value) *value = slice_of(r->text + r->text_size, 0);
    r->in_value = true;
    keep(r, at, size);
    value->size += size;
    return GO_ON;
}

static bool is_name(struct slice name, const char *text) {
    return name.size == strlen(text) && strncasecmp(name.at, text, name.size) == 0;
}

/* Splits the target; false if it is none. */
static bool take_target(struct http_request *r) {
    struct slice target = slice_of(r->text, r->target_size);
    struct http_parser_url url;
    http_parser_url_init(&url);
    if (r->parser.method == HTTP_CONNECT) return true;
    if (http_parser_parse_url(target.at, target.size, 0, &url) != 0) return false;
    if (url.field_set & 1 << UF_PATH)
        r->path = slice_of(target.at + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    if (url.field_set & 1 << UF_QUERY)
        r->query = slice_of(target.at + url.field_data[UF_QUERY].off, url.field_data[UF_QUERY].len);
    return true;
}

/* Cuts blanks at the end of the value, and looks for what the parser lets pass but Go does not. */
static int check_field(struct http_request *r, struct http_field *f) {
    while (f->value.size && strchr(" \t", f->value.at[f->value.size - 1])) f->value.size--;
    if (memchr(f->name.at, ' ', f->name.size)) return refuse(r, 400, "invalid header name");
    for (size_t i = 0; i < f->value.size; i++) {
        unsigned char c = (unsigned char)f->value.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return refuse(r, 400, NULL);
    }
    return GO_ON;
}

static int on_head(http_parser *p) {
    struct http_request *r = request_of(p);
    r->head_done = true;
    if (p->http_major != 1)
        return p->http_major == 0 ? refuse(r, 400, NULL)
                                  : refuse(r, 505, "unsupported protocol version");
    if (r->too_many) return refuse(r, 431, NULL);
    r->minor = p->http_minor;
    r->method = slice_text(http_method_str((enum http_method)p->method));
    if (!take_target(r)) return refuse(r, 400, NULL);
    size_t hosts = 0;
    bool expects = false;
    for (size_t i = 0; i < r->field_count; i++) {
        if (check_field(r, &r->fields[i]) != GO_ON) return STOP;
        struct slice name = r->fields[i].name;
        hosts += is_name(name, "host");
        expects |= is_name(name, "expect");
        if (is_name(name, "transfer-encoding") && !(p->flags & F_CHUNKED))
            return refuse(r, 501, NULL);
    }
    if (hosts > 1) return refuse(r, 400, NULL);
    if (hosts == 0 && r->minor >= 1) return refuse(r, 400, "missing required Host header");
    r->upgrade = p->upgrade;
    bool has_body = p->flags & F_CHUNKED || (p->flags & F_CONTENTLENGTH && p->content_length > 0);
    r->keep_alive = http_should_keep_alive(p) && !r->upgrade;
    /* A body that is yet to be asked for is not asked for, and one that is too long is not waited
     * for: both answer now and close. */
    if (has_body &&
        (expects || (p->flags & F_CONTENTLENGTH && p->content_length > HTTP_BODY_BYTES))) {
        r->keep_alive = false;
        r->done = true;
        http_parser_pause(p, 1);
    }
    return GO_ON;
}

static int on_body(http_parser *p, const char *at, size_t size) {
    (void)at;
    struct http_request *r = request_of(p);
    r->body_bytes += size;
    return r->body_bytes > HTTP_BODY_BYTES ? refuse(r, 413, NULL) : GO_ON;
}

static int on_whole(http_parser *p) {
    request_of(p)->done = true;
    http_parser_pause(p, 1);
    return GO_ON;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

void http_request_init(struct http_request *r) {
    http_request_next(r);
}

void http_request_next(struct http_request *r) {
    http_parser_init(&r->parser, HTTP_REQUEST);
    r->parser.data = r;
    r->method = r->path = r->query = slice_of("", 0);
    r->minor = 0;
    r->keep_alive = r->upgrade = false;
    r->status = 0;
    r->reason = NULL;
    r->body_bytes = 0;
    r->head_bytes = r->field_count = r->target_size = r->text_size = 0;
    r->head_done = r->done = r->in_value = r->too_many = false;
}

/* How much the parser may see next: of a head no more than its bound leaves. */
static size_t portion(const struct http_request *r, size_t left) {
    size_t room = HTTP_HEAD_BYTES - r->head_bytes;
    return r->head_done || left < room ? left : room;
}

enum http_progress http_request_feed(struct http_request *r, struct slice bytes, size_t *taken) {
    assert(!r->done);
    *taken = 0;
    while (*taken < bytes.size && r->status == 0) {
        size_t size = portion(r, bytes.size - *taken);
        if (size == 0) {
            refuse(r, 431, NULL);
            break;
        }
        bool in_head = !r->head_done;
        if (r->head_bytes == 0 && (bytes.at[*taken] == '\r' || bytes.at[*taken] == '\n')) {
            refuse(r, 400, NULL);
            break;
        }
        size_t used = http_parser_execute(&r->parser, &settings, bytes.at + *taken, size);
        *taken += used;
        if (in_head) r->head_bytes += used;
        if (r->done && r->status == 0) return HTTP_WHOLE;
        enum http_errno error = HTTP_PARSER_ERRNO(&r->parser);
        if (error == HPE_HEADER_OVERFLOW) refuse(r, 431, NULL);
        if (error != HPE_OK) refuse(r, 400, NULL);
    }
    return r->status ? HTTP_BAD : HTTP_MORE;
}

struct slice http_request_header(const struct http_request *r, const char *name) {
    for (size_t i = 0; i < r->field_count; i++)
        if (is_name(r->fields[i].name, name)) return r->fields[i].value;
    return slice_of(NULL, 0);
}

const char *http_status_text(unsigned status) {
    static const struct {
        unsigned status;
        const char *text;
    } rows[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Request Entity Too Large"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status) return rows[i].text;
    return "Unknown";
}

size_t http_request_refusal(const struct http_request *r, char *out, size_t size) {
    char line[128], body[128];
    const char *text = http_status_text(r->status), *more = r->reason;
    snprintf(line, sizeof line, "%u %s%s%s", r->status, text, more ? ": " : "", more ? more : "");
    snprintf(body, sizeof body, "%s", r->status == 501 ? "Unsupported transfer encoding" : line);
    int n = snprintf(out, size,
                     "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Connection: close\r\n\r\n%s",
                     line, body);
    return n > 0 ? (size_t)n : 0;
}
