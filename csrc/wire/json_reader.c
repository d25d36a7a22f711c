#include "wire/json_reader.h"
#include "wire/utf8.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool is_filler(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ':';
}

static enum json_token read_string(struct json_reader *r) {
    const char *start = ++r->at;
    while (*r->at != '"') r->at += *r->at == '\\' ? 2 : 1;
    r->text = slice_of(start, (size_t)(r->at++ - start));
    const char *next = r->at;
    while (next < r->end && *next != ',' && is_filler(*next) && *next != ':') next++;
    return next < r->end && *next == ':' ? JSON_KEY : JSON_STRING;
}

static enum json_token read_number(struct json_reader *r) {
    const char *start = r->at;
    while (r->at < r->end && *r->at && strchr("+-.0123456789Ee", *r->at)) r->at++;
    r->text = slice_of(start, (size_t)(r->at - start));
    return JSON_NUMBER;
}

enum json_token json_next(struct json_reader *r) {
    while (r->at < r->end && is_filler(*r->at)) r->at++;
    r->start = r->at;
    if (r->at == r->end) return JSON_END;
    switch (*r->at) {
    case '{':
        r->at++;
        return JSON_OPEN_OBJECT;
    case '}':
        r->at++;
        return JSON_CLOSE_OBJECT;
    case '[':
        r->at++;
        return JSON_OPEN_ARRAY;
    case ']':
        r->at++;
        return JSON_CLOSE_ARRAY;
    case '"':
        return read_string(r);
    case 't':
        r->at += strlen("true");
        return JSON_TRUE;
    case 'f':
        r->at += strlen("false");
        return JSON_FALSE;
    case 'n':
        r->at += strlen("null");
        return JSON_NULL;
    default:
        return read_number(r);
    }
}

void json_skip(struct json_reader *r, enum json_token token) {
    for (size_t depth = 0;; token = json_next(r)) {
        if (token == JSON_OPEN_OBJECT || token == JSON_OPEN_ARRAY) depth++;
        if (token == JSON_CLOSE_OBJECT || token == JSON_CLOSE_ARRAY) depth--;
        if (depth == 0) return;
    }
}

static int32_t hex(const char *at) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static bool is_high(int32_t rune) {
    return rune >= 0xd800 && rune < 0xdc00;
}
static bool is_low(int32_t rune) {
    return rune >= 0xdc00 && rune < 0xe000;
}

/* The character of an escape, whose size goes to `*width`; `left` bytes are there. */
static int32_t escaped(const char *at, size_t left, size_t *width) {
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, at[1]);
    *width = 2;
    if (letter) return meanings[letter - letters];
    if (at[1] != 'u') return at[1];
    *width = 6;
    int32_t rune = hex(at + 2);
    if (is_high(rune) && left >= 12 && at[6] == '\\' && at[7] == 'u' && is_low(hex(at + 8))) {
        *width = 12;
        return 0x10000 + ((rune - 0xd800) << 10) + (hex(at + 8) - 0xdc00);
    }
    return is_high(rune) || is_low(rune) ? UTF8_REPLACEMENT : rune;
}

size_t json_unescape(struct slice text, char *out) {
    size_t size = 0, width;
    for (size_t i = 0; i < text.size; i += width) {
        const char *at = text.at + i;
        int32_t rune = *at == '\\' ? escaped(at, text.size - i, &width)
                                   : utf8_decode(at, text.size - i, &width);
        size += utf8_encode(rune < 0 ? UTF8_REPLACEMENT : rune, out + size);
    }
    return size;
}

bool json_is_plain(struct slice text) {
    size_t width;
    for (size_t i = 0; i < text.size; i += width) {
        if (text.at[i] == '\\') return false;
        if (utf8_decode(text.at + i, text.size - i, &width) < 0) return false;
    }
    return true;
}

/* Digits to a number, up to `limit`. */
static bool read_digits(const char *at, const char *end, uint64_t limit, uint64_t *value) {
    *value = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || *value > limit / 10 || limit - *value * 10 < digit) return false;
        *value = *value * 10 + digit;
    }
    return true;
}

