/*
 * A model of the subject index: a plain list of subscriptions, compared token by token with what is
 * looked up. It shares no code with the index. Each call does the same thing to both and says, as a
 * text, how they differ; NULL: they don't.
 */
#pragma once
#include "match/subject_index.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_SUBSCRIPTIONS_MAX = 1024, MODEL_SUBJECT_MAX = 128, MODEL_QUEUE_MAX = 8 };

struct model_subscription {
    char subject[MODEL_SUBJECT_MAX], queue[MODEL_QUEUE_MAX];
    uint64_t id;
    struct index_node *node;
};

struct subject_model {
    struct subject_index *index;
    struct model_subscription subscriptions[MODEL_SUBSCRIPTIONS_MAX];
    size_t count;
    uint64_t inserts, removes;
    const struct index_node *visited[MODEL_SUBSCRIPTIONS_MAX + 1];
    size_t visits;
};

/* Cuts `subject` in place; returns the number of tokens. */
static inline size_t model_split(char *subject, char **tokens) {
    size_t n = 0;
    tokens[n++] = subject;
    for (char *at = subject; *at; at++) {
        if (*at != '.') continue;
        *at = 0;
        tokens[n++] = at + 1;
    }
    return n;
}

enum model_question { MODEL_MATCHES, MODEL_COLLIDES };

static inline bool model_is_valid(const char *subject) {
    char copy[MODEL_SUBJECT_MAX], *tokens[MODEL_SUBJECT_MAX];
    snprintf(copy, sizeof copy, "%s", subject);
    size_t n = model_split(copy, tokens);
    for (size_t i = 0; i < n; i++)
        if (!*tokens[i] || (strcmp(tokens[i], ">") == 0 && i + 1 < n)) return false;
    return true;
}

/* Whether the stored subject is wanted by the literal, or collides with the filter, `other`. */
static inline bool model_agrees(const char *stored, const char *other,
                                enum model_question question) {
    char a[MODEL_SUBJECT_MAX], b[MODEL_SUBJECT_MAX], *s[MODEL_SUBJECT_MAX], *o[MODEL_SUBJECT_MAX];
    snprintf(a, sizeof a, "%s", stored);
    snprintf(b, sizeof b, "%s", other);
    size_t n = model_split(a, s), m = model_split(b, o);
    bool wild = question == MODEL_COLLIDES;
    if (wild && !model_is_valid(other)) return false;
    for (size_t i = 0; i < m; i++)
        if (!*o[i]) return false;
    for (size_t i = 0; i < n && i < m; i++) {
        if (strcmp(s[i], ">") == 0 || (wild && strcmp(o[i], ">") == 0)) return true;
        if (strcmp(s[i], "*") == 0 || (wild && strcmp(o[i], "*") == 0)) continue;
        if (strcmp(s[i], o[i]) != 0) return false;
    }
    return n == m;
}

static inline struct model_subscription *model_find(struct subject_model *m, const char *subject,
                                                    const char *queue, uint64_t id) {
    for (size_t i = 0; i < m->count; i++) {
        struct model_subscription *s = m->subscriptions + i;
        if (s->id == id && strcmp(s->subject, subject) == 0 && strcmp(s->queue, queue) == 0)
            return s;
    }
    return NULL;
}

static inline const char *model_check_stats(const struct subject_model *m) {
    struct subject_index_stats stats = subject_index_stats(m->index);
    if (stats.subscriptions != m->count) return "the number of subscriptions is wrong";
    if (stats.inserts != m->inserts || stats.removes != m->removes)
        return "inserts or removes are miscounted";
    size_t tokens = 0;
    for (size_t i = 0; i < m->count; i++) {
        tokens++;
        for (const char *c = m->subscriptions[i].subject; *c; c++) tokens += *c == '.';
    }
    if (stats.nodes > tokens) return "there are more nodes than tokens";
    if (m->count && !stats.nodes) return "there are no nodes";
    return NULL;
}

