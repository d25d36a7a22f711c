/*
 * Any text as the JSON of CONNECT and of INFO, and as what a log shows of CONNECT: merging twice
 * changes nothing more, nothing broken is merged, and what was replaced once needs no second time.
 */
#include "wire/connect.h"
#include "wire/json_reader.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_options(const struct connect_options *a, const struct connect_options *b) {
    return a->verbose == b->verbose && a->pedantic == b->pedantic && a->echo == b->echo &&
           a->headers == b->headers && a->no_responders == b->no_responders &&
           a->tls_required == b->tls_required && a->new_account == b->new_account &&
           a->protocol == b->protocol && same_text(a->name, b->name) &&
           same_text(a->lang, b->lang) && same_text(a->version, b->version) &&
           same_text(a->user, b->user) && same_text(a->pass, b->pass) &&
           same_text(a->auth_token, b->auth_token) && same_text(a->jwt, b->jwt) &&
           same_text(a->nkey, b->nkey) && same_text(a->sig, b->sig) &&
           same_text(a->proxy_sig, b->proxy_sig) && same_text(a->account, b->account);
}

static void merge(struct slice text) {
    char error[256], why[JSON_ERROR_BYTES];
    struct connect_options once, twice;
    connect_options_init(&once);
    connect_options_init(&twice);
    int merged = connect_merge(&once, text, error, sizeof error);
    if (merged != 0) assert(error[0] && strlen(error) < sizeof error);
    if (json_check(text, why) != 0) {
        assert(merged != 0 && strcmp(error, why) == 0);
        assert(same_options(&once, &twice));
        assert(connect_check_info(text, error, sizeof error) != 0);
    } else {
        connect_check_info(text, error, sizeof error);
    }
    assert(connect_merge(&twice, text, error, sizeof error) == merged);
    assert(connect_merge(&twice, text, error, sizeof error) == merged);
    assert(same_options(&once, &twice));
    connect_options_forget_secrets(&once);
    assert(!once.user && !once.pass && !once.auth_token && !once.jwt && !once.nkey && !once.sig &&
           !once.proxy_sig && !once.account && same_text(once.name, twice.name));
    connect_options_free(&once);
    connect_options_free(&twice);
}

static void redact(struct slice text) {
    size_t size = connect_redact(text, NULL, 0);
    char *whole = malloc(size + 1), *again = malloc(size + 1), *half = malloc(size / 2 + 1);
    assert(connect_redact(text, whole, size + 1) == size && whole[size] == 0);
    assert(connect_redact(text, half, size / 2 + 1) == size && half[size / 2] == 0);
    assert(memcmp(half, whole, size / 2) == 0);
    assert(connect_redact(slice_of(whole, size), again, size + 1) == size);
    assert(memcmp(again, whole, size) == 0);
    free(whole);
    free(again);
    free(half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size ? size : 1); /* the fuzzer's own may be NULL */
    if (size) memcpy(copy, data, size);
    merge(slice_of(copy, size));
    redact(slice_of(copy, size));
    free(copy);
    return 0;
}
