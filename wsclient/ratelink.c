#include "wsclient/ratelink.h"

#include <errno.h>
#include <stdlib.h>

#include "common/backoff.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/runtime_dir.h"
#include "common/unix_socket.h"
#include "wsclient/watch.h"

#define FIRST_RETRY_USEC (20 * USEC_PER_MSEC)
#define LAST_RETRY_USEC  (500 * USEC_PER_MSEC)

struct ratelink {
    struct lws_context *context;
    struct pipeline *pipeline;
    char *path;
    struct channel channel; /* fd -1: not connected */
    struct watch watch;
    lws_sorted_usec_list_t retry;
    struct backoff backoff;
    bool failing; /* said so in the log */
};

static void connect_later(struct ratelink *link);

static void hang_up(struct ratelink *link) {
    watch_stop(&link->watch);
    channel_clear(&link->channel);
    connect_later(link);
}

static void on_error_message(struct ratelink *link,
                             const struct json_object *message, day when,
                             struct span currency) {
    const char *code = message_text(message, "code");
    log_debug("rates_refused",
              LOG_FIELDS(log_text("date", message_text(message, "date")),
                         log_text("code", code)));
    pipeline_no_rates(link->pipeline, when, currency,
                      code != NULL && strcmp(code, "unknown_currency") == 0);
}

static void on_rates_message(struct ratelink *link,
                             const struct json_object *message, day when,
                             struct span currency) {
    const char *why;
    struct rates *rates = rates_from_message(message, &why);
    if (rates == NULL) {
        log_error("rates_bad", LOG_FIELDS(log_text("why", why)));
        pipeline_no_rates(link->pipeline, when, currency, false);
        return;
    }
    double fresh = message_number(message, "expires_in", 0);
    pipeline_rates(
        link->pipeline, when, currency, rates,
        monotime_add(clock_monotonic(),
                     (duration){(int64_t)(fresh * (double)USEC_PER_SEC)}));
    rates_release(&rates);
}

/* False: no line of ratefetcher's, so that the link is not to be trusted. */
static bool on_line(struct ratelink *link, struct span line) {
    backoff_reset(&link->backoff);
    struct json_object *message = message_parse(line);
    const char *date = message_text(message, "date");
    const char *currency = message_text(message, "currency");
    day when;
    bool good = date != NULL && rates_day_parse(span_of(date), &when);
    if (!good) {
        log_error("rates_line_bad", LOG_FIELDS(log_span("line", line)));
    } else {
        struct span code = span_of(currency != NULL ? currency : "");
        if (message_op(message) == MESSAGE_RATES)
            on_rates_message(link, message, when, code);
        else
            on_error_message(link, message, when, code);
    }
    json_object_put(message);
    return good;
}

static void on_ready(void *arg) {
    struct ratelink *link = arg;
    if (link->watch.wsi == NULL || channel_flush(&link->channel) < 0) {
        hang_up(link);
        return;
    }
    for (;;) {
        struct span line;
        switch (channel_read(&link->channel)) {
        case CHANNEL_IDLE:
            if (channel_has_output(&link->channel))
                watch_for_writing(&link->watch);
            return;
        case CHANNEL_LINES:
            while (channel_next_line(&link->channel, &line))
                if (!on_line(link, line)) {
                    hang_up(link);
                    return;
                }
            break;
        case CHANNEL_CLOSED:
        case CHANNEL_BROKEN:
            hang_up(link);
            return;
        }
    }
}

static void log_state(struct ratelink *link, bool failing, const char *why) {
    if (failing == link->failing)
        return;
    link->failing = failing;
    if (failing)
        log_warn("ratefetcher_unreached", LOG_FIELDS(log_text("why", why)));
    else
        log_info("ratefetcher_reached", NULL);
}

static void connect_now(lws_sorted_usec_list_t *retry) {
    struct ratelink *link = lws_container_of(retry, struct ratelink, retry);
    int fd = unix_socket_connect(link->path);
    if (fd < 0) {
        log_state(link, true, strerror(errno));
        connect_later(link);
        return;
    }
    channel_init(&link->channel, fd);
    if (watch_start(&link->watch, link->context, fd, on_ready, link) < 0) {
        channel_clear(&link->channel);
        connect_later(link);
        return;
    }
    log_state(link, false, NULL);
    pipeline_ask_again(link->pipeline);
}

static void connect_later(struct ratelink *link) {
    lws_sul_schedule(link->context, 0, &link->retry, connect_now,
                     backoff_next(&link->backoff, arc4random()).usec);
}

struct ratelink *ratelink_new(struct lws_context *context,
                              const struct settings *settings,
                              struct pipeline *pipeline) {
    struct ratelink *link = memory_new(sizeof *link);
    link->context = context;
    link->pipeline = pipeline;
    link->path = runtime_dir_path(settings_text(settings, SETTING_RUNTIME_DIR),
                                  "rates.sock");
    link->backoff = (struct backoff){.first = {FIRST_RETRY_USEC},
                                     .ceiling = {LAST_RETRY_USEC},
                                     .floor_share = 50};
    link->channel.fd = -1;
    connect_now(&link->retry);
    return link;
}

void ratelink_free(struct ratelink **link) {
    struct ratelink *l = *link;
    *link = NULL;
    lws_sul_cancel(&l->retry);
    watch_stop(&l->watch);
    channel_clear(&l->channel);
    free(l->path);
    free(l);
}

void ratelink_ask(struct ratelink *link, day when, struct span currency) {
    if (link->channel.fd < 0)
        return; /* asked when the link stands */
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    struct json_object *message = message_new(MESSAGE_RATES);
    message_add_text(message, "date", date);
    if (currency.len > 0)
        json_object_object_add(
            message, "currency",
            json_object_new_string_len(currency.data, (int)currency.len));
    int written = channel_write(&link->channel, message_line(message));
    json_object_put(message);
    /* A broken link shows itself on its next reading; nothing is lost. */
    if (written == 0 && channel_has_output(&link->channel))
        watch_for_writing(&link->watch);
}
