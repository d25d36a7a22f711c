#include "match/placeholder.h"
#include <assert.h>
#include <limits.h>

/* In this order they are looked for. A capital letter stands for itself in either case. */
static const struct {
    const char *name;
    enum placeholder_function function;
} functions[] = {
    {"Wildcard", PLACEHOLDER_WILDCARD},
    {"Partition", PLACEHOLDER_PARTITION},
    {"SplitFromLeft", PLACEHOLDER_SPLIT_FROM_LEFT},
    {"SplitFromRight", PLACEHOLDER_SPLIT_FROM_RIGHT},
    {"SliceFromLeft", PLACEHOLDER_SLICE_FROM_LEFT},
    {"SliceFromRight", PLACEHOLDER_SLICE_FROM_RIGHT},
    {"Right", PLACEHOLDER_RIGHT},
    {"Left", PLACEHOLDER_LEFT},
    {"Split", PLACEHOLDER_SPLIT},
    {"Random", PLACEHOLDER_RANDOM},
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static size_t skip_blanks(struct slice s, size_t i) {
    while (i < s.size && is_blank(s.at[i])) i++;
    return i;
}

/* The position behind `name` when it stands at `i`, else 0. */
static size_t skip_name(struct slice s, size_t i, const char *name) {
    for (; *name; name++, i++) {
        if (i >= s.size) return 0;
        bool either = *name >= 'A' && *name <= 'Z';
        if (s.at[i] != *name && !(either && s.at[i] == *name + ('a' - 'A'))) return 0;
    }
    return i;
}

/* The last `)` in [from, end) that only blanks separate from a `}}`; `end` when there is none. */
static size_t last_close(struct slice s, size_t from, size_t end) {
    for (size_t i = end; i-- > from;) {
        if (s.at[i] != ')') continue;
        size_t brace = skip_blanks(s, i + 1);
        if (brace + 1 < s.size && s.at[brace] == '}' && s.at[brace + 1] == '}') return i;
    }
    return end;
}

/* Finds `{{ name ( arguments ) }}` inside a token. Arguments don't span lines. */
static bool find_call(struct slice token, const char *name, struct slice *arguments) {
    size_t fruitless = 0; /* no call that opens before this position is ever closed */
    for (size_t i = 0; i + 1 < token.size; i++) {
        if (token.at[i] != '{' || token.at[i + 1] != '{') continue;
        size_t open = skip_name(token, skip_blanks(token, i + 2), name);
        if (open == 0) continue;
        open = skip_blanks(token, open);
        if (open >= token.size || token.at[open] != '(' || open < fruitless) continue;
        const char *line = memchr(token.at + open, '\n', token.size - open);
        size_t end = line ? (size_t)(line - token.at) : token.size;
        size_t close = last_close(token, open + 1, end);
        if (close < end) {
            *arguments = slice_of(token.at + open + 1, close - open - 1);
            return true;
        }
        fruitless = end;
    }
    return false;
}

/* Takes the next argument off `rest`, with the comma and the blanks behind it. False when it was
 * the last. */
static bool next_argument(struct slice *rest, struct slice *argument) {
    const char *comma = rest->size ? memchr(rest->at, ',', rest->size) : NULL;
    if (!comma) {
        *argument = *rest;
        return false;
    }
    size_t size = (size_t)(comma - rest->at);
    *argument = slice_of(rest->at, size);
    size_t next = skip_blanks(*rest, size + 1);
    *rest = slice_of(rest->at + next, rest->size - next);
    return true;
}

/* A decimal integer with an optional sign, spaces around it allowed. */
static bool read_integer(struct slice s, int64_t *out) {
    while (s.size && s.at[0] == ' ') s = slice_of(s.at + 1, s.size - 1);
    while (s.size && s.at[s.size - 1] == ' ') s.size--;
    bool negative = s.size && s.at[0] == '-';
    if (s.size && (s.at[0] == '-' || s.at[0] == '+')) s = slice_of(s.at + 1, s.size - 1);
    if (s.size == 0) return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, value = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') return false;
        unsigned digit = (unsigned)(s.at[i] - '0');
        if (value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    if (negative)
        *out = value > INT64_MAX ? INT64_MIN : -(int64_t)value;
    else
        *out = (int64_t)value;
    return true;
}

/* The integer of partition and random: too large is an error, too small keeps its low 32 bits, as
 * it always has. */
static bool read_count(struct slice s, int32_t *out) {
    int64_t value;
    if (!read_integer(s, &value) || value > INT32_MAX) return false;
    uint32_t low = (uint32_t)(uint64_t)value;
    *out = low > INT32_MAX ? (int32_t)((int64_t)low - ((int64_t)UINT32_MAX + 1)) : (int32_t)low;
    return true;
}

static enum placeholder_error read_wildcard(struct slice arguments, struct placeholder *out) {
    struct slice argument;
    if (arguments.size == 0) return PLACEHOLDER_NOT_ENOUGH_ARGUMENTS;
    if (next_argument(&arguments, &argument)) return PLACEHOLDER_TOO_MANY_ARGUMENTS;
    if (!read_integer(argument, &out->indexes[0])) return PLACEHOLDER_INVALID_ARGUMENT;
    out->index_count = 1;
    return PLACEHOLDER_OK;
}

static enum placeholder_error read_partition(struct slice arguments, struct placeholder *out) {
    struct slice argument;
    bool more = next_argument(&arguments, &argument);
    if (!read_count(argument, &out->number)) return PLACEHOLDER_INVALID_ARGUMENT;
    while (more) {
        if (out->index_count == PLACEHOLDER_INDEXES_MAX) return PLACEHOLDER_TOO_MANY_ARGUMENTS;
        more = next_argument(&arguments, &argument);
        if (!read_integer(argument, &out->indexes[out->index_count++]))
            return PLACEHOLDER_INVALID_ARGUMENT;
    }
    return PLACEHOLDER_OK;
}

static enum placeholder_error read_random(struct slice arguments, struct placeholder *out) {
    struct slice argument;
    /* Too many are reported as too few: clients know the text. */
    if (next_argument(&arguments, &argument)) return PLACEHOLDER_NOT_ENOUGH_ARGUMENTS;
    return read_count(argument, &out->number) ? PLACEHOLDER_OK : PLACEHOLDER_INVALID_ARGUMENT;
}

/* (index, integer), or for split (index, separator). */
static enum placeholder_error read_pair(struct slice arguments, struct placeholder *out) {
    struct slice index, second;
    if (!next_argument(&arguments, &index)) return PLACEHOLDER_NOT_ENOUGH_ARGUMENTS;
    if (next_argument(&arguments, &second)) return PLACEHOLDER_TOO_MANY_ARGUMENTS;
    if (!read_integer(index, &out->indexes[0])) return PLACEHOLDER_INVALID_ARGUMENT;
    out->index_count = 1;
    if (out->function == PLACEHOLDER_SPLIT) {
        bool bad = second.size &&
                   (memchr(second.at, ' ', second.size) || memchr(second.at, '.', second.size));
        out->text = second;
        return bad ? PLACEHOLDER_INVALID_ARGUMENT : PLACEHOLDER_OK;
    }
    int64_t number;
    if (!read_integer(second, &number) || number > INT32_MAX || number < INT32_MIN)
        return PLACEHOLDER_INVALID_ARGUMENT;
    out->number = (int32_t)number;
    return PLACEHOLDER_OK;
}

static enum placeholder_error read_call(struct slice token, struct placeholder *out) {
    struct slice arguments;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!find_call(token, functions[i].name, &arguments)) continue;
        out->function = functions[i].function;
        switch (out->function) {
        case PLACEHOLDER_WILDCARD:
            return read_wildcard(arguments, out);
        case PLACEHOLDER_PARTITION:
            return read_partition(arguments, out);
        case PLACEHOLDER_RANDOM:
            return read_random(arguments, out);
        default:
            return read_pair(arguments, out);
        }
    }
    return PLACEHOLDER_UNKNOWN_FUNCTION;
}

