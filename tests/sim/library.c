/*
 * What libwebsockets and the kernel do for wsclient's connection, and dial.c:
 * timers on the virtual clock, attempts to connect, callbacks, bytes.
 */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/sim/parts.h"
#include "wsclient/link/dial.h"
#include "wsclient/link/hearsay.h"
#include "wsclient/link/masks.h"
#include "wsclient/link/peer_end.h"
#include "wsclient/link/pings.h"

enum { TIMERS = 32, HELD_BYTES = 4 << 20 };

static struct timer {
    lws_sorted_usec_list_t *sul;
    sul_cb_t callback;
    int64_t due;
} timers[TIMERS];
static size_t timer_count;

static struct line {
    struct dial *dial;
    int64_t dialed; /* when the attempt has its outcome */
    bool open, breaking, wants_to_write, closes;
    uint64_t written;
    size_t held;
    struct library_piece piece; /* that is being handed over */
} line;
static unsigned char held_bytes[HELD_BYTES]; /* written, and not read */

/* The only one at a time. */
static char wsi_place;
#define WSI ((struct lws *)(void *)&wsi_place)

void library_reset(void) {
    bool was_open = line.open;
    timer_count = 0;
    line = (struct line){.dialed = NEVER};
    if (was_open)
        upstream_disconnected(false);
}

bool library_is_open(void) {
    return line.open;
}

bool library_pongs(void) {
    return line.open && !line.closes && line.held == 0 &&
           !world_has(FAULT_CHOKED);
}

static bool can_write(void) {
    return line.open && line.wants_to_write && line.held == 0;
}

int64_t library_next(void) {
    int64_t next = can_write() ? world_now() : line.dialed;
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i].due < next)
            next = timers[i].due;
    return next;
}

void lws_sul_cancel(lws_sorted_usec_list_t *sul) {
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i].sul == sul)
            timers[i--] = timers[--timer_count];
}

void lws_sul_schedule(struct lws_context *context, int tsi,
                      lws_sorted_usec_list_t *sul, sul_cb_t callback,
                      lws_usec_t wait) {
    (void)context, (void)tsi;
    lws_sul_cancel(sul);
    if (timer_count == TIMERS)
        world_wrong("there are more than %d timers", TIMERS);
    else
        timers[timer_count++] =
            (struct timer){sul, callback, world_now() + wait};
}

struct call {
    enum lws_callback_reasons reason;
    const char *in;
    size_t len;
    int result;
};

static void make_call(void *arg) {
    struct call *call = arg;
    call->result = connection_callback(life_connection(), WSI, call->reason,
                                       (void *)(uintptr_t)call->in, call->len);
}

bool library_calls(enum lws_callback_reasons reason, const char *in,
                   size_t len) {
    struct call call = {reason, in, len, 0};
    if (!life_does(make_call, &call))
        return false;
    if (call.result == 0 || !line.open)
        return true;
    line.closes = true;
    struct call closed = {.reason = LWS_CALLBACK_CLIENT_CLOSED};
    return life_does(make_call, &closed);
}

bool library_receives(const char *bytes, struct library_piece piece) {
    line.piece = piece;
    return library_calls(LWS_CALLBACK_CLIENT_RECEIVE, bytes, piece.len);
}

void library_broken(unsigned code) {
    char payload[] = {(char)(code >> 8), (char)code, 'b', 'y', 'e'};
    if (!line.open)
        return;
    world_tell("the upstream ends the connection, %s %u",
               code == 0 ? "by a reset," : "code", code);
    line.breaking = true;
    if (code != 0)
        library_calls(LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, payload,
                      sizeof payload);
    if (line.open)
        library_calls(LWS_CALLBACK_CLIENT_CLOSED, NULL, 0);
    line.breaking = false;
}

static void fire(void *arg) {
    struct timer *timer = arg;
    timer->callback(timer->sul);
}

static void fail_to_connect(void *arg) {
    static const struct dial_failure failure = {.detail = "refused"};
    (void)arg;
    line.dial->failed(line.dial->arg, &failure);
}

static void end_attempt(void) {
    line.dialed = NEVER;
    if (world_has(FAULT_REFUSED)) {
        life_does(fail_to_connect, NULL);
        return;
    }
    line.open = true;
    line.closes = line.wants_to_write = false;
    line.written = line.held = 0;
    upstream_connected();
    library_calls(LWS_CALLBACK_CLIENT_ESTABLISHED, NULL, 0);
}

static void read_what_was_held(void) {
    size_t len = line.held;
    if (len == 0 || world_has(FAULT_CHOKED))
        return;
    line.held = 0;
    upstream_reads(held_bytes, len);
}

void library_turn(void) {
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i].due <= world_now()) {
            struct timer timer = timers[i];
            timers[i] = timers[--timer_count];
            life_does(fire, &timer);
            break; /* the list may be another one now */
        }
    if (line.dialed <= world_now())
        end_attempt();
    read_what_was_held();
    if (can_write()) {
        line.wants_to_write = false;
        library_calls(LWS_CALLBACK_CLIENT_WRITEABLE, NULL, 0);
    }
}

int lws_callback_on_writable(struct lws *wsi) {
    (void)wsi;
    line.wants_to_write = true;
    return 0;
}

