/* Sizes and offsets of the seam's structs as the C compiler sees them; a spec compares them with
 * what FFI sees. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ffi/perigee.h"

#define FIELD(s, f)                                                                                \
    { #s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f) }
#define WHOLE(s)                                                                                   \
    { #s, "", 0, sizeof(struct s) }

_Static_assert(sizeof(struct perigee_text) == 16, "texts are a pointer and a size");
_Static_assert(sizeof(struct perigee_connection) % 8 == 0,
               "records are walked in steps of 8 bytes");
_Static_assert(sizeof(struct perigee_subscription) % 8 == 0,
               "records are walked in steps of 8 bytes");

static const struct perigee_layout layouts[] = {
    WHOLE(perigee_text),
    FIELD(perigee_text, at),
    FIELD(perigee_text, size),
    WHOLE(perigee_event),
    FIELD(perigee_event, kind),
    FIELD(perigee_event, number),
    FIELD(perigee_event, id),
    FIELD(perigee_event, cid),
    FIELD(perigee_event, request),
    FIELD(perigee_event, cursor),
    FIELD(perigee_event, flag),
    FIELD(perigee_event, texts),
    FIELD(perigee_event, data),
    WHOLE(perigee_options),
    FIELD(perigee_options, max_payload),
    FIELD(perigee_options, max_pending),
    FIELD(perigee_options, max_connections),
    FIELD(perigee_options, max_subscriptions),
    FIELD(perigee_options, max_control_line),
    FIELD(perigee_options, max_subscription_tokens),
    FIELD(perigee_options, ping_max),
    FIELD(perigee_options, ping_interval_ns),
    FIELD(perigee_options, write_deadline_ns),
    FIELD(perigee_options, max_traced_msg_len),
    FIELD(perigee_options, headers),
    FIELD(perigee_options, no_fast_producer_stall),
    FIELD(perigee_options, write_retry),
    FIELD(perigee_options, trace_headers),
    FIELD(perigee_options, match_cache),
    FIELD(perigee_options, first),
    FIELD(perigee_options, connected),
    WHOLE(perigee_heap),
    FIELD(perigee_heap, used),
    FIELD(perigee_heap, free),
    FIELD(perigee_heap, mapped),
    WHOLE(perigee_log),
    FIELD(perigee_log, file),
    FIELD(perigee_log, time),
    FIELD(perigee_log, utc),
    FIELD(perigee_log, debug),
    FIELD(perigee_log, trace),
    FIELD(perigee_log, size_limit_bytes),
    FIELD(perigee_log, max_files),
    WHOLE(perigee_connection),
    FIELD(perigee_connection, size),
    FIELD(perigee_connection, listed),
    FIELD(perigee_connection, id),
    FIELD(perigee_connection, cid),
    FIELD(perigee_connection, start_ns),
    FIELD(perigee_connection, stop_ns),
    FIELD(perigee_connection, last_activity_ns),
    FIELD(perigee_connection, rtt_ns),
    FIELD(perigee_connection, pending_bytes),
    FIELD(perigee_connection, stalls),
    FIELD(perigee_connection, subscriptions),
    FIELD(perigee_connection, port),
    FIELD(perigee_connection, reason),
    FIELD(perigee_connection, account),
    FIELD(perigee_connection, ip_size),
    FIELD(perigee_connection, version_size),
    FIELD(perigee_connection, sent_connect),
    WHOLE(perigee_subscription),
    FIELD(perigee_subscription, size),
    FIELD(perigee_subscription, account),
    FIELD(perigee_subscription, cid),
    FIELD(perigee_subscription, msgs),
    FIELD(perigee_subscription, max),
    FIELD(perigee_subscription, subject_size),
    FIELD(perigee_subscription, sid_size),
    WHOLE(perigee_totals),
    FIELD(perigee_totals, in_msgs),
    FIELD(perigee_totals, subscriptions),
    FIELD(perigee_totals, slow_consumers),
    FIELD(perigee_totals, index_inserts),
    FIELD(perigee_totals, cache_hits),
    FIELD(perigee_totals, fanout_max),
    FIELD(perigee_totals, longest_callback_ns),
    WHOLE(perigee_operation),
    FIELD(perigee_operation, result),
    FIELD(perigee_operation, verb),
    FIELD(perigee_operation, line_size),
    FIELD(perigee_operation, arg),
    FIELD(perigee_operation, sid),
    FIELD(perigee_operation, header_size),
    FIELD(perigee_operation, total_size),
    FIELD(perigee_operation, max),
    FIELD(perigee_operation, has_max),
    {NULL, NULL, 0, 0},
};

const struct perigee_layout *perigee_layouts(void) {
    return layouts;
}
