#include "wsclient/link/dial_texts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libwebsockets reads past the line behind such a header. */
#define OR_HIDDEN                                                              \
    ", or hides it behind one such as Accept-CH, whose name is the begin of "  \
    "another's"

/* Of the text that the library gives, the begin. */
static const struct dial_translation {
    const char *theirs, *ours;
    bool is_of_system; /* whose reason belongs to it */
} table[] = {
    {"read failed",
     "the peer ended the connection before it answered the "
     "handshake",
     true},
    {"Peer hung up",
     "the peer ended the connection before it answered the "
     "handshake",
     true},
    {"Closed before conn",
     "the connection ended before the handshake was "
     "answered",
     true},
    {"closed before established",
     "the connection ended before the handshake "
     "was answered",
     true},
    {"first service failed", "the connection ended as soon as it was made",
     true},
    {"Unable to connect", "no connection could be made", true},
    {"conn fail: skt", "no socket could be made", true},
    {"conn fail", "no connection could be made", true},
    {"Timed out waiting SSL", "the TLS handshake took too long", false},
    {"Timed out waiting server reply", "the handshake was not answered", false},
    {"connect SYSCALL", "the peer ended the connection in the TLS handshake",
     true},
    {"connect SSL err", "the TLS handshake failed", false},
    {"connect unk", "the TLS handshake failed", false},
    {"bio_create failed", "TLS could not be begun", false},
    {"tls restriction limit", "TLS could not be begun", false},
    {"problems parsing header", "the handshake was answered by what is no HTTP",
     false},
    {"HS: URI missing", "the handshake was answered without a status", false},
    {"HS: :status missing", "the handshake was answered without a status",
     false},
    {"HS: ACCEPT missing",
     "the handshake's answer has no Sec-WebSocket-Accept header" OR_HIDDEN,
     false},
    {"HS: Accept hash wrong",
     "the handshake's answer has the "
     "Sec-WebSocket-Accept of another one",
     false},
    {"HS: UPGRADE missing",
     "the handshake's answer has no Upgrade header" OR_HIDDEN, false},
    {"HS: Upgrade to something",
     "the handshake's answer upgrades to something "
     "other than WebSocket",
     false},
    {"HS: UPGRADE malformed",
     "the handshake's answer has no header Connection: Upgrade" OR_HIDDEN,
     false},
    {"HS: PROTOCOL malformed",
     "the upstream chose a subprotocol that was not "
     "offered (WS_PROTOCOL)",
     false},
    {"HS: EXT", "the upstream chose an extension that was not offered", false},
};

/* The error number in it, as in "conn fail: errno 111: ..."; 0: none. */
static int error_number(const char *theirs) {
    static const char *const before[] = {"errno ", "conn fail: ", "SYSCALL "};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        const char *at = strstr(theirs, before[i]);
        int number = at != NULL ? atoi(at + strlen(before[i])) : 0;
        if (number > 0)
            return number;
    }
    return 0;
}

const char *dial_text(const char *theirs, int reason,
                      char out[DIAL_TEXT_SIZE]) {
    const char *text = theirs != NULL ? theirs : "no reason was given";
    int number = error_number(text);
    struct dial_translation found = {text, text, false};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strncmp(text, table[i].theirs, strlen(table[i].theirs)) == 0) {
            found = table[i];
            break;
        }
    if (number == 0)
        number = reason;
    if (number != 0 && found.is_of_system)
        snprintf(out, DIAL_TEXT_SIZE, "%s: %s", found.ours, strerror(number));
    else
        snprintf(out, DIAL_TEXT_SIZE, "%s", found.ours);
    return out;
}
