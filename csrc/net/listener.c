#include "net/listener.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/connection.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCEPT_MAX = 64, BACKLOG = 1024, LISTENERS_MAX = 8, RETRY_MIN_MS = 10, RETRY_MAX_MS = 1000 };

struct listener {
    int fd, number;
    unsigned kind;
    unsigned retry_ms; /* after a failed accept: doubles */
    uv_poll_t poll;
    uv_timer_t retry;
    struct worker *worker;
    bool closed;
    int open_handles;
};

struct listen_letter {
    int32_t fd, number;
    uint32_t kind;
};

static struct listener *listeners[LISTENERS_MAX]; /* worker 0's */
static int next_number;                           /* the control plane's */

static unsigned least_busy(struct workers *workers) {
    unsigned best = 0;
    uint32_t fewest = UINT32_MAX;
    for (unsigned i = 0; i < workers->count; i++) {
        uint32_t n =
            atomic_load_explicit(&workers->list[i]->connection_count, memory_order_relaxed);
        if (n < fewest) {
            fewest = n;
            best = i;
        }
    }
    return best;
}

static void give_to_worker(struct listener *l, int fd) {
    struct worker *w = l->worker;
    unsigned to = least_busy(w->workers);
    if (to == w->index) {
        connection_open(w, w->workers->kinds[l->kind], fd);
        return;
    }
    struct letter *letter =
        mail_write(&w->mail, to, LETTER_SOCKET, 0, sizeof(struct socket_letter));
    *(struct socket_letter *)(void *)letter->body =
        (struct socket_letter){fd, (uint16_t)l->kind, true};
    atomic_fetch_add_explicit(&w->workers->list[to]->connection_count, 1, memory_order_relaxed);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

/* The system's words for an error, in lower case as in Go. */
static const char *lower(const char *words, char *out, size_t size) {
    snprintf(out, size, "%s", words);
    if (out[0] >= 'A' && out[0] <= 'Z') out[0] = (char)(out[0] - 'A' + 'a');
    return out;
}

static void on_retry(uv_timer_t *timer) {
    struct listener *l = timer->data;
    if (!l->closed) uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

/* "127.0.0.1:4222", as it stands in Go's errors. */
static void write_address(int fd, char *out, size_t size) {
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0 ||
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        *out = '\0';
        return;
    }
    bool v6 = strchr(host, ':') != NULL;
    snprintf(out, size, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

/* Nothing can be accepted for now: what waits is left waiting for 10 ms, and twice as long each time
 * that this goes on, up to a second. */
static void pause_accepting(struct listener *l, int error) {
    unsigned wait_ms = l->retry_ms ? l->retry_ms : RETRY_MIN_MS;
    char address[NI_MAXHOST + NI_MAXSERV + 4], why[128], text[sizeof address + sizeof why + 96];
    write_address(l->fd, address, sizeof address);
    int n = snprintf(text, sizeof text,
                     "Temporary %s Accept Error(accept tcp %s: accept4: %s), sleeping %ums",
                     l->worker->workers->kinds[l->kind]->name, address,
                     lower(strerror(error), why, sizeof why), wait_ms);
    log_text(LOG_ERROR, text, (size_t)n);
    l->retry_ms = wait_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : wait_ms * 2;
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->retry, on_retry, wait_ms, 0);
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    struct listener *l = poll->data;
    worker_enter(l->worker);
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->retry_ms = 0;
            give_to_worker(l, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(l, errno);
        if (errno != EINTR && errno != ECONNABORTED) break;
    }
    worker_leave(l->worker);
}

void worker_on_listen(void *context, const struct letter *letter) {
    struct worker *w = context;
    const struct listen_letter *body = (const void *)letter->body;
    if (w->stopping) {
        close(body->fd);
        return;
    }
    struct listener *l = memory_zero(sizeof *l);
    l->fd = body->fd;
    l->number = body->number;
    l->kind = body->kind;
    l->worker = w;
    l->open_handles = 2;
    uv_poll_init(&w->loop, &l->poll, l->fd);
    uv_timer_init(&w->loop, &l->retry);
    l->poll.data = l->retry.data = l;
    listeners[l->number % LISTENERS_MAX] = l;
    uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct listener *l = handle->data;
    if (--l->open_handles == 0) free(l);
}

static void close_listener(struct listener *l) {
    l->closed = true;
    listeners[l->number % LISTENERS_MAX] = NULL;
    uv_close((uv_handle_t *)&l->poll, on_handle_closed);
    uv_close((uv_handle_t *)&l->retry, on_handle_closed);
    close(l->fd);
}

void worker_on_unlisten(void *context, const struct letter *letter) {
    (void)context;
    struct listener *l = listeners[letter->id % LISTENERS_MAX];
    if (l && l->number == (int)letter->id) close_listener(l);
}

void worker_listeners_close(struct worker *w) {
    if (w->index != 0) return;
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i]) close_listener(listeners[i]);
}

