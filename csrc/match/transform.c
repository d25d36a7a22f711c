#include "match/transform.h"
#include "base/memory.h"
#include "match/placeholder.h"
#include "match/subject.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A destination is compiled to pieces, one a token, which transform_apply() writes one after the
 * other, with dots between them. Positions of subject tokens count from 0.
 *
 *      source        orders . * . *                positions 0 1 2
 *      destination   x . $2 . {{partition(3,1,2)}}
 *      pieces        "x" | wildcard, at 2 | partition 3, at 1, 2
 *      positions     [ 2 | 1 2 ]                   one array, each piece has a range of it
 */
struct piece {
    enum placeholder_function function;
    int32_t number;
    struct slice text;     /* the literal, or split's separator */
    uint16_t first, count; /* its range in `positions` */
};

enum { POSITIONS_MAX = 1024 };

struct transform {
    struct slice source, destination;
    bool verbatim; /* no destination: subjects stay as they are */
    bool open;     /* both end in `>`: the rest of the subject is copied */
    bool random;
    uint16_t source_tokens;
    uint16_t needed; /* so many leading tokens of a subject have to be known */
    uint16_t piece_count;
    const struct piece *pieces;
    const uint16_t *positions;
};

/* What a transform is made from; its slices point to the caller's text. */
struct draft {
    struct slice source, destination;
    uint16_t source_tokens, piece_count, position_count;
    bool open;
    struct piece pieces[TRANSFORM_TOKENS_MAX];
    uint16_t positions[POSITIONS_MAX];
};

struct tokens {
    unsigned count, wildcards;
    bool open; /* the last one is `>` */
    struct slice at[TRANSFORM_TOKENS_MAX];
};

struct problem {
    char *at;
    size_t size;
};

/* A bounded buffer that goes on counting when it is full. */
struct output {
    char *at;
    size_t size, length;
};

static void output_add(struct output *o, struct slice s) {
    if (s.size && o->length < o->size) {
        size_t room = o->size - o->length;
        memcpy(o->at + o->length, s.at, s.size < room ? s.size : room);
    }
    o->length += s.size;
}

static void output_dot(struct output *o) {
    output_add(o, slice_of(".", 1));
}

static void output_number(struct output *o, uint64_t n) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    output_add(o, slice_of(digits + at, sizeof digits - at));
}

/* Splits a source or destination; false when it is no valid subject. */
static bool tokens_read(struct tokens *t, struct slice subject) {
    t->count = t->wildcards = 0;
    t->open = false;
    if (subject.size == 0 || subject.size > TRANSFORM_TEXT_MAX) return false;
    while (subject.at) {
        struct slice token = subject_take_token(&subject);
        if (token.size == 0 || t->open || t->count == TRANSFORM_TOKENS_MAX) return false;
        if (subject_token_is(token, '>')) t->open = true;
        if (subject_token_is(token, '*')) t->wildcards++;
        t->at[t->count++] = token;
    }
    return true;
}

/* --- what is wrong with a transform --- */

static const char *const invalid_transform = "invalid transform";
static const char *const index_out_of_range = "wildcard index out of range";
static const char *const not_for_imports =
    "the only mapping function allowed for import transforms is {{Wildcard()}}";
static const char *const unused_wildcards = "not using all of the token wildcard(s)";

static bool fail(struct problem p, const char *text) {
    if (p.size) snprintf(p.at, p.size, "%s", text);
    return false;
}

static bool fail_destination(struct problem p, const char *what, struct slice token) {
    int size = (int)token.size;
    if (!p.size) return false;
    if (size == 0)
        snprintf(p.at, p.size, "invalid mapping destination: %s", what);
    else
        snprintf(p.at, p.size, "invalid mapping destination: %s in %.*s", what, size, token.at);
    return false;
}

static const char *placeholder_error_text(enum placeholder_error error) {
    switch (error) {
    case PLACEHOLDER_UNKNOWN_FUNCTION:
        return "unknown function";
    case PLACEHOLDER_NOT_ENOUGH_ARGUMENTS:
        return "not enough arguments passed to the function";
    case PLACEHOLDER_TOO_MANY_ARGUMENTS:
        return "too many arguments passed to the function";
    case PLACEHOLDER_INVALID_ARGUMENT:
        return "function argument is invalid or in the wrong format";
    case PLACEHOLDER_OK:
        break;
    }
    return "";
}

