/*
 * What the stress programs share: a broker inside the process that admits every CONNECT at once, and
 * clients whose worker is chosen.
 *
 * A client is the other end of a socket pair; one thread at a time may read it, and one may write to
 * it. Whatever goes wrong, a wait of more than a minute included, ends the program with a line that
 * says so and status 1: nothing here returns a failure.
 *
 * How long a storm lasts, in seconds: the first argument, else PERIGEE_STRESS_SECONDS, else 5.
 */
#pragma once
#include "broker/broker.h"
#include "broker/client.h"
#include "net/listener.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rig {
    struct broker broker;
    struct perigee_options options; /* may be changed between rig_prepare() and rig_start() */
    pthread_mutex_t control;        /* only one thread at a time is the control plane */
    uint64_t end_ns;
    uint16_t port; /* once it listens */
};

struct rig_client {
    struct rig *rig;
    int fd;
    char *in, *out;
    size_t at, end, in_room, out_size, out_room;
};

enum rig_event { RIG_NOTHING, RIG_CLOSED, RIG_PONG, RIG_MESSAGE, RIG_ERROR };

/* Slices are valid until the next call. */
struct rig_message {
    struct slice subject, sid, reply, headers, payload;
};

_Noreturn void rig_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void rig_prepare(struct rig *rig, int argc, char **argv);
void rig_start(struct rig *rig, unsigned workers);

/* Ends the broker, whose clients are closed, and looks whether it has forgotten them all. */
void rig_stop(struct rig *rig);

/* Ends the broker in the middle of everything: its clients are cut off. */
void rig_cut(struct rig *rig);

/* True until the program has run for its time. */
bool rig_goes_on(const struct rig *rig);

/* Connects to `worker` and waits until it is admitted. `options`: more members of CONNECT's JSON, each with a comma in
 * front, or "". */
void rig_open(struct rig *rig, struct rig_client *client, unsigned worker, const char *options);
void rig_close(struct rig_client *client);

/* The same over a listener, to whichever worker is the least busy. */
void rig_listen(struct rig *rig);
void rig_connect(struct rig *rig, struct rig_client *client, const char *options);

/* Gives a socket of any kind to a worker, as accepting does. */
void rig_give(struct rig *rig, unsigned worker, int fd);

/* Adds to what rig_send() writes. */
void rig_put(struct rig_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rig_put_bytes(struct rig_client *client, const char *at, size_t size);
void rig_send(struct rig_client *client);

/* Like rig_send(), but false when the server has closed the connection. */
bool rig_try_send(struct rig_client *client);

/* The next thing that the server says (INFO, PING and +OK are passed over), or RIG_NOTHING after `timeout_ms`. */
enum rig_event rig_next(struct rig_client *client, struct rig_message *message, int timeout_ms);

/* Reads and forgets what comes within `timeout_ms`; returns how many bytes. Not after rig_next(). */
size_t rig_discard(struct rig_client *client, int timeout_ms);

/* Waits for one; anything else is a failure. */
void rig_await(struct rig_client *client, enum rig_event event, struct rig_message *message);

/* Sends what was put and a PING, and waits for its PONG: the server has done everything before it. No message may come. */
void rig_sync(struct rig_client *client);

/* A decimal number in a slice, from `*at` on, which moves behind it and one byte more. */
uint64_t rig_number(struct slice text, size_t *at);

pthread_t rig_thread(void *(*run)(void *), void *arg);
uint64_t rig_random(uint64_t *state); /* any state but 0 */

/* Waits until `*count` is at least `least`. */
void rig_wait_for(const _Atomic(uint64_t) *count, uint64_t least, const char *what);
