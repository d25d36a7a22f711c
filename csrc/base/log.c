#include "base/log.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_MAX = 4 * 1024 * 1024, LINE_MAX_BYTES = 64 * 1024 };

static const char *const labels[] = {"INF", "DBG", "WRN", "ERR", "FTL", "TRC"};
static const char *const colours[] = {"32", "36", "0;93", "31", "31", "33"};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    pthread_t writer;
    bool running, stopping, writing;
    char *buffer, *spare;
    size_t used, buffer_room, spare_room;
    uint64_t dropped;
    int fd;
    char *file;
    bool time, utc, colour;
    int64_t size_limit, max_files, written;
    atomic_bool debug, trace;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .filled = PTHREAD_COND_INITIALIZER,
           .emptied = PTHREAD_COND_INITIALIZER,
           .fd = 2,
           .time = true};

bool log_enabled(enum log_level level) {
    if (level == LOG_DEBUG) return atomic_load_explicit(&state.debug, memory_order_relaxed);
    if (level == LOG_TRACE) return atomic_load_explicit(&state.trace, memory_order_relaxed);
    return true;
}

/* --- lines
 * --------------------------------------------------------------------------------------------------------
 */

static size_t write_head(char *out, size_t size, enum log_level level) {
    char stamp[40] = "";
    if (state.time) {
        struct timeval now;
        struct tm tm;
        gettimeofday(&now, NULL);
        if (state.utc)
            gmtime_r(&now.tv_sec, &tm);
        else
            localtime_r(&now.tv_sec, &tm);
        size_t n = strftime(stamp, sizeof stamp, "%Y/%m/%d %H:%M:%S", &tm);
        snprintf(stamp + n, sizeof stamp - n, ".%06ld ", (long)now.tv_usec);
    }
    int n = state.colour ? snprintf(out, size, "[%d] %s[\x1b[%sm%s\x1b[0m] ", (int)getpid(), stamp,
                                    colours[level], labels[level])
                         : snprintf(out, size, "[%d] %s[%s] ", (int)getpid(), stamp, labels[level]);
    return (size_t)n;
}

/* Under the lock. */
static void put(const char *at, size_t size) {
    if (state.used + size > BUFFER_MAX) {
        state.dropped++;
        return;
    }
    if (state.used + size > state.buffer_room) {
        state.buffer_room = (state.used + size) * 2;
        state.buffer = memory_resize(state.buffer, state.buffer_room);
    }
    memcpy(state.buffer + state.used, at, size);
    state.used += size;
}

void log_text(enum log_level level, const char *text, size_t size) {
    if (!log_enabled(level)) return;
    if (size > LINE_MAX_BYTES) size = LINE_MAX_BYTES;
    pthread_mutex_lock(&state.lock);
    char *line = memory_new(size + 128);
    size_t n = write_head(line, 127, level);
    memcpy(line + n, text, size);
    n += size;
    if (!size || text[size - 1] != '\n') line[n++] = '\n';
    if (state.running) {
        put(line, n);
        pthread_cond_signal(&state.filled);
    } else {
        ssize_t written = write(state.fd, line, n);
        (void)written;
    }
    pthread_mutex_unlock(&state.lock);
    free(line);
}

void log_line(enum log_level level, const char *format, ...) {
    if (!log_enabled(level)) return;
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n >= 0) log_text(level, text, (size_t)n);
    free(text);
}

/* --- the writer
 * ---------------------------------------------------------------------------------------------------
 */

static int open_file(const char *path, int64_t *size) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct stat s;
    *size = fd >= 0 && fstat(fd, &s) == 0 ? (int64_t)s.st_size : 0;
    return fd;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Removes the oldest backups beyond max_files - 1. Backups end with a stamp of 30 characters
 * (".2026.01.02.15.04.05.123456789"). */
static void purge(const char *file, int64_t max_files) {
    const char *slash = strrchr(file, '/');
    char *folder = slash ? memory_text(slice_of(file, (size_t)(slash - file) + 1))
                         : memory_text(slice_text("./"));
    const char *base = slash ? slash + 1 : file;
    char **names = NULL;
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t n = strlen(base);
        if (strncmp(e->d_name, base, n) != 0 || strlen(e->d_name) != n + 30 || e->d_name[n] != '.')
            continue;
        if (strspn(e->d_name + n, ".0123456789") != 30) continue;
        names = memory_resize(names, sizeof *names * (count + 1));
        names[count++] = memory_text(slice_text(e->d_name));
    }
    if (dir) closedir(dir);
    if (count) qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        if ((int64_t)(count - i) > max_files - 1) {
            char path[4096];
            snprintf(path, sizeof path, "%s%s", folder, names[i]);
            unlink(path);
        }
        free(names[i]);
    }
    free(names);
    free(folder);
}

/* On the writer's thread, outside the lock: `fd` and `file` change only under it and by this thread
 * or log_configure(). */