bool placeholder_is_call(struct slice token) {
    return token.size > 4 && token.at[0] == '{' && token.at[1] == '{' &&
           token.at[token.size - 2] == '}' && token.at[token.size - 1] == '}';
}

enum placeholder_error placeholder_parse(struct slice token, struct placeholder *out) {
    out->function = PLACEHOLDER_LITERAL;
    out->number = -1;
    out->text = token;
    out->index_count = 0;
    if (token.size > 1 && token.at[0] == '$') {
        /* Only an integer makes it a placeholder: much begins with `$` that is just a name. Spaces
         * don't pass here. */
        struct slice digits = slice_of(token.at + 1, token.size - 1);
        if (!memchr(digits.at, ' ', digits.size) && read_integer(digits, &out->indexes[0])) {
            out->function = PLACEHOLDER_WILDCARD;
            out->index_count = 1;
        }
        return PLACEHOLDER_OK;
    }
    return placeholder_is_call(token) ? read_call(token, out) : PLACEHOLDER_OK;
}

bool placeholder_is_wildcard(struct slice token) {
    struct slice arguments;
    if (token.size > 1 && token.at[0] == '$' && token.at[1] >= '1' && token.at[1] <= '9')
        return true;
    return find_call(token, "Wildcard", &arguments) && arguments.size > 0 &&
           !memchr(arguments.at, ',', arguments.size);
}
