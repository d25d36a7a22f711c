/* The log: what lines look like, and what becomes of its file. */
#include "base/log.h"
#include "base/memory.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAMES_MAX = 64 };

static char folder[64], file[128], error[256];

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/perigee-log-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/server.log", folder);
    return 0;
}

/* The names in the folder, sorted. */
static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list(char *names[NAMES_MAX]) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        assert_true(count < NAMES_MAX);
        names[count++] = memory_text(slice_text(e->d_name));
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_text);
    return count;
}

static void forget(char *names[NAMES_MAX], size_t count) {
    for (size_t i = 0; i < count; i++) free(names[i]);
}

static int finish(void **state) {
    (void)state;
    log_stop();
    char *names[NAMES_MAX], path[256];
    size_t count = list(names);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    forget(names, count);
    return rmdir(folder);
}

static void configure(struct log_settings s) {
    if (!s.file) s.file = file;
    assert_int_equal(log_configure(&s, error, sizeof error), 0);
}

/* What stands in a file of the folder; to be freed. */
static char *content(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *text = memory_new(size + 1);
    assert_int_equal(fread(text, 1, size, f), size);
    text[size] = 0;
    fclose(f);
    return text;
}

static void says(const char *expected) {
    log_flush();
    char *text = content("server.log");
    assert_string_equal(text, expected);
    free(text);
}

/* "[pid] [LVL] text\n" of this process. */
static const char *line(const char *rest) {
    static char lines[8][256];
    static unsigned next;
    char *out = lines[next++ % 8];
    snprintf(out, sizeof lines[0], "[%d] %s", (int)getpid(), rest);
    return out;
}

static void a_line_has_process_level_and_text(void **state) {
    (void)state;
    configure((struct log_settings){.debug = true, .trace = true});
    log_line(LOG_INFO, "one %d", 1);
    log_line(LOG_DEBUG, "two");
    log_line(LOG_WARN, "three");
    log_line(LOG_ERROR, "four");
    log_line(LOG_FATAL, "five");
    log_line(LOG_TRACE, "six");
    log_text(LOG_INFO, "seven\n", 6);
    log_text(LOG_INFO, "", 0);
    char expected[1024] = "";
    static const char *const rest[] = {"[INF] one 1\n", "[DBG] two\n",  "[WRN] three\n",
                                       "[ERR] four\n",  "[FTL] five\n", "[TRC] six\n",
                                       "[INF] seven\n", "[INF] \n"};
    for (size_t i = 0; i < 8; i++) strcat(expected, line(rest[i]));
    says(expected);
}

/* Whether it is "[pid] 2026/01/02 15:04:05.123456 [INF] " and `text`. */
static void has_time(const char *seen, const char *text) {
    char form[128];
    snprintf(form, sizeof form, "%s", line("dddd/dd/dd dd:dd:dd.dddddd [INF] "));
    size_t skip = strcspn(form, "]") + 1, n = strlen(form);
    assert_int_equal(strlen(seen), n + strlen(text));
    assert_memory_equal(seen, form, skip);
    for (size_t i = skip; i < n; i++) {
        if (form[i] == 'd')
            assert_in_range(seen[i], '0', '9');
        else
            assert_int_equal(seen[i], form[i]);
    }
    assert_string_equal(seen + n, text);
}

static void the_time_is_local_or_utc(void **state) {
    (void)state;
    setenv("TZ", "XYZ-5:30", 1); /* five and a half hours before UTC's clock */
    tzset();
    int minutes[2];
    for (int utc = 0; utc < 2; utc++) {
        configure((struct log_settings){.time = true, .utc = utc});
        log_line(LOG_INFO, "now");
        log_flush();
        char *text = content("server.log");
        has_time(text, "now\n");
        int hour, minute;
        assert_int_equal(sscanf(strchr(text, ' '), " %*d/%*d/%*d %d:%d:", &hour, &minute), 2);
        minutes[utc] = hour * 60 + minute;
        free(text);
        unlink(file);
    }
    unsetenv("TZ");
    tzset();
    int ahead = (minutes[0] - minutes[1] + 24 * 60) % (24 * 60);
    assert_in_range(ahead, 329, 330);
}

