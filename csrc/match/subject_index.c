#include "match/subject_index.h"
#include "base/hash.h"
#include "base/linear_hash.h"
#include "base/memory.h"
#include "match/subject.h"
#include <assert.h>
#include <stdlib.h>

/*
 * A node's label is one or more whole tokens of its subject; the first of them says where the
 * parent keeps it: `*` and
 * `>` have places of their own, any other is hashed. Further tokens of a label may be `*`, and the
 * last may be `>`. A node that only holds members is one allocation; what few have (children,
 * groups) is a second one.
 *
 * Callers keep pointers to nodes with members, so such a node never moves. When a label must be
 * divided, a new node takes the front of it, above, and the old node skips those bytes; when the
 * node above is not needed any more, the old node just stops skipping them:
 *
 *      "eu.created"   ==>   "eu" ─┬─ "[eu.]created"      ==>   "eu.created"
 *                                 └─ "deleted"
 *
 * So the bytes before `skip` are always the end of the parent's subject and its dot. A node above
 * that cannot be absorbed this way stays until its last child goes: there are never more nodes than
 * tokens of living subscriptions.
 */
struct index_node {
    struct hash_link link; /* must be first: tables yield links; hash is that of the first token */
    struct index_node *parent;
    struct id_set plain;
    struct branches *more; /* NULL: no child and no group */
    uint16_t size, skip;   /* bytes of `text`; of which the first `skip` belong to nodes above */
    uint8_t wildcards;     /* the label has a token `*` or `>` */
    char text[];
};

struct branches {
    struct linear_hash children; /* the literal ones */
    struct index_node *star, *full;
    struct linear_hash groups;
    struct index_group *first_group;
};

struct index_group {
    struct hash_link link; /* must be first */
    struct index_group *next, *previous;
    struct id_set members;
    uint32_t name_size;
    char name[];
};

struct subject_index {
    struct index_node *root; /* its label is empty */
    struct subject_index_stats stats;
};

static struct slice label_of(const struct index_node *node) {
    return slice_of(node->text + node->skip, (size_t)(node->size - node->skip));
}

static struct slice first_token(struct slice subject) {
    return subject_take_token(&subject);
}

static uint32_t hash_token(struct slice token) {
    return (uint32_t)hash_slice(token);
}

static bool has_members(const struct index_node *node) {
    return node->plain.count || (node->more && node->more->first_group);
}

/* Nodes and their places */

static struct index_node *node_new(struct slice label) {
    assert(label.size <= SUBJECT_INDEX_SIZE_MAX);
    /* The label begins inside what sizeof counts as padding. */
    size_t size = offsetof(struct index_node, text) + label.size;
    struct index_node *node = memory_new(size < sizeof *node ? sizeof *node : size);
    *node = (struct index_node){.size = (uint16_t)label.size};
    if (label.size) memcpy(node->text, label.at, label.size);
    node->wildcards = subject_has_wildcard(label);
    return node;
}

static struct branches *branches_of(struct index_node *node) {
    if (!node->more) node->more = memory_zero(sizeof *node->more);
    return node->more;
}

/* The child whose label begins with `token`. */
static struct index_node *find_child(const struct index_node *node, struct slice token,
                                     uint32_t hash) {
    if (!node->more) return NULL;
    if (subject_token_is(token, '*')) return node->more->star;
    if (subject_token_is(token, '>')) return node->more->full;
    struct hash_link *link = linear_hash_first(&node->more->children, hash);
    while (link && !slice_equal(first_token(label_of((struct index_node *)link)), token))
        link = linear_hash_next(link);
    return (struct index_node *)link;
}

static void attach(struct index_node *parent, struct index_node *child) {
    struct branches *more = branches_of(parent);
    struct slice token = first_token(label_of(child));
    child->parent = parent;
    if (subject_token_is(token, '*'))
        more->star = child;
    else if (subject_token_is(token, '>'))
        more->full = child;
    else
        linear_hash_insert(&more->children, &child->link, hash_token(token));
}

static void detach(struct index_node *child) {
    struct branches *more = child->parent->more;
    if (more->star == child)
        more->star = NULL;
    else if (more->full == child)
        more->full = NULL;
    else
        linear_hash_remove(&more->children, &child->link);
}

/* Changes how much of its text a node skips. */
static void set_skip(struct index_node *node, size_t skip) {
    node->skip = (uint16_t)skip;
    node->wildcards = subject_has_wildcard(label_of(node));
}

