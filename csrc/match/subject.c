#include "match/subject.h"
#include <stdint.h>

static bool is_wildcard(struct slice token) {
    return subject_token_is(token, '*') || subject_token_is(token, '>');
}

bool subject_is_valid_to_subscribe(struct slice s) {
    size_t start = 0;
    for (size_t i = 0;; i++) {
        if (i < s.size && s.at[i] != '.') continue;
        if (i == start) return false;
        if (i == s.size) return true;
        if (s.at[start] == '>' && i - start == 1) return false;
        start = i + 1;
    }
}

static bool has_blank(struct slice s) {
    for (size_t i = 0; i < s.size; i++) {
        char c = s.at[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') return true;
    }
    return false;
}

bool subject_is_valid(struct slice s) {
    return subject_is_valid_to_subscribe(s) && !has_blank(s);
}

bool subject_has_wildcard(struct slice s) {
    for (size_t i = 0; i < s.size; i++) {
        bool wildcard = s.at[i] == '*' || s.at[i] == '>';
        if (wildcard && (i == 0 || s.at[i - 1] == '.') && (i + 1 == s.size || s.at[i + 1] == '.'))
            return true;
    }
    return false;
}

bool subject_is_valid_literal(struct slice s) {
    return subject_is_valid_to_subscribe(s) && !subject_has_wildcard(s);
}

bool subject_is_valid_to_publish(struct slice s) {
    return subject_is_valid(s) && !subject_has_wildcard(s);
}

/* The length of the UTF-8 sequence at `at`, 0 when it is none: too long, a surrogate, beyond
 * U+10FFFF or cut off. */
static size_t utf8_sequence(const unsigned char *at, size_t size) {
    unsigned char c = at[0], low = 0x80, high = 0xBF;
    size_t n;
    if (c < 0x80) return 1;
    if (c >= 0xC2 && c <= 0xDF)
        n = 2;
    else if (c >= 0xE0 && c <= 0xEF)
        n = 3;
    else if (c >= 0xF0 && c <= 0xF4)
        n = 4;
    else
        return 0;
    if (c == 0xE0) low = 0xA0;
    if (c == 0xED) high = 0x9F;
    if (c == 0xF0) low = 0x90;
    if (c == 0xF4) high = 0x8F;
    if (size < n || at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if (at[i] < 0x80 || at[i] > 0xBF) return 0;
    return n;
}

bool subject_is_valid_text(struct slice s) {
    const unsigned char *at = (const unsigned char *)s.at;
    for (size_t i = 0, n; i < s.size; i += n) {
        n = utf8_sequence(at + i, s.size - i);
        if (n == 0 || at[i] == 0) return false;
        if (n == 3 && memcmp(at + i, "\xEF\xBF\xBD", 3) == 0) return false;
    }
    return subject_is_valid(s);
}

/* Whether the literal or wildcard token `t` is covered by the filter's token `f`, which is not `>`.
 */
static bool token_is_covered(struct slice t, struct slice f) {
    if (t.size == 0 || subject_token_is(t, '>')) return false;
    if (subject_token_is(t, '*')) return subject_token_is(f, '*');
    return f.at[0] == '*' || slice_equal(t, f);
}

bool subject_is_subset(struct slice subject, struct slice filter) {
    if (subject.size == 0 || filter.size == 0) return false;
    while (filter.at) {
        if (!subject.at) return false;
        struct slice f = subject_take_token(&filter);
        if (f.size == 0) return false;
        if (subject_token_is(f, '>')) return true;
        if (!token_is_covered(subject_take_token(&subject), f)) return false;
    }
    return !subject.at;
}

bool subject_collides(struct slice a, struct slice b) {
    if (slice_equal(a, b)) return true;
    while (a.at && b.at) {
        struct slice x = subject_take_token(&a), y = subject_take_token(&b);
        if (x.size == 0 || y.size == 0) return false;
        if (subject_token_is(x, '>') || subject_token_is(y, '>')) return true;
        if (!is_wildcard(x) && !is_wildcard(y) && !slice_equal(x, y)) return false;
    }
    return !a.at && !b.at;
}

size_t subject_count_tokens(struct slice s) {
    size_t n = s.size > 0;
    for (size_t i = 0; i < s.size; i++) n += s.at[i] == '.';
    return n;
}

struct slice subject_token(struct slice s, size_t n) {
    while (s.at) {
        struct slice token = subject_take_token(&s);
        if (n-- == 0) return token;
    }
    return slice_of(NULL, 0);
}
