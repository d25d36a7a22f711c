#include "wire/headers.h"
#include <assert.h>

static const char empty_block[] = "NATS/1.0\r\n\r\n";
enum { EMPTY_SIZE = sizeof empty_block - 1 };

static bool line_begins(const char *start, const char *at) {
    return at - start >= 2 && at[-2] == '\r' && at[-1] == '\n';
}

/* Where the first line with this key begins, from `from` on; NULL: nowhere. */
static const char *find_line(struct slice block, size_t from, const char *key, size_t key_size) {
    assert(key_size);
    if (block.size == 0) return NULL;
    const char *at = block.at + from, *end = block.at + block.size;
    while (at < end && (at = memmem(at, (size_t)(end - at), key, key_size))) {
        const char *behind = at + key_size;
        if (line_begins(block.at, at) && behind < end && *behind == ':') return at;
        at++;
    }
    return NULL;
}

/* Where the line ends that `at` is in: at its CR LF, or at the end of a block without one. */
static const char *line_end(struct slice block, const char *at) {
    const char *end = block.at + block.size;
    const char *found = memmem(at, (size_t)(end - at), "\r\n", 2);
    return found ? found : end;
}

bool headers_get(struct slice block, const char *key, struct slice *value) {
    size_t key_size = strlen(key);
    const char *line = find_line(block, 0, key, key_size);
    if (!line) return false;
    const char *at = line + key_size + 1, *end = line_end(block, at);
    while (at < end && *at == ' ') at++;
    *value = slice_of(at, (size_t)(end - at));
    return true;
}

static bool ends_with(struct slice s, const char *text) {
    size_t n = strlen(text);
    return s.size >= n && memcmp(s.at + s.size - n, text, n) == 0;
}

static char *put(char *out, const char *at, size_t size) {
    if (size) memcpy(out, at, size);
    return out + size;
}

static char *put_value(char *out, struct slice value) {
    for (size_t i = 0; i < value.size; i++)
        *out++ = value.at[i] == '\r' || value.at[i] == '\n' ? ' ' : value.at[i];
    return out;
}

size_t headers_set(struct slice block, const char *key, struct slice value, char *out) {
    size_t key_size = strlen(key);
    if (block.size == 0) block = slice_of(empty_block, EMPTY_SIZE);
    const char *block_end = block.at + block.size;
    const char *line = find_line(block, 0, key, key_size);
    char *to = out;
    if (line) { /* a blank behind the colon stays as it is or isn't */
        const char *from = line + key_size + 1, *end = line_end(block, from);
        if (from < end && *from == ' ') from++;
        to = put(to, block.at, (size_t)(from - block.at));
        to = put_value(to, value);
        to = put(to, end, (size_t)(block_end - end));
        return (size_t)(to - out);
    }
    if (ends_with(block, "\r\n\r\n")) block.size -= 2;
    to = put(to, block.at, block.size);
    if (!ends_with(block, "\r\n")) to = put(to, "\r\n", 2);
    to = put(to, key, key_size);
    to = put(to, ": ", 2);
    to = put_value(to, value);
    to = put(to, "\r\n\r\n", 4);
    return (size_t)(to - out);
}

size_t headers_remove(struct slice block, const char *key, char *out) {
    size_t key_size = strlen(key), from = 0, size = 0;
    const char *line;
    while ((line = find_line(block, from, key, key_size))) {
        const char *end = line_end(block, line);
        size_t kept = (size_t)(line - block.at) - from;
        memmove(out + size, block.at + from, kept);
        size += kept;
        from = (size_t)(end - block.at);
        if (from < block.size) from += 2;
    }
    if (!from) {
        if (out != block.at && block.size) memcpy(out, block.at, block.size);
        return block.size;
    }
    memmove(out + size, block.at + from, block.size - from);
    size += block.size - from;
    return size <= EMPTY_SIZE ? 0 : size;
}
