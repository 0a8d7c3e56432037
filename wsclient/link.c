#include "wsclient/link.h"

#include "wsclient/tcp.h"

#define LOOK_AGAIN_USEC   (1 * USEC_PER_MSEC)
#define HURRIED_LOOK_USEC (10 * USEC_PER_MSEC)
#define CHOKED_LOOK_USEC  (50 * USEC_PER_MSEC)
#define HEARTBEAT_TEXT    "{\"type\":\"heartbeat\"}"

static void on_receipt_timer(lws_sorted_usec_list_t *receipt);

static bool is_hurried(const struct link *link) {
    return link->stopping || pipeline_is_filling(link->pipeline);
}

/* Answers that the receipts confirm by now are done with. */
static void take_receipts(struct link *link) {
    pipeline_confirmed(link->pipeline, link->receipts.confirmed);
    if (link->stopping) /* it may be that all is done now */
        lws_callback_on_writable(link->wsi);
}

static void look_at_tcp(struct link *link, monotime now) {
    struct receipts *receipts = &link->receipts;
    struct tcp_bytes bytes;
    if (!receipts_open(receipts) ||
        !tcp_count(lws_get_socket_fd(link->wsi), &bytes))
        return;
    /* A part of the last one may still be held back by the library. */
    uint64_t given = receipts->sent - (lws_partial_buffered(link->wsi) != 0);
    receipts_tcp(receipts, bytes, given, now);
    take_receipts(link);
}

static void plan_receipt_look(struct link *link, monotime now) {
    if (!link->receipts.ping_planned) {
        lws_sul_cancel(&link->receipt);
        return;
    }
    int64_t wait = monotime_between(now, link->receipts.next_ping).usec;
    if (link->receipts.kind == RECEIPTS_BY_TCP && is_hurried(link) &&
        wait > HURRIED_LOOK_USEC)
        wait = HURRIED_LOOK_USEC;
    if (wait <= 0) /* the socket takes nothing, not even the Ping */
        wait = CHOKED_LOOK_USEC;
    lws_sul_schedule(link->context, 0, &link->receipt, on_receipt_timer, wait);
}

static struct input input_of(const struct link *link) {
    return (struct input){link->read_bytes, tcp_input_bytes(link->wsi)};
}

static void on_receipt_timer(lws_sorted_usec_list_t *receipt) {
    struct link *link = lws_container_of(receipt, struct link, receipt);
    monotime now = clock_monotonic();
    look_at_tcp(link, now);
    bool stalled =
        receipts_stalled(&link->receipts, link->heartbeat.received, now);
    take_receipts(link);
    if (!stalled)
        doubt_clear(&link->doubt);
    if (stalled && !doubt_holds(&link->doubt, now, input_of(link))) {
        link->lost(link->arg, REASON_STALLED, "answers are not confirmed");
        return;
    }
    if (receipts_ping_due(&link->receipts, now, false))
        lws_callback_on_writable(link->wsi);
    plan_receipt_look(link, now);
}

static void on_beat(lws_sorted_usec_list_t *beat) {
    struct link *link = lws_container_of(beat, struct link, beat);
    monotime now = clock_monotonic();
    int64_t wait;
    switch (heartbeat_judge(&link->heartbeat, now, input_of(link))) {
    case HEARTBEAT_SILENT:
        link->lost(link->arg, REASON_SILENT, "no heartbeat");
        return;
    case HEARTBEAT_UNDECIDED:
        wait = LOOK_AGAIN_USEC;
        break;
    case HEARTBEAT_ALIVE:
    default:
        if (heartbeat_take_due(&link->heartbeat, now)) {
            link->beat_due = true;
            lws_callback_on_writable(link->wsi);
        }
        wait =
            monotime_between(now, heartbeat_next_look(&link->heartbeat)).usec;
    }
    lws_sul_schedule(link->context, 0, &link->beat, on_beat,
                     wait > 1 ? wait : 1);
}

void link_init(struct link *link, const struct settings *settings) {
    link->heartbeat.interval_usec =
        settings_duration(settings, SETTING_HEARTBEAT_INTERVAL_SECONDS).usec;
    link->heartbeat.timeout_usec =
        settings_duration(settings, SETTING_HEARTBEAT_TIMEOUT_SECONDS).usec;
    inbox_init(&link->inbox,
               (size_t)settings_count(settings, SETTING_MAX_MESSAGE_BYTES, 0));
}

void link_clear(struct link *link) {
    inbox_clear(&link->inbox);
    sender_clear(&link->sender);
}

void link_open(struct link *link, struct lws *wsi, monotime now) {
    link->wsi = wsi;
    inbox_begin(&link->inbox);
    heartbeat_start(&link->heartbeat, now);
    receipts_begin(&link->receipts, pipeline_connected(link->pipeline));
    doubt_clear(&link->doubt);
    on_beat(&link->beat);
    lws_callback_on_writable(wsi);
}

void link_close(struct link *link) {
    if (link->wsi == NULL)
        return;
    link->wsi = NULL;
    link->beat_due = false;
    lws_sul_cancel(&link->beat);
    lws_sul_cancel(&link->receipt);
    pipeline_disconnected(link->pipeline);
}

/*
 * A Pong would say that this request was taken. The library sends none once
 * it is told with what reason to close; session tells it again when it does.
 */
