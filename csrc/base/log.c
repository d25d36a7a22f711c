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

enum {
    BUFFER_MAX = 4 * 1024 * 1024,
    LINE_MAX_BYTES = 64 * 1024,
    HEAD_MAX_BYTES = 128,
    PATH_MAX_BYTES = 4096,
};

static const char *const labels[] = {"INF", "DBG", "WRN", "ERR", "FTL", "TRC"};
static const char *const colours[] = {"32", "36", "0;93", "31", "31", "33"};

/*
 *      any thread ── lock ──> buffer ══ writer's thread ══ file_lock ══> file
 *
 * `lock` guards the buffer and is held for a few copies only; `file_lock` is held while the disk is
 * waited for, and taken before `lock` where both are needed. Settings and file change under both,
 * so that either is enough to read them.
 */
static struct {
    pthread_mutex_t lock, file_lock;
    pthread_cond_t filled, emptied;
    pthread_t writer;
    bool running, stopping, writing;
    char *buffer, *spare;
    size_t used, buffer_room, spare_room;
    uint64_t dropped;
    int fd;
    char *file; /* NULL: standard error */
    bool time, utc, colour;
    int64_t size_limit, max_files, written;
    atomic_bool debug, trace;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .file_lock = PTHREAD_MUTEX_INITIALIZER,
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

static void write_all(int fd, const char *at, size_t size) {
    while (size) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        at += n;
        size -= (size_t)n;
    }
}

/* Adds a line to the buffer. Under `lock`. */
static void put(enum log_level level, const char *text, size_t size) {
    size_t most = HEAD_MAX_BYTES + size + 1;
    if (state.used + most > BUFFER_MAX) {
        state.dropped++;
        return;
    }
    if (state.used + most > state.buffer_room) {
        state.buffer_room = (state.used + most) * 2;
        state.buffer = memory_resize(state.buffer, state.buffer_room);
    }
    char *at = state.buffer + state.used;
    size_t n = write_head(at, HEAD_MAX_BYTES, level);
    memcpy(at + n, text, size);
    n += size;
    if (!size || text[size - 1] != '\n') at[n++] = '\n';
    state.used += n;
}

void log_text(enum log_level level, const char *text, size_t size) {
    if (!log_enabled(level)) return;
    if (size > LINE_MAX_BYTES) size = LINE_MAX_BYTES;
    pthread_mutex_lock(&state.lock);
    put(level, text, size);
    if (state.running) {
        pthread_cond_signal(&state.filled);
    } else {
        write_all(state.fd, state.buffer, state.used);
        state.used = 0;
    }
    pthread_mutex_unlock(&state.lock);
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

static const char *reason(int number, char text[128]) {
    snprintf(text, 128, "%s", strerror(number));
    if (text[0] >= 'A' && text[0] <= 'Z') text[0] = (char)(text[0] - 'A' + 'a'); /* as Go says it */
    return text;
}

/* --- rotation: under `file_lock` */

/* A line about the log itself, straight to the file. */
static void tell(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void tell(enum log_level level, const char *format, ...) {
    char line[HEAD_MAX_BYTES + PATH_MAX_BYTES + 256];
    size_t n = write_head(line, HEAD_MAX_BYTES, level);
    va_list args;
    va_start(args, format);
    int text = vsnprintf(line + n, sizeof line - n - 2, format, args);
    va_end(args);
    size_t most = sizeof line - n - 3;
    n += text < 0 ? 0 : (size_t)text < most ? (size_t)text : most;
    line[n++] = '\r';
    line[n++] = '\n';
    write_all(state.fd, line, n);
    state.written += (int64_t)n;
}

/* Whether `name` is a backup of `base`: base and ".2026.01.02.15.04.05.123456789". */
static bool is_backup(const char *name, const char *base) {
    static const char form[] = ".dddd.dd.dd.dd.dd.dd.ddddddddd";
    size_t n = strlen(base);
    if (strncmp(name, base, n) != 0 || strlen(name) != n + sizeof form - 1) return false;
    for (size_t i = 0; form[i]; i++) {
        char c = name[n + i];
        if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i]) return false;
    }
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The backups of `base` in `folder`, the oldest first. -1: the folder cannot be read. */
static int list_backups(const char *folder, const char *base, char ***names, size_t *count) {
    *names = NULL;
    *count = 0;
    DIR *dir = opendir(folder);
    if (!dir) return -1;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!is_backup(e->d_name, base)) continue;
        *names = memory_resize(*names, sizeof **names * (*count + 1));
        (*names)[(*count)++] = memory_text(slice_text(e->d_name));
    }
    closedir(dir);
    if (*count) qsort(*names, *count, sizeof **names, by_text);
    return 0;
}

/* Removes the oldest backups beyond max_files - 1. */
static void purge(void) {
    const char *slash = strrchr(state.file, '/');
    const char *base = slash ? slash + 1 : state.file;
    char *folder = slash == state.file ? memory_text(slice_text("/"))
                   : slash ? memory_text(slice_of(state.file, (size_t)(slash - state.file)))
                           : memory_text(slice_text("."));
    char **names, why[128];
    size_t count;
    if (list_backups(folder, base, &names, &count) != 0)
        tell(LOG_ERROR,
             "Unable to read directory \"%s\" for log purge (%s), will attempt next rotation",
             folder, reason(errno, why));
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if ((int64_t)(count - i) > state.max_files - 1 && !failed) {
            failed = unlink(path) != 0;
            if (failed)
                tell(LOG_ERROR,
                     "Unable to remove backup log file \"%s\" (%s), will attempt next rotation",
                     names[i], reason(errno, why));
            else
                tell(LOG_INFO, "Purged log file \"%s\"", names[i]);
        }
        free(names[i]);
    }
    free(names);
    free(folder);
}

