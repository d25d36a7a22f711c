/*
 * The seam between the C core and the Lua control plane: read by the C compiler and by ffi.cdef
 * alike, so that no struct exists twice. Hence the subset: plain structs, enums for constants,
 * functions; nothing of the preprocessor but the next line. It includes nothing (whoever includes
 * it has stdint, stddef and stdbool), and so may be included by any folder.
 *
 * Two things cross it. Events go up: the control plane pulls them one by one, C never calls into
 * Lua. Calls go down: plain functions; what changes a worker's state is a letter to that worker,
 * answered by an event. Things are named by handles (base/id.h).
 *
 * All functions are called by the control plane's thread, except where it says otherwise.
 */
#pragma once

struct mapping_set;
struct mapping_builder;
struct subject_index;
struct index_node;
struct transform;

/* Bytes that belong to somebody else; not terminated. */
struct perigee_text {
    const char *at;
    size_t size;
};

/* --- events
 * -------------------------------------------------------------------------------------------------------
 */

enum perigee_event_kind {
    PERIGEE_EVENT_NONE,
    PERIGEE_EVENT_CONNECT, /* a connection sent CONNECT and waits: answer with perigee_admit() */
    PERIGEE_EVENT_CLOSED,  /* a client's connection closed; data is one struct perigee_connection */
    PERIGEE_EVENT_ANSWER,  /* a worker answered request `request`; `number` is the worker */
    PERIGEE_EVENT_HTTP,    /* a request of HTTP/1.`number`: answer with perigee_http_answer() */
    PERIGEE_EVENT_SIGNAL,  /* `number` is the signal */
};

/* What the texts of an event are, by kind. */
enum {
    PERIGEE_CONNECT_IP,
    PERIGEE_CONNECT_NAME,
    PERIGEE_CONNECT_LANG,
    PERIGEE_CONNECT_VERSION,
    PERIGEE_CONNECT_USER,
    PERIGEE_CONNECT_PASS,
    PERIGEE_CONNECT_TOKEN,
    PERIGEE_CONNECT_JWT,
    PERIGEE_CONNECT_NKEY,
    PERIGEE_CONNECT_SIG,
    PERIGEE_CONNECT_ACCOUNT,
    PERIGEE_TEXTS = 12,
};
enum { PERIGEE_HTTP_METHOD, PERIGEE_HTTP_PATH, PERIGEE_HTTP_QUERY, PERIGEE_HTTP_IP };

struct perigee_event {
    int32_t kind, number;
    uint64_t id;      /* the connection */
    uint64_t cid;     /* its client id */
    uint64_t request; /* what was asked, for an answer */
    uint64_t cursor;  /* where the answer goes on; 0: complete */
    bool flag;        /* CONNECT: new_account; HTTP: the connection is kept alive */
    struct perigee_text texts[PERIGEE_TEXTS];
    struct perigee_text data; /* records, as the kind says */
};

/* Waits up to `timeout_ms` (-1: for ever) for the next event. False: none came. What the event
 * points to is valid until the next call. */
bool perigee_event_next(struct perigee_event *event, int timeout_ms);

/* --- options: what the control plane decides and the workers obey
 * ---------------------------------------------------- */

/* An INFO line in two pieces, between which the client's id and address are written. Terminated
 * texts. */
struct perigee_info {
    const char *head, *tail;
};

struct perigee_options {
    int64_t max_payload;             /* bytes; -1: unlimited */
    int64_t max_pending;             /* bytes of output of one connection */
    int64_t max_connections;         /* clients; 0 or less: none */
    int64_t max_subscriptions;       /* of one connection; 0 or less: unlimited */
    int64_t max_control_line;        /* bytes of an operation's arguments */
    int64_t max_subscription_tokens; /* 0: unlimited */
    int64_t ping_max;
    int64_t ping_interval_ns, write_deadline_ns;
    int64_t max_traced_msg_len; /* 0: unlimited */
    bool headers;               /* header support */
    bool no_fast_producer_stall;
    bool write_retry; /* write_timeout: retry */
    bool trace_headers;
    bool match_cache;
    struct perigee_info first,
        connected; /* the greeting; what follows the first PING after CONNECT */
};

struct perigee_log {
    const char *file; /* NULL: standard error */
    bool time, utc, debug, trace;
    int64_t size_limit_bytes, max_files;
};

enum perigee_log_level {
    PERIGEE_LOG_INFO,
    PERIGEE_LOG_DEBUG,
    PERIGEE_LOG_WARN,
    PERIGEE_LOG_ERROR,
    PERIGEE_LOG_FATAL,
    PERIGEE_LOG_TRACE,
};