static bool has_blank(struct slice token) {
    for (size_t i = 0; i < token.size; i++)
        if (memchr("\t\n\f\r ", token.at[i], 5)) return true;
    return false;
}

/* Account mappings look at the destination's tokens on their own first, which decides what is said
 * about a bad one. */
static bool check_mapping_destination(struct slice rest, struct problem p) {
    bool open = false;
    if (rest.size > TRANSFORM_TEXT_MAX) return fail(p, "invalid subject");
    while (rest.at) {
        struct slice token = subject_take_token(&rest);
        struct placeholder placeholder;
        if (token.size == 0 || open) return fail_destination(p, invalid_transform, token);
        if (placeholder_is_call(token)) {
            if (placeholder_parse(token, &placeholder) == PLACEHOLDER_UNKNOWN_FUNCTION)
                return fail_destination(p, placeholder_error_text(PLACEHOLDER_UNKNOWN_FUNCTION),
                                        token);
            continue;
        }
        open = subject_token_is(token, '>');
        if (has_blank(token)) return fail_destination(p, invalid_transform, slice_of("", 0));
    }
    return true;
}

/* --- compiling --- */

static struct piece *draft_piece(struct draft *d, enum placeholder_function function,
                                 struct slice text) {
    struct piece *piece = &d->pieces[d->piece_count++];
    *piece = (struct piece){.function = function, .text = text, .first = d->position_count};
    return piece;
}

static bool draft_position(struct draft *d, struct piece *piece, unsigned position) {
    if (d->position_count == POSITIONS_MAX) return false;
    d->positions[d->position_count++] = (uint16_t)position;
    piece->count++;
    return true;
}

/* Adds a placeholder whose indexes may be any; `stars` are the positions of the source's `*`. */
static bool draft_placeholder(struct draft *d, const struct placeholder *from, struct slice token,
                              const uint16_t *stars, unsigned star_count, struct problem p) {
    struct piece *piece = draft_piece(d, from->function, from->text);
    piece->number = from->number;
    for (unsigned i = 0; i < from->index_count; i++) {
        int64_t index = from->indexes[i];
        if (index > (int64_t)star_count) {
            if (p.size)
                snprintf(p.at, p.size, "invalid mapping destination: %s in %.*s: [%lld]",
                         index_out_of_range, (int)token.size, token.at, (long long)index);
            return false;
        }
        if (!draft_position(d, piece, index > 0 ? stars[index - 1] : 0))
            return fail_destination(p, placeholder_error_text(PLACEHOLDER_TOO_MANY_ARGUMENTS),
                                    token);
    }
    return true;
}

static unsigned find_stars(const struct tokens *source, uint16_t *stars) {
    unsigned n = 0;
    for (unsigned i = 0; i < source->count; i++)
        if (subject_token_is(source->at[i], '*')) stars[n++] = (uint16_t)i;
    return n;
}

/* A source with wildcards: every function may be used, unless the transform has to be reversible.
 */
static bool draft_for_wildcards(struct draft *d, const struct tokens *source,
                                const struct tokens *destination, bool strict, struct problem p) {
    uint16_t stars[TRANSFORM_TOKENS_MAX];
    unsigned star_count = find_stars(source, stars), used = 0;
    for (unsigned i = 0; i < destination->count; i++) {
        struct placeholder placeholder;
        struct slice token = destination->at[i];
        enum placeholder_error error = placeholder_parse(token, &placeholder);
        if (error) return fail_destination(p, placeholder_error_text(error), token);
        if (strict && placeholder.function != PLACEHOLDER_LITERAL &&
            placeholder.function != PLACEHOLDER_WILDCARD)
            return fail_destination(p, not_for_imports, token);
        if (!draft_placeholder(d, &placeholder, token, stars, star_count, p)) return false;
        used += placeholder.index_count;
    }
    if (strict && used < star_count) return fail_destination(p, unused_wildcards, d->destination);
    return true;
}

