/*
 * Input: four lines (kind and random byte, source, destination, subject), which may be anything.
 * What must hold: a result's length does not depend on the room for it, nothing is written behind
 * the room, a reversed transform gives the subject back, and a mapping of the same pair says the
 * same as the transform.
 */
#include "match/mapping.h"
#include "match/subject.h"
#include "match/transform.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 16 };

static void require(int truth) {
    if (!truth) abort();
}

static struct slice take_line(struct slice *rest) {
    const char *end = rest->size ? memchr(rest->at, '\n', rest->size) : NULL;
    struct slice line = slice_of(rest->at, end ? (size_t)(end - rest->at) : rest->size);
    *rest = slice_of(rest->at + line.size, rest->size - line.size);
    if (end) *rest = slice_of(rest->at + 1, rest->size - 1);
    return line;
}

/* With too little room: the same length, and the same bytes up to the end of the room. */
static void check_room(const struct transform *t, struct slice subject, uint64_t random,
                       const char *whole, size_t length) {
    for (size_t room = 0; room <= length && room <= 64; room = room * 2 + 1) {
        char *tight = malloc(room ? room : 1);
        require(tight && transform_apply(t, subject, random, tight, room) == length);
        require(memcmp(tight, whole, room < length ? room : length) == 0);
        free(tight);
    }
}

/* A source token such as `*x` takes any token, and nobody remembers which. */
static bool loses_tokens(struct slice source) {
    while (source.at) {
        struct slice token = subject_take_token(&source);
        if (token.size > 1 && token.at[0] == '*') return true;
    }
    return false;
}

static void check_reverse(const struct transform *t, struct slice subject, struct slice result) {
    static char back[ROOM];
    struct transform *reverse = transform_reverse(t);
    if (!reverse || loses_tokens(transform_source(t)) || loses_tokens(transform_source(reverse))) {
        transform_free(reverse);
        return;
    }
    size_t length;
    if (transform_match(reverse, result, 0, back, sizeof back, &length) == TRANSFORM_MATCHED)
        require(slice_equal(slice_of(back, length), subject));
    transform_free(reverse);
}

static void check_mapping(struct slice source, struct slice destination, struct slice subject,
                          uint64_t random) {
    static char mapped[ROOM], applied[ROOM];
    char error[256] = "";
    size_t length = 0;
    struct mapping_builder *b = mapping_builder_new();
    mapping_builder_begin(b, "first.of.all", 12);
    require(mapping_builder_end(b, error, sizeof error) == 0);
    mapping_builder_begin(b, source.at, source.size);
    mapping_builder_destination(b, destination.at, destination.size, 100, "", 0);
    int refused = mapping_builder_end(b, error, sizeof error);
    struct mapping_set *set = mapping_builder_finish(b, "c", 1);
    enum mapping_verdict verdict =
        mapping_set_select(set, subject, random, mapped, sizeof mapped, &length);
    struct transform *t =
        transform_compile(source, destination, TRANSFORM_MAPPING, error, sizeof error);
    if (!refused && !slice_is(subject, "first.of.all") && subject.size) {
        bool hit = subject_is_subset(subject, source);
        require(t && (verdict != MAPPING_UNCHANGED) == hit);
        if (verdict == MAPPING_REPLACED) {
            require(transform_apply(t, subject, random, applied, sizeof applied) == length);
            require(memcmp(mapped, applied, length) == 0);
        }
    }
    transform_free(t);
    mapping_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char out[ROOM];
    char error[128];
    struct slice rest = slice_of((const char *)data, size);
    struct slice head = take_line(&rest), source = take_line(&rest);
    struct slice destination = take_line(&rest), subject = take_line(&rest);
    enum transform_kind kind = head.size ? (enum transform_kind)((unsigned char)head.at[0] % 3) : 0;
    uint64_t random = head.size > 1 ? (unsigned char)head.at[1] : 0;
    size_t length;

    transform_number_wildcards(source, out, sizeof out);
    transform_restore_wildcards(destination, out, sizeof out);
    check_mapping(source, destination, subject, random);
    struct transform *t = transform_compile(source, destination, kind, error, sizeof error);
    if (!t) {
        require(memchr(error, 0, sizeof error) != NULL);
        return 0;
    }
    length = transform_apply(t, subject, random, out, sizeof out);
    if (length <= sizeof out) check_room(t, subject, random, out, length);
    enum transform_result result = transform_match(t, subject, random, out, sizeof out, &length);
    if (result == TRANSFORM_MATCHED && length <= sizeof out)
        check_reverse(t, subject, slice_of(out, length));
    transform_free(t);
    return 0;
}
