#include "net/mailbox.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 3, CONTROL = WORKERS };

static struct post_office office;
static struct mail mails[WORKERS + 1];
static char heard[8192]; /* "from:text " for each letter */
static unsigned letters, letters_enough;

static int prepare(void **state) {
    (void)state;
    memset(mails, 0, sizeof mails);
    assert_true(post_office_init(&office, WORKERS));
    for (unsigned i = 0; i <= WORKERS; i++) mails[i].self = i;
    *heard = 0;
    letters = 0;
    letters_enough = UINT32_MAX;
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    for (unsigned i = 0; i <= WORKERS; i++) mail_free(&mails[i]);
    post_office_free(&office);
    return 0;
}

static void hear(void *context, const struct letter *letter) {
    (void)context;
    letters++;
    size_t n = strlen(heard);
    assert_true(n + letter->size + 8 < sizeof heard);
    snprintf(heard + n, sizeof heard - n, "%u:%.*s ", letter->from, (int)letter->size,
             letter->body);
}

static void count(void *context, const struct letter *letter) {
    uint64_t *sum = context;
    *sum += letter->id;
    letters++;
}

static bool is_enough(void *context) {
    (void)context;
    return letters >= letters_enough;
}

static letter_handler *const handlers[LETTER_HANDLERS_MAX] = {hear, count};

static void write_text(unsigned from, unsigned to, const char *text) {
    struct letter *letter = mail_write(&mails[from], to, 0, 0, strlen(text));
    memcpy(letter->body, text, strlen(text));
}

static void hand_over(unsigned from) {
    mail_hand_over(&office, &mails[from]);
}

static bool drain(unsigned who) {
    return mail_drain(&office, &mails[who], handlers, is_enough, NULL);
}

