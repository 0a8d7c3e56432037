/* What is said of an attempt that failed, for what the library says of it. */
#include "wsclient/link/dial_texts.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct text_case {
    const char *theirs;
    int reason;
    const char *ours;
} cases[] = {
    {"read failed", 0,
     "the peer ended the connection before it answered the handshake"},
    {"read failed", ECONNRESET,
     "the peer ended the connection before it answered the handshake: "
     "Connection reset by peer"},
    {"Peer hung up", 0,
     "the peer ended the connection before it answered the handshake"},
    /* 4.1 gives no reason, 4.3 gives its number, in two ways. */
    {"Unable to connect", 0, "no connection could be made"},
    {"Unable to connect", ECONNREFUSED,
     "no connection could be made: Connection refused"},
    {"conn fail: 111", 0, "no connection could be made: Connection refused"},
    {"conn fail: 113", ECONNREFUSED,
     "no connection could be made: No route to host"},
    {"conn fail: errno 101: 192.0.2.1:80", 0,
     "no connection could be made: Network is unreachable"},
    {"conn fail: skt creation: errno 24", 0,
     "no socket could be made: Too many open files"},
    {"conn fail: insert fd", 0, "no connection could be made"},
    {"Timed out waiting SSL", 0, "the TLS handshake took too long"},
    {"Timed out waiting server reply", 0, "the handshake was not answered"},
    {"connect SYSCALL 104", 0,
     "the peer ended the connection in the TLS handshake: Connection reset by "
     "peer"},
    {"connect SYSCALL 0", 0,
     "the peer ended the connection in the TLS handshake"},
    {"connect SSL err 1: error:00000001:lib(0)::reason(1)", 0,
     "the TLS handshake failed"},
    {"HS: PROTOCOL malformed", 0,
     "the upstream chose a subprotocol that was not offered (WS_PROTOCOL)"},
    {"HS: EXT: unknown ext", 0,
     "the upstream chose an extension that was not offered"},
    {"HS: Accept hash wrong", 0,
     "the handshake's answer has the Sec-WebSocket-Accept of another one"},
    /* The system's reason belongs to some alone. */
    {"problems parsing header", ECONNRESET,
     "the handshake was answered by what is no HTTP"},
    /* What no table knows is better than nothing. */
    {"a text of some later version", ECONNRESET,
     "a text of some later version"},
    {"", 0, ""},
    {NULL, 0, "no reason was given"},
};

static void theirs_in_our_words(void **state) {
    (void)state;
    char out[DIAL_TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(dial_text(cases[i].theirs, cases[i].reason, out),
                            cases[i].ours);
}

static void a_long_text_is_cut(void **state) {
    (void)state;
    char theirs[2 * DIAL_TEXT_SIZE], out[DIAL_TEXT_SIZE];
    memset(theirs, 'x', sizeof theirs - 1);
    theirs[sizeof theirs - 1] = '\0';
    assert_int_equal(strlen(dial_text(theirs, 0, out)), DIAL_TEXT_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(theirs_in_our_words),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
