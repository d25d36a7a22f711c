#include "wire/json_writer.h"
#include "wire/go_quote.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 512 };

void json_writer_init(struct json_writer *w, size_t limit_bytes, unsigned indent) {
    *w = (struct json_writer){.limit_bytes = limit_bytes, .indent = indent};
}

void json_writer_reset(struct json_writer *w, unsigned indent) {
    w->size = 0;
    w->depth = 0;
    w->filled = 0;
    w->error = NULL;
    w->after_key = false;
    w->indent = indent;
}

void json_writer_free(struct json_writer *w) {
    free(w->at);
    json_writer_init(w, w->limit_bytes, w->indent);
}

const char *json_writer_error(const struct json_writer *w) {
    return w->error;
}

/* Room for `more` bytes and a terminator, which json_escape() writes. */
static bool reserve(struct json_writer *w, size_t more) {
    if (w->error) return false;
    if (more > w->limit_bytes - w->size) {
        w->error = "document too large";
        return false;
    }
    if (more < w->room - w->size) return true;
    size_t room = w->room ? w->room : FIRST_ROOM;
    while (room - w->size <= more) room = room > w->limit_bytes / 2 ? w->limit_bytes + 1 : room * 2;
    char *at = realloc(w->at, room);
    if (!at) {
        w->error = "out of memory";
        return false;
    }
    w->at = at;
    w->room = room;
    return true;
}

static void put(struct json_writer *w, const char *at, size_t size) {
    if (!reserve(w, size)) return;
    memcpy(w->at + w->size, at, size);
    w->size += size;
}

static void new_line(struct json_writer *w) {
    size_t spaces = (size_t)w->depth * w->indent;
    if (w->indent == 0 || !reserve(w, spaces + 1)) return;
    w->at[w->size++] = '\n';
    memset(w->at + w->size, ' ', spaces);
    w->size += spaces;
}

/* What stands between the member before and this one. */
static void begin(struct json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0) return;
    uint64_t bit = UINT64_C(1) << (w->depth - 1);
    if (w->filled & bit) put(w, ",", 1);
    w->filled |= bit;
    new_line(w);
}

void json_write_open(struct json_writer *w, char bracket) {
    assert(bracket == '{' || bracket == '[');
    begin(w);
    if (w->depth == JSON_WRITER_DEPTH && !w->error) w->error = "document nested too deeply";
    if (w->error) return;
    w->filled &= ~(UINT64_C(1) << w->depth);
    w->depth++;
    put(w, &bracket, 1);
}

void json_write_close(struct json_writer *w, char bracket) {
    assert(bracket == '}' || bracket == ']');
    if (w->error) return;
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    if (w->filled & UINT64_C(1) << w->depth) new_line(w);
    put(w, &bracket, 1);
}

void json_write_key(struct json_writer *w, struct slice key) {
    assert(!w->after_key);
    json_write_string(w, key);
    put(w, ": ", w->indent ? 2 : 1);
    w->after_key = true;
}

/* Most strings hold nothing to escape, so room for those is taken first. */
void json_write_string(struct json_writer *w, struct slice text) {
    begin(w);
    put(w, "\"", 1);
    if (!reserve(w, text.size)) return;
    size_t room = w->room - w->size;
    size_t size = json_escape(text, w->at + w->size, room);
    if (size >= room) {
        if (!reserve(w, size)) return;
        json_escape(text, w->at + w->size, w->room - w->size);
    }
    w->size += size;
    put(w, "\"", 1);
}

static void put_text(struct json_writer *w, const char *text) {
    begin(w);
    put(w, text, strlen(text));
}

void json_write_bool(struct json_writer *w, bool value) {
    put_text(w, value ? "true" : "false");
}

void json_write_null(struct json_writer *w) {
    put_text(w, "null");
}

void json_write_int(struct json_writer *w, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    put_text(w, text);
}

void json_write_uint(struct json_writer *w, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put_text(w, text);
}

/* Few digits are tried first, for most values need few. Exponents are written as Go does: 1e-7,
 * 1e+21. */
void json_write_double(struct json_writer *w, double value) {
    char text[352];
    if (!isfinite(value)) {
        if (!w->error) w->error = "number is not finite";
        return;
    }
    int digits = 1;
    while (snprintf(text, sizeof text, "%.*e", digits - 1, value) > 0 && digits < 17 &&
           strtod(text, NULL) != value)
        digits++;
    char *e = strchr(text, 'e');
    long exponent = strtol(e + 1, NULL, 10);
    if (value != 0 && (exponent < -6 || exponent >= 21)) {
        if (e[1] == '-' && e[2] == '0') memmove(e + 2, e + 3, strlen(e + 3) + 1);
    } else {
        long places = digits - 1 - exponent;
        snprintf(text, sizeof text, "%.*f", places > 0 ? (int)places : 0, value);
    }
    put_text(w, text);
}

struct date {
    int64_t year;
    unsigned month, day;
};

/* The civil date of a day counted from 1970-01-01, in the proleptic Gregorian calendar; years begin
 * in March inside, so that the leap day is the last of its year. */
static struct date date_of_day(int64_t day) {
    enum { DAYS_TO_1970 = 719468, DAYS_OF_400_YEARS = 146097 };
    int64_t z = day + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_OF_400_YEARS - 1)) / DAYS_OF_400_YEARS;
    int64_t in_era = z - era * DAYS_OF_400_YEARS;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t m = (5 * in_year + 2) / 153;
    struct date d = {.year = year + era * 400 + (m >= 10),
                     .month = (unsigned)(m < 10 ? m + 3 : m - 9),
                     .day = (unsigned)(in_year - (153 * m + 2) / 5 + 1)};
    return d;
}

void json_write_time(struct json_writer *w, int64_t nanoseconds) {
    int64_t second = nanoseconds / 1000000000, fraction = nanoseconds % 1000000000;
    if (fraction < 0) {
        fraction += 1000000000;
        second--;
    }
    int64_t day = second / 86400, rest = second % 86400;
    if (rest < 0) {
        rest += 86400;
        day--;
    }
    struct date d = date_of_day(day);
    char text[64];
    int n =
        snprintf(text, sizeof text, "\"%04d-%02u-%02uT%02d:%02d:%02d.%09d", (int)d.year, d.month,
                 d.day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60), (int)fraction);
    while (text[n - 1] == '0') n--;
    if (text[n - 1] == '.') n--;
    memcpy(text + n, "Z\"", 3);
    put_text(w, text);
}

void json_write_raw(struct json_writer *w, struct slice json) {
    begin(w);
    put(w, json.at, json.size);
}
