/*
 * The subject index of one account: which ids want a subject. A trie over tokens; at each level a
 * hash of literal children, one `*` child and one `>` child. A chain of nodes that hold nothing and
 * have one child is one node whose label spans several tokens (a compressed tail), so a million
 * distinct subscriptions cost one node each.
 *
 *      orders ─┬─ eu.created        {plain ids} {queue "q": ids}
 *              ├─ *.created
 *              └─ >
 *
 * It holds ids only (base/id.h). Ids sort by worker, and so do the members of a node: a worker
 * finds its own members as one range, and which other workers have any without visiting each
 * member.
 *
 * Threads: none of its own. Changes are made under all workers' index locks, lookups under one
 * (broker/interest.h). No change and no lookup of a literal does unbounded work: tables grow by one
 * bucket at a time, member sets by one chunk. Running out of memory ends the process.
 */
#pragma once
#include "base/slice.h"
#include "match/id_set.h"
#include <stdbool.h>
#include <stdint.h>

/* The longest subject that can be inserted, in bytes. Lookups take subjects of any length. */
enum { SUBJECT_INDEX_SIZE_MAX = 65535 };

struct subject_index;
struct index_node;  /* where ids were inserted; valid until the last of them is removed */
struct index_group; /* the members of one queue group at one node */

struct subject_index *subject_index_new(void);
void subject_index_free(struct subject_index *index); /* members, nodes and all; NULL is allowed */

/*
 * Adds `id` under `subject` (a valid subscription subject: no empty token, `>` last only; see
 * subject.h) as a plain member, or as a member of queue group `queue` when that is not empty.
 * Returns the node, which the caller keeps for removal; NULL when the subject is invalid or too
 * long. The same id twice under one (subject, queue) counts once.
 */
struct index_node *subject_index_insert(struct subject_index *index, struct slice subject,
                                        struct slice queue, uint64_t id);

/* Removes it again; false when it is not there. Prunes what became empty: if it was the node's last
 * member, `node` is no more. */
bool subject_index_remove(struct subject_index *index, struct index_node *node, struct slice queue,
                          uint64_t id);

/*
 * Calls visit(arg, node) for every node whose subject matches the literal `subject`, each once, in
 * no stated order. A subject with an empty token matches nothing. Tokens `*` and `>` of `subject`
 * are literals (CP-101): a published `foo.*` is wanted by `foo.*`, `foo.>` and `*.*`, but not by
 * `foo.bar`. The index must not be changed by `visit`.
 */
typedef void index_visit(void *arg, const struct index_node *node);
void subject_index_match(const struct subject_index *index, struct slice subject,
                         index_visit *visit, void *arg);

/* The plain members of a node, and its groups; NULL when there are none. */
const struct id_set *index_node_plain(const struct index_node *node);
const struct index_group *index_node_first_group(const struct index_node *node);
const struct index_group *index_group_next(const struct index_group *group);
struct slice index_group_name(const struct index_group *group);
const struct id_set *index_group_members(const struct index_group *group);

/* Writes the node's subject into `buffer` of `size` bytes and returns its length (which may exceed
 * `size`; then nothing is promised about the buffer). */
size_t index_node_subject(const struct index_node *node, char *buffer, size_t size);

/* Visits every node whose subject could match something that `filter` (wildcards allowed) matches:
 * the intended meaning of Go's ReverseMatch ("collides with"). An invalid filter collides with
 * nothing. Takes time in proportion to what it visits, up to the whole index. */
void subject_index_collide(const struct subject_index *index, struct slice filter,
                           index_visit *visit, void *arg);

/* True when subject_index_match() would visit a node; stops at the first one. */
bool subject_index_has_interest(const struct subject_index *index, struct slice subject);

struct subject_index_stats {
    uint64_t subscriptions; /* members now, plain and queue */
    uint64_t nodes;         /* nodes now; 0 when nothing is subscribed */
    uint64_t inserts, removes;
};
struct subject_index_stats subject_index_stats(const struct subject_index *index);
