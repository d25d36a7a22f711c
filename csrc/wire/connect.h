/*
 * CONNECT's options. They start with what holds before the first CONNECT and each CONNECT is merged
 * into them: what it does not name keeps its value. Strings are the struct's own, terminated, and NULL
 * when empty; NUL in one becomes U+FFFD.
 */
#pragma once
#include "base/slice.h"

struct connect_options {
    bool verbose, pedantic, echo, headers, no_responders, tls_required, new_account;
    int protocol;
    char *name, *lang, *version; /* kept as long as the connection */
    char *user, *pass, *auth_token, *jwt, *nkey, *sig, *proxy_sig,
        *account; /* wiped after admission */
};

void connect_options_init(struct connect_options *options);
void connect_options_free(struct connect_options *options);

/* Wipes and frees everything that only admission needs. */
void connect_options_forget_secrets(struct connect_options *options);

/* Merges a JSON object: unknown keys are ignored, keys compare without case, null changes nothing.
 * 0, or -1 with the reason; then some members may have been merged. */
int connect_merge(struct connect_options *options, struct slice json, char *error,
                  size_t error_size);

/* Checks that INFO from a client is a JSON object. 0, or -1 with the reason. */
int connect_check_info(struct slice json, char *error, size_t error_size);

/* CONNECT for the log: values of secrets become [REDACTED], in broken JSON too. Writes like
 * snprintf. */
size_t connect_redact(struct slice json, char *out, size_t size);