/* Puts a new node above `child`, which takes the first `size` bytes of its label. */
static struct index_node *divide(struct index_node *child, size_t size) {
    struct index_node *parent = child->parent;
    struct index_node *above = node_new(slice_of(label_of(child).at, size));
    detach(child);
    attach(parent, above);
    set_skip(child, child->skip + size + 1);
    attach(above, child);
    return above;
}

/* How many bytes of `label` and of `subject` are the same whole tokens. */
static size_t common_tokens(struct slice label, struct slice subject) {
    size_t n = label.size < subject.size ? label.size : subject.size, whole = 0, i = 0;
    while (i < n && label.at[i] == subject.at[i]) {
        if (label.at[i] == '.') whole = i;
        i++;
    }
    bool label_ends = i == label.size || label.at[i] == '.';
    bool subject_ends = i == subject.size || subject.at[i] == '.';
    return label_ends && subject_ends ? i : whole;
}

/* The node of `subject`, made if need be. */
static struct index_node *node_for(struct subject_index *index, struct slice subject) {
    struct index_node *node = index->root;
    while (subject.size) {
        struct slice token = first_token(subject);
        struct index_node *child = find_child(node, token, hash_token(token));
        if (!child) {
            child = node_new(subject);
            attach(node, child);
            index->stats.nodes++;
            return child;
        }
        size_t size = common_tokens(label_of(child), subject);
        if (size < label_of(child).size) {
            child = divide(child, size);
            index->stats.nodes++;
        }
        node = child;
        size_t taken = size < subject.size ? size + 1 : size;
        subject = slice_of(subject.at + taken, subject.size - taken);
    }
    return node;
}

/* Groups */

static struct index_group *find_group(const struct index_node *node, struct slice name) {
    if (!node->more) return NULL;
    struct hash_link *link = linear_hash_first(&node->more->groups, hash_token(name));
    while (link && !slice_equal(index_group_name((struct index_group *)link), name))
        link = linear_hash_next(link);
    return (struct index_group *)link;
}

static struct index_group *group_for(struct index_node *node, struct slice name) {
    struct index_group *group = find_group(node, name);
    if (group) return group;
    struct branches *more = branches_of(node);
    group = memory_new(sizeof *group + name.size);
    *group = (struct index_group){.next = more->first_group, .name_size = (uint32_t)name.size};
    memcpy(group->name, name.at, name.size);
    if (group->next) group->next->previous = group;
    more->first_group = group;
    linear_hash_insert(&more->groups, &group->link, hash_token(name));
    return group;
}

static void drop_group(struct index_node *node, struct index_group *group) {
    linear_hash_remove(&node->more->groups, &group->link);
    if (group->next) group->next->previous = group->previous;
    if (group->previous)
        group->previous->next = group->next;
    else
        node->more->first_group = group->next;
    id_set_free(&group->members);
    free(group);
}

/* Making and unmaking */

struct subject_index *subject_index_new(void) {
    struct subject_index *index = memory_zero(sizeof *index);
    index->root = node_new(slice_of(NULL, 0));
    return index;
}

static void free_branches(struct index_node *node) {
    if (!node->more) return;
    linear_hash_free(&node->more->children);
    linear_hash_free(&node->more->groups);
    free(node->more);
    node->more = NULL;
}

/* Nodes waiting to be freed hang on their links, which their tables need no more: no recursion, no
 * memory. */
static struct index_node *push_children(struct index_node *node, struct index_node *waiting) {
    struct branches *more = node->more;
    struct index_node *own[] = {more->star, more->full};
    for (int i = 0; i < 2; i++) {
        if (!own[i]) continue;
        own[i]->link.next = (struct hash_link *)waiting;
        waiting = own[i];
    }
    uint64_t cursor = 0;
    struct hash_link *link = linear_hash_each(&more->children, &cursor, NULL);
    while (link) {
        struct hash_link *next = linear_hash_each(&more->children, &cursor, link);
        link->next = (struct hash_link *)waiting;
        waiting = (struct index_node *)link;
        link = next;
    }
    return waiting;
}

void subject_index_free(struct subject_index *index) {
    if (!index) return;
    index->root->link.next = NULL;
    for (struct index_node *node = index->root, *rest; node; node = rest) {
        rest = (struct index_node *)node->link.next;
        if (node->more) rest = push_children(node, rest);
        while (node->more && node->more->first_group) drop_group(node, node->more->first_group);
        id_set_free(&node->plain);
        free_branches(node);
        free(node);
    }
    free(index);
}

