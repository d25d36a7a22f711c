#include "ffi/events.h"
#include "base/memory.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct node {
    struct node *next;
    size_t size; /* in all */
    struct perigee_event event;
    _Alignas(8) char bytes[];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct node *first, *last;
    struct node *shown; /* what the control plane has taken last */
    size_t bytes;       /* of what is queued */
    bool ready;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *copy_text(struct perigee_text *text, char *to) {
    if (text->size) memcpy(to, text->at, text->size);
    text->at = to;
    return to + text->size;
}

void events_put(const struct perigee_event *event) {
    size_t size = event->data.size;
    for (int i = 0; i < PERIGEE_TEXTS; i++) size += event->texts[i].size;
    struct node *n = memory_new(sizeof *n + size);
    n->next = NULL;
    n->size = sizeof *n + size;
    n->event = *event;
    char *at = copy_text(&n->event.data, n->bytes);
    for (int i = 0; i < PERIGEE_TEXTS; i++) at = copy_text(&n->event.texts[i], at);
    pthread_mutex_lock(&queue.lock);
    if (queue.last)
        queue.last->next = n;
    else
        queue.first = n;
    queue.last = n;
    queue.bytes += n->size;
    if (queue.ready) pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

size_t events_bytes(void) {
    pthread_mutex_lock(&queue.lock);
    size_t bytes = queue.bytes;
    pthread_mutex_unlock(&queue.lock);
    return bytes;
}

/* Under the lock: the condition counts in monotonic time. */
static void prepare(void) {
    if (queue.ready) return;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue.filled, &attributes);
    pthread_condattr_destroy(&attributes);
    queue.ready = true;
}

bool perigee_event_next(struct perigee_event *event, int timeout_ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&queue.lock);
    prepare();
    free(queue.shown);
    queue.shown = NULL;
    int waited = 0;
    while (!queue.first && waited != ETIMEDOUT)
        waited = timeout_ms < 0 ? pthread_cond_wait(&queue.filled, &queue.lock)
                                : pthread_cond_timedwait(&queue.filled, &queue.lock, &until);
    struct node *n = queue.first;
    if (n) {
        queue.first = n->next;
        if (!queue.first) queue.last = NULL;
        queue.bytes -= n->size;
        queue.shown = n;
    }
    pthread_mutex_unlock(&queue.lock);
    if (n) *event = n->event;
    return n != NULL;
}

void events_clear(void) {
    pthread_mutex_lock(&queue.lock);
    free(queue.shown);
    queue.shown = NULL;
    while (queue.first) {
        struct node *next = queue.first->next;
        free(queue.first);
        queue.first = next;
    }
    queue.last = NULL;
    queue.bytes = 0;
    pthread_mutex_unlock(&queue.lock);
}