/* A literal source: nothing to refer to, so only partition (of the whole subject) and random
 * remain. */
static bool draft_for_literal(struct draft *d, const struct tokens *destination, struct problem p) {
    for (unsigned i = 0; i < destination->count; i++) {
        struct placeholder placeholder;
        struct slice token = destination->at[i];
        enum placeholder_error error = placeholder_parse(token, &placeholder);
        if (error) return fail_destination(p, placeholder_error_text(error), token);
        if (placeholder.function != PLACEHOLDER_LITERAL &&
            placeholder.function != PLACEHOLDER_PARTITION &&
            placeholder.function != PLACEHOLDER_RANDOM)
            return fail_destination(p, index_out_of_range, token);
        draft_piece(d, placeholder.function, placeholder.text)->number = placeholder.number;
    }
    return true;
}

static char *copy_bytes(char *to, struct slice from, struct slice *copy) {
    if (from.size) memcpy(to, from.at, from.size);
    *copy = slice_of(to, from.size);
    return to + from.size;
}

/* The transform and all that belongs to it in one block: struct, pieces, positions, bytes. */
static struct transform *transform_from(const struct draft *d) {
    size_t bytes = d->source.size + d->destination.size;
    for (unsigned i = 0; i < d->piece_count; i++) bytes += d->pieces[i].text.size;
    struct transform *t = memory_zero(sizeof *t + d->piece_count * sizeof(struct piece) +
                                      d->position_count * sizeof(uint16_t) + bytes);
    struct piece *pieces = (struct piece *)(t + 1);
    uint16_t *positions = (uint16_t *)(pieces + d->piece_count);
    char *text = (char *)(positions + d->position_count);
    text = copy_bytes(text, d->source, &t->source);
    text = copy_bytes(text, d->destination, &t->destination);
    for (unsigned i = 0; i < d->piece_count; i++) {
        pieces[i] = d->pieces[i];
        text = copy_bytes(text, d->pieces[i].text, &pieces[i].text);
        if (pieces[i].function == PLACEHOLDER_RANDOM) t->random = true;
    }
    for (unsigned i = 0; i < d->position_count; i++) {
        positions[i] = d->positions[i];
        if (positions[i] >= t->needed) t->needed = (uint16_t)(positions[i] + 1);
    }
    t->pieces = pieces;
    t->positions = positions;
    t->piece_count = d->piece_count;
    t->source_tokens = d->source_tokens;
    t->open = d->open;
    t->verbatim = d->piece_count == 0;
    return t;
}

static bool draft_compile(struct draft *d, enum transform_kind kind, struct problem p) {
    struct tokens source, destination;
    if (!tokens_read(&source, d->source) || !tokens_read(&destination, d->destination) ||
        destination.wildcards > 0 || source.open != destination.open)
        return fail(p, "invalid subject");
    d->source_tokens = (uint16_t)source.count;
    d->open = source.open;
    if (source.wildcards == 0 && !source.open) return draft_for_literal(d, &destination, p);
    return draft_for_wildcards(d, &source, &destination, kind == TRANSFORM_IMPORT, p);
}

struct transform *transform_compile(struct slice source, struct slice destination,
                                    enum transform_kind kind, char *error, size_t error_size) {
    struct problem p = {error, error_size};
    struct draft d;
    d.source = source.size ? source : slice_of(">", 1);
    d.destination = destination;
    d.piece_count = d.position_count = d.source_tokens = 0;
    d.open = false;
    if (destination.size == 0) return transform_from(&d);
    if (kind == TRANSFORM_MAPPING && !check_mapping_destination(destination, p)) return NULL;
    return draft_compile(&d, kind, p) ? transform_from(&d) : NULL;
}

void transform_free(struct transform *t) {
    free(t);
}

bool transform_is_random(const struct transform *t) {
    return t->random;
}

struct slice transform_source(const struct transform *t) {
    return t->source;
}

struct slice transform_destination(const struct transform *t) {
    return t->destination;
}

/* --- the functions --- */

static const uint32_t fnv_start = 2166136261u;

