#include "wire/connect.h"
#include "base/memory.h"
#include "wire/json_reader.h"
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum member_type { A_BOOL, AN_INT, A_TEXT };
static const char *const type_names[] = {"bool", "int", "string"};

static const struct member {
    const char *key;
    enum member_type type;
    size_t offset;
} members[] = {
#define M(name, type)                                                                              \
    { #name, type, offsetof(struct connect_options, name) }
    M(verbose, A_BOOL),       M(pedantic, A_BOOL),     M(echo, A_BOOL),        M(headers, A_BOOL),
    M(no_responders, A_BOOL), M(tls_required, A_BOOL), M(new_account, A_BOOL), M(protocol, AN_INT),
    M(name, A_TEXT),          M(lang, A_TEXT),         M(version, A_TEXT),     M(user, A_TEXT),
    M(pass, A_TEXT),          M(auth_token, A_TEXT),   M(jwt, A_TEXT),         M(nkey, A_TEXT),
    M(sig, A_TEXT),           M(proxy_sig, A_TEXT),    M(account, A_TEXT),
#undef M
};
enum { KEY_MAX = 96 }; /* bytes; a longer key is none of these, even with every letter as \uXXXX */

static void wipe(char **text) {
    if (*text) explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* What Go's folding adds to the letters of ASCII: the long s and the Kelvin sign. */
static size_t fold(char *name, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < size;) {
        bool long_s = size - i >= 2 && memcmp(name + i, "\xc5\xbf", 2) == 0;
        bool kelvin = size - i >= 3 && memcmp(name + i, "\xe2\x84\xaa", 3) == 0;
        name[n++] = long_s ? 's' : kelvin ? 'k' : name[i];
        i += long_s ? 2 : kelvin ? 3 : 1;
    }
    return n;
}

/* The member of this name, without regard to case; NULL: none. */
static const struct member *find_member(struct slice key) {
    char name[KEY_MAX * JSON_UNESCAPED + 1];
    if (key.size > KEY_MAX) return NULL;
    size_t n = fold(name, json_unescape(key, name));
    name[n] = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strlen(members[i].key) == n && strcasecmp(members[i].key, name) == 0)
            return &members[i];
    return NULL;
}

/* A terminated text cannot hold NUL. Cutting it there would make "admin" of "admin\0x", so each NUL
 * becomes U+FFFD, with which the text is equal to no other. */
static char *without_nul(const char *value, size_t size) {
    size_t nuls = 0, n = 0;
    for (size_t i = 0; i < size; i++) nuls += value[i] == 0;
    char *text = memory_new(size + 2 * nuls + 1);
    for (size_t i = 0; i < size; i++) {
        if (value[i]) {
            text[n++] = value[i];
        } else {
            memcpy(text + n, "\xef\xbf\xbd", 3);
            n += 3;
        }
    }
    text[n] = 0;
    return text;
}

static void store_text(char **field, struct slice text) {
    wipe(field);
    char *value = memory_new(text.size * JSON_UNESCAPED + 1);
    size_t n = json_unescape(text, value);
    if (n) *field = without_nul(value, n);
    explicit_bzero(value, n);
    free(value);
}

/* False: the value is of another type. */
static bool store(struct connect_options *o, const struct member *m, enum json_token token,
                  struct slice text) {
    void *field = (char *)o + m->offset;
    int64_t n;
    switch (token) {
    case JSON_NULL:
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        if (m->type == A_BOOL) *(bool *)field = token == JSON_TRUE;
        return m->type == A_BOOL;
    case JSON_NUMBER:
        if (m->type != AN_INT || !json_number_int(text, &n)) return false;
        *(int *)field = n > INT_MAX ? INT_MAX : n < INT_MIN ? INT_MIN : (int)n;
        return true;
    case JSON_STRING:
        if (m->type == A_TEXT) store_text(field, text);
        return m->type == A_TEXT;
    default:
        return false;
    }
}

static const char *token_name(enum json_token token) {
    switch (token) {
    case JSON_OPEN_OBJECT:
        return "object";
    case JSON_OPEN_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_NUMBER:
        return "number";
    default:
        return "bool";
    }
}

static void misfit(const struct member *m, enum json_token token, struct slice text, char *error,
                   size_t error_size) {
    bool shown = token == JSON_NUMBER && m->type == AN_INT;
    snprintf(error, error_size,
             "json: cannot unmarshal %s%s%.*s into Go struct field ClientOpts.%s of type %s",
             token_name(token), shown ? " " : "",
             shown ? (int)(text.size < 32 ? text.size : 32) : 0, text.at, m->key,
             type_names[m->type]);
}

/* Reads one object of `type` into `o`, if there is one. As in Go all that fits is stored, and the
 * first value that does not is the error. */
static int object(struct connect_options *o, const char *type, struct slice json, char *error,
                  size_t error_size) {
    char why[JSON_ERROR_BYTES];
    if (json_check(json, why) != 0) {
        snprintf(error, error_size, "%s", why);
        return -1;
    }
    struct json_reader r = json_reader_of(json);
    enum json_token token = json_next(&r);
    if (token == JSON_NULL) return 0;
    if (token != JSON_OPEN_OBJECT) {
        snprintf(error, error_size, "json: cannot unmarshal %s into Go value of type %s",
                 token_name(token), type);
        return -1;
    }
    int result = 0;
    while (json_next(&r) == JSON_KEY) {
        const struct member *m = o ? find_member(r.text) : NULL;
        token = json_next(&r);
        if (m && !store(o, m, token, r.text)) {
            if (!result) misfit(m, token, r.text, error, error_size);
            result = -1;
        }
        json_skip(&r, token);
    }
    return result;
}

void connect_options_init(struct connect_options *o) {
    *o = (struct connect_options){.verbose = true, .pedantic = true, .echo = true};
}

int connect_merge(struct connect_options *o, struct slice json, char *error, size_t error_size) {
    return object(o, "server.ClientOpts", json, error, error_size);
}

int connect_check_info(struct slice json, char *error, size_t error_size) {
    return object(NULL, "server.Info", json, error, error_size);
}

void connect_options_forget_secrets(struct connect_options *o) {
    char **secrets[] = {&o->user, &o->pass, &o->auth_token, &o->jwt,
                        &o->nkey, &o->sig,  &o->proxy_sig,  &o->account};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) wipe(secrets[i]);
}

void connect_options_free(struct connect_options *o) {
    connect_options_forget_secrets(o);
    free(o->name);
    free(o->lang);
    free(o->version);
}
