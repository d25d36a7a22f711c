#include "wire/connect.h"
#include "base/memory.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { DEPTH_MAX = 512 };

/* --- a small strict reader: enough for one object
 * -------------------------------------------------------------------- */

struct reader {
    const char *at, *end;
};

static void blanks(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
}

static bool take(struct reader *r, char c) {
    blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static int hex4(const char *s) {
    int n = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        n = n * 16 + digit;
    }
    return n;
}

static char *put_rune(char *to, unsigned c) {
    if (c < 0x80)
        *to++ = (char)c;
    else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* \uXXXX, of which two may be one rune. */
static bool unescape_rune(struct reader *r, char **to) {
    if (r->end - r->at < 4) return false;
    int c = hex4(r->at);
    if (c < 0) return false;
    r->at += 4;
    if (c >= 0xd800 && c < 0xe000) {
        int low = c < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u'
                      ? hex4(r->at + 2)
                      : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            r->at += 6;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        } else {
            c = 0xfffd;
        }
    }
    *to = put_rune(*to, (unsigned)c);
    return true;
}

/* A string behind its opening quote, decoded into a new terminated text; NULL: bad. */
static char *string(struct reader *r) {
    char *text = memory_new((size_t)(r->end - r->at) * 3 + 1), *to = text;
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        if ((unsigned char)c < 0x20) break;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        if (r->at == r->end) break;
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        c = *r->at++;
        const char *simple = c ? strchr(from, c) : NULL;
        if (simple)
            *to++ = into[simple - from];
        else if (c != 'u' || !unescape_rune(r, &to))
            break;
    }
    if (r->at == r->end || *r->at != '"') {
        explicit_bzero(text, (size_t)(to - text));
        free(text);
        return NULL;
    }
    r->at++;
    *to = 0;
    return text;
}

enum kind { BAD, TEXT, NUMBER, TRUE_VALUE, FALSE_VALUE, NULL_VALUE, NESTED };
struct value {
    enum kind kind;
    char *text;
    struct slice number;
};

static bool word(struct reader *r, const char *w) {
    size_t n = strlen(w);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, w, n) != 0) return false;
    r->at += n;
    return true;
}

static bool number(struct reader *r, struct slice *out) {
    const char *start = r->at;
    if (r->at < r->end && *r->at == '-') r->at++;
    const char *digits = r->at;
    while (r->at < r->end && strchr("0123456789+-.eE", *r->at) && *r->at) r->at++;
    *out = slice_of(start, (size_t)(r->at - start));
    return r->at > digits && *digits >= '0' && *digits <= '9';
}

/* Skips a nested array or object by its brackets and strings. */
static bool nested(struct reader *r) {
    unsigned depth = 0;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == '"') {
            char *s = string(r);
            if (!s) return false;
            free(s);
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX) return false;
        } else if (c == '}' || c == ']') {
            if (--depth == 0) return true;
        }
    }
    return false;
}

static struct value value(struct reader *r) {
    struct value v = {BAD, NULL, {0}};
    blanks(r);
    if (r->at == r->end) return v;
    switch (*r->at) {
    case '"':
        r->at++;
        v.text = string(r);
        v.kind = v.text ? TEXT : BAD;
        break;
    case 't':
        v.kind = word(r, "true") ? TRUE_VALUE : BAD;
        break;
    case 'f':
        v.kind = word(r, "false") ? FALSE_VALUE : BAD;
        break;
    case 'n':
        v.kind = word(r, "null") ? NULL_VALUE : BAD;
        break;
    case '{':
    case '[':
        v.kind = nested(r) ? NESTED : BAD;
        break;
    default:
        v.kind = number(r, &v.number) ? NUMBER : BAD;
        break;
    }
    return v;
}

/* --- the options
 * --------------------------------------------------------------------------------------------------
 */

enum member_type { A_BOOL, AN_INT, A_TEXT };
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

static void wipe(char **text) {
    if (*text) explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

static int store(struct connect_options *o, const char *key, struct value *v, char *error,
                 size_t error_size) {
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct member *m = &members[i];
        if (strcasecmp(m->key, key) != 0 || v->kind == NULL_VALUE) continue;
        char *field = (char *)o + m->offset;
        if (m->type == A_BOOL && (v->kind == TRUE_VALUE || v->kind == FALSE_VALUE)) {
            *(bool *)field = v->kind == TRUE_VALUE;
        } else if (m->type == AN_INT && v->kind == NUMBER && v->number.size < 10 &&
                   !memchr(v->number.at, '.', v->number.size)) {
            *(int *)(void *)field = atoi(v->number.at);
        } else if (m->type == A_TEXT && v->kind == TEXT) {
            wipe((char **)(void *)field);
            if (*v->text) *(char **)(void *)field = memory_text(slice_text(v->text));
        } else {
            snprintf(error, error_size, "json: cannot unmarshal into ClientOpts.%s", m->key);
            return -1;
        }
        return 0;
    }
    return 0;
}

static int object(struct connect_options *o, struct slice json, char *error, size_t error_size) {
    struct reader r = {json.at, json.at + json.size};
    snprintf(error, error_size, "invalid JSON");
    if (!take(&r, '{')) return -1;
    bool first = true;
    while (!take(&r, '}')) {
        if (!first && !take(&r, ',')) return -1;
        first = false;
        char *key = take(&r, '"') ? string(&r) : NULL;
        if (!key) return -1;
        struct value v = take(&r, ':') ? value(&r) : (struct value){BAD, NULL, {0}};
        int stored = v.kind == BAD ? -1 : o ? store(o, key, &v, error, error_size) : 0;
        free(key);
        wipe(&v.text);
        if (stored) return -1;
    }
    blanks(&r);
    return r.at == r.end ? 0 : -1;
}

void connect_options_init(struct connect_options *o) {
    *o = (struct connect_options){.verbose = true, .pedantic = true, .echo = true};
}

int connect_merge(struct connect_options *o, struct slice json, char *error, size_t error_size) {
    return object(o, json, error, error_size);
}

int connect_check_info(struct slice json, char *error, size_t error_size) {
    return object(NULL, json, error, error_size);
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