static void debug_and_trace_are_off_until_asked_for(void **state) {
    (void)state;
    configure((struct log_settings){0});
    assert_false(log_enabled(LOG_DEBUG) || log_enabled(LOG_TRACE));
    assert_true(log_enabled(LOG_INFO) && log_enabled(LOG_FATAL));
    log_line(LOG_DEBUG, "no");
    log_line(LOG_TRACE, "no");
    configure((struct log_settings){.debug = true});
    log_line(LOG_DEBUG, "yes");
    log_line(LOG_TRACE, "no");
    says(line("[DBG] yes\n"));
}

static void a_file_is_continued_and_not_readable_by_others(void **state) {
    (void)state;
    umask(0);
    configure((struct log_settings){0});
    log_line(LOG_INFO, "first");
    configure((struct log_settings){0});
    log_line(LOG_INFO, "second");
    char expected[256];
    snprintf(expected, sizeof expected, "%s%s", line("[INF] first\n"), line("[INF] second\n"));
    says(expected);
    struct stat s;
    assert_int_equal(stat(file, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state) {
    (void)state;
    configure((struct log_settings){0});
    struct log_settings wrong = {.file = "/nonexistent/x.log", .debug = true};
    assert_int_equal(log_configure(&wrong, error, sizeof error), -1);
    assert_string_equal(error, "open /nonexistent/x.log: no such file or directory");
    assert_false(log_enabled(LOG_DEBUG));
    log_line(LOG_INFO, "still here");
    says(line("[INF] still here\n"));
}

static void a_moved_file_is_left_when_the_log_is_opened_anew(void **state) {
    (void)state;
    configure((struct log_settings){0});
    log_line(LOG_INFO, "old");
    log_flush();
    char moved[160];
    snprintf(moved, sizeof moved, "%s.moved", file);
    assert_int_equal(rename(file, moved), 0);
    log_line(LOG_INFO, "old too");
    assert_int_equal(log_reopen(error, sizeof error), 1);
    log_line(LOG_INFO, "new");
    says(line("[INF] new\n"));
    char expected[256], *text = content("server.log.moved");
    snprintf(expected, sizeof expected, "%s%s", line("[INF] old\n"), line("[INF] old too\n"));
    assert_string_equal(text, expected);
    free(text);
}

static void standard_error_is_not_opened_anew(void **state) {
    (void)state;
    configure((struct log_settings){.file = ""});
    assert_int_equal(log_reopen(error, sizeof error), 0);
}

static void a_log_that_cannot_be_opened_anew_goes_on_as_it_was(void **state) {
    (void)state;
    char inner[96], path[128];
    snprintf(inner, sizeof inner, "%s/sub", folder);
    snprintf(path, sizeof path, "%s/x.log", inner);
    assert_int_equal(mkdir(inner, 0700), 0);
    configure((struct log_settings){.file = path});
    assert_int_equal(rename(path, file), 0);
    assert_int_equal(rmdir(inner), 0);
    assert_int_equal(log_reopen(error, sizeof error), -1);
    assert_non_null(strstr(error, "/sub/x.log: no such file or directory"));
    log_line(LOG_INFO, "goes on");
    says(line("[INF] goes on\n"));
}

/* --- rotation
 * -------------------------------------------------------------------------------------------------- */

static void is_backup(const char *name) {
    static const char form[] = "server.log.dddd.dd.dd.dd.dd.dd.ddddddddd";
    assert_int_equal(strlen(name), strlen(form));
    for (size_t i = strlen("server.log"); form[i]; i++) {
        if (form[i] == 'd')
            assert_in_range(name[i], '0', '9');
        else
            assert_int_equal(name[i], form[i]);
    }
}

static void a_new_file_begins_behind_the_line_that_is_too_much(void **state) {
    (void)state;
    static const char text[] = "a line of some sixty letters, so that three are too much for it";
    configure((struct log_settings){.size_limit_bytes = 200});
    for (int i = 0; i < 4; i++) log_text(LOG_INFO, text, sizeof text - 1);
    log_flush();
    char *names[NAMES_MAX], expected[1024], one[128], told[320];
    assert_int_equal(list(names), 2);
    assert_string_equal(names[0], "server.log");
    is_backup(names[1]);
    char *old = content(names[1]), *new = content("server.log");
    snprintf(one, sizeof one, "[INF] %s\n", text);
    snprintf(expected, sizeof expected, "%s%s%s", line(one), line(one), line(one));
    assert_string_equal(old, expected);
    snprintf(told, sizeof told, "[INF] Rotated log, backup saved as \"%s/%s\"\r\n", folder,
             names[1]);
    snprintf(expected, sizeof expected, "%s%s", line(told), line(one));
    assert_string_equal(new, expected);
    free(old);
    free(new);
    forget(names, 2);
}

static void a_file_that_is_too_large_already_is_put_aside_at_once(void **state) {
    (void)state;
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fprintf(f, "%0100d\n", 0);
    fclose(f);
    configure((struct log_settings){.size_limit_bytes = 50});
    log_flush();
    char *names[NAMES_MAX];
    assert_int_equal(list(names), 2);
    char *old = content(names[1]);
    assert_non_null(strstr(old, line("[INF] Rotating logfile...\n")));
    free(old);
    forget(names, 2);
}

static void the_oldest_backups_are_removed(void **state) {
    (void)state;
    static const char *const others[] = {
        "server.log.2020.01.02.03.04.05.123456789", "server.log.2020.01.02.03.04.05.12345678",
        "server.log.old", "server.log.2020-01-02", "xserver.log.2020.01.02.03.04.05.123456789"};
    for (size_t i = 0; i < 5; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
    configure((struct log_settings){.size_limit_bytes = 10, .max_files = 3});
    for (int i = 0; i < 4; i++) {
        log_line(LOG_INFO, "line %d", i);
        log_flush();
    }
    char *names[NAMES_MAX];
    size_t count = list(names), backups = 0;
    for (size_t i = 0; i < count; i++) {
        assert_string_not_equal(names[i], others[0]);
        backups += strlen(names[i]) == strlen("server.log.dddd.dd.dd.dd.dd.dd.ddddddddd") &&
                   names[i][0] == 's';
    }
    assert_int_equal(backups, 2);
    assert_int_equal(count, 1 + 2 + 4); /* the log, its backups, and what is none */
    char *now = content("server.log");
    assert_non_null(strstr(now, "[INF] Purged log file \"server.log."));
    free(now);
    char *last = content(names[3]); /* of server.log, .2020-01-02, .2020...78 come before */
    assert_non_null(strstr(last, "line"));
    free(last);
    forget(names, count);
}

static void a_backup_that_cannot_be_removed_is_told_and_tried_again(void **state) {
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/server.log.2020.01.02.03.04.05.123456789", folder);
    assert_int_equal(mkdir(path, 0700), 0); /* unlink() does not remove it */
    configure((struct log_settings){.size_limit_bytes = 10, .max_files = 1});
    log_line(LOG_INFO, "first");
    log_flush();
    char *text = content("server.log");
    assert_non_null(strstr(
        text,
        "[ERR] Unable to remove backup log file \"server.log.2020.01.02.03.04.05.123456789\" (is a "
        "directory), will attempt next rotation\r\n"));
    free(text);
    assert_int_equal(rmdir(path), 0);
    log_line(LOG_INFO, "second");
    log_flush();
    char *names[NAMES_MAX];
    size_t count = list(names);
    assert_int_equal(count, 1);
    forget(names, count);
}

static void without_a_limit_nothing_is_put_aside(void **state) {
    (void)state;
    configure((struct log_settings){.max_files = 2});
    for (int i = 0; i < 1000; i++) log_line(LOG_INFO, "line %d", i);
    log_flush();
    char *names[NAMES_MAX];
    size_t count = list(names);
    assert_int_equal(count, 1);
    forget(names, count);
}

/* --- many writers, slow readers
 * --------------------------------------------------------------------------------- */

enum { WRITERS = 4, LINES = 2000 };

static void *write_lines(void *arg) {
    for (int i = 0; i < LINES; i++) log_line(LOG_INFO, "writer %d line %d", *(int *)arg, i);
    return NULL;
}

static void lines_of_many_threads_stay_whole_and_in_order_while_files_rotate(void **state) {
    (void)state;
    configure((struct log_settings){.size_limit_bytes = 40000});
    pthread_t threads[WRITERS];
    int numbers[WRITERS], next[WRITERS] = {0};
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < 20; i++) assert_int_equal(log_reopen(error, sizeof error), 1);
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    log_flush();
    char *names[NAMES_MAX];
    size_t count = list(names);
    for (size_t k = 0; k < count; k++) { /* the backups in their order, and then the log itself */
        char *text = content(names[(k + 1) % count]), *rest = text;
        for (char *at; (at = strsep(&rest, "\n")) && *at;) {
            int writer, number;
            if (strstr(at, "Rotated")) continue;
            assert_int_equal(
                sscanf(strchr(at, ']') + 1, " [INF] writer %d line %d", &writer, &number), 2);
            assert_int_equal(number, next[writer]++);
        }
        free(text);
    }
    for (int i = 0; i < WRITERS; i++) assert_int_equal(next[i], LINES);
    assert_true(count > 2);
    forget(names, count);
}

static void lines_are_lost_and_counted_when_the_reader_is_slow(void **state) {
    (void)state;
    assert_int_equal(mkfifo(file, 0600), 0);
    int reader = open(file, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    configure((struct log_settings){0});
    enum { LARGE = 60000, MANY = 200 }; /* three times what the buffer holds */
    char *text = memory_new(LARGE);
    memset(text, 'x', LARGE);
    for (int i = 0; i < MANY; i++) log_text(LOG_INFO, text, LARGE);
    log_text(LOG_INFO, "end", 3);
    fcntl(reader, F_SETFL, 0);
    size_t room = 1024 * 1024 * 16, size = 0, whole = 0;
    char *seen = memory_zero(room);
    unsigned lost = 0;
    while (!lost) {
        ssize_t n = read(reader, seen + size, room - size - 1);
        assert_true(n > 0);
        size += (size_t)n;
        char *told = memmem(seen, size, " log lines lost: the log is too slow\n", 37);
        if (!told) continue;
        char *start = told;
        while (start[-1] != ' ') start--;
        lost = (unsigned)atoi(start);
    }
    for (char *at = seen; (at = memchr(at, '\n', size - (size_t)(at - seen))); at++) whole++;
    assert_in_range(whole - 1 + lost, MANY, MANY + 1); /* "end" may have found room, or not */
    configure((struct log_settings){.file = ""});
    close(reader);
    free(seen);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)
        T(a_line_has_process_level_and_text),
        T(the_time_is_local_or_utc),
        T(debug_and_trace_are_off_until_asked_for),
        T(a_file_is_continued_and_not_readable_by_others),
        T(a_file_that_cannot_be_opened_changes_nothing),
        T(a_moved_file_is_left_when_the_log_is_opened_anew),
        T(standard_error_is_not_opened_anew),
        T(a_log_that_cannot_be_opened_anew_goes_on_as_it_was),
        T(a_new_file_begins_behind_the_line_that_is_too_much),
        T(a_file_that_is_too_large_already_is_put_aside_at_once),
        T(the_oldest_backups_are_removed),
        T(a_backup_that_cannot_be_removed_is_told_and_tried_again),
        T(without_a_limit_nothing_is_put_aside),
        T(lines_of_many_threads_stay_whole_and_in_order_while_files_rotate),
        T(lines_are_lost_and_counted_when_the_reader_is_slow),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