static uint32_t fnv_add(uint32_t hash, struct slice s) {
    for (size_t i = 0; i < s.size; i++) hash = (hash ^ (unsigned char)s.at[i]) * 16777619u;
    return hash;
}

/* A negative number of buckets has always been taken as a large one. */
static uint64_t bucket_of(uint32_t hash, int32_t buckets) {
    return buckets == 0 ? 0 : hash % (uint32_t)buckets;
}

/* The n-th of the independent numbers that are drawn from one: splitmix64, 31 bits of it. */
static uint64_t draw(uint64_t random, unsigned n, int32_t ceiling) {
    uint64_t z = random + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    int64_t limit = ceiling < 0 ? -(int64_t)ceiling : ceiling;
    return limit == 0 ? 0 : (z >> 33) % (uint64_t)limit;
}

static void write_split_at(struct output *o, struct slice token, size_t position) {
    output_add(o, slice_of(token.at, position));
    output_dot(o);
    output_add(o, slice_of(token.at + position, token.size - position));
}

/* Pieces of `size` bytes behind a first one of `first` bytes. */
static void write_slices(struct output *o, struct slice token, size_t first, size_t size) {
    output_add(o, slice_of(token.at, first));
    for (size_t i = first; i < token.size; i += size) {
        output_dot(o);
        output_add(o, slice_of(token.at + i, size < token.size - i ? size : token.size - i));
    }
}

/* How many bytes the first character has; a byte that begins no valid one counts alone. */
static size_t character_size(struct slice s) {
    const unsigned char *b = (const unsigned char *)s.at;
    size_t size = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4 || size > s.size) return 1;
    for (size_t i = 1; i < size; i++)
        if ((b[i] & 0xc0) != 0x80) return 1;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool surrogate = b[0] == 0xed && b[1] > 0x9f, beyond = b[0] == 0xf4 && b[1] > 0x8f;
    return overlong || surrogate || beyond ? 1 : size;
}

/* Takes what stands before the next separator off `rest`; false when there is no separator left.
 * Without a separator every character is a part. */
static bool next_part(struct slice *rest, struct slice separator, struct slice *part) {
    if (separator.size == 0) {
        size_t size = rest->size ? character_size(*rest) : 0;
        *part = slice_of(rest->at, size);
        *rest = slice_of(rest->at + size, rest->size - size);
        return rest->size > 0;
    }
    const char *found =
        rest->size ? memmem(rest->at, rest->size, separator.at, separator.size) : NULL;
    *part = found ? slice_of(rest->at, (size_t)(found - rest->at)) : *rest;
    if (!found) return false;
    size_t skip = part->size + separator.size;
    *rest = slice_of(rest->at + skip, rest->size - skip);
    return true;
}

/* The parts that are not empty, joined with dots. A first part that is empty takes its dot with it;
 * a second empty one does not, so that `--foo` becomes `.foo`: known behaviour, kept. */
static void write_split(struct output *o, struct slice token, struct slice separator) {
    struct slice part;
    bool more = next_part(&token, separator, &part), first = true;
    output_add(o, part);
    while (more) {
        bool leading = first && part.size == 0;
        more = next_part(&token, separator, &part);
        first = false;
        if (part.size && !leading) output_dot(o);
        output_add(o, part);
    }
}

/* The functions of (token, number): they leave a token alone that isn't longer than the number. */
static void write_cut(struct output *o, const struct piece *piece, struct slice token) {
    if (piece->number <= 0 || (size_t)piece->number >= token.size) {
        output_add(o, token);
        return;
    }
    size_t number = (size_t)piece->number, rest = token.size % number;
    switch (piece->function) {
    case PLACEHOLDER_SPLIT_FROM_LEFT:
        write_split_at(o, token, number);
        break;
    case PLACEHOLDER_SPLIT_FROM_RIGHT:
        write_split_at(o, token, token.size - number);
        break;
    case PLACEHOLDER_SLICE_FROM_LEFT:
        write_slices(o, token, number, number);
        break;
    case PLACEHOLDER_SLICE_FROM_RIGHT:
        write_slices(o, token, rest ? rest : number, number);
        break;
    case PLACEHOLDER_LEFT:
        output_add(o, slice_of(token.at, number));
        break;
    default:
        assert(piece->function == PLACEHOLDER_RIGHT);
        output_add(o, slice_of(token.at + token.size - number, number));
    }
}