struct index_node *subject_index_insert(struct subject_index *index, struct slice subject,
                                        struct slice queue, uint64_t id) {
    if (subject.size > SUBJECT_INDEX_SIZE_MAX || !subject_is_valid_to_subscribe(subject))
        return NULL;
    struct index_node *node = node_for(index, subject);
    struct id_set *members = queue.size ? &group_for(node, queue)->members : &node->plain;
    if (id_set_add(members, id)) {
        index->stats.subscriptions++;
        index->stats.inserts++;
    }
    return node;
}

/* The child of a node that has exactly one, or NULL. */
static struct index_node *only_child(const struct index_node *node) {
    const struct branches *more = node->more;
    if (more->children.count + (more->star != NULL) + (more->full != NULL) != 1) return NULL;
    if (more->star) return more->star;
    if (more->full) return more->full;
    uint64_t cursor = 0;
    return (struct index_node *)linear_hash_each(&more->children, &cursor, NULL);
}

/* Lets `child` take the place of its parent, which has no other child and no members, when the
 * child's text still begins with the parent's label. */
static bool absorb_parent(struct subject_index *index, struct index_node *child) {
    struct index_node *parent = child->parent;
    if (parent == index->root || has_members(parent) || only_child(parent) != child) return false;
    if (child->skip == 0) return false;
    size_t size = label_of(parent).size + 1;
    assert(child->skip >= size);
    detach(child);
    detach(parent);
    set_skip(child, child->skip - size);
    attach(parent->parent, child);
    free_branches(parent);
    free(parent);
    index->stats.nodes--;
    return true;
}

static bool is_bare(const struct index_node *node) {
    const struct branches *more = node->more;
    return !more || (!more->children.count && !more->star && !more->full && !more->first_group);
}

/* Takes away what is not needed any more, from `node` upwards. */
static void prune(struct subject_index *index, struct index_node *node) {
    while (is_bare(node)) {
        free_branches(node);
        if (node->plain.count || node == index->root) return;
        struct index_node *parent = node->parent;
        detach(node);
        free(node);
        index->stats.nodes--;
        node = parent;
    }
    struct index_node *child = only_child(node);
    while (child && absorb_parent(index, child)) continue;
}

bool subject_index_remove(struct subject_index *index, struct index_node *node, struct slice queue,
                          uint64_t id) {
    struct index_group *group = queue.size ? find_group(node, queue) : NULL;
    if (queue.size && !group) return false;
    if (!id_set_remove(group ? &group->members : &node->plain, id)) return false;
    index->stats.subscriptions--;
    index->stats.removes++;
    if (group && group->members.count == 0) drop_group(node, group);
    if (!has_members(node) || is_bare(node)) prune(index, node);
    return true;
}

/* Looking up a literal */

struct token {
    uint32_t start, end; /* bytes of the subject */
    uint32_t hash;       /* 0: not yet computed, or really 0 */
};

/* A node whose subject matches the first `depth` tokens. */
struct place {
    const struct index_node *node;
    uint32_t depth;
};

/* Each place that is taken off the stack puts back at most two, both deeper, so that no more places
 * wait than there are tokens. Subjects up to NEAR tokens need no allocation. */
enum { NEAR = 32 };
struct walk {
    const char *subject;
    struct token *tokens;
    struct place *stack;
    uint32_t count, waiting;
    void *far;
    struct token near_tokens[NEAR];
    struct place near_stack[NEAR + 1];
};

/* Cuts the subject into tokens; returns their number, 0 when one is empty. At most `room` are
 * written. */
static uint32_t cut(struct slice s, struct token *tokens, uint32_t room) {
    uint32_t n = 0;
    const char *at = s.at, *end = s.at + s.size;
    for (;;) {
        const char *dot = at;
        while (dot < end && *dot != '.') dot++;
        if (dot == at) return 0;
        if (n < room) tokens[n] = (struct token){(uint32_t)(at - s.at), (uint32_t)(dot - s.at), 0};
        n++;
        if (dot == end) return n;
        at = dot + 1;
    }
}

static bool walk_begin(struct walk *w, const struct subject_index *index, struct slice subject) {
    w->far = NULL;
    w->tokens = w->near_tokens;
    w->stack = w->near_stack;
    w->subject = subject.at;
    if (subject.size == 0 || subject.size > UINT32_MAX) return false;
    w->count = cut(subject, w->tokens, NEAR);
    if (w->count == 0) return false;
    if (w->count > NEAR) {
        w->far = memory_new((w->count + 1) * sizeof *w->stack + w->count * sizeof *w->tokens);
        w->stack = w->far;
        w->tokens = (struct token *)(void *)(w->stack + w->count + 1);
        cut(subject, w->tokens, w->count);
    }
    w->stack[0] = (struct place){index->root, 0};
    w->waiting = 1;
    return true;
}

