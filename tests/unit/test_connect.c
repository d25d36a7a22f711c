/* CONNECT: what is merged, with Go's tolerance and error texts, and what a log may show of it. */
#include "wire/connect.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct connect_options options;
static char error[256];

static int begin(void **state) {
    (void)state;
    connect_options_init(&options);
    error[0] = 0;
    return 0;
}

static int finish(void **state) {
    (void)state;
    connect_options_free(&options);
    return 0;
}

static int merge(const char *json) {
    return connect_merge(&options, slice_text(json), error, sizeof error);
}

static void refused(const char *json, const char *why) {
    assert_int_equal(merge(json), -1);
    assert_string_equal(error, why);
}

static void
a_connection_is_verbose_pedantic_and_hears_itself_until_it_says_otherwise(void **state) {
    (void)state;
    assert_true(options.verbose && options.pedantic && options.echo);
    assert_int_equal(merge("{}"), 0);
    assert_true(options.verbose && options.pedantic && options.echo);
    assert_false(options.headers || options.no_responders || options.tls_required);
    assert_null(options.name);
}

static void what_is_named_is_merged_and_the_rest_keeps_its_value(void **state) {
    (void)state;
    assert_int_equal(merge("{\"verbose\":false,\"name\":\"one\",\"lang\":\"go\",\"protocol\":1}"),
                     0);
    assert_int_equal(merge(" {\"name\" : \"two\", \"headers\":true}\r\n"), 0);
    assert_false(options.verbose);
    assert_true(options.pedantic && options.headers);
    assert_string_equal(options.name, "two");
    assert_string_equal(options.lang, "go");
    assert_int_equal(options.protocol, 1);
}

static void null_and_unknown_keys_change_nothing(void **state) {
    (void)state;
    assert_int_equal(merge("{\"name\":\"a\"}"), 0);
    assert_int_equal(
        merge("{\"name\":null,\"verbose\":null,\"other\":[{\"name\":\"b\"},1],\"x\":{}}"), 0);
    assert_string_equal(options.name, "a");
    assert_true(options.verbose);
    assert_int_equal(merge("null"), 0);
}

static void an_empty_text_is_none(void **state) {
    (void)state;
    assert_int_equal(merge("{\"name\":\"a\",\"user\":\"\"}"), 0);
    assert_int_equal(merge("{\"name\":\"\"}"), 0);
    assert_null(options.name);
    assert_null(options.user);
}

static void keys_are_found_in_any_case_and_however_they_are_escaped(void **state) {
    (void)state;
    assert_int_equal(merge("{\"VERBOSE\":false,\"Auth_Token\":\"t\",\"\\u006eame\":\"n\"}"), 0);
    assert_false(options.verbose);
    assert_string_equal(options.auth_token, "t");
    assert_string_equal(options.name, "n");
    assert_int_equal(merge("{\"nam\":\"x\",\"namee\":\"x\",\"\":\"x\"}"), 0);
    assert_string_equal(options.name, "n");
}

static void the_long_s_and_the_kelvin_sign_are_letters_in_keys(void **state) {
    (void)state;
    assert_int_equal(merge("{\"u\xc5\xbf"
                           "er\":\"a\",\"n\xe2\x84\xaa"
                           "ey\":\"b\",\"\\u017fig\":\"c\"}"),
                     0);
    assert_string_equal(options.user, "a");
    assert_string_equal(options.nkey, "b");
    assert_string_equal(options.sig, "c");
}

static void the_last_of_several_values_counts(void **state) {
    (void)state;
    assert_int_equal(merge("{\"name\":\"a\",\"name\":\"b\",\"NAME\":\"c\"}"), 0);
    assert_string_equal(options.name, "c");
}