static uint32_t partition_hash(const struct transform *t, const struct piece *piece,
                               struct slice subject, const struct slice *tokens) {
    uint32_t hash = fnv_start;
    if (piece->count == 0) return fnv_add(hash, subject);
    for (unsigned i = 0; i < piece->count; i++)
        hash = fnv_add(hash, tokens[t->positions[piece->first + i]]);
    return hash;
}

/* Finds the leading tokens that the pieces refer to, and what `>` stands for. What a short subject
 * lacks is empty. */
static struct slice find_tokens(const struct transform *t, struct slice subject,
                                struct slice *tokens) {
    unsigned before_tail = t->open ? t->source_tokens - 1u : 0;
    unsigned wanted = t->needed > before_tail ? t->needed : before_tail;
    struct slice tail = slice_of(NULL, 0);
    for (unsigned i = 0; i < wanted; i++) {
        if (i == before_tail) tail = subject;
        struct slice token = subject.at ? subject_take_token(&subject) : slice_of("", 0);
        if (i < t->needed) tokens[i] = token;
    }
    return wanted == before_tail ? subject : tail;
}

size_t transform_apply(const struct transform *t, struct slice subject, uint64_t random, char *out,
                       size_t size) {
    struct output o = {out, size, 0};
    struct slice tokens[TRANSFORM_TOKENS_MAX];
    if (t->verbatim) {
        output_add(&o, subject);
        return o.length;
    }
    struct slice tail = find_tokens(t, subject, tokens);
    unsigned last = t->piece_count - 1u;
    for (unsigned i = 0; i <= last; i++) {
        const struct piece *piece = &t->pieces[i];
        struct slice token = piece->count ? tokens[t->positions[piece->first]] : slice_of("", 0);
        switch (piece->function) {
        case PLACEHOLDER_LITERAL:
            output_add(&o, i == last && t->open ? tail : piece->text);
            break;
        case PLACEHOLDER_WILDCARD:
            output_add(&o, token);
            break;
        case PLACEHOLDER_PARTITION:
            output_number(&o, bucket_of(partition_hash(t, piece, subject, tokens), piece->number));
            break;
        case PLACEHOLDER_RANDOM:
            output_number(&o, draw(random, i, piece->number));
            break;
        case PLACEHOLDER_SPLIT:
            write_split(&o, token, piece->text);
            break;
        default:
            write_cut(&o, piece, token);
        }
        if (i < last) output_dot(&o);
    }
    return o.length;
}

/* --- matching and reversing --- */

enum transform_result transform_match(const struct transform *t, struct slice subject,
                                      uint64_t random, char *out, size_t size, size_t *length) {
    bool all = slice_is(t->source, ">");
    if (!(all && (t->verbatim || slice_is(t->destination, ">")))) {
        if (!subject_is_valid_literal(subject)) return TRANSFORM_INVALID_SUBJECT;
        if (!all && !subject_is_subset(subject, t->source)) return TRANSFORM_NO_MATCH;
    }
    *length = transform_apply(t, subject, random, out, size);
    return TRANSFORM_MATCHED;
}

const char *transform_result_text(enum transform_result result) {
    switch (result) {
    case TRANSFORM_INVALID_SUBJECT:
        return "invalid subject";
    case TRANSFORM_NO_MATCH:
        return "no matching transforms available";
    case TRANSFORM_MATCHED:
        break;
    }
    return "";
}

/* Which `*` of the reversed source stands for the source token at each position, from 1; false if
 * one is missing, doubled or not a `*`. */
static bool find_origins(const struct transform *t, const struct tokens *source,
                         uint16_t *origins) {
    unsigned placeholders = 0;
    memset(origins, 0, TRANSFORM_TOKENS_MAX * sizeof *origins);
    for (unsigned i = 0; i < t->piece_count; i++) {
        const struct piece *piece = &t->pieces[i];
        if (piece->function == PLACEHOLDER_LITERAL) continue;
        if (piece->function != PLACEHOLDER_WILDCARD) return false;
        unsigned position = t->positions[piece->first];
        if (!subject_token_is(source->at[position], '*') || origins[position]) return false;
        origins[position] = (uint16_t)++placeholders;
    }
    return placeholders == source->wildcards;
}

