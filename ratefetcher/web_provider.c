#include "ratefetcher/web_provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"

/* Resources of many days that are kept: ninety days, and all. */
enum { MAX_KEPT = 2 };

struct kept {
    char *url; /* NULL: free */
    struct history *tables;
    monotime fetched;
};

struct web {
    const struct web_api *api;
    const struct provider_context *context;
    int64_t ttl_usec;
    struct kept kept[MAX_KEPT];
    LIST_HEAD(, fetch) fetches;
};

struct fetch {
    LIST_ENTRY(fetch) entry;
    struct web *web;
    day when;
    char *url;
    provider_done *done;
    void *arg;
};

void *web_provider_open(const struct provider_class *class,
                        const struct provider_context *context) {
    struct web *web = memory_new(sizeof *web);
    web->api = class->api;
    web->context = context;
    web->ttl_usec = settings_usec(context->settings, SETTING_CACHE_TTL_SECONDS);
    LIST_INIT(&web->fetches);
    if (strncmp(settings_text(context->settings, class->api->address),
                "http://", 7) == 0)
        log_warn("provider_not_encrypted",
                 LOG_FIELDS(
                     log_text("provider", class->name),
                     log_text("setting", settings_name(class->api->address))));
    return web;
}

static void free_fetch(struct fetch *fetch) {
    LIST_REMOVE(fetch, entry);
    free(fetch->url);
    free(fetch);
}

static void free_kept(struct kept *kept) {
    free(kept->url);
    history_free(&kept->tables);
    kept->url = NULL;
}

void web_provider_close(void *state) {
    struct web *web = state;
    struct fetch *fetch;
    while ((fetch = LIST_FIRST(&web->fetches)) != NULL)
        free_fetch(fetch);
    for (size_t i = 0; i < MAX_KEPT; i++)
        free_kept(&web->kept[i]);
    free(web);
}

/* Answers with the table that serves the day, if there is one. */
static void finish_with(struct fetch *fetch, const struct history *tables,
                        bool without_call) {
    day today = day_of_ms(clock_wall_ms());
    const struct rates *found = history_find(tables, fetch->when, today);
    struct provider_answer answer = {.result = PROVIDER_NO_TABLE,
                                     .detail = "",
                                     .without_call = without_call};
    if (found != NULL && rates_day_is_latest(fetch->when) &&
        rates_as_of(found).number <
            day_add(today, -RATES_MAX_LOOK_BACK_DAYS).number) {
        answer.result = PROVIDER_BAD_TABLE;
        answer.detail = "its latest table is more than seven days old";
    } else if (found != NULL) {
        answer.result = PROVIDER_OK;
        answer.rates = rates_copy(found, rates_fetched_ms(found));
    }
    fetch->done(fetch->arg, &answer);
    rates_release(&answer.rates);
    free_fetch(fetch);
}

static void fail(struct fetch *fetch, enum provider_result result,
                 const char *detail) {
    fetch->done(fetch->arg,
                &(struct provider_answer){.result = result, .detail = detail});
    free_fetch(fetch);
}

/* The kept resource of that address that is still fresh, or NULL. */
static struct kept *find_kept(struct web *web, const char *url) {
    monotime now = clock_monotonic();
    for (size_t i = 0; i < MAX_KEPT; i++) {
        struct kept *kept = &web->kept[i];
        if (kept->url != NULL && strcmp(kept->url, url) == 0 &&
            monotime_between(kept->fetched, now) < web->ttl_usec)
            return kept;
    }
    return NULL;
}

/* Takes the tables over, in the place of the same resource or the oldest. */
static void keep(struct web *web, const char *url, struct history *tables) {
    struct kept *place = &web->kept[0];
    for (size_t i = 0; i < MAX_KEPT; i++) {
        struct kept *kept = &web->kept[i];
        if (kept->url == NULL || strcmp(kept->url, url) == 0) {
            place = kept;
            break;
        }
        if (kept->fetched.usec < place->fetched.usec)
            place = kept;
    }
    free_kept(place);
    *place =
        (struct kept){memory_copy(url, strlen(url)), tables, clock_monotonic()};
}

