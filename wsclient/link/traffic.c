#include "wsclient/link/traffic.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/memory.h"

enum {
    /* By one call of the library, or a frame more: what three reads bring. */
    BATCH_BYTES = 131072,
    /* While so much waits to be read, the peer has no need of answers, */
    PLENTY_BYTES = 65536,
    /* so that they may wait for so many reads. */
    MOST_READS_AHEAD = 2
};

static const char heartbeat[] = "{\"type\":\"heartbeat\"}";

const struct ending traffic_sending_failed = {
    "closed", METRIC_RECONNECTS_CLOSED, "sending failed", CLOSE_NONE, true};
static const struct ending silent = {"silent", METRIC_RECONNECTS_SILENT,
                                     "no heartbeat", CLOSE_NONE, true};
static const struct ending stalled = {"stalled", METRIC_RECONNECTS_STALLED,
                                      "answers are not confirmed", CLOSE_NONE,
                                      true};
static const struct ending overload = {"overload", METRIC_RECONNECTS_OVERLOAD,
                                       "the peer does not read its answers",
                                       CLOSE_NONE, false};
static const struct ending not_text = {"protocol", METRIC_RECONNECTS_PROTOCOL,
                                       "a binary frame", CLOSE_NOT_TEXT, true};
static const struct ending not_utf8 = {"protocol", METRIC_RECONNECTS_PROTOCOL,
                                       "a text is no UTF-8", CLOSE_NOT_UTF8,
                                       true};
static const struct ending too_big = {"protocol", METRIC_RECONNECTS_PROTOCOL,
                                      "a message is longer than 16 MiB",
                                      CLOSE_TOO_BIG, true};

void traffic_init(struct traffic *traffic, const struct settings *settings,
                  struct pipeline *pipeline) {
    *traffic = (struct traffic){
        .pipeline = pipeline,
        .peer.beat_interval =
            settings_duration(settings, SETTING_HEARTBEAT_INTERVAL_SECONDS),
        .peer.beat_timeout =
            settings_duration(settings, SETTING_HEARTBEAT_TIMEOUT_SECONDS),
    };
    inbox_init(&traffic->inbox,
               (size_t)settings_count(settings, SETTING_MAX_MESSAGE_BYTES, 0));
}

void traffic_clear(struct traffic *traffic) {
    inbox_clear(&traffic->inbox);
    frames_free(&traffic->frames);
}

void traffic_begin(struct traffic *traffic, struct lws *wsi, monotime now) {
    inbox_begin(&traffic->inbox);
    pings_begin(&traffic->pings, wsi);
    peer_connected(&traffic->peer, pipeline_connected(traffic->pipeline), now);
    traffic->beat_due = false;
    lws_callback_on_writable(wsi);
}

/* Whether an answer may be why, as far as this connection can show. */
static enum outbox_break why(const struct traffic *t,
                             const struct ending *ending,
                             const struct peer_close *close) {
    if (!ending->by_peer || peer_close_is_leave(close))
        return OUTBOX_BREAK_OF_OTHERS;
    if (peer_is_proved(&t->peer))
        return OUTBOX_BREAK_BY_ANSWER;
    /* One that pongs no more confirms nothing, whatever it is sent. */
    return ending == &stalled ? OUTBOX_BREAK_OF_OTHERS : OUTBOX_BREAK_UNPROVED;
}

bool traffic_end(struct traffic *traffic, const struct ending *ending,
                 const struct peer_close *close, const char *detail) {
    const struct pipeline_break end = {.why = why(traffic, ending, close),
                                       .code = close->code,
                                       .detail = detail};
    bool refused =
        pipeline_disconnected(traffic->pipeline, &end, clock_monotonic());
    pings_end(&traffic->pings);
    return refused || traffic->peer.confirmed > 0;
}

/* Whether answers are to be confirmed as soon as can be, */
static bool wants_receipts(const struct traffic *t) {
    return t->hurry || pipeline_is_filling(t->pipeline);
}

/* or what is on the line, so that the next can go out. */
static bool is_hurried(const struct traffic *t) {
    return wants_receipts(t) || pipeline_is_resending(t->pipeline);
}

/* How many bytes the kernel holds that were not read yet. */
static size_t bytes_waiting(struct lws *wsi) {
    int bytes = 0;
    if (ioctl(lws_get_socket_fd(wsi), FIONREAD, &bytes) < 0 || bytes < 0)
        return 0;
    return (size_t)bytes;
}