static int open_socket(const struct addrinfo *a, const char **what) {
    int one = 1, zero = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *what = "socket";
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    *what = "bind";
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0) {
        *what = "listen";
        if (listen(fd, BACKLOG) == 0) return fd;
    }
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

/* Go's words, in lower case as its errors are: "listen tcp 127.0.0.1:4222: bind: address already in
 * use". */
static void say_why(const char *host, uint16_t port, const char *what, const char *why, char *error,
                    size_t size) {
    bool v6 = strchr(host, ':') != NULL;
    snprintf(error, size, "listen tcp %s%s%s:%u: %s: %s", v6 ? "[" : "", host, v6 ? "]" : "", port,
             what, why);
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                         : ((struct sockaddr_in *)(void *)&a)->sin_port);
}

/* Every address of both families, or -1 where the system has no IPv6. */
static int open_everywhere(uint16_t port, const char **what) {
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct addrinfo a = {.ai_family = AF_INET6,
                         .ai_addr = (struct sockaddr *)(void *)&all,
                         .ai_addrlen = sizeof all};
    int fd = open_socket(&a, what);
    return fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) ? -2 : fd;
}

int listener_bind(const char *host, uint16_t port, uint16_t *real_port, char *error,
                  size_t error_size) {
    char service[8], why[128];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE},
                    *found;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed) {
        say_why(host, port, "lookup", lower(gai_strerror(failed), why, sizeof why), error,
                error_size);
        return -1;
    }
    const char *what = "";
    /* As with Go, 0.0.0.0 stands for all addresses, not only those of IPv4. */
    int fd = strcmp(host, "0.0.0.0") == 0 ? open_everywhere(port, &what) : -2;
    if (fd == -2) fd = open_socket(found, &what);
    int failure = errno;
    freeaddrinfo(found);
    if (fd < 0)
        say_why(host, port, what, lower(strerror(failure), why, sizeof why), error, error_size);
    else
        *real_port = port_of(fd);
    return fd;
}

static char *add_address(char *at, const char *end, const struct sockaddr *address) {
    char text[INET6_ADDRSTRLEN];
    const void *raw;
    if (address->sa_family == AF_INET)
        raw = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else
        raw = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    inet_ntop(address->sa_family, raw, text, sizeof text);
    int n = snprintf(at, (size_t)(end - at), "%s ", text);
    return n < end - at ? at + n : at;
}

static bool is_wildcard(const struct sockaddr_storage *a) {
    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr == INADDR_ANY;
}

void listener_addresses(int fd, char *out, size_t size) {
    struct sockaddr_storage own;
    socklen_t n = sizeof own;
    *out = 0;
    if (getsockname(fd, (struct sockaddr *)&own, &n) != 0) return;
    char *at = out, *end = out + size;
    if (!is_wildcard(&own)) {
        add_address(at, end, (struct sockaddr *)&own);
        return;
    }
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return;
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;
        if (family == AF_INET || (family == AF_INET6 && own.ss_family == AF_INET6))
            at = add_address(at, end, i->ifa_addr);
    }
    freeifaddrs(all);
}

int listener_accept(struct workers *workers, int fd, unsigned kind) {
    struct letter *letter =
        workers_letter(workers, 0, LETTER_LISTEN, 0, sizeof(struct listen_letter));
    *(struct listen_letter *)(void *)letter->body = (struct listen_letter){fd, next_number, kind};
    workers_send(workers);
    return next_number++;
}

void listener_close(struct workers *workers, int listener) {
    workers_letter(workers, 0, LETTER_UNLISTEN, (uint64_t)listener, 0);
    workers_send(workers);
}