static void walk_end(struct walk *w) {
    free(w->far);
}

static struct slice token_at(const struct walk *w, uint32_t depth) {
    struct token t = w->tokens[depth];
    return slice_of(w->subject + t.start, t.end - t.start);
}

static uint32_t hash_at(const struct walk *w, uint32_t depth) {
    struct token *t = w->tokens + depth;
    if (t->hash == 0) t->hash = hash_token(token_at(w, depth));
    return t->hash;
}

/* The depth behind a label without wildcards, when the subject goes on with it at `depth`; else 0.
 */
static uint32_t follow_literal(const struct walk *w, struct slice label, uint32_t depth) {
    size_t start = w->tokens[depth].start, end = start + label.size;
    if (end > w->tokens[w->count - 1].end || memcmp(w->subject + start, label.at, label.size) != 0)
        return 0;
    while (depth < w->count && w->tokens[depth].end < end) depth++;
    return w->tokens[depth].end == end ? depth + 1 : 0;
}

static uint32_t follow_wildcards(const struct walk *w, struct slice label, uint32_t depth) {
    while (label.at) {
        if (depth == w->count) return 0;
        struct slice token = subject_take_token(&label);
        if (subject_token_is(token, '>')) return w->count;
        if (!subject_token_is(token, '*') && !slice_equal(token, token_at(w, depth))) return 0;
        depth++;
    }
    return depth;
}

static inline uint32_t follow(const struct walk *w, const struct index_node *node, uint32_t depth) {
    return node->wildcards ? follow_wildcards(w, label_of(node), depth)
                           : follow_literal(w, label_of(node), depth);
}

static inline void walk_push(struct walk *w, const struct index_node *node, uint32_t depth) {
    uint32_t behind = follow(w, node, depth);
    if (behind) w->stack[w->waiting++] = (struct place){node, behind};
}

/* Puts the children of `node` that go on with the token at `depth` on the stack. */
static void walk_down(struct walk *w, const struct branches *more, uint32_t depth) {
    if (more->star) walk_push(w, more->star, depth);
    if (more->children.count == 0) return;
    const struct hash_link *link = linear_hash_first(&more->children, hash_at(w, depth));
    for (; link; link = linear_hash_next(link)) {
        uint32_t before = w->waiting;
        walk_push(w, (const struct index_node *)link, depth);
        if (w->waiting > before) return;
    }
}

/* The next node that matches, or NULL. */
static const struct index_node *walk_next(struct walk *w) {
    while (w->waiting) {
        struct place p = w->stack[--w->waiting];
        if (p.depth == w->count) {
            if (has_members(p.node)) return p.node;
        } else if (p.node->more) {
            walk_down(w, p.node->more, p.depth);
            if (p.node->more->full) return p.node->more->full;
        }
    }
    return NULL;
}

void subject_index_match(const struct subject_index *index, struct slice subject,
                         index_visit *visit, void *arg) {
    struct walk w;
    if (!walk_begin(&w, index, subject)) return;
    for (const struct index_node *node; (node = walk_next(&w));) visit(arg, node);
    walk_end(&w);
}

bool subject_index_has_interest(const struct subject_index *index, struct slice subject) {
    struct walk w;
    if (!walk_begin(&w, index, subject)) return false;
    bool found = walk_next(&w) != NULL;
    walk_end(&w);
    return found;
}

/* Looking up a filter: a walk over all the children that could collide, whose place in each table
 * is kept on a stack. */

struct level {
    const struct index_node *node;
    const struct hash_link *last; /* the literal child visited last */
    uint64_t cursor;
    uint32_t depth; /* tokens of the filter used so far; REST: all below collides */
    uint8_t stage;
};

enum { STAGE_STAR, STAGE_FULL, STAGE_LITERAL, STAGE_DONE };
enum { LEVELS_AT_FIRST = 64 };
static const uint32_t REST = UINT32_MAX;

struct sweep {
    struct walk filter; /* only its tokens are used */
    struct level *levels;
    uint32_t count, room;
};

static bool filter_token_is(const struct sweep *s, uint32_t depth, char wildcard) {
    return subject_token_is(token_at(&s->filter, depth), wildcard);
}

/* The depth behind the node's label, when it can collide with the filter from `depth` on; else 0.
 */