/* --- records that workers answer with; each is followed by its texts, padded to 8 bytes
 * ------------------------------- */

struct perigee_connection {
    uint32_t size;   /* of the whole record */
    uint32_t listed; /* struct perigee_subscription records behind the texts */
    uint64_t id, cid;
    int64_t start_ns, stop_ns, last_activity_ns; /* wall clock; stop 0: open */
    int64_t rtt_ns;
    uint64_t pending_bytes, in_msgs, in_bytes, out_msgs, out_bytes, stalls, subscriptions;
    uint32_t port, reason; /* reason: PERIGEE_REASON_... */
    uint32_t account;
    uint32_t ip_size, name_size, lang_size, version_size; /* the texts, in this order */
    bool sent_connect;
};

struct perigee_subscription {
    uint32_t size;
    uint32_t account;
    uint64_t cid, msgs, max;
    uint32_t subject_size, queue_size, sid_size; /* the texts, in this order */
    uint32_t unused;
};

enum perigee_collect {
    PERIGEE_COLLECT_CONNECTIONS,      /* struct perigee_connection */
    PERIGEE_COLLECT_CONNECTIONS_SUBS, /* with their subscriptions */
    PERIGEE_COLLECT_SUBSCRIPTIONS,    /* struct perigee_subscription of all connections */
};

struct perigee_totals {
    uint64_t in_msgs, in_bytes, out_msgs, out_bytes;
    uint64_t subscriptions, clients, total_clients;
    uint64_t slow_consumers, stale_connections, stalled_clients;
    uint64_t index_inserts, index_removes, index_matches, cache_hits, cache_entries, cache_bytes,
        cache_allocations;
    uint64_t fanout_max, fanout_sum, fanout_count;
    uint64_t long_callbacks, longest_callback_ns; /* debug builds */
};

/* --- the server
 * ------------------------------------------------------------------------------------------------------
 */

enum { PERIGEE_LISTEN_CLIENTS, PERIGEE_LISTEN_HTTP };

/* Starts `workers` threads. The options and the texts in them are copied. 0, or a negative errno.
 */
int perigee_start(unsigned workers, const struct perigee_options *options);

/* Closes everything and ends the threads. */
void perigee_stop(void);

/* Binds host:port (0: any free port), before or after the start. Returns a descriptor and the real
 * port, or -1 and the reason. What connects waits until perigee_accept(), which returns a listener
 * number. */
int perigee_bind(const char *host, int port, int *real_port, char *error, size_t error_size);
int perigee_accept(int what, int descriptor);
/* The addresses a bound socket is reached at, each with a blank behind it. */
void perigee_addresses(int descriptor, char *out, size_t size);
void perigee_unlisten(int listener);

/* Takes new options over on all workers; each answers `request` with an event. */
void perigee_reconfigure(const struct perigee_options *options, uint64_t request);

/* The verdict on a CONNECT: admitted into `account`, or refused with an -ERR text and a close
 * reason. */
void perigee_admit(uint64_t id, uint32_t account, const char *error, int reason);

/* A whole HTTP response. */
void perigee_http_answer(uint64_t id, const char *text, size_t size);

/* Asks worker `worker` for records, from `cursor` on; answered by one event. `cid` 0: all. */
void perigee_collect(uint64_t request, unsigned worker, int what, uint64_t cursor, uint64_t cid);

/* Closes a connection for a reason; `flush` writes what is pending first. */
void perigee_close(uint64_t id, int reason);

/* Sends PING to a client whose round trip time is not known; what it takes is in its record later.
 */
void perigee_ping(uint64_t id);

/* Sends this INFO to every client that takes INFO at any time (protocol 1, first PING done). */
void perigee_inform(const struct perigee_info *info);

/* Sums the workers' counters. */
void perigee_totals(struct perigee_totals *totals);
unsigned perigee_worker_count(void);

/* The mappings of an account: set before perigee_start(). The set is the server's from then on. */
void perigee_set_mappings(uint32_t account, struct mapping_set *mappings);

const char *perigee_close_reason(int reason);

/* --- the process
 * ------------------------------------------------------------------------------------------------------
 */

int perigee_log_configure(const struct perigee_log *log, char *error, size_t error_size);
int perigee_log_reopen(char *error, size_t error_size); /* 1: done, 0: it is no file, -1: error */
void perigee_log(int level, const char *text, size_t size);
void perigee_log_flush(void);
int64_t perigee_wall_ns(void);
int64_t perigee_monotonic_ns(void);
int64_t perigee_resident_bytes(void);

/* What the C side has from the allocator, in bytes. */
struct perigee_heap {
    uint64_t used, free, mapped; /* given out; kept for later; both, as taken from the system */
};
void perigee_heap(struct perigee_heap *heap);

