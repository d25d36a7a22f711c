/*
 * The C client library of the NATS project against a server of its own: PERIGEE_BIN, started on a
 * free port of the loopback address and ended with this program.
 */
#include <arpa/inet.h>
#include <nats/nats.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT_MS 10000

static struct {
    pid_t pid;
    int port;
    char url[64];
} server;

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static int free_port(void) {
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static bool server_listens(void) {
    struct sockaddr_in at = loopback(server.port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool listens = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return listens;
}

/* Starts the program; 0 once it listens, -1 if it ended before (another one took the port). */
static int server_try(const char *program) {
    char port[16];
    server.port = free_port();
    snprintf(port, sizeof port, "%d", server.port);
    snprintf(server.url, sizeof server.url, "nats://127.0.0.1:%d", server.port);
    server.pid = fork();
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!freopen("/dev/null", "w", stderr)) _exit(126);
        execl(program, program, "-a", "127.0.0.1", "-p", port, (char *)NULL);
        _exit(127);
    }
    int64_t deadline = nats_Now() + TIMEOUT_MS;
    while (!server_listens()) {
        if (waitpid(server.pid, NULL, WNOHANG) == server.pid || nats_Now() > deadline) return -1;
        nats_Sleep(5);
    }
    return 0;
}

static int server_start(void **state) {
    (void)state;
    const char *program = getenv("PERIGEE_BIN");
    if (!program) program = "build/perigee";
    for (int i = 0; i < 3; i++)
        if (server_try(program) == 0) return 0;
    fprintf(stderr, "%s does not start\n", program);
    return -1;
}

static int server_stop(void **state) {
    (void)state;
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
    nats_Close();
    return 0;
}

static natsConnection *client(void) {
    natsConnection *made = NULL;
    assert_int_equal(natsConnection_ConnectTo(&made, server.url), NATS_OK);
    return made;
}

static void client_end(natsConnection *c) {
    natsConnection_Close(c);
    natsConnection_Destroy(c);
}

/* A responder's callback: sends back what it was asked, with its headers. */
static void echo(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure) {
    (void)sub, (void)closure;
    natsMsg *reply = NULL;
    const char *value = NULL;
    natsMsg_Create(&reply, natsMsg_GetReply(msg), NULL, natsMsg_GetData(msg),
                   natsMsg_GetDataLength(msg));
    if (natsMsgHeader_Get(msg, "Trace", &value) == NATS_OK)
        natsMsgHeader_Set(reply, "Trace", value);
    natsConnection_PublishMsg(c, reply);
    natsMsg_Destroy(reply);
    natsMsg_Destroy(msg);
}

