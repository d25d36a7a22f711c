/* The calls that concern the process: log, clocks, signals, the server's key. */
#include "base/clock.h"
#include "base/log.h"
#include "ffi/events.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int perigee_log_configure(const struct perigee_log *l, char *error, size_t error_size) {
    struct log_settings s = {l->file,     l->time, l->utc, l->debug, l->trace, l->size_limit_bytes,
                             l->max_files};
    return log_configure(&s, error, error_size);
}

int perigee_log_reopen(char *error, size_t error_size) {
    return log_reopen(error, error_size);
}

void perigee_log(int level, const char *text, size_t size) {
    log_text((enum log_level)level, text, size);
}

void perigee_log_flush(void) {
    log_flush();
}

int64_t perigee_wall_ns(void) {
    return (int64_t)clock_wall_ns();
}

int64_t perigee_monotonic_ns(void) {
    return (int64_t)clock_monotonic_ns();
}

int64_t perigee_resident_bytes(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void perigee_heap(struct perigee_heap *heap) {
    struct mallinfo2 m = mallinfo2();
    *heap = (struct perigee_heap){m.uordblks + m.hblkhd, m.fordblks, m.arena + m.hblkhd};
}

int64_t perigee_cpu_ns(void) {
    return (int64_t)clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

int perigee_cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int perigee_raise_descriptor_limit(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return -1;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    return (int)r.rlim_cur;
}

/* --- signals
 * ------------------------------------------------------------------------------------------------------
 */

static sigset_t caught;

static void *wait_for_signals(void *arg) {
    (void)arg;
    for (;;) {
        int number;
        if (sigwait(&caught, &number) != 0) continue;
        events_put(&(struct perigee_event){.kind = PERIGEE_EVENT_SIGNAL, .number = number});
    }
    return NULL;
}

void perigee_catch_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&caught, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &caught, NULL);
    signal(SIGPIPE, SIG_IGN);
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) == 0) pthread_detach(thread);
}

int perigee_send_signal(int pid, int number) {
    return kill(pid, number) == 0 ? 0 : errno;
}

/* --- the server's keys
 * --------------------------------------------------------------------------------------------- */

/* CRC-16/XMODEM, which nkeys carry behind the key. */
static uint16_t crc16(const unsigned char *at, size_t size) {
    uint16_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ (uint16_t)(at[i] << 8));
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

enum { PREFIX_SERVER = 13 << 3, PREFIX_CURVE = 23 << 3 }; /* 'N' and 'X' in base 32 */

/* The text of an nkey: prefix, 32 bytes of key and a checksum, in base 32. */
static void write_nkey(unsigned char prefix, const unsigned char public_key[32], char out[57]) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char raw[1 + 32 + 2];
    raw[0] = prefix;
    memcpy(raw + 1, public_key, 32);
    uint16_t crc = crc16(raw, 33);
    raw[33] = (unsigned char)crc;
    raw[34] = (unsigned char)(crc >> 8);
    for (size_t i = 0; i < 56; i++) { /* 35 bytes are 56 digits of 5 bits */
        size_t bit = i * 5;
        unsigned pair =
            (unsigned)raw[bit / 8] << 8 | (bit / 8 + 1 < sizeof raw ? raw[bit / 8 + 1] : 0u);
        out[i] = alphabet[pair >> (11 - bit % 8) & 31];
    }
    out[56] = 0;
}

void perigee_server_key(char out[57]) {
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    int ready = sodium_init();
    (void)ready; /* 1 when it was ready before; making keys needs nothing that can fail */
    crypto_sign_keypair(public_key, secret);
    sodium_memzero(secret, sizeof secret);
    write_nkey(PREFIX_SERVER, public_key, out);
}

void perigee_server_curve_key(char out[57]) {
    unsigned char public_key[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];
    int ready = sodium_init();
    (void)ready;
    crypto_box_keypair(public_key, secret);
    sodium_memzero(secret, sizeof secret);
    write_nkey(PREFIX_CURVE, public_key, out);
}