int64_t perigee_cpu_ns(void); /* of all threads */
int perigee_cores(void);
int perigee_raise_descriptor_limit(void);     /* to the hard limit; returns it */
void perigee_catch_signals(void);             /* from now on they are events */
int perigee_send_signal(int pid, int number); /* 0, or an errno */

/* New keys of the server, the public parts as nkeys of 56 characters, terminated: "N..." and the
 * curve key "X...". */
void perigee_server_key(char out[57]);
void perigee_server_curve_key(char out[57]);

/* --- pure modules, without a server
 * ------------------------------------------------------------------------------------ */

struct mapping_builder *perigee_mappings_new(void);
void perigee_mappings_begin(struct mapping_builder *builder, const char *source, size_t size);
void perigee_mappings_destination(struct mapping_builder *builder, const char *destination,
                                  size_t size, unsigned weight, const char *cluster,
                                  size_t cluster_size);
int perigee_mappings_end(struct mapping_builder *builder, char *error, size_t error_size);
struct mapping_set *perigee_mappings_finish(struct mapping_builder *builder, const char *cluster,
                                            size_t cluster_size);
void perigee_mappings_free(struct mapping_set *set);
/* Returns enum perigee_mapping. */
enum perigee_mapping {
    PERIGEE_MAPPING_UNCHANGED,
    PERIGEE_MAPPING_REPLACED,
    PERIGEE_MAPPING_DROPPED,
    PERIGEE_MAPPING_TOO_LONG, /* `*length` bytes are more than `room` */
};
int perigee_mappings_select(const struct mapping_set *set, const char *subject, size_t size,
                            uint64_t random, char *out, size_t room, size_t *length);

enum perigee_parse {
    PERIGEE_PARSED,
    PERIGEE_PARTIAL,
    PERIGEE_UNKNOWN_OPERATION,
    PERIGEE_LINE_TOO_LONG,
    PERIGEE_BAD_ARGUMENTS,
};
enum perigee_verb {
    PERIGEE_VERB_CONNECT,
    PERIGEE_VERB_PUB,
    PERIGEE_VERB_HPUB,
    PERIGEE_VERB_SUB,
    PERIGEE_VERB_UNSUB,
    PERIGEE_VERB_PING,
    PERIGEE_VERB_PONG,
    PERIGEE_VERB_INFO,
    PERIGEE_VERB_OK,
    PERIGEE_VERB_ERR,
};

/* One client operation out of bytes; slices point into them. `result` is enum perigee_parse, `verb`
 * enum perigee_verb. */
struct perigee_operation {
    int result, verb;
    size_t line_size;
    struct perigee_text arg, subject, reply, queue, sid;
    uint32_t header_size, total_size;
    uint64_t max;
    bool has_max;
};
void perigee_parse_operation(const char *at, size_t size, uint32_t max_control_line,
                             struct perigee_operation *out, char *error, size_t error_size);

struct subject_index *perigee_index_new(void);
void perigee_index_free(struct subject_index *index);
struct index_node *perigee_index_insert(struct subject_index *index, const char *subject,
                                        size_t size, const char *queue, size_t queue_size,
                                        uint64_t id);
bool perigee_index_remove(struct subject_index *index, struct index_node *node, const char *queue,
                          size_t queue_size, uint64_t id);
/* Writes up to `room` ids of members that match, queue members included; returns how many there
 * are. */
size_t perigee_index_match(const struct subject_index *index, const char *subject, size_t size,
                           uint64_t *ids, size_t room);
/* Which predicates hold: bit 0 may be subscribed to, 1 valid, 2 literal, 3 may be published to, 4
 * has a wildcard. */
unsigned perigee_subject_check(const char *subject, size_t size);
bool perigee_subject_is_subset(const char *subject, size_t size, const char *filter,
                               size_t filter_size);
bool perigee_subject_collides(const char *a, size_t a_size, const char *b, size_t b_size);

struct transform *perigee_transform_compile(const char *source, size_t source_size,
                                            const char *destination, size_t destination_size,
                                            bool strict, char *error, size_t error_size);
void perigee_transform_free(struct transform *transform);
/* Returns the length, or -1 when the subject does not match the source. */
int64_t perigee_transform_apply(const struct transform *transform, const char *subject, size_t size,
                                uint64_t random, char *out, size_t room);

/* The layout of every struct here, for the spec that compares what FFI sees: name, size, and
 * offsets of its fields. */
struct perigee_layout {
    const char *structure, *field;
    size_t offset, size;
};
const struct perigee_layout *perigee_layouts(void); /* ends with a NULL name */