static void rotate(void) {
    struct timespec now;
    struct tm tm;
    char backup[PATH_MAX_BYTES], stamp[64];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y.%m.%d.%H.%M.%S", &tm);
    snprintf(backup, sizeof backup, "%s.%s.%09ld", state.file, stamp, now.tv_nsec);
    int64_t size;
    state.written = 0; /* also if it fails: it is tried again after as much */
    if (rename(state.file, backup) != 0) return;
    int fd = open_file(state.file, &size);
    if (fd < 0) return; /* what comes goes to the backup */
    pthread_mutex_lock(&state.lock);
    close(state.fd);
    state.fd = fd;
    pthread_mutex_unlock(&state.lock);
    tell(LOG_INFO, "Rotated log, backup saved as \"%s\"", backup);
    if (state.max_files > 0) purge();
}

/* The lines up to the one with which the file is larger than it may be; at least one. */
static size_t lines_of_this_file(const char *at, size_t size) {
    size_t n = 0;
    do {
        const char *lf = memchr(at + n, '\n', size - n);
        n = lf ? (size_t)(lf + 1 - at) : size;
    } while (n < size && state.written + (int64_t)n <= state.size_limit);
    return n;
}

static void write_lines(const char *at, size_t size) {
    bool rotates = state.file && state.size_limit > 0;
    while (size) {
        size_t n = rotates ? lines_of_this_file(at, size) : size;
        write_all(state.fd, at, n);
        state.written += (int64_t)n;
        if (rotates && state.written > state.size_limit) rotate();
        at += n;
        size -= n;
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
            char text[80];
            int size = snprintf(text, sizeof text, "%llu log lines lost: the log is too slow",
                                (unsigned long long)state.dropped);
            state.dropped = 0;
            put(LOG_WARN, text, (size_t)size);
        }
        pthread_mutex_unlock(&state.lock);
        pthread_mutex_lock(&state.file_lock);
        write_lines(full, n);
        pthread_mutex_unlock(&state.file_lock);
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

static void lock_both(void) {
    pthread_mutex_lock(&state.file_lock);
    pthread_mutex_lock(&state.lock);
}

static void unlock_both(void) {
    pthread_mutex_unlock(&state.lock);
    pthread_mutex_unlock(&state.file_lock);
}

/* Under both locks; `fd` is 2 for standard error. */
static void use_file(int fd, int64_t size) {
    if (state.fd != 2) close(state.fd);
    state.fd = fd;
    state.written = size;
}

static void describe_failure(const char *file, char *error, size_t size) {
    char why[128];
    snprintf(error, size, "open %s: %s", file, reason(errno, why));
}

int log_configure(const struct log_settings *s, char *error, size_t size) {
    int fd = 2;
    int64_t length = 0;
    bool to_file = s->file && *s->file;
    if (to_file && (fd = open_file(s->file, &length)) < 0) {
        describe_failure(s->file, error, size);
        return -1;
    }
    log_flush();
    lock_both();
    use_file(fd, length);
    free(state.file);
    state.file = to_file ? memory_text(slice_text(s->file)) : NULL;
    state.time = s->time;
    state.utc = s->utc;
    state.size_limit = s->size_limit_bytes;
    state.max_files = s->max_files;
    struct stat st;
    state.colour = !to_file && fstat(2, &st) == 0 && S_ISCHR(st.st_mode);
    atomic_store(&state.debug, s->debug);
    atomic_store(&state.trace, s->trace);
    if (!state.running) state.running = pthread_create(&state.writer, NULL, run, NULL) == 0;
    unlock_both();
    if (to_file && s->size_limit_bytes > 0 && length > s->size_limit_bytes)
        log_line(LOG_INFO, "Rotating logfile..."); /* which does it */
    return 0;
}

int log_reopen(char *error, size_t size) {
    log_flush();
    lock_both();
    int result = 0;
    if (state.file) {
        int64_t length;
        int fd = open_file(state.file, &length);
        result = fd < 0 ? -1 : 1;
        if (fd < 0)
            describe_failure(state.file, error, size);
        else
            use_file(fd, length);
    }
    unlock_both();
    return result;
}

void log_stop(void) {
    pthread_mutex_lock(&state.lock);
    bool running = state.running;
    state.stopping = true;
    pthread_cond_signal(&state.filled);
    pthread_mutex_unlock(&state.lock);
    if (running) pthread_join(state.writer, NULL);
    lock_both();
    state.running = state.stopping = false;
    free(state.buffer);
    free(state.spare);
    free(state.file);
    state.buffer = state.spare = state.file = NULL;
    state.buffer_room = state.spare_room = state.used = 0;
    state.size_limit = 0;
    use_file(2, 0);
    unlock_both();
}