int lws_write(struct lws *wsi, unsigned char *bytes, size_t len,
              enum lws_write_protocol protocol) {
    (void)wsi, (void)protocol;
    line.written += len;
    if (!world_has(FAULT_CHOKED)) {
        upstream_reads(bytes, len);
        return (int)len;
    }
    if (len > sizeof held_bytes - line.held) {
        world_wrong("more than %d bytes wait to be read", HELD_BYTES);
        return -1;
    }
    memcpy(held_bytes + line.held, bytes, len);
    line.held += len;
    return (int)len;
}

int lws_partial_buffered(struct lws *wsi) {
    (void)wsi;
    return line.held > 0;
}

void lws_close_reason(struct lws *wsi, enum lws_close_status status,
                      unsigned char *text, size_t len) {
    (void)wsi, (void)status, (void)text, (void)len;
    line.closes = true;
}

int lws_frame_is_binary(struct lws *wsi) {
    (void)wsi;
    return 0;
}
int lws_is_first_fragment(struct lws *wsi) {
    (void)wsi;
    return line.piece.first;
}
int lws_is_final_fragment(struct lws *wsi) {
    (void)wsi;
    return line.piece.final;
}
size_t lws_remaining_packet_payload(struct lws *wsi) {
    (void)wsi;
    return line.piece.left;
}
/* The rest is of no concern here. */
lws_sockfd_type lws_get_socket_fd(struct lws *wsi) {
    (void)wsi;
    return 0;
}
SSL *lws_get_ssl(struct lws *wsi) {
    (void)wsi;
    return NULL;
}
void lws_validity_confirmed(struct lws *wsi) {
    (void)wsi;
}
void lws_cancel_service(struct lws_context *context) {
    (void)context;
}

int ioctl(int fd, unsigned long request, ...) {
    (void)fd;
    va_list arguments;
    va_start(arguments, request);
    *va_arg(arguments, int *) = request == SIOCOUTQ ? (int)line.held : 0;
    va_end(arguments);
    return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len) {
    struct tcp_info info = {.tcpi_bytes_acked = line.written - line.held};
    (void)fd, (void)level, (void)name;
    memcpy(value, &info, *len < sizeof info ? *len : sizeof info);
    return 0;
}

uint32_t masks_next(struct masks *masks) {
    (void)masks;
    return world_chance(UINT32_MAX);
}

/* A Pong of ours goes out at once, so that no input is ever held. */
void pings_begin(struct pings *pings, struct lws *wsi) {
    (void)pings, (void)wsi;
}
void pings_end(struct pings *pings) {
    (void)pings;
}
void pings_ponged(struct pings *pings) {
    (void)pings;
}
void pings_begin_sending(void) {
}
void pings_end_sending(void) {
}

const char *peer_end_of(struct lws *wsi) {
    (void)wsi;
    return "the peer has reset the connection";
}
const char *hearsay_complaint(void) {
    return "";
}
void hearsay_forget_complaint(void) {
}

void dial_init(struct dial *dial, struct lws_context *context,
               const struct upstream *upstream, const struct settings *settings,
               const char *protocol, dial_failed *failed, void *arg) {
    (void)context, (void)upstream, (void)settings, (void)protocol;
    line.dial = dial;
    dial->failed = failed;
    dial->arg = arg;
}
void dial_begin(struct dial *dial, duration limit) {
    (void)dial, (void)limit;
    bool hangs = world_has(FAULT_REFUSED) && world_chance(2) == 0;
    line.dialed = hangs ? NEVER : world_now() + 1 + world_chance(50000);
}
void dial_leave(struct dial *dial) {
    (void)dial;
    bool was_open = line.open, by_client = !line.breaking;
    line.dialed = NEVER;
    line.open = false;
    line.held = 0;
    if (was_open)
        upstream_disconnected(by_client);
}
void dial_clear(struct dial *dial) {
    dial_leave(dial);
}
bool dial_owns(const struct dial *dial, struct lws *wsi) {
    (void)dial, (void)wsi;
    return true;
}
void dial_stage(const struct dial *dial, char detail[DIAL_TEXT_SIZE]) {
    (void)dial;
    detail[0] = '\0';
}
const char *dial_proxy(const struct dial *dial) {
    (void)dial;
    return NULL;
}
void dial_succeeded(struct dial *dial) {
    (void)dial;
}
void dial_reset(struct lws *wsi) {
    (void)wsi;
}
/* Callbacks that are never made here. */
bool dial_connected(struct dial *dial, struct lws *wsi) {
    (void)dial, (void)wsi;
    return true;
}
bool dial_add_headers(struct dial *dial, struct lws *wsi, unsigned char **at,
                      size_t room) {
    (void)dial, (void)wsi, (void)at, (void)room;
    return true;
}
void dial_agreed(struct dial *dial, struct lws *wsi) {
    (void)dial, (void)wsi;
}
void dial_answered(struct dial *dial, struct lws *wsi) {
    (void)dial, (void)wsi;
}
void dial_error(struct dial *dial, struct lws *wsi, const char *text) {
    (void)dial, (void)wsi, (void)text;
}
void dial_given_up(struct dial *dial) {
    (void)dial;
}