static void rotate(void) {
    struct timespec now;
    struct tm tm;
    char backup[4096], stamp[64];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y.%m.%d.%H.%M.%S", &tm);
    pthread_mutex_lock(&state.lock);
    snprintf(backup, sizeof backup, "%s.%s.%09ld", state.file, stamp, now.tv_nsec);
    int64_t size;
    if (rename(state.file, backup) == 0) {
        int fd = open_file(state.file, &size);
        if (fd >= 0) {
            close(state.fd);
            state.fd = fd;
            char line[4300];
            size_t n = write_head(line, sizeof line, LOG_INFO);
            n += (size_t)snprintf(line + n, sizeof line - n,
                                  "Rotated log, backup saved as \"%s\"\r\n", backup);
            ssize_t written = write(fd, line, n);
            state.written = written > 0 ? written : 0;
        }
    }
    char *file = memory_text(slice_text(state.file));
    int64_t keep = state.max_files;
    pthread_mutex_unlock(&state.lock);
    if (keep > 0) purge(file, keep);
    free(file);
}

static void write_all(int fd, const char *at, size_t size) {
    while (size) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        at += n;
        size -= (size_t)n;
    }
}

static void *run(void *arg) {
    (void)arg;
    pthread_mutex_lock(&state.lock);
    for (;;) {
        while (!state.used && !state.stopping) pthread_cond_wait(&state.filled, &state.lock);
        if (!state.used) break;
        char *full = state.buffer;
        size_t n = state.used, room = state.buffer_room;
        state.buffer = state.spare;
        state.buffer_room = state.spare_room;
        state.used = 0;
        state.writing = true;
        if (state.dropped) {
            char line[128];
            size_t head = write_head(line, sizeof line, LOG_WARN);
            head += (size_t)snprintf(line + head, sizeof line - head,
                                     "%llu log lines lost: the log is too slow\n",
                                     (unsigned long long)state.dropped);
            state.dropped = 0;
            put(line, head);
        }
        int fd = state.fd;
        state.written += (int64_t)n;
        bool over = state.size_limit > 0 && state.file && state.written > state.size_limit;
        pthread_mutex_unlock(&state.lock);
        write_all(fd, full, n);
        if (over) rotate();
        pthread_mutex_lock(&state.lock);
        state.spare = full;
        state.spare_room = room;
        state.writing = false;
        pthread_cond_broadcast(&state.emptied);
    }
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

void log_flush(void) {
    pthread_mutex_lock(&state.lock);
    while (state.running && (state.used || state.writing))
        pthread_cond_wait(&state.emptied, &state.lock);
    pthread_mutex_unlock(&state.lock);
}

int log_configure(const struct log_settings *s, char *error, size_t size) {
    int fd = 2;
    int64_t length = 0;
    bool to_file = s->file && *s->file;
    if (to_file && (fd = open_file(s->file, &length)) < 0) {
        snprintf(error, size, "open %s: %s", s->file, strerror(errno));
        return -1;
    }
    log_flush();
    pthread_mutex_lock(&state.lock);
    if (state.file) close(state.fd);
    free(state.file);
    state.fd = fd;
    state.file = to_file ? memory_text(slice_text(s->file)) : NULL;
    state.time = s->time;
    state.utc = s->utc;
    state.written = length;
    state.size_limit = s->size_limit_bytes;
    state.max_files = s->max_files;
    struct stat st;
    state.colour = !to_file && fstat(2, &st) == 0 && S_ISCHR(st.st_mode);
    atomic_store(&state.debug, s->debug);
    atomic_store(&state.trace, s->trace);
    if (!state.running) state.running = pthread_create(&state.writer, NULL, run, NULL) == 0;
    pthread_mutex_unlock(&state.lock);
    return 0;
}

bool log_reopen(void) {
    log_flush();
    pthread_mutex_lock(&state.lock);
    bool is_file = state.file != NULL;
    if (is_file) {
        int64_t size;
        int fd = open_file(state.file, &size);
        if (fd >= 0) {
            close(state.fd);
            state.fd = fd;
            state.written = size;
        }
    }
    pthread_mutex_unlock(&state.lock);
    return is_file;
}

void log_stop(void) {
    pthread_mutex_lock(&state.lock);
    bool running = state.running;
    state.stopping = true;
    pthread_cond_signal(&state.filled);
    pthread_mutex_unlock(&state.lock);
    if (running) pthread_join(state.writer, NULL);
    pthread_mutex_lock(&state.lock);
    state.running = state.stopping = false;
    free(state.buffer);
    free(state.spare);
    state.buffer = state.spare = NULL;
    state.buffer_room = state.spare_room = 0;
    if (state.file) close(state.fd);
    free(state.file);
    state.file = NULL;
    state.fd = 2;
    pthread_mutex_unlock(&state.lock);
}
