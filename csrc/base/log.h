/*
 * The log, in Go's line format: "[pid] 2026/01/02 15:04:05.123456 [INF] text". Any thread may
 * write; a line is put into a bounded buffer and written by a thread of the log's own, for a worker
 * never waits for a disk. When the disk cannot keep up lines are dropped, and a line says how many.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_INFO, LOG_DEBUG, LOG_WARN, LOG_ERROR, LOG_FATAL, LOG_TRACE };

struct log_settings {
    const char *file; /* NULL or empty: standard error */
    bool time, utc, debug, trace;
    int64_t size_limit_bytes; /* rotate beyond; 0: never */
    int64_t max_files;        /* with rotation: files kept, the live one included; 0: all */
};

/* Starts or changes the log. Returns 0, or -1 with the reason in `error`; then nothing has changed.
 */
int log_configure(const struct log_settings *settings, char *error, size_t size);

/* Opens the file anew, after it was moved away. 1: done; 0: the log is no file; -1: it could not be
 * opened, with the reason in `error`; then the old one is used further. */
int log_reopen(char *error, size_t size);

bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_text(enum log_level level, const char *text, size_t size);

/* Waits until everything is written. */
void log_flush(void);

/* Writes what is left and ends the writer's thread; from then on lines go to standard error. */
void log_stop(void);