static void read_body(struct fetch *fetch, struct span body) {
    struct web *web = fetch->web;
    int64_t now_ms = clock_wall_ms();
    struct web_answer answer = {.body = body,
                                .when = fetch->when,
                                .today = day_of_ms(now_ms),
                                .fetched_ms = now_ms};
    struct web_faults faults = {0};
    struct history *tables = history_new();
    const char *why = web->api->read(&answer, tables, &faults);
    if (faults.count > 0)
        log_warn("rates_left_out",
                 LOG_FIELDS(log_text("provider", web->api->name),
                            log_int("bad_rates", (int64_t)faults.count),
                            log_text("currency", faults.example)));
    if (why != NULL) {
        history_free(&tables);
        fail(fetch, PROVIDER_BAD_TABLE, why);
    } else if (history_count(tables) > 1) {
        keep(web, fetch->url, tables);
        finish_with(fetch, tables, false);
    } else {
        finish_with(fetch, tables, false);
        history_free(&tables);
    }
}

static void on_answer(void *arg, const struct http_answer *answer) {
    struct fetch *fetch = arg;
    char detail[64];
    snprintf(detail, sizeof detail, "status %ld", answer->status);
    if (answer->status == 0)
        fail(fetch, PROVIDER_UNREACHED, answer->error);
    else if (answer->status == 200)
        read_body(fetch, answer->body);
    else if (answer->status == 401 || answer->status == 403)
        fail(fetch, PROVIDER_KEY_REFUSED, detail);
    else if (answer->status == 429)
        fail(fetch, PROVIDER_LIMITED, detail);
    else if (fetch->web->api->is_no_table(answer->status))
        fail(fetch, PROVIDER_NO_TABLE, detail);
    else
        fail(fetch, PROVIDER_BAD_STATUS, detail);
}

static void on_kept_turn(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct fetch *fetch = arg;
    struct kept *kept = find_kept(fetch->web, fetch->url);
    if (kept != NULL)
        finish_with(fetch, kept->tables, true);
    else /* it has grown too old just now */
        fail(fetch, PROVIDER_UNREACHED, "the kept table has expired");
}

void web_provider_fetch(void *state, day when, int64_t timeout_usec,
                        provider_done *done, void *arg) {
    struct web *web = state;
    const struct settings *settings = web->context->settings;
    const struct web_api *api = web->api;
    struct web_request request = {.url = ""};
    struct fetch *fetch = memory_new(sizeof *fetch);
    api->request(settings_text(settings, api->address),
                 api->key != SETTINGS ? settings_text(settings, api->key)
                                      : NULL,
                 when, day_of_ms(clock_wall_ms()), &request);
    *fetch = (struct fetch){.web = web,
                            .when = when,
                            .url = memory_print("%s", request.url),
                            .done = done,
                            .arg = arg};
    LIST_INSERT_HEAD(&web->fetches, fetch, entry);
    struct timeval at_once = {0};
    if (find_kept(web, fetch->url) != NULL)
        event_base_once(web->context->base, -1, EV_TIMEOUT, on_kept_turn, fetch,
                        &at_once);
    else
        http_get(web->context->http, fetch->url,
                 request.header[0] != '\0' ? request.header : NULL,
                 timeout_usec, on_answer, fetch);
    explicit_bzero(&request, sizeof request);
}

void web_add_rate(struct rates *rates, const char *code, struct span rate,
                  struct web_faults *faults) {
    /* Codes of another form are metals, coins and the provider's own. */
    if (rates_add(rates, span_of(code), rate) != RATES_BAD_RATE)
        return;
    if (faults->count++ == 0)
        snprintf(faults->example, sizeof faults->example, "%s", code);
}