bool json_number_uint(struct slice number, uint64_t *value) {
    return number.size > 0 && read_digits(number.at, number.at + number.size, UINT64_MAX, value);
}

bool json_number_int(struct slice number, int64_t *value) {
    uint64_t magnitude, limit = INT64_MAX;
    bool negative = number.size > 0 && number.at[0] == '-';
    if (number.size <= negative) return false;
    if (!read_digits(number.at + negative, number.at + number.size, limit + negative, &magnitude))
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool json_number_double(struct slice number, double *value) {
    char small[64], *text = number.size < sizeof small ? small : malloc(number.size + 1);
    if (!text) return false;
    memcpy(text, number.at, number.size);
    text[number.size] = 0;
    *value = strtod(text, NULL);
    if (text != small) free(text);
    return isfinite(*value);
}

/* --- times --- */

/* Takes `count` digits off `*at`; false if there are not as many, or their value is not between
 * `low` and `high`. */
static bool take_digits(struct slice *at, size_t count, unsigned low, unsigned high,
                        unsigned *value) {
    *value = 0;
    if (at->size < count) return false;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(at->at[i] - '0');
        if (digit > 9) return false;
        *value = *value * 10 + digit;
    }
    *at = slice_of(at->at + count, at->size - count);
    return *value >= low && *value <= high;
}

static bool take(struct slice *at, char c) {
    if (at->size == 0 || at->at[0] != c) return false;
    *at = slice_of(at->at + 1, at->size - 1);
    return true;
}

/* Digits behind a point, of which the first nine count. */
static bool take_fraction(struct slice *at, unsigned *nanoseconds) {
    unsigned digit, unit = 100000000;
    *nanoseconds = 0;
    if (!take(at, '.') && !take(at, ',')) return true;
    if (!take_digits(at, 1, 0, 9, &digit)) return false;
    do {
        *nanoseconds += digit * unit;
        unit /= 10;
    } while (at->size && at->at[0] >= '0' && at->at[0] <= '9' && take_digits(at, 1, 0, 9, &digit));
    return true;
}

/* "Z", or how far ahead of UTC the time is. */
static bool take_zone(struct slice *at, int64_t *seconds) {
    unsigned hours, minutes;
    *seconds = 0;
    if (take(at, 'Z')) return true;
    int sign = take(at, '+') ? 1 : take(at, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(at, 2, 0, 23, &hours) || !take(at, ':') ||
        !take_digits(at, 2, 0, 59, &minutes))
        return false;
    *seconds = sign * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool is_leap(unsigned year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01, in years that begin in March, so that the leap day is the last of its year.
 */
static int64_t day_of(unsigned year, unsigned month, unsigned day) {
    int64_t y = (int64_t)year - (month <= 2), m = month > 2 ? month - 3 : month + 9;
    int64_t era = y / 400, in_era = y - era * 400;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + day - 1 -
           719468;
}

bool json_time(struct slice text, int64_t *nanoseconds) {
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day, hour, minute, second, fraction;
    int64_t zone;
    if (!take_digits(&text, 4, 1678, 2261, &year) || !take(&text, '-') ||
        !take_digits(&text, 2, 1, 12, &month) || !take(&text, '-'))
        return false;
    unsigned days = month == 2 && is_leap(year) ? 29 : lengths[month - 1];
    if (!take_digits(&text, 2, 1, days, &day) || !take(&text, 'T') ||
        !take_digits(&text, 2, 0, 23, &hour) || !take(&text, ':') ||
        !take_digits(&text, 2, 0, 59, &minute) || !take(&text, ':') ||
        !take_digits(&text, 2, 0, 59, &second) || !take_fraction(&text, &fraction) ||
        !take_zone(&text, &zone) || text.size > 0)
        return false;
    int64_t seconds = day_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    *nanoseconds = seconds * 1000000000 + fraction;
    return true;
}