static void send_no_more_pongs(struct link *link) {
    lws_close_reason(link->wsi, (enum lws_close_status)CLOSE_GOING_AWAY, NULL,
                     0);
}

static bool send_item(struct link *link, const struct pipeline_item *item,
                      monotime now) {
    if (!sender_text(&link->sender, link->wsi, item->text))
        return false;
    pipeline_sent(link->pipeline, item, now);
    if (item->position != 0)
        receipts_sent(&link->receipts, item->position, now);
    return true;
}

/*
 * A refusal goes out at once, if it can: it is not kept, so the Pong to a Ping
 * that followed its request must not be there before it.
 */
static void send_refusals(struct link *link, monotime now) {
    struct pipeline_item item;
    while (!lws_partial_buffered(link->wsi) &&
           pipeline_next(link->pipeline, now, &item) && item.position == 0) {
        if (!send_item(link, &item, now)) {
            link->lost(link->arg, REASON_CLOSED, "sending failed");
            return;
        }
    }
    if (pipeline_overloaded(link->pipeline))
        link->lost(link->arg, REASON_OVERLOAD,
                   "the peer does not read its answers");
}

static void note_verdict(struct link *link, enum pipeline_verdict verdict,
                         monotime now) {
    switch (verdict) {
    case PIPELINE_HEARTBEAT:
        heartbeat_received(&link->heartbeat, now);
        lws_validity_confirmed(link->wsi);
        break;
    case PIPELINE_LEFT_UNTAKEN:
        send_no_more_pongs(link);
        break;
    case PIPELINE_REFUSED:
        send_refusals(link, now);
        break;
    case PIPELINE_TAKEN:
        break;
    }
}

/* What is in the rest of the input is not read any more. */
static enum close_code refuse_input(struct link *link, enum close_code code) {
    send_no_more_pongs(link);
    return code;
}

enum close_code link_receive(struct link *link, struct span piece) {
    if (lws_frame_is_binary(link->wsi))
        return refuse_input(link, CLOSE_NOT_TEXT);
    if (lws_is_first_fragment(link->wsi))
        inbox_begin(&link->inbox);
    size_t announced = lws_remaining_packet_payload(link->wsi);
    bool last = lws_is_final_fragment(link->wsi) && announced == 0;
    monotime now = clock_monotonic();
    struct span message;
    link->read_bytes += piece.len;
    switch (inbox_add(&link->inbox, piece, announced, last, &message)) {
    case INBOX_MESSAGE:
        note_verdict(link, pipeline_receive(link->pipeline, message, now), now);
        break;
    case INBOX_TOO_LONG:
        note_verdict(link, pipeline_receive_too_long(link->pipeline, now), now);
        break;
    case INBOX_NOT_UTF8:
        return refuse_input(link, CLOSE_NOT_UTF8);
    case INBOX_TOO_BIG:
        return refuse_input(link, CLOSE_TOO_BIG);
    case INBOX_MORE:
        break;
    }
    return CLOSE_NONE;
}

void link_receive_pong(struct link *link, struct span payload) {
    monotime now = clock_monotonic();
    receipts_pong(&link->receipts, payload, now);
    take_receipts(link);
    if (receipts_ping_due(&link->receipts, now, is_hurried(link)))
        lws_callback_on_writable(link->wsi);
    plan_receipt_look(link, now);
}

static bool send_ping(struct link *link, monotime now) {
    if (!receipts_ping_due(&link->receipts, now, is_hurried(link)))
        return true;
    char payload[RECEIPTS_PAYLOAD_SIZE];
    size_t len = receipts_write_ping(&link->receipts, now, payload);
    if (!sender_ping(&link->sender, link->wsi, (struct span){payload, len}))
        return false;
    struct tcp_bytes bytes;
    if (tcp_count(lws_get_socket_fd(link->wsi), &bytes))
        receipts_pinged(&link->receipts, bytes.written);
    return true;
}

/* Sends answers for as long as the socket takes them; false: it broke. */
static bool send_answers(struct link *link, monotime now) {
    struct pipeline_item item;
    while (!lws_partial_buffered(link->wsi)) {
        if (!pipeline_next(link->pipeline, now, &item))
            return send_ping(link, now);
        if (!send_item(link, &item, now))
            return false;
    }
    lws_callback_on_writable(link->wsi);
    return true;
}

/* What waits longest for its time goes first: beats, then Pings. */
static bool send_ready(struct link *link, monotime now) {
    if (link->beat_due &&
        !sender_text(&link->sender, link->wsi, span_of(HEARTBEAT_TEXT)))
        return false;
    link->beat_due = false;
    if (!lws_partial_buffered(link->wsi) && !send_ping(link, now))
        return false;
    return send_answers(link, now);
}

bool link_send(struct link *link) {
    monotime now = clock_monotonic();
    bool many = pipeline_has_several(link->pipeline);
    if (many)
        sender_cork(link->wsi, true);
    bool good = send_ready(link, now);
    if (many)
        sender_cork(link->wsi, false);
    if (!good)
        return false;
    if (is_hurried(link) && !link->receipts.ever_ponged)
        look_at_tcp(link, now);
    plan_receipt_look(link, now);
    return true;
}

void link_hurry(struct link *link) {
    link->stopping = true;
    if (link->wsi != NULL)
        lws_callback_on_writable(link->wsi);
}