static void text_is_unescaped(void **state) {
    (void)state;
    assert_int_equal(merge("{\"name\":\"a\\n\\\"\\u00e9\\ud83d\\ude00\\ud800\",\"lang\":\"\xff\"}"),
                     0);
    assert_string_equal(options.name, "a\n\"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
    assert_string_equal(options.lang, "\xef\xbf\xbd");
}

/* Else "admin\u0000" would be admin. */
static void text_is_not_cut_at_nul(void **state) {
    (void)state;
    assert_int_equal(merge("{\"user\":\"admin\\u0000x\",\"name\":\"\\u0000\\u0000\"}"), 0);
    assert_string_equal(options.user, "admin\xef\xbf\xbdx");
    assert_string_equal(options.name, "\xef\xbf\xbd\xef\xbf\xbd");
}

static void broken_json_is_refused_in_go_s_words(void **state) {
    (void)state;
    refused("", "unexpected end of JSON input");
    refused("{", "unexpected end of JSON input");
    refused("{x", "invalid character 'x' looking for beginning of object key string");
    refused("{\"name\":}", "invalid character '}' looking for beginning of value");
    refused("{\"name\":\"a\"} x", "invalid character 'x' after top-level value");
    refused("{\"name\":\"a\",}",
            "invalid character '}' looking for beginning of object key string");
    refused("{\"name\":\"\x01\"}", "invalid character '\\x01' in string literal");
    assert_null(options.name);
}

static void values_of_another_type_are_refused_in_go_s_words(void **state) {
    (void)state;
    refused("{\"verbose\":\"x\"}",
            "json: cannot unmarshal string into Go struct field ClientOpts.verbose of type bool");
    refused("{\"name\":1}",
            "json: cannot unmarshal number into Go struct field ClientOpts.name of type string");
    refused(
        "{\"protocol\":1.5}",
        "json: cannot unmarshal number 1.5 into Go struct field ClientOpts.protocol of type int");
    refused(
        "{\"protocol\":1e3}",
        "json: cannot unmarshal number 1e3 into Go struct field ClientOpts.protocol of type int");
    refused("{\"protocol\":99999999999999999999}",
            "json: cannot unmarshal number 99999999999999999999 into Go struct field "
            "ClientOpts.protocol of type int");
    refused("{\"user\":{}}",
            "json: cannot unmarshal object into Go struct field ClientOpts.user of type string");
    refused("{\"user\":[1]}",
            "json: cannot unmarshal array into Go struct field ClientOpts.user of type string");
    refused("{\"echo\":1,\"name\":true}",
            "json: cannot unmarshal number into Go struct field ClientOpts.echo of type bool");
    refused("[]", "json: cannot unmarshal array into Go value of type server.ClientOpts");
    refused("\"x\"", "json: cannot unmarshal string into Go value of type server.ClientOpts");
}

static void what_fits_is_merged_beside_what_does_not(void **state) {
    (void)state;
    assert_int_equal(merge("{\"verbose\":1,\"name\":\"a\"}"), -1);
    assert_string_equal(options.name, "a");
    assert_true(options.verbose);
}

static void a_protocol_beyond_every_int_stays_too_large(void **state) {
    (void)state;
    assert_int_equal(merge("{\"protocol\":4294967296}"), 0);
    assert_true(options.protocol > 1);
    assert_int_equal(merge("{\"protocol\":-4294967297}"), 0);
    assert_true(options.protocol < 0);
}

static void secrets_are_forgotten_and_names_kept(void **state) {
    (void)state;
    assert_int_equal(merge("{\"user\":\"u\",\"pass\":\"p\",\"auth_token\":\"t\",\"jwt\":\"j\","
                           "\"nkey\":\"k\",\"sig\":\"s\","
                           "\"proxy_sig\":\"x\",\"account\":\"a\",\"name\":\"n\"}"),
                     0);
    assert_string_equal(options.pass, "p");
    connect_options_forget_secrets(&options);
    assert_null(options.user);
    assert_null(options.pass);
    assert_null(options.auth_token);
    assert_null(options.jwt);
    assert_null(options.nkey);
    assert_null(options.sig);
    assert_null(options.proxy_sig);
    assert_null(options.account);
    assert_string_equal(options.name, "n");
}

static void info_must_be_an_object(void **state) {
    (void)state;
    assert_int_equal(connect_check_info(slice_text("{\"a\":[1]}"), error, sizeof error), 0);
    assert_int_equal(connect_check_info(slice_text("{\"a\""), error, sizeof error), -1);
    assert_string_equal(error, "unexpected end of JSON input");
    assert_int_equal(connect_check_info(slice_text("1"), error, sizeof error), -1);
    assert_string_equal(error, "json: cannot unmarshal number into Go value of type server.Info");
}

/* --- redaction
 * ------------------------------------------------------------------------------------------------- */

static void becomes(const char *shown, const char *text) {
    char out[512];
    size_t n = connect_redact(slice_text(text), out, sizeof out);
    assert_string_equal(out, shown);
    assert_int_equal(n, strlen(shown));
}

static void secrets_are_replaced_by_their_keys(void **state) {
    (void)state;
    becomes("{\"user\":\"u\",\"pass\":\"[REDACTED]\",\"name\":\"n\"}",
            "{\"user\":\"u\",\"pass\":\"s3cret\",\"name\":\"n\"}");
    becomes("{\"auth_token\":\"[REDACTED]\"}", "{\"auth_token\":\"s3cret\"}");
    becomes("{\"sig\":\"[REDACTED]\",\"nkey\":\"[REDACTED]\",\"proxy_sig\":\"[REDACTED]\"}",
            "{\"sig\":\"a\",\"nkey\":\"b\",\"proxy_sig\":\"c\"}");
    becomes("{\"pass\":\"[REDACTED]\",\"x\":1,\"pass\":\"[REDACTED]\"}",
            "{\"pass\":\"a\",\"x\":1,\"pass\":\"b\"}");
    becomes("{}", "{}");
    becomes("", "");
}

static void keys_that_begin_like_a_secret_are_taken_for_one(void **state) {
    (void)state;
    becomes("{\"password\":\"[REDACTED]\",\"auth_tokens\":[REDACTED]}",
            "{\"password\":\"a\",\"auth_tokens\":12}");
    becomes("{\"mypass\":\"[REDACTED]\"}", "{\"mypass\":\"a\"}");
}

static void keys_that_only_hold_a_word_are_not(void **state) {
    (void)state;
    becomes("{\"signal\":\"a\",\"design\":\"b\",\"nkeys\":\"c\",\"my_sig\":\"d\",\"jwt\":\"e\"}",
            "{\"signal\":\"a\",\"design\":\"b\",\"nkeys\":\"c\",\"my_sig\":\"d\",\"jwt\":\"e\"}");
}

static void secrets_in_broken_json_are_replaced_too(void **state) {
    (void)state;
    becomes("{pass:[REDACTED]}", "{pass:s3cret}");
    becomes("pass = [REDACTED]", "pass = s3cret");
    becomes("\"pass\" \t:\r\n \"[REDACTED]", "\"pass\" \t:\r\n \"s3cret");
    becomes("sig=[REDACTED]", "sig=s3cret");
    becomes("x:sig:[REDACTED],", "x:sig:s3cret,");
    becomes("{\"pass\":\"[REDACTED]\"}", "{\"pass\":\"\"}");
    becomes("pass:[REDACTED]", "pass:");
    becomes("pass", "pass");
    becomes("pass pass pass", "pass pass pass");
    becomes("passpass:[REDACTED]", "passpass:x");
}

static void nothing_is_written_beyond_the_buffer(void **state) {
    (void)state;
    char out[8];
    memset(out, 'x', sizeof out);
    assert_int_equal(connect_redact(slice_text("pass:a"), out, 6), 15);
    assert_string_equal(out, "pass:");
    assert_int_equal(out[6], 'x');
    assert_int_equal(connect_redact(slice_text("pass:a"), NULL, 0), 15);
}

/* A key without an end is looked for at every `pass`: the time must not grow with their square. */
static void a_long_text_takes_no_long_time(void **state) {
    (void)state;
    enum { SIZE = 4 * 1024 * 1024 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++) text[i] = "pass"[i % 4];
    assert_int_equal(connect_redact(slice_of(text, SIZE), NULL, 0), SIZE);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)
        T(a_connection_is_verbose_pedantic_and_hears_itself_until_it_says_otherwise),
        T(what_is_named_is_merged_and_the_rest_keeps_its_value),
        T(null_and_unknown_keys_change_nothing),
        T(an_empty_text_is_none),
        T(keys_are_found_in_any_case_and_however_they_are_escaped),
        T(the_long_s_and_the_kelvin_sign_are_letters_in_keys),
        T(the_last_of_several_values_counts),
        T(text_is_unescaped),
        T(text_is_not_cut_at_nul),
        T(broken_json_is_refused_in_go_s_words),
        T(values_of_another_type_are_refused_in_go_s_words),
        T(what_fits_is_merged_beside_what_does_not),
        T(a_protocol_beyond_every_int_stays_too_large),
        T(secrets_are_forgotten_and_names_kept),
        T(info_must_be_an_object),
        T(secrets_are_replaced_by_their_keys),
        T(keys_that_begin_like_a_secret_are_taken_for_one),
        T(keys_that_only_hold_a_word_are_not),
        T(secrets_in_broken_json_are_replaced_too),
        T(nothing_is_written_beyond_the_buffer),
        T(a_long_text_takes_no_long_time),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
