/*
 * Listening sockets. They are bound by the control plane's thread, which needs the answer at once
 * (and the port for INFO, before any worker runs), and accepted from by worker 0, which hands each
 * accepted socket to the least busy worker as a bare descriptor.
 */
#pragma once
#include "net/worker.h"
#include <stdint.h>

struct socket_letter {
    int32_t fd;
    uint16_t kind; /* index into workers->kinds */
    bool counted;  /* the addressee's connection_count has it already, lest a burst goes to one
                      worker */
};

/*
 * Opens a listening socket on host:port (port 0: any free one; host "0.0.0.0", "::", an address or
 * a name). Returns the descriptor and the real port, or -1 with the system's words in `error`.
 * Connections queue up until listener_accept().
 */
int listener_bind(const char *host, uint16_t port, uint16_t *real_port, char *error,
                  size_t error_size);

/* Writes the addresses that a listening socket is reached at, each with a blank behind it; those of
 * all interfaces where it listens everywhere. What does not fit is left out. */
void listener_addresses(int fd, char *out, size_t size);

/* Gives the socket to worker 0: what it accepts become connections of `kind`. Returns a listener
 * number. */
int listener_accept(struct workers *workers, int fd, unsigned kind);

/* Stops accepting. The socket is closed when worker 0 has read the letter. */
void listener_close(struct workers *workers, int listener);

/* Internal to net/. */
void worker_on_listen(void *context, const struct letter *letter);
void worker_on_unlisten(void *context, const struct letter *letter);
void worker_listeners_close(struct worker *worker);
