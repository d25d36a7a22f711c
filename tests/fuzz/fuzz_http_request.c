/*
 * Requests in parts: the first byte of the input is the size of a part. However the input is cut,
 * the same requests must come out, so each input is read twice, whole and in parts, and what was
 * seen is compared.
 */
#include "wire/http_request.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was seen, as a sum. */
struct seen {
    uint64_t sum;
    enum http_progress last;
};

static void add(struct seen *s, struct slice text) {
    for (size_t i = 0; i < text.size; i++) s->sum = s->sum * 31 + (unsigned char)text.at[i];
    s->sum = s->sum * 31 + text.size;
}

static void add_request(struct seen *s, const struct http_request *r) {
    add(s, r->method);
    add(s, r->path);
    add(s, r->query);
    for (size_t i = 0; i < r->field_count; i++) {
        add(s, r->fields[i].name);
        add(s, r->fields[i].value);
    }
    s->sum = s->sum * 31 + r->minor + (r->keep_alive ? 4u : 0u) + (r->upgrade ? 8u : 0u);
}

static struct seen read_all(struct http_request *r, const char *at, size_t size, size_t step) {
    struct seen s = {0, HTTP_MORE};
    http_request_init(r);
    for (size_t i = 0; i < size;) {
        size_t n = size - i < step ? size - i : step, taken;
        char *part = malloc(n);
        memcpy(part, at + i, n);
        s.last = http_request_feed(r, slice_of(part, n), &taken);
        free(part);
        assert(taken <= n && r->text_size <= HTTP_HEAD_BYTES && r->field_count <= HTTP_FIELDS);
        if (s.last == HTTP_BAD) {
            char answer[HTTP_REFUSAL_BYTES];
            assert(http_request_refusal(r, answer, sizeof answer) < sizeof answer);
            s.sum = s.sum * 31 + r->status;
            break;
        }
        i += taken;
        if (s.last == HTTP_MORE) continue;
        add_request(&s, r);
        if (!r->keep_alive) break;
        http_request_next(r);
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct http_request *r = malloc(sizeof *r);
    size_t step = data[0] ? data[0] : 1;
    struct seen whole = read_all(r, (const char *)data + 1, size - 1, SIZE_MAX);
    struct seen parts = read_all(r, (const char *)data + 1, size - 1, step);
    assert(whole.sum == parts.sum && whole.last == parts.last);
    free(r);
    return 0;
}
