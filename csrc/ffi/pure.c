/* The pure modules for Lua: each call is the module's own, in plain types. */
#include "base/memory.h"
#include "match/mapping.h"
#include "match/subject.h"
#include "match/subject_index.h"
#include "match/transform.h"
#include "wire/client_protocol.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ffi/perigee.h"

/* --- mappings
 * -----------------------------------------------------------------------------------------------------
 */

struct mapping_builder *perigee_mappings_new(void) {
    return mapping_builder_new();
}

void perigee_mappings_begin(struct mapping_builder *b, const char *source, size_t size) {
    mapping_builder_begin(b, source, size);
}

void perigee_mappings_destination(struct mapping_builder *b, const char *destination, size_t size,
                                  unsigned weight, const char *cluster, size_t cluster_size) {
    mapping_builder_destination(b, destination, size, weight, cluster, cluster_size);
}

int perigee_mappings_end(struct mapping_builder *b, char *error, size_t error_size) {
    return mapping_builder_end(b, error, error_size);
}

struct mapping_set *perigee_mappings_finish(struct mapping_builder *b, const char *cluster,
                                            size_t cluster_size) {
    return mapping_builder_finish(b, cluster, cluster_size);
}

void perigee_mappings_free(struct mapping_set *set) {
    mapping_set_free(set);
}

int perigee_mappings_select(const struct mapping_set *set, const char *subject, size_t size,
                            uint64_t random, char *out, size_t room, size_t *length) {
    return (int)mapping_set_select(set, slice_of(subject, size), random, out, room, length);
}

#define SAME(seam, own)                                                                            \
    _Static_assert((int)(seam) == (int)(own), "the seam's numbers are the module's")
SAME(PERIGEE_MAPPING_UNCHANGED, MAPPING_UNCHANGED);
SAME(PERIGEE_MAPPING_REPLACED, MAPPING_REPLACED);
SAME(PERIGEE_MAPPING_DROPPED, MAPPING_DROPPED);
SAME(PERIGEE_MAPPING_TOO_LONG, MAPPING_TOO_LONG);
SAME(PERIGEE_PARSED, CLIENT_PARSED);
SAME(PERIGEE_PARTIAL, CLIENT_PARTIAL);
SAME(PERIGEE_UNKNOWN_OPERATION, CLIENT_UNKNOWN_OPERATION);
SAME(PERIGEE_LINE_TOO_LONG, CLIENT_LINE_TOO_LONG);
SAME(PERIGEE_BAD_ARGUMENTS, CLIENT_BAD_ARGUMENTS);
SAME(PERIGEE_VERB_CONNECT, CLIENT_CONNECT);
SAME(PERIGEE_VERB_PUB, CLIENT_PUB);
SAME(PERIGEE_VERB_HPUB, CLIENT_HPUB);
SAME(PERIGEE_VERB_SUB, CLIENT_SUB);
SAME(PERIGEE_VERB_UNSUB, CLIENT_UNSUB);
SAME(PERIGEE_VERB_PING, CLIENT_PING);
SAME(PERIGEE_VERB_PONG, CLIENT_PONG);
SAME(PERIGEE_VERB_INFO, CLIENT_INFO);
SAME(PERIGEE_VERB_OK, CLIENT_OK);
SAME(PERIGEE_VERB_ERR, CLIENT_ERR);

/* --- the protocol
 * -------------------------------------------------------------------------------------------------
 */

static struct perigee_text text_of(struct slice s) {
    return (struct perigee_text){s.at, s.size};
}

void perigee_parse_operation(const char *at, size_t size, uint32_t max_control_line,
                             struct perigee_operation *out, char *error, size_t error_size) {
    struct client_op op = {0};
    size_t scanned = 0;
    *out = (struct perigee_operation){0};
    out->result =
        (int)client_parse_line(at, size, max_control_line, &scanned, &op, error, error_size);
    if (out->result != CLIENT_PARSED) return;
    out->verb = (int)op.verb;
    out->line_size = op.line_size;
    out->arg = text_of(op.arg);
    out->subject = text_of(op.subject);
    out->reply = text_of(op.reply);
    out->queue = text_of(op.queue);
    out->sid = text_of(op.sid);
    out->header_size = op.header_size;
    out->total_size = op.total_size;
    out->max = op.max;
    out->has_max = op.has_max;
}

/* --- subjects
 * -----------------------------------------------------------------------------------------------------
 */

struct subject_index *perigee_index_new(void) {
    return subject_index_new();
}

void perigee_index_free(struct subject_index *index) {
    subject_index_free(index);
}

struct index_node *perigee_index_insert(struct subject_index *index, const char *subject,
                                        size_t size, const char *queue, size_t queue_size,
                                        uint64_t id) {
    return subject_index_insert(index, slice_of(subject, size), slice_of(queue, queue_size), id);
}

bool perigee_index_remove(struct subject_index *index, struct index_node *node, const char *queue,
                          size_t queue_size, uint64_t id) {
    return subject_index_remove(index, node, slice_of(queue, queue_size), id);
}

struct found {
    uint64_t *ids;
    size_t room, count;
};

static void add_ids(struct found *f, const struct id_set *set) {
    for (uint32_t i = 0; set && i < set->count; i++, f->count++)
        if (f->count < f->room) f->ids[f->count] = id_set_at(set, i);
}

static void add_node(void *arg, const struct index_node *node) {
    add_ids(arg, index_node_plain(node));
    for (const struct index_group *g = index_node_first_group(node); g; g = index_group_next(g))
        add_ids(arg, index_group_members(g));
}

size_t perigee_index_match(const struct subject_index *index, const char *subject, size_t size,
                           uint64_t *ids, size_t room) {
    struct found f = {ids, room, 0};
    subject_index_match(index, slice_of(subject, size), add_node, &f);
    return f.count;
}

unsigned perigee_subject_check(const char *subject, size_t size) {
    struct slice s = slice_of(subject, size);
    return (subject_is_valid_to_subscribe(s) ? 1u : 0u) | (subject_is_valid(s) ? 2u : 0u) |
           (subject_is_valid_literal(s) ? 4u : 0u) | (subject_is_valid_to_publish(s) ? 8u : 0u) |
           (subject_has_wildcard(s) ? 16u : 0u);
}

bool perigee_subject_is_subset(const char *subject, size_t size, const char *filter,
                               size_t filter_size) {
    return subject_is_subset(slice_of(subject, size), slice_of(filter, filter_size));
}

bool perigee_subject_collides(const char *a, size_t a_size, const char *b, size_t b_size) {
    return subject_collides(slice_of(a, a_size), slice_of(b, b_size));
}

/* --- transforms
 * ---------------------------------------------------------------------------------------------------
 */

struct transform *perigee_transform_compile(const char *source, size_t source_size,
                                            const char *destination, size_t destination_size,
                                            bool strict, char *error, size_t error_size) {
    return transform_compile(slice_of(source, source_size), slice_of(destination, destination_size),
                             strict ? TRANSFORM_IMPORT : TRANSFORM_MAPPING, error, error_size);
}

void perigee_transform_free(struct transform *t) {
    transform_free(t);
}

int64_t perigee_transform_apply(const struct transform *t, const char *subject, size_t size,
                                uint64_t random, char *out, size_t room) {
    size_t length = 0;
    if (transform_match(t, slice_of(subject, size), random, out, room, &length) !=
        TRANSFORM_MATCHED)
        return -1;
    return (int64_t)length;
}