static uint32_t collide_label(const struct sweep *s, struct slice label, uint32_t depth) {
    if (depth == REST) return REST;
    while (label.at) {
        if (depth == s->filter.count) return 0;
        if (filter_token_is(s, depth, '>')) return REST;
        struct slice token = subject_take_token(&label);
        if (subject_token_is(token, '>')) return s->filter.count;
        if (!subject_token_is(token, '*') && !filter_token_is(s, depth, '*') &&
            !slice_equal(token, token_at(&s->filter, depth)))
            return 0;
        depth++;
    }
    return depth;
}

static bool sweep_enter(struct sweep *s, const struct index_node *node, uint32_t depth) {
    uint32_t behind = collide_label(s, label_of(node), depth);
    if (behind == 0) return false;
    if (s->count == s->room) {
        s->room *= 2;
        s->levels = memory_resize(s->levels, s->room * sizeof *s->levels);
    }
    s->levels[s->count++] = (struct level){.node = node, .depth = behind};
    return true;
}

/* The next literal child of a level that may collide: one if the filter says which, else all in
 * turn. */
static const struct index_node *next_literal(const struct sweep *s, struct level *level) {
    const struct linear_hash *children = &level->node->more->children;
    uint32_t depth = level->depth;
    if (depth == REST || filter_token_is(s, depth, '*') || filter_token_is(s, depth, '>')) {
        level->last = linear_hash_each(children, &level->cursor, level->last);
        if (!level->last) level->stage = STAGE_DONE;
        return (const struct index_node *)level->last;
    }
    level->stage = STAGE_DONE;
    return find_child(level->node, token_at(&s->filter, depth), hash_at(&s->filter, depth));
}

static const struct index_node *next_child(const struct sweep *s, struct level *level) {
    const struct branches *more = level->node->more;
    while (level->stage != STAGE_DONE) {
        const struct index_node *child;
        if (level->stage == STAGE_LITERAL)
            child = next_literal(s, level);
        else
            child = level->stage++ == STAGE_STAR ? more->star : more->full;
        if (child) return child;
    }
    return NULL;
}

/* Goes down into the next child that may collide, or up; returns the node entered when it has
 * members and is reached by the whole filter. */
static const struct index_node *sweep_step(struct sweep *s) {
    struct level *level = s->levels + s->count - 1;
    bool leaf = !level->node->more || level->depth == s->filter.count;
    const struct index_node *child = leaf ? NULL : next_child(s, level);
    if (!child) {
        s->count--;
        return NULL;
    }
    if (!sweep_enter(s, child, level->depth)) return NULL;
    uint32_t depth = s->levels[s->count - 1].depth;
    bool reached = depth == REST || depth == s->filter.count;
    return reached && has_members(child) ? child : NULL;
}

void subject_index_collide(const struct subject_index *index, struct slice filter,
                           index_visit *visit, void *arg) {
    struct sweep s = {.count = 1, .room = LEVELS_AT_FIRST};
    if (!subject_is_valid_to_subscribe(filter) || !walk_begin(&s.filter, index, filter)) return;
    s.levels = memory_new(s.room * sizeof *s.levels);
    s.levels[0] = (struct level){.node = index->root};
    while (s.count) {
        const struct index_node *node = sweep_step(&s);
        if (node) visit(arg, node);
    }
    free(s.levels);
    walk_end(&s.filter);
}

/* What a node holds */

const struct id_set *index_node_plain(const struct index_node *node) {
    return node->plain.count ? &node->plain : NULL;
}

const struct index_group *index_node_first_group(const struct index_node *node) {
    return node->more ? node->more->first_group : NULL;
}

const struct index_group *index_group_next(const struct index_group *group) {
    return group->next;
}

struct slice index_group_name(const struct index_group *group) {
    return slice_of(group->name, group->name_size);
}

const struct id_set *index_group_members(const struct index_group *group) {
    return &group->members;
}

size_t index_node_subject(const struct index_node *node, char *buffer, size_t size) {
    size_t length = 0;
    for (const struct index_node *n = node; n->parent; n = n->parent)
        length += label_of(n).size + (n->parent->parent != NULL);
    if (length > size) return length;
    char *end = buffer + length;
    for (const struct index_node *n = node; n->parent; n = n->parent) {
        struct slice label = label_of(n);
        end -= label.size;
        memcpy(end, label.at, label.size);
        if (end > buffer) *--end = '.';
    }
    return length;
}

struct subject_index_stats subject_index_stats(const struct subject_index *index) {
    return index->stats;
}