static inline const char *model_insert(struct subject_model *m, const char *subject,
                                       const char *queue, uint64_t id) {
    struct model_subscription *known = model_find(m, subject, queue, id);
    if (!known && m->count == MODEL_SUBSCRIPTIONS_MAX) return NULL;
    struct index_node *node =
        subject_index_insert(m->index, slice_text(subject), slice_text(queue), id);
    if (!model_is_valid(subject)) return node ? "an invalid subject was taken" : NULL;
    if (!node) return "a valid subject was refused";
    if (known) return node == known->node ? NULL : "a node has moved";
    struct model_subscription *s = m->subscriptions + m->count++;
    m->inserts++;
    s->id = id;
    s->node = node;
    snprintf(s->subject, sizeof s->subject, "%s", subject);
    snprintf(s->queue, sizeof s->queue, "%s", queue);
    return NULL;
}

static inline const char *model_remove(struct subject_model *m, size_t i) {
    struct model_subscription *s = m->subscriptions + i;
    char subject[MODEL_SUBJECT_MAX];
    size_t n = index_node_subject(s->node, subject, sizeof subject);
    if (n != strlen(s->subject) || memcmp(subject, s->subject, n) != 0)
        return "a node has a wrong subject";
    if (subject_index_remove(m->index, s->node, slice_text("no such"), s->id))
        return "removed from a group that does not exist";
    if (subject_index_remove(m->index, s->node, slice_text(s->queue), s->id + 1000000))
        return "removed what was never inserted";
    if (!subject_index_remove(m->index, s->node, slice_text(s->queue), s->id)) return "not removed";
    m->removes++;
    *s = m->subscriptions[--m->count];
    return NULL;
}

static inline void model_visit(void *arg, const struct index_node *node) {
    struct subject_model *m = arg;
    if (m->visits <= MODEL_SUBSCRIPTIONS_MAX) m->visited[m->visits++] = node;
}

static inline int model_compare(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    return (x > y) - (x < y);
}

static inline const struct id_set *model_members(const struct index_node *node, const char *queue) {
    if (!*queue) return index_node_plain(node);
    const struct index_group *g = index_node_first_group(node);
    while (g && !slice_is(index_group_name(g), queue)) g = index_group_next(g);
    return g ? index_group_members(g) : NULL;
}

static inline size_t model_count_members(const struct index_node *node) {
    const struct id_set *plain = index_node_plain(node);
    size_t n = plain ? plain->count : 0;
    for (const struct index_group *g = index_node_first_group(node); g; g = index_group_next(g))
        n += index_group_members(g)->count;
    return n;
}

/* Compares what was visited with what `subject` should find. */
static inline const char *model_check_visited(struct subject_model *m, const char *subject,
                                              enum model_question question) {
    size_t expected = 0, found = 0;
    qsort(m->visited, m->visits, sizeof *m->visited, model_compare);
    for (size_t i = 0; i < m->visits; i++) {
        if (i && m->visited[i] == m->visited[i - 1]) return "a node was visited twice";
        size_t members = model_count_members(m->visited[i]);
        if (members == 0) return "a node without members was visited";
        found += members;
    }
    for (size_t i = 0; i < m->count; i++) {
        const struct model_subscription *s = m->subscriptions + i;
        const struct index_node *key = s->node;
        if (!model_agrees(s->subject, subject, question)) continue;
        expected++;
        if (!bsearch(&key, m->visited, m->visits, sizeof key, model_compare))
            return "a node that should be visited was not";
        const struct id_set *members = model_members(key, s->queue);
        if (!members || !id_set_has(members, s->id)) return "a member is missing";
    }
    return expected == found ? NULL : "a node was visited that should not be";
}

static inline const char *model_match(struct subject_model *m, const char *subject) {
    m->visits = 0;
    subject_index_match(m->index, slice_text(subject), model_visit, m);
    if (subject_index_has_interest(m->index, slice_text(subject)) != (m->visits > 0))
        return "interest and match disagree";
    return model_check_visited(m, subject, MODEL_MATCHES);
}

static inline const char *model_collide(struct subject_model *m, const char *filter) {
    m->visits = 0;
    subject_index_collide(m->index, slice_text(filter), model_visit, m);
    return model_check_visited(m, filter, MODEL_COLLIDES);
}

/* Removes everything. */
static inline const char *model_drain(struct subject_model *m) {
    const char *wrong = NULL;
    while (m->count && !wrong) wrong = model_remove(m, m->count - 1);
    if (wrong) return wrong;
    return subject_index_stats(m->index).nodes ? "nodes are left in an empty index" : NULL;
}