/* Reads what the kernel, or TLS, has left; gives the number of bytes. */
static size_t read_rest(struct lws *wsi, char *out, size_t size) {
    SSL *ssl = lws_get_ssl(wsi);
    int fd = lws_get_socket_fd(wsi);
    size_t len = 0;
    ssize_t got = 1;
    while (len < size && got > 0) {
        got = ssl != NULL ? SSL_read(ssl, out + len, (int)(size - len))
                          : recv(fd, out + len, size - len, MSG_DONTWAIT);
        if (got > 0)
            len += (size_t)got;
    }
    return len;
}

void traffic_look_for_close(struct lws *wsi, struct peer_close *close) {
    SSL *ssl = lws_get_ssl(wsi);
    size_t size =
        bytes_waiting(wsi) + (ssl != NULL ? (size_t)SSL_pending(ssl) : 0);
    if (size == 0)
        return;
    char *rest = memory_new(size);
    size_t len = read_rest(wsi, rest, size);
    peer_close_find(close, (struct span){rest, len},
                    lws_remaining_packet_payload(wsi));
    free(rest);
}

/* A length whose highest bit is set is longer than all that can be taken. */
static enum close_code failure_of(const char *complaint) {
    return strstr(complaint, "b63 of length") != NULL ? CLOSE_TOO_BIG
                                                      : CLOSE_PROTOCOL;
}

void traffic_fail(struct traffic *traffic, struct lws *wsi,
                  const char *complaint) {
    struct traffic *t = traffic;
    enum close_code code = failure_of(complaint);
    char payload[] = {(char)(code >> 8), (char)(code & 0xff)};
    SSL *ssl = lws_get_ssl(wsi);
    if (lws_partial_buffered(wsi)) /* it would be in the midst of a frame */
        return;
    t->frames.len = 0;
    frames_add(&t->frames, FRAME_CLOSE, (struct span){payload, sizeof payload},
               masks_next(&t->masks));
    /* By ourselves: the library writes nothing any more. */
    if (ssl != NULL)
        SSL_write(ssl, t->frames.bytes, (int)t->frames.len);
    else
        send(lws_get_socket_fd(wsi), t->frames.bytes, t->frames.len,
             MSG_DONTWAIT | MSG_NOSIGNAL);
    t->frames.len = 0;
}

/*
 * How many bytes went out and how many were acknowledged; false: not known.
 * Between the two calls an acknowledgement may come. Made in this order, more
 * seems to be written then than was, never less: nothing is taken for
 * acknowledged too early.
 */