static bool rings(unsigned who) {
    uint64_t n;
    struct pollfd p = {.fd = office.boxes[who].bell, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && read(p.fd, &n, sizeof n) == sizeof n;
}

static void letters_arrive_in_order_and_only_when_handed_over(void **state) {
    (void)state;
    write_text(0, 1, "a");
    write_text(0, 1, "b");
    assert_false(mail_waits(&office, 1));
    assert_true(drain(1));
    assert_string_equal(heard, "");
    hand_over(0);
    assert_true(mail_waits(&office, 1));
    assert_true(drain(1));
    assert_string_equal(heard, "0:a 0:b ");
    assert_false(mail_waits(&office, 1));
    assert_true(mail_is_empty(&mails[0]));
}

static void the_turns_of_several_senders_follow_each_other_whole(void **state) {
    (void)state;
    write_text(0, 1, "a1");
    write_text(2, 1, "c1");
    write_text(0, 1, "a2");
    write_text(CONTROL, 1, "x");
    hand_over(2);
    hand_over(0);
    hand_over(CONTROL);
    assert_true(drain(1));
    assert_string_equal(heard, "2:c1 0:a1 0:a2 3:x ");
}

static void one_turn_reaches_several_and_oneself(void **state) {
    (void)state;
    write_text(0, 0, "self");
    write_text(0, 2, "two");
    write_text(0, CONTROL, "control");
    hand_over(0);
    assert_false(mail_waits(&office, 1));
    assert_true(drain(CONTROL));
    assert_true(drain(2));
    assert_true(drain(0));
    assert_string_equal(heard, "0:control 0:two 0:self ");
}

static void letters_of_every_size_keep_their_bytes(void **state) {
    (void)state;
    uint64_t sum = 0, expected = 0;
    for (size_t size = 0; size < 3 * MAIL_BLOCK; size = size * 2 + 1) {
        struct letter *letter = mail_write(&mails[0], 1, 1, size + 1, size);
        memset(letter->body, 0x5a, size);
        assert_int_equal((uintptr_t)letter % 8, 0);
        expected += size + 1;
    }
    hand_over(0);
    assert_true(mail_drain(&office, &mails[1], handlers, is_enough, &sum));
    assert_int_equal(sum, expected);
}

static void what_is_too_much_for_now_waits_and_is_not_given_back(void **state) {
    (void)state;
    write_text(0, 1, "a");
    write_text(0, 1, "b");
    write_text(0, 1, "c");
    hand_over(0);
    uint64_t under_way = office.under_way[0][1];
    assert_true(under_way > 0);
    letters_enough = 2;
    assert_false(drain(1));
    assert_string_equal(heard, "0:a 0:b ");
    assert_int_equal(office.under_way[0][1], under_way);
    assert_true(mails[1].handled < mails[1].taken);
    uint64_t behind = mails[1].taken;
    write_text(2, 1, "later");
    hand_over(2);
    letters_enough = 3;
    assert_false(drain(1));
    assert_true(mails[1].handled >= behind); /* what was there at the first call */
    assert_int_equal(office.under_way[0][1], 0);
    letters_enough = UINT32_MAX;
    assert_true(drain(1));
    assert_string_equal(heard, "0:a 0:b 0:c 2:later ");
    assert_int_equal(mails[1].handled, mails[1].taken);
}

static void the_last_letter_is_the_end_even_when_it_is_enough(void **state) {
    (void)state;
    write_text(0, 1, "a");
    hand_over(0);
    letters_enough = 1;
    assert_true(drain(1));
    assert_true(drain(1)); /* nothing */
}

static void credit_is_used_up_by_what_was_written_and_comes_back_by_draining(void **state) {
    (void)state;
    assert_true(mail_has_credit(&office, &mails[0]));
    for (int i = 0; mail_has_credit(&office, &mails[0]); i++) {
        assert_true(i < MAIL_CREDIT / 1000 + 1);
        mail_write(&mails[0], 2, 1, 0, 1000);
        if (i % 10 == 0) hand_over(0);
    }
    hand_over(0);
    assert_false(mail_has_credit(&office, &mails[0]));
    assert_true(mail_has_credit(&office, &mails[1]));
    uint64_t sum = 0;
    assert_true(mail_drain(&office, &mails[2], handlers, is_enough, &sum));
    assert_true(mail_has_credit(&office, &mails[0]));
    assert_int_equal(office.under_way[0][2], 0);
}

static void a_payload_that_a_letter_refers_to_uses_credit_too(void **state) {
    (void)state;
    mail_write(&mails[0], 1, 1, 0, 8);
    mail_add_weight(&mails[0], 1, MAIL_CREDIT);
    assert_false(mail_has_credit(&office, &mails[0]));
    hand_over(0);
    assert_false(mail_has_credit(&office, &mails[0]));
    uint64_t sum = 0;
    assert_true(mail_drain(&office, &mails[1], handlers, is_enough, &sum));
    assert_true(mail_has_credit(&office, &mails[0]));
    assert_int_equal(office.under_way[0][1], 0);
}

static void mail_to_the_control_plane_uses_no_credit(void **state) {
    (void)state;
    mail_write(&mails[0], CONTROL, 1, 0, 2 * MAIL_CREDIT);
    hand_over(0);
    assert_true(mail_has_credit(&office, &mails[0]));
}

static void who_sleeps_is_rung_once_and_who_is_awake_is_not(void **state) {
    (void)state;
    write_text(0, 1, "a");
    hand_over(0);
    assert_false(rings(1));
    atomic_store(&office.boxes[1].asleep, true);
    write_text(0, 1, "b");
    hand_over(0);
    assert_true(rings(1));
    assert_false(atomic_load(&office.boxes[1].asleep));
    write_text(2, 1, "c");
    hand_over(2);
    assert_false(rings(1));
    assert_false(rings(0));
}

static void who_waits_for_credit_is_rung_by_the_one_who_drains(void **state) {
    (void)state;
    write_text(0, 1, "a");
    hand_over(0);
    drain(1);
    assert_false(rings(0));
    write_text(0, 1, "b");
    hand_over(0);
    atomic_store(&office.boxes[0].wants_credit, true);
    drain(1);
    assert_true(rings(0));
    assert_false(atomic_load(&office.boxes[0].wants_credit));
}

static void mail_that_nobody_drains_is_freed(void **state) {
    (void)state;
    write_text(0, 1, "in the box");
    hand_over(0);
    write_text(0, 1, "not handed over");
    write_text(1, 2, "a");
    write_text(1, 2, "taken, not read");
    hand_over(1);
    letters_enough = 1;
    assert_false(drain(2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(letters_arrive_in_order_and_only_when_handed_over),
        TEST(the_turns_of_several_senders_follow_each_other_whole),
        TEST(one_turn_reaches_several_and_oneself),
        TEST(letters_of_every_size_keep_their_bytes),
        TEST(what_is_too_much_for_now_waits_and_is_not_given_back),
        TEST(the_last_letter_is_the_end_even_when_it_is_enough),
        TEST(credit_is_used_up_by_what_was_written_and_comes_back_by_draining),
        TEST(a_payload_that_a_letter_refers_to_uses_credit_too),
        TEST(mail_to_the_control_plane_uses_no_credit),
        TEST(who_sleeps_is_rung_once_and_who_is_awake_is_not),
        TEST(who_waits_for_credit_is_rung_by_the_one_who_drains),
        TEST(mail_that_nobody_drains_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
