/*
 * What the log may show of CONNECT. The text may be anything, so this is no matter of JSON: after a
 * key that names a secret and a `:` or `=`, everything up to a quote, a comma, a closing brace or
 * the end of the line is replaced. Which keys, and where they end, is as in Go's two expressions:
 *
 *      "?\s*(?:auth_token\S*?|pass\S*?)"?\s*[:=]\s*"?([^",\r\n}]*)
 *      (?:^|[^A-Za-z0-9_])"?\s*(?:proxy_sig|nkey|sig)"?\s*[:=]\s*"?([^",\r\n}]*)
 *
 * the second one applied to what the first one left. Each takes time in proportion to the text.
 */
#include "base/memory.h"
#include "wire/connect.h"
#include <stdlib.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_word(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t skip_blanks(struct slice s, size_t at) {
    while (at < s.size && is_blank(s.at[at])) at++;
    return at;
}

/* Where the value begins if a key ends at `at`: `"?\s*[:=]\s*"?`; 0: it does not. */
static size_t value_after(struct slice s, size_t at) {
    if (at < s.size && s.at[at] == '"') at++;
    at = skip_blanks(s, at);
    if (at == s.size || (s.at[at] != ':' && s.at[at] != '=')) return 0;
    at = skip_blanks(s, at + 1);
    return at < s.size && s.at[at] == '"' ? at + 1 : at;
}

static size_t value_end(struct slice s, size_t at) {
    while (at < s.size && !memchr("\",\r\n}", s.at[at], 5)) at++;
    return at;
}

static size_t key_at(struct slice s, size_t at, const char *const *keys) {
    for (; *keys; keys++) {
        size_t n = strlen(*keys);
        if (s.size - at >= n && memcmp(s.at + at, *keys, n) == 0) return n;
    }
    return 0;
}

/* A secret's value behind `from`. False: there is none. */
struct value {
    size_t start, end;
};
typedef bool find_value(struct slice s, size_t from, struct value *found);

static bool find_by_prefix(struct slice s, size_t from, struct value *found) {
    static const char *const keys[] = {"auth_token", "pass", NULL};
    for (size_t at = from; at < s.size; at++) {
        size_t n = key_at(s, at, keys);
        if (!n) continue;
        for (size_t end = at + n;; end++) { /* the key goes on up to a blank */
            found->start = value_after(s, end);
            if (found->start) {
                found->end = value_end(s, found->start);
                return true;
            }
            if (end == s.size || is_blank(s.at[end])) {
                at = end; /* nor does any other key in this run of letters end well */
                break;
            }
        }
    }
    return false;
}

static bool find_exactly(struct slice s, size_t from, struct value *found) {
    static const char *const keys[] = {"proxy_sig", "nkey", "sig", NULL};
    for (size_t at = from; at < s.size; at++) {
        if (at && is_word(s.at[at - 1])) continue;
        size_t n = key_at(s, at, keys);
        found->start = n ? value_after(s, at + n) : 0;
        if (!found->start) continue;
        found->end = value_end(s, found->start);
        return true;
    }
    return false;
}

/* A copy in which all values are replaced; of the caller. */
static struct slice redacted(struct slice s, find_value *find) {
    static const char instead[] = "[REDACTED]";
    size_t room = s.size + 64, size = 0, from = 0;
    char *out = memory_new(room);
    struct value v;
    while (find(s, from, &v)) {
        size_t kept = v.start - from;
        if (room - size < kept + sizeof instead + (s.size - v.end)) {
            room = (size + kept + sizeof instead + (s.size - v.end)) * 2;
            out = memory_resize(out, room);
        }
        memcpy(out + size, s.at + from, kept);
        memcpy(out + size + kept, instead, sizeof instead - 1);
        size += kept + sizeof instead - 1;
        from = v.end;
    }
    memcpy(out + size, s.at + from, s.size - from);
    return slice_of(out, size + (s.size - from));
}

size_t connect_redact(struct slice json, char *out, size_t size) {
    if (!json.size) json.at = "";
    struct slice first = redacted(json, find_by_prefix), second = redacted(first, find_exactly);
    if (size) {
        size_t n = second.size < size ? second.size : size - 1;
        memcpy(out, second.at, n);
        out[n] = 0;
    }
    free((char *)(uintptr_t)first.at);
    free((char *)(uintptr_t)second.at);
    return second.size;
}
