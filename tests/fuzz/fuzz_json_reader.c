/*
 * Any text as JSON: what passes the check is read to its end, every string unescaped, every number
 * tried, within the text.
 */
#include "wire/json_reader.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_string(struct slice text) {
    char *out = malloc(text.size * JSON_UNESCAPED + 1);
    size_t size = json_unescape(text, out);
    assert(size <= text.size * JSON_UNESCAPED);
    if (json_is_plain(text)) assert(size == text.size && memcmp(out, text.at, size) == 0);
    int64_t at;
    json_time(text, &at);
    free(out);
}

static void use_number(struct slice text) {
    int64_t i;
    uint64_t u;
    double d;
    if (json_number_int(text, &i) && i >= 0 && text.at[0] != '-')
        assert(json_number_uint(text, &u) && u == (uint64_t)i);
    json_number_double(text, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size ? size : 1), error[JSON_ERROR_BYTES];
    memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    if (json_check(text, error) == 0) {
        struct json_reader r = json_reader_of(text);
        size_t depth = 0;
        for (enum json_token t; (t = json_next(&r)) != JSON_END;) {
            assert(r.at > copy && r.at <= copy + size);
            if (t == JSON_OPEN_OBJECT || t == JSON_OPEN_ARRAY) depth++;
            if (t == JSON_CLOSE_OBJECT || t == JSON_CLOSE_ARRAY) depth--;
            if (t == JSON_KEY || t == JSON_STRING) use_string(r.text);
            if (t == JSON_NUMBER) use_number(r.text);
        }
        assert(depth == 0);
        r = json_reader_of(text);
        json_skip(&r, json_next(&r));
        assert(json_next(&r) == JSON_END);
    }
    free(copy);
    return 0;
}