static bool count_tcp_bytes(struct lws *wsi, struct tcp_bytes *bytes) {
    int fd = lws_get_socket_fd(wsi), queued = 0;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (ioctl(fd, SIOCOUTQ, &queued) < 0 ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return false;
    bytes->acknowledged = info.tcpi_bytes_acked;
    bytes->written = info.tcpi_bytes_acked + (uint64_t)queued;
    return true;
}

/*
 * Answers that the peer has confirmed by now are done with. Then it may be that
 * the next window can go out, or that all is done; only then: this is called
 * from the writeable callback, too.
 */
static void take_receipts(struct traffic *t, struct lws *wsi, monotime now) {
    bool resending = pipeline_is_resending(t->pipeline);
    size_t pending = pipeline_pending(t->pipeline);
    pipeline_settled(t->pipeline, peer_settled(&t->peer, now));
    if (pipeline_stands_alone(t->pipeline))
        peer_confirm_settled(&t->peer, now);
    pipeline_confirmed(t->pipeline, t->peer.confirmed);
    if ((t->hurry && pipeline_pending(t->pipeline) < pending) ||
        (resending && !pipeline_is_resending(t->pipeline)))
        lws_callback_on_writable(wsi);
}

/*
 * What was sent since the last look is only looked for from a Ping on, or in a
 * hurry: else TCP would confirm it before the Ping, and nobody would learn that
 * the peer pongs after all.
 */
static void look_at_tcp(struct traffic *t, struct lws *wsi, monotime now) {
    struct tcp_bytes bytes;
    if (!peer_owes_receipts(&t->peer) || !count_tcp_bytes(wsi, &bytes))
        return;
    /* A part of the last batch may still be held back by the library. */
    uint64_t given = lws_partial_buffered(wsi) ? t->given : t->peer.sent;
    bool is_due = wants_receipts(t) || peer_ping_due(&t->peer, now, false);
    bool is_looked_for = is_due || pipeline_is_resending(t->pipeline);
    peer_tcp(&t->peer, bytes, is_looked_for ? given : 0, is_due, now);
}

const struct ending *traffic_look(struct traffic *traffic, struct lws *wsi) {
    struct peer *peer = &traffic->peer;
    monotime now = clock_monotonic();
    look_at_tcp(traffic, wsi, now);
    struct tcp_input input = {traffic->read_bytes,
                              bytes_waiting(wsi) + traffic->pings.held};
    enum peer_verdict verdict = peer_judge(peer, now, input);
    take_receipts(traffic, wsi, now);
    if (verdict == PEER_SILENT)
        return &silent;
    if (verdict == PEER_NOT_CONFIRMING)
        return &stalled;
    traffic->beat_due |= peer_take_beat(peer, now);
    if (traffic->beat_due || peer_ping_due(peer, now, false))
        lws_callback_on_writable(wsi);
    return NULL;
}

monotime traffic_next_look(const struct traffic *traffic, monotime now) {
    return peer_next_look(&traffic->peer, now, is_hurried(traffic));
}

static void add_frame(struct traffic *t, enum frame_opcode opcode,
                      struct span payload) {
    frames_add(&t->frames, opcode, payload, masks_next(&t->masks));
}

/*
 * Writes what was added; only while lws_partial_buffered() says no. False: the
 * connection broke.
 */
static bool send_frames(struct traffic *t, struct lws *wsi) {
    size_t len = t->frames.len;
    t->frames.len = 0;
    return len == 0 || lws_write(wsi, t->frames.bytes, len, LWS_WRITE_RAW) >= 0;
}

static void add_item(struct traffic *t, const struct pipeline_item *item,
                     monotime now) {
    add_frame(t, FRAME_TEXT, item->text);
    pipeline_sent(t->pipeline, item, now);
    if (item->position != 0)
        peer_sent(&t->peer, item->position, now);
}

static bool has_room(const struct traffic *t) {
    return t->frames.len < BATCH_BYTES;
}

/*
 * A refusal goes out at once, if it can: it is not kept, so the Pong to a Ping
 * that followed its request must not be there before it.
 */
static const struct ending *send_refusals(struct traffic *t, struct lws *wsi,
                                          monotime now) {
    struct pipeline_item item;
    if (!lws_partial_buffered(wsi)) {
        while (has_room(t) && pipeline_next(t->pipeline, now, &item) &&
               item.position == 0)
            add_item(t, &item, now);
        if (!send_frames(t, wsi))
            return &traffic_sending_failed;
    }
    return pipeline_overloaded(t->pipeline) ? &overload : NULL;
}

/*
 * A Pong would say that this request was taken. The library sends none once
 * it is told with what reason to close; it is told again when it does.
 */
static void send_no_more_pongs(struct lws *wsi) {
    lws_close_reason(wsi, (enum lws_close_status)CLOSE_GOING_AWAY, NULL, 0);
}

static const struct ending *note_verdict(struct traffic *t, struct lws *wsi,
                                         enum pipeline_verdict verdict,
                                         monotime now) {
    switch (verdict) {
    case PIPELINE_HEARTBEAT:
        peer_beat(&t->peer, now);
        lws_validity_confirmed(wsi);
        break;
    case PIPELINE_LEFT_UNTAKEN:
        send_no_more_pongs(wsi);
        break;
    case PIPELINE_REFUSED:
        return send_refusals(t, wsi, now);
    case PIPELINE_TAKEN:
        break;
    }
    return NULL;
}

void traffic_turn(struct traffic *traffic) {
    traffic->clocks_are_read = false;
}

/* Once a turn, which brings hundreds of messages under load. */
static struct now read_clocks(struct traffic *t) {
    if (!t->clocks_are_read)
        t->now = clock_now();
    t->clocks_are_read = true;
    return t->now;
}

const struct ending *traffic_receive(struct traffic *traffic, struct lws *wsi,
                                     struct span piece) {
    struct traffic *t = traffic;
    if (lws_frame_is_binary(wsi))
        return &not_text;
    if (lws_is_first_fragment(wsi))
        inbox_begin(&t->inbox);
    size_t announced = lws_remaining_packet_payload(wsi);
    bool last = lws_is_final_fragment(wsi) && announced == 0;
    struct now now = read_clocks(t);
    struct span message;
    t->read_bytes += piece.len;
    switch (inbox_add(&t->inbox, piece, announced, last, &message)) {
    case INBOX_MESSAGE:
        return note_verdict(t, wsi, pipeline_receive(t->pipeline, message, now),
                            now.monotonic);
    case INBOX_TOO_LONG:
        return note_verdict(t, wsi, pipeline_receive_too_long(t->pipeline, now),
                            now.monotonic);
    case INBOX_NOT_UTF8:
        return &not_utf8;
    case INBOX_TOO_BIG:
        return &too_big;
    case INBOX_MORE:
        break;
    }
    return NULL;
}

void traffic_ponged(struct traffic *traffic, struct lws *wsi,
                    struct span payload) {
    monotime now = clock_monotonic();
    peer_ponged(&traffic->peer, payload, now);
    take_receipts(traffic, wsi, now);
    if (peer_ping_due(&traffic->peer, now, is_hurried(traffic)) ||
        pipeline_goes_alone(traffic->pipeline)) /* it waited for this Pong */
        lws_callback_on_writable(wsi);
}

/* Sends what was added, too: so it is known how much is before the Ping. */
static bool send_ping(struct traffic *t, struct lws *wsi, monotime now) {
    char payload[PEER_PING_PAYLOAD_SIZE];
    size_t len = peer_write_ping(&t->peer, now, payload);
    add_frame(t, FRAME_PING, (struct span){payload, len});
    if (!send_frames(t, wsi))
        return false;
    struct tcp_bytes bytes;
    if (count_tcp_bytes(wsi, &bytes))
        peer_pinged(&t->peer, bytes.written);
    return true;
}

/*
 * Whether nothing may be sent now. An answer that goes out alone may be blamed
 * for what becomes of the link, so this has to be known to work before.
 */
static bool has_to_wait(struct traffic *t, monotime now,
                        struct pipeline_item *item) {
    return !pipeline_next(t->pipeline, now, item) ||
           (item->position != 0 && !peer_is_proved(&t->peer) &&
            pipeline_goes_alone(t->pipeline) &&
            !peer_has_proved(&t->peer, now));
}

/* False: there are more, for which the batch has no room. */
static bool add_answers(struct traffic *t, monotime now) {
    struct pipeline_item item;
    t->given = t->peer.sent;
    while (has_room(t)) {
        if (has_to_wait(t, now, &item))
            return true;
        add_item(t, &item, now);
    }
    return false;
}

/*
 * Whether to read on before answers are sent. Each write wakes the peer, which
 * costs much the same however long it is, and where plenty waits here the peer
 * has sent all that it may without an answer, or has as much to do as we.
 */
static bool reads_ahead(struct traffic *t, struct lws *wsi, monotime now) {
    struct pipeline_item item;
    bool may = t->reads_ahead < MOST_READS_AHEAD && !t->beat_due &&
               !t->pings.held && !is_hurried(t) &&
               !peer_ping_due(&t->peer, now, false) &&
               pipeline_next(t->pipeline, now, &item) && item.position != 0 &&
               bytes_waiting(wsi) >= PLENTY_BYTES;
    t->reads_ahead = may ? t->reads_ahead + 1 : 0;
    return may;
}

/*
 * What waits longest for its time goes first: beats, then Pings. One batch a
 * call, so that the loop sees to beats and to what comes in between.
 */
static bool send_ready(struct traffic *t, struct lws *wsi, monotime now) {
    if (reads_ahead(t, wsi, now)) {
        lws_callback_on_writable(wsi);
        return true;
    }
    if (t->beat_due)
        add_frame(t, FRAME_TEXT, span_of(heartbeat));
    t->beat_due = false;
    if (peer_ping_due(&t->peer, now, wants_receipts(t)) &&
        !send_ping(t, wsi, now))
        return false;
    bool all = !lws_partial_buffered(wsi) && add_answers(t, now);
    if (!all)
        lws_callback_on_writable(wsi);
    if ((all && peer_ping_due(&t->peer, now, is_hurried(t))) ||
        (t->frames.len > 0 && peer_ping_pays(&t->peer)))
        return send_ping(t, wsi, now);
    return send_frames(t, wsi);
}

const struct ending *traffic_send(struct traffic *traffic, struct lws *wsi) {
    struct traffic *t = traffic;
    monotime now = clock_monotonic();
    pings_begin_sending();
    bool good = send_ready(t, wsi, now);
    pings_end_sending();
    if (!good)
        return &traffic_sending_failed;
    if (is_hurried(t) && !t->peer.ponged) {
        look_at_tcp(t, wsi, now);
        take_receipts(t, wsi, now);
    }
    return NULL;
}