/* The filter that all results match. */
static void write_reversed_source(const struct transform *t, struct output *o) {
    for (unsigned i = 0; i < t->piece_count; i++) {
        bool literal = t->pieces[i].function == PLACEHOLDER_LITERAL;
        if (i) output_dot(o);
        output_add(o, literal ? t->pieces[i].text : slice_of("*", 1));
    }
}

static void write_reversed_destination(const struct tokens *source, const uint16_t *origins,
                                       struct output *o) {
    for (unsigned i = 0; i < source->count; i++) {
        if (i) output_dot(o);
        if (!origins[i]) {
            output_add(o, source->at[i]);
            continue;
        }
        output_add(o, slice_of("$", 1));
        output_number(o, origins[i]);
    }
}

/* Built from the pieces, not from the text, so that a literal token that looks like a placeholder
 * stays a literal. */
static struct transform *transform_reversed(const struct transform *t, const struct tokens *source,
                                            const uint16_t *origins, struct output *texts) {
    struct draft d;
    uint16_t positions[TRANSFORM_TOKENS_MAX + 1]; /* of the placeholders in the reversed source */
    unsigned placeholders = 0;
    d.source = slice_of(texts[0].at, texts[0].length);
    d.destination = slice_of(texts[1].at, texts[1].length);
    d.piece_count = d.position_count = 0;
    d.source_tokens = t->piece_count;
    d.open = t->open;
    for (unsigned i = 0; i < t->piece_count; i++)
        if (t->pieces[i].function == PLACEHOLDER_WILDCARD) positions[++placeholders] = (uint16_t)i;
    for (unsigned i = 0; i < source->count; i++) {
        if (!origins[i]) {
            draft_piece(&d, PLACEHOLDER_LITERAL, source->at[i]);
            continue;
        }
        struct piece *piece = draft_piece(&d, PLACEHOLDER_WILDCARD, slice_of("", 0));
        bool added = draft_position(&d, piece, positions[origins[i]]);
        assert(added);
        (void)added;
    }
    return transform_from(&d);
}

struct transform *transform_reverse(const struct transform *t) {
    struct tokens source;
    uint16_t origins[TRANSFORM_TOKENS_MAX];
    char numbers[TRANSFORM_TOKENS_MAX * 4 + TRANSFORM_TEXT_MAX], filter[TRANSFORM_TEXT_MAX];
    struct output texts[2] = {{filter, sizeof filter, 0}, {numbers, sizeof numbers, 0}};
    if (t->verbatim) return transform_compile(t->source, t->destination, TRANSFORM_IMPORT, NULL, 0);
    if (!tokens_read(&source, t->source) || !find_origins(t, &source, origins)) return NULL;
    write_reversed_source(t, &texts[0]);
    write_reversed_destination(&source, origins, &texts[1]);
    assert(texts[0].length <= texts[0].size && texts[1].length <= texts[1].size);
    return transform_reversed(t, &source, origins, texts);
}

/* --- text to text --- */

size_t transform_number_wildcards(struct slice filter, char *out, size_t size) {
    struct output o = {out, size, 0};
    unsigned n = 0;
    while (filter.at) {
        struct slice token = subject_take_token(&filter);
        if (subject_token_is(token, '*')) {
            output_add(&o, slice_of("$", 1));
            output_number(&o, ++n);
        } else {
            output_add(&o, token);
        }
        if (filter.at) output_dot(&o);
    }
    return o.length;
}

size_t transform_restore_wildcards(struct slice destination, char *out, size_t size) {
    struct output o = {out, size, 0};
    while (destination.at) {
        struct slice token = subject_take_token(&destination);
        output_add(&o, placeholder_is_wildcard(token) ? slice_of("*", 1) : token);
        if (destination.at) output_dot(&o);
    }
    return o.length;
}
