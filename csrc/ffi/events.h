/*
 * The queue of events for the control plane. Any thread puts; one thread takes. What is put is
 * copied. Connects, closes, answers and requests are each bounded by what is in flight
 * (connections, requests that were asked), so the queue has no limit of its own and drops nothing.
 * What is long and can be left out (the subscriptions of a closed connection) is left out by whoever
 * puts an event while much is queued.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ffi/perigee.h"

/* Copies the event and all its texts. */
void events_put(const struct perigee_event *event);

/* Bytes of what is queued, texts and data included. */
size_t events_bytes(void);

/* Frees what is queued. */
void events_clear(void);