static void messages_arrive_in_order_from_one_client_at_another(void **state) {
    (void)state;
    natsConnection *publisher = client(), *subscriber = client();
    natsSubscription *sub = NULL;
    assert_int_equal(natsConnection_SubscribeSync(&sub, subscriber, "orders.*"), NATS_OK);
    assert_int_equal(natsConnection_Flush(subscriber), NATS_OK);
    for (int i = 0; i < 10000; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(natsConnection_PublishString(publisher, "orders.new", text), NATS_OK);
    }
    for (int i = 0; i < 10000; i++) {
        natsMsg *msg = NULL;
        assert_int_equal(natsSubscription_NextMsg(&msg, sub, TIMEOUT_MS), NATS_OK);
        assert_int_equal(atoi(natsMsg_GetData(msg)), i);
        assert_string_equal(natsMsg_GetSubject(msg), "orders.new");
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
    client_end(publisher);
    client_end(subscriber);
}

static void a_queue_group_shares_its_messages_without_losing_or_doubling_one(void **state) {
    enum { MEMBERS = 4, MESSAGES = 1000 };
    (void)state;
    natsConnection *publisher = client(), *members[MEMBERS];
    natsSubscription *subs[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = client();
        assert_int_equal(natsConnection_QueueSubscribeSync(&subs[i], members[i], "jobs", "q"),
                         NATS_OK);
        assert_int_equal(natsConnection_Flush(members[i]), NATS_OK);
    }
    for (int i = 0; i < MESSAGES; i++)
        assert_int_equal(natsConnection_PublishString(publisher, "jobs", "job"), NATS_OK);
    assert_int_equal(natsConnection_Flush(publisher), NATS_OK);

    uint64_t sum = 0;
    int64_t deadline = nats_Now() + TIMEOUT_MS;
    do {
        sum = 0;
        for (int i = 0; i < MEMBERS; i++) {
            natsConnection_Flush(members[i]);
            int64_t delivered = 0;
            natsSubscription_GetStats(subs[i], NULL, NULL, NULL, NULL, &delivered, NULL);
            uint64_t pending = 0;
            natsSubscription_QueuedMsgs(subs[i], &pending);
            sum += (uint64_t)delivered + pending;
        }
    } while (sum < MESSAGES && nats_Now() < deadline);
    assert_int_equal(sum, MESSAGES);
    for (int i = 0; i < MEMBERS; i++) {
        natsSubscription_Destroy(subs[i]);
        client_end(members[i]);
    }
    client_end(publisher);
}

static void a_request_is_answered_with_its_headers(void **state) {
    (void)state;
    natsConnection *requester = client(), *responder = client();
    natsSubscription *sub = NULL;
    assert_int_equal(natsConnection_Subscribe(&sub, responder, "echo", echo, NULL), NATS_OK);
    assert_int_equal(natsConnection_Flush(responder), NATS_OK);
    for (int i = 0; i < 100; i++) {
        natsMsg *request = NULL, *reply = NULL;
        const char *value = NULL;
        assert_int_equal(natsMsg_Create(&request, "echo", NULL, "hello", 5), NATS_OK);
        assert_int_equal(natsMsgHeader_Set(request, "Trace", "abc"), NATS_OK);
        assert_int_equal(natsConnection_RequestMsg(&reply, requester, request, TIMEOUT_MS),
                         NATS_OK);
        assert_string_equal(natsMsg_GetData(reply), "hello");
        assert_int_equal(natsMsgHeader_Get(reply, "Trace", &value), NATS_OK);
        assert_string_equal(value, "abc");
        natsMsg_Destroy(request);
        natsMsg_Destroy(reply);
    }
    natsSubscription_Destroy(sub);
    client_end(requester);
    client_end(responder);
}

static void several_values_of_a_header_arrive_in_order(void **state) {
    (void)state;
    natsConnection *c = client();
    natsSubscription *sub = NULL;
    natsMsg *sent = NULL, *got = NULL;
    const char **values = NULL;
    int count = 0;
    assert_int_equal(natsConnection_SubscribeSync(&sub, c, "h"), NATS_OK);
    assert_int_equal(natsMsg_Create(&sent, "h", NULL, NULL, 0), NATS_OK);
    natsMsgHeader_Add(sent, "Key", "one");
    natsMsgHeader_Add(sent, "Key", "two");
    assert_int_equal(natsConnection_PublishMsg(c, sent), NATS_OK);
    assert_int_equal(natsSubscription_NextMsg(&got, sub, TIMEOUT_MS), NATS_OK);
    assert_int_equal(natsMsgHeader_Values(got, "Key", &values, &count), NATS_OK);
    assert_int_equal(count, 2);
    assert_string_equal(values[0], "one");
    assert_string_equal(values[1], "two");
    assert_int_equal(natsMsg_GetDataLength(got), 0);
    free(values);
    natsMsg_Destroy(sent);
    natsMsg_Destroy(got);
    natsSubscription_Destroy(sub);
    client_end(c);
}

static void a_request_without_responders_fails_at_once(void **state) {
    (void)state;
    natsConnection *c = client();
    natsMsg *reply = NULL;
    int64_t before = nats_Now();
    assert_int_equal(natsConnection_RequestString(&reply, c, "nobody", "", 60000),
                     NATS_NO_RESPONDERS);
    assert_true(nats_Now() - before < TIMEOUT_MS);
    client_end(c);
}

static void unsubscribing_after_a_number_of_messages_ends_the_subscription(void **state) {
    (void)state;
    natsConnection *c = client();
    natsSubscription *sub = NULL;
    natsMsg *msg = NULL;
    assert_int_equal(natsConnection_SubscribeSync(&sub, c, "few"), NATS_OK);
    assert_int_equal(natsSubscription_AutoUnsubscribe(sub, 2), NATS_OK);
    for (int i = 0; i < 5; i++) natsConnection_PublishString(c, "few", "x");
    assert_int_equal(natsConnection_Flush(c), NATS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(natsSubscription_NextMsg(&msg, sub, TIMEOUT_MS), NATS_OK);
        natsMsg_Destroy(msg);
    }
    assert_int_not_equal(natsSubscription_NextMsg(&msg, sub, TIMEOUT_MS), NATS_OK);
    natsSubscription_Destroy(sub);
    client_end(c);
}

static void a_payload_of_the_largest_size_arrives_and_a_larger_one_is_refused(void **state) {
    (void)state;
    natsConnection *c = client();
    natsSubscription *sub = NULL;
    natsMsg *msg = NULL;
    int64_t limit = natsConnection_GetMaxPayload(c);
    assert_int_equal(limit, 1048576);
    char *payload = calloc(1, (size_t)limit + 1);
    assert_int_equal(natsConnection_SubscribeSync(&sub, c, "big"), NATS_OK);
    assert_int_equal(natsConnection_Publish(c, "big", payload, (int)limit), NATS_OK);
    assert_int_equal(natsSubscription_NextMsg(&msg, sub, TIMEOUT_MS), NATS_OK);
    assert_int_equal(natsMsg_GetDataLength(msg), limit);
    assert_int_equal(natsConnection_Publish(c, "big", payload, (int)limit + 1), NATS_MAX_PAYLOAD);
    free(payload);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    client_end(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_order_from_one_client_at_another),
        cmocka_unit_test(a_queue_group_shares_its_messages_without_losing_or_doubling_one),
        cmocka_unit_test(a_request_is_answered_with_its_headers),
        cmocka_unit_test(several_values_of_a_header_arrive_in_order),
        cmocka_unit_test(a_request_without_responders_fails_at_once),
        cmocka_unit_test(unsubscribing_after_a_number_of_messages_ends_the_subscription),
        cmocka_unit_test(a_payload_of_the_largest_size_arrives_and_a_larger_one_is_refused),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
