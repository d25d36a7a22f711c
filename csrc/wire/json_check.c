#include "wire/go_quote.h"
#include "wire/json_reader.h"
#include "wire/utf8.h"
#include <stdio.h>

/* The scanner takes byte after byte; a state says what may come next. */
enum state {
    VALUE,          /* a value must begin */
    VALUE_OR_CLOSE, /* the first of an array, or its end */
    KEY,
    KEY_OR_CLOSE,
    AFTER_VALUE, /* or after a key */
    STRING,
    ESCAPE,
    HEX,
    MINUS,
    ZERO,
    DIGITS,
    POINT,
    FRACTION,
    EXPONENT,
    EXPONENT_SIGN,
    EXPONENT_DIGITS,
    LITERAL,
};

struct checker {
    enum state state;
    unsigned depth;
    unsigned hex_left;
    bool after_key;      /* a colon must follow */
    const char *literal; /* of true, false or null what is left, itself in `word` */
    const char *word;
    const char *wrong; /* what was being read when a byte did not fit */
    uint8_t is_object[(JSON_DEPTH + 7) / 8];
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool fail(struct checker *k, const char *wrong) {
    k->wrong = wrong;
    return false;
}

static bool in_object(const struct checker *k) {
    unsigned level = k->depth - 1;
    return k->is_object[level / 8] >> level % 8 & 1;
}

static bool open_bracket(struct checker *k, char c) {
    if (k->depth == JSON_DEPTH) return fail(k, "exceeded max depth");
    unsigned level = k->depth++;
    uint8_t bit = (uint8_t)(1u << level % 8);
    if (c == '{')
        k->is_object[level / 8] |= bit;
    else
        k->is_object[level / 8] &= (uint8_t)~bit;
    k->state = c == '{' ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
    return true;
}

static bool close_bracket(struct checker *k) {
    k->depth--;
    k->state = AFTER_VALUE;
    return true;
}

static bool begin_literal(struct checker *k, const char *word) {
    k->word = word;
    k->literal = word + 1;
    k->state = LITERAL;
    return true;
}

static bool begin_value(struct checker *k, char c) {
    if (is_blank(c)) return true;
    if (c == ']' && k->state == VALUE_OR_CLOSE) return close_bracket(k);
    switch (c) {
    case '{':
    case '[':
        return open_bracket(k, c);
    case 't':
        return begin_literal(k, "true");
    case 'f':
        return begin_literal(k, "false");
    case 'n':
        return begin_literal(k, "null");
    case '"':
        k->state = STRING;
        return true;
    case '-':
        k->state = MINUS;
        return true;
    case '0':
        k->state = ZERO;
        return true;
    default:
        if (!is_digit(c)) return fail(k, "looking for beginning of value");
        k->state = DIGITS;
        return true;
    }
}

static bool begin_key(struct checker *k, char c) {
    if (is_blank(c)) return true;
    if (c == '}' && k->state == KEY_OR_CLOSE) return close_bracket(k);
    if (c != '"') return fail(k, "looking for beginning of object key string");
    k->after_key = true;
    k->state = STRING;
    return true;
}

static bool after_value(struct checker *k, char c) {
    k->state = AFTER_VALUE;
    if (is_blank(c)) return true;
    if (k->depth == 0) return fail(k, "after top-level value");
    if (k->after_key) {
        if (c != ':') return fail(k, "after object key");
        k->after_key = false;
        k->state = VALUE;
        return true;
    }
    bool object = in_object(k);
    if (c == ',') {
        k->state = object ? KEY : VALUE;
        return true;
    }
    if (c == (object ? '}' : ']')) return close_bracket(k);
    return fail(k, object ? "after object key:value pair" : "after array element");
}

static bool in_string(struct checker *k, char c) {
    if (c == '"') k->state = AFTER_VALUE;
    if (c == '\\') k->state = ESCAPE;
    return (unsigned char)c >= 0x20 || fail(k, "in string literal");
}

static bool in_escape(struct checker *k, char c) {
    k->state = c == 'u' ? HEX : STRING;
    k->hex_left = 4;
    return (c && strchr("bfnrt\\/\"u", c)) || fail(k, "in string escape code");
}

static bool in_hex(struct checker *k, char c) {
    bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (--k->hex_left == 0) k->state = STRING;
    return hex || fail(k, "in \\u hexadecimal character escape");
}

static bool in_literal(struct checker *k, char c) {
    static const char *const expectations[] = {
        "in literal true (expecting 'r')",  "in literal true (expecting 'u')",
        "in literal true (expecting 'e')",  "in literal false (expecting 'a')",
        "in literal false (expecting 'l')", "in literal false (expecting 's')",
        "in literal false (expecting 'e')", "in literal null (expecting 'u')",
        "in literal null (expecting 'l')",  "in literal null (expecting 'l')",
    };
    if (c == *k->literal) {
        if (*++k->literal == 0) k->state = AFTER_VALUE;
        return true;
    }
    size_t first = k->word[0] == 't' ? 0 : k->word[0] == 'f' ? 3 : 7;
    return fail(k, expectations[first + (size_t)(k->literal - k->word) - 1]);
}

/* A digit must follow, after which the state is `next`. */
static bool need_digit(struct checker *k, char c, enum state next, const char *wrong) {
    k->state = next;
    return is_digit(c) || fail(k, wrong);
}

/* Digits may go on; where they do not, an exponent or a fraction may begin, or the number has
 * ended. */
static bool in_digits(struct checker *k, char c) {
    if (is_digit(c) && k->state != ZERO) return true;
    if (c == '.' && (k->state == ZERO || k->state == DIGITS)) {
        k->state = POINT;
        return true;
    }
    if ((c == 'e' || c == 'E') && k->state != EXPONENT_DIGITS) {
        k->state = EXPONENT;
        return true;
    }
    return after_value(k, c);
}

static bool step(struct checker *k, char c) {
    switch (k->state) {
    case VALUE:
    case VALUE_OR_CLOSE:
        return begin_value(k, c);
    case KEY:
    case KEY_OR_CLOSE:
        return begin_key(k, c);
    case AFTER_VALUE:
        return after_value(k, c);
    case STRING:
        return in_string(k, c);
    case ESCAPE:
        return in_escape(k, c);
    case HEX:
        return in_hex(k, c);
    case LITERAL:
        return in_literal(k, c);
    case MINUS:
        return need_digit(k, c, c == '0' ? ZERO : DIGITS, "in numeric literal");
    case POINT:
        return need_digit(k, c, FRACTION, "after decimal point in numeric literal");
    case EXPONENT:
        if (c == '+' || c == '-') {
            k->state = EXPONENT_SIGN;
            return true;
        }
        return need_digit(k, c, EXPONENT_DIGITS, "in exponent of numeric literal");
    case EXPONENT_SIGN:
        return need_digit(k, c, EXPONENT_DIGITS, "in exponent of numeric literal");
    case ZERO:
    case DIGITS:
    case FRACTION:
    case EXPONENT_DIGITS:
        return in_digits(k, c);
    }
    return false;
}

/* The byte in single quotes; bytes from 80 are the characters of those numbers. */
static void describe(struct checker *k, char c, char *error) {
    char character[UTF8_MAX], quoted[32] = "'\\''";
    if (c == '"') {
        snprintf(quoted, sizeof quoted, "'\"'");
    } else if (c != '\'') {
        size_t size = utf8_encode((unsigned char)c, character);
        size_t n = go_quote(slice_of(character, size), quoted, sizeof quoted);
        quoted[0] = quoted[n - 1] = '\'';
    }
    snprintf(error, JSON_ERROR_BYTES, "invalid character %s %s", quoted, k->wrong);
}

int json_check(struct slice text, char *error) {
    struct checker k = {.state = VALUE};
    for (size_t i = 0; i < text.size; i++)
        if (!step(&k, text.at[i])) {
            describe(&k, text.at[i], error);
            return -1;
        }
    /* A blank behind the end completes a number, and nothing else. */
    if (!step(&k, ' ')) {
        describe(&k, ' ', error);
        return -1;
    }
    if (k.state == AFTER_VALUE && k.depth == 0) return 0;
    snprintf(error, JSON_ERROR_BYTES, "unexpected end of JSON input");
    return -1;
}
