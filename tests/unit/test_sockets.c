/*
 * What the sockets of clients are like: small writes go out at once, and nobody is asked by the kernel whether he is still
 * there, for that is what PING is for.
 */
#include "../stress/rig.h"
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { DESCRIPTORS = 256 };

static struct rig rig;
static struct rig_client client;

static uint16_t port_of(int result, const struct sockaddr_in *a) {
    return result == 0 && a->sin_family == AF_INET ? a->sin_port : 0;
}

/* The server's end of the client's connection: in this process, too. */
static int server_end(void) {
    struct sockaddr_in own, peer;
    socklen_t size = sizeof own;
    uint16_t port = port_of(getsockname(client.fd, (struct sockaddr *)&own, &size), &own);
    assert_int_not_equal(port, 0);
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        size = sizeof peer;
        if (port_of(getpeername(fd, (struct sockaddr *)&peer, &size), &peer) == port) return fd;
    }
    fail();
    return -1;
}

static int option(int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(server_end(), level, name, &value, &size), 0);
    return value;
}

static void small_writes_are_not_held_back(void **state) {
    (void)state;
    assert_int_equal(option(IPPROTO_TCP, TCP_NODELAY), 1);
}

static void the_kernel_does_not_probe_idle_clients(void **state) {
    (void)state;
    assert_int_equal(option(SOL_SOCKET, SO_KEEPALIVE), 0);
}

static int connect_client(void **state) {
    (void)state;
    rig_prepare(&rig, 0, NULL);
    rig_start(&rig, 1);
    rig_listen(&rig);
    rig_connect(&rig, &client, "");
    return 0;
}

static int stop(void **state) {
    (void)state;
    rig_close(&client);
    rig_stop(&rig);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_writes_are_not_held_back),
        cmocka_unit_test(the_kernel_does_not_probe_idle_clients),
    };
    return cmocka_run_group_tests(tests, connect_client, stop);
}
