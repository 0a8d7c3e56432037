#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/settings/moved.h"
#include "common/settings/url.h"
#include "common/utf8.h"
#include "ratefetcher/providers/web_call.h"

static char *without_slashes(const char *address) {
    size_t len = strlen(address);
    while (len > 0 && address[len - 1] == '/')
        len--;
    return memory_copy(address, len);
}

void *web_open(const struct provider_class *class,
               const struct provider_context *context) {
    const struct settings *settings = context->settings;
    const struct web_api *api = class->api;
    struct web *web = memory_new(sizeof *web);
    web->api = api;
    web->context = context;
    web->address = without_slashes(settings_text(settings, api->address));
    web->kept = kept_new(api, context, web->address);
    LIST_INIT(&web->calls);
    TAILQ_INIT(&web->lane.waiting);
    if (strncmp(settings_text(settings, api->address), "http://", 7) == 0)
        log_warn(EVENT_PROVIDER_NOT_ENCRYPTED,
                 LOG_FIELDS(log_text("provider", class->name),
                            log_text("setting", settings_name(api->address))));
    const char *moved = settings_moved(api->address, web->address);
    if (moved != NULL)
        log_warn(EVENT_PROVIDER_MOVED,
                 LOG_FIELDS(log_text("provider", class->name),
                            log_text("setting", settings_name(api->address)),
                            log_text("to", moved)));
    return web;
}

static void free_call(struct web_call *call) {
    if (call->reader != NULL)
        web_end_text(call);
    if (call->patience != NULL)
        event_free(call->patience);
    if (call->more != NULL)
        event_free(call->more);
    history_free(&call->tables);
    free(call->body);
    free(call);
}

void web_close(void *state) {
    struct web *web = state;
    struct web_call *call;
    struct web_asker *asker;
    while ((call = LIST_FIRST(&web->calls)) != NULL) {
        while ((asker = TAILQ_FIRST(&call->askers)) != NULL) {
            TAILQ_REMOVE(&call->askers, asker, entry);
            free(asker);
        }
        LIST_REMOVE(call, entry);
        free_call(call);
    }
    kept_free(&web->kept);
    free(web->address);
    free(web);
}

static int32_t resource_of(const struct web *web, day when) {
    return web->api->resource != NULL ? web->api->resource(when, web_today())
                                      : when.number;
}

static struct web_call *find_call(const struct web *web, int32_t resource) {
    struct web_call *call;
    LIST_FOREACH (call, &web->calls, entry) {
        if (call->resource == resource)
            return call;
    }
    return NULL;
}

static bool is_kept(const struct web *web, int32_t resource) {
    return web->api->resource != NULL && resource >= web->api->first_kept;
}

/* Tells one who waits; the call of the first one was for all of them. */
static void tell(struct web_call *call, struct web_asker *asker,
                 struct provider_answer *answer) {
    answer->without_call |= call->told;
    call->told = true;
    TAILQ_REMOVE(&call->askers, asker, entry);
    asker->done(asker->arg, answer);
    free(asker);
}

/* Who waits does so no longer than a call may be silent. */
static monotime until(const struct web_call *call,
                      const struct web_asker *asker) {
    monotime since =
        asker->asked.usec > call->begun.usec ? asker->asked : call->begun;
    monotime last = monotime_add(asker->asked, asker->timeout),
             until = monotime_add(since, HTTP_CALL_LIMIT);
    return until.usec < last.usec ? until : last;
}

/* The one whose patience ends first; NULL: nobody waits. */
static struct web_asker *find_first(const struct web_call *call) {
    struct web_asker *asker, *first = TAILQ_FIRST(&call->askers);
    TAILQ_FOREACH (asker, &call->askers, entry)
        if (until(call, asker).usec < until(call, first).usec)
            first = asker;
    return first;
}

/* A body that comes slowly is read on, for whoever asks next. */
static void tell_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct web_call *call = arg;
    struct web_asker *asker;
    while ((asker = find_first(call)) != NULL &&
           monotime_reached(clock_monotonic(), until(call, asker))) {
        struct provider_answer late = {.result = PROVIDER_UNREACHED,
                                       .detail = "its answer still comes, and "
                                                 "is read on"};
        call->late = true;
        tell(call, asker, &late);
    }
    if (asker != NULL)
        loop_set_timer(call->patience,
                       monotime_between(clock_monotonic(), until(call, asker)));
}

static void collect(struct web_call *call, struct span piece) {
    if (call->len + piece.len > call->size) {
        call->size = (call->len + piece.len) * 2;
        call->body = memory_resize(call->body, call->size);
    }
    memcpy(call->body + call->len, piece.data, piece.len);
    call->len += piece.len;
}

static bool on_piece(void *arg, long status, struct span piece) {
    struct web_call *call = arg;
    if (status == 0 && call->begun.usec == 0) {
        call->begun = clock_monotonic();
        return false;
    }
    if (call->patience == NULL) {
        call->patience = evtimer_new(call->web->context->base, tell_late, call);
        loop_set_timer(call->patience, (duration){0});
    }
    if (status != 200 || call->web->api->text == NULL)
        return false;
    if (call->reader == NULL)
        web_begin_text(call);
    call->web->api->text->feed(call->reader, piece);
    if (piece.len > 0 && is_kept(call->web, call->resource))
        collect(call, piece);
    return true;
}

static void tell_all(struct web_call *call, struct provider_answer answer,
                     const struct history *tables) {
    struct web_asker *asker;
    bool has_tables = answer.result == PROVIDER_OK;
    while ((asker = TAILQ_FIRST(&call->askers)) != NULL) {
        if (has_tables)
            web_put_table(call->web, &answer, tables, asker->when);
        tell(call, asker, &answer);
    }
}

static void on_answer(void *arg, const struct http_answer *http);

static const char *text_or_null(const char *text) {
    return text[0] != '\0' ? text : NULL;
}

/* Makes the call, or the same for the other form. */
static void make_call(struct web_call *call, duration timeout) {
    struct web *web = call->web;
    const struct web_api *api = web->api;
    const struct settings *settings = web->context->settings;
    struct web_request request = {.url = ""};
    const struct copy_version *known =
        call->second ? NULL : kept_version(web->kept, call->resource);
    if (!call->other_form || api->fall_back == NULL ||
        !api->fall_back(web->address, call->when, web_today(), &request))
        api->request(web->address,
                     web_has_key(web) ? settings_text(settings, api->key)
                                      : NULL,
                     call->when, web_today(), &request);
    call->conditional = known != NULL;
    http_get(web->context->http, &web->lane,
             &(struct http_request){
                 .url = request.url,
                 .header = text_or_null(request.header),
                 .etag = known != NULL ? text_or_null(known->etag) : NULL,
                 .changed = known != NULL ? text_or_null(known->changed) : NULL,
             },
             timeout, on_piece, on_answer, call);
    explicit_bzero(&request, sizeof request);
}

/* Whether another form may be better: the server is there, and does not want
 * to be left alone. */
static bool may_be_of_the_form(const struct http_answer *http,
                               enum provider_result result) {
    return http->status != 0 && http->retry_after.usec == 0 &&
           (result == PROVIDER_BAD_STATUS || result == PROVIDER_BAD_TABLE);
}

static bool may_call_again(const struct web *web) {
    const struct provider_context *context = web->context;
    return context->again == NULL ||
           context->again(context->lookup_arg, web->api);
}

/* Nothing is there that can be used: then in the other form, once. */
static bool try_other_form(struct web_call *call,
                           const struct http_answer *http,
                           enum provider_result result) {
    struct web_request ignored;
    struct web *web = call->web;
    if (call->second || web->api->fall_back == NULL ||
        !may_be_of_the_form(http, result) ||
        !web->api->fall_back(web->address, call->when, web_today(), &ignored))
        return false;
    call->other_form = !call->other_form;
    if (!may_call_again(web)) {
        web->falls_back = call->other_form; /* with the next call */
        return false;
    }
    history_free(&call->tables);
    call->tables = history_new();
    call->faults = (struct web_faults){0};
    call->len = 0;
    call->second = true;
    call->in_place = http->status >= 500;
    make_call(call, HTTP_CALL_LIMIT);
    return true;
}

/* Keeps what has come, if it is to be kept; the tables that serve. */
static const struct history *keep(struct web_call *call, long status) {
    struct web *web = call->web;
    const struct history *tables = call->tables;
    if (call->in_place)
        call->version = (struct copy_version){.etag = ""};
    else
        web->falls_back = call->other_form;
    if (status == 304)
        return kept_confirm(web->kept, call->resource);
    if (!is_kept(web, call->resource))
        return tables;
    kept_put(web->kept, call->resource, call->tables, &call->version,
             (struct span){call->body, call->len});
    call->tables = NULL;
    return tables;
}

/* Somebody was told that it still comes: there it is. */
static void give_late(struct web_call *call, struct provider_answer answer,
                      const struct history *tables) {
    const struct provider_context *context = call->web->context;
    answer.without_call = true;
    if (!call->late || context->late == NULL || answer.result != PROVIDER_OK)
        return;
    web_put_table(call->web, &answer, tables, call->when);
    context->late(context->lookup_arg, call->web->api, call->when, &answer);
}

static void end_call(struct web_call *call, const struct http_answer *http) {
    struct provider_answer answer = web_judge(call, http);
    const struct history *tables = NULL;
    if (try_other_form(call, http, answer.result))
        return;
    if (answer.result == PROVIDER_OK)
        tables = keep(call, http->status);
    LIST_REMOVE(call, entry); /* who is told may begin another one */
    give_late(call, answer, tables);
    tell_all(call, answer, tables);
    free_call(call);
}

static void on_more(evutil_socket_t fd, short what, void *arg);

/* Some of it can only be read now; all else has its turn in between. */
static bool read_more(struct web_call *call) {
    const struct web_text_reader *text = call->web->api->text;
    if (call->reader == NULL || text->more == NULL || !text->more(call->reader))
        return false;
    if (call->more == NULL)
        call->more = evtimer_new(call->web->context->base, on_more, call);
    loop_set_timer(call->more, (duration){0});
    return true;
}

static void on_more(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct web_call *call = arg;
    if (!read_more(call))
        end_call(call, &call->answer);
}

/* A longer text than there is room for is none. */
static void take_text(char out[static COPY_TEXT_BYTES], const char *text) {
    bool fits = strlen(text) < COPY_TEXT_BYTES;
    snprintf(out, COPY_TEXT_BYTES, "%s", fits ? text : "");
}

static void on_answer(void *arg, const struct http_answer *http) {
    struct web_call *call = arg;
    take_text(call->version.etag, http->etag);
    take_text(call->version.changed, http->changed);
    call->answer = *http; /* of one whose body was taken: nothing is lent */
    call->answer.etag = call->answer.changed = "";
    call->answer.redirect = "";
    if (http->status != 200 || !read_more(call))
        end_call(call, http);
}

static struct web_call *begin_call(struct web *web, int32_t resource, day when,
                                   duration timeout) {
    struct web_call *call = memory_new(sizeof *call);
    call->web = web;
    call->resource = resource;
    call->when = when;
    call->other_form = web->falls_back;
    call->tables = history_new();
    TAILQ_INIT(&call->askers);
    LIST_INSERT_HEAD(&web->calls, call, entry);
    make_call(call, timeout);
    return call;
}

bool web_needs_call(void *state, day when) {
    const struct web *web = state;
    int32_t resource = resource_of(web, when);
    monotime since;
    return !web_lacks(web, when) && find_call(web, resource) == NULL &&
           kept_find(web->kept, resource, when, &since) == NULL;
}

bool web_fetch(void *state, day when, duration timeout,
               struct provider_answer *answer, provider_done *done, void *arg) {
    struct web *web = state;
    int32_t resource = resource_of(web, when);
    monotime since;
    const struct history *kept = kept_find(web->kept, resource, when, &since);
    *answer = (struct provider_answer){.result = PROVIDER_NO_TABLE,
                                       .detail = "past days are not in the "
                                                 "key's plan",
                                       .without_call = true};
    if (web_lacks(web, when))
        return true;
    if (kept != NULL) {
        web_put_table(web, answer, kept, when);
        answer->age = monotime_between(since, clock_monotonic());
        return true;
    }
    struct web_call *call = find_call(web, resource);
    if (call == NULL)
        call = begin_call(web, resource, when, timeout);
    struct web_asker *asker = memory_new(sizeof *asker);
    *asker = (struct web_asker){.when = when,
                                .asked = clock_monotonic(),
                                .timeout = timeout,
                                .done = done,
                                .arg = arg};
    TAILQ_INSERT_TAIL(&call->askers, asker, entry);
    if (call->patience != NULL)
        loop_set_timer(call->patience, (duration){0});
    return false;
}

struct rates *web_find_old(void *state, day when, monotime *since) {
    const struct web *web = state;
    return kept_old(web->kept, when, since);
}

void web_note_fault(struct web_faults *faults, const char *code) {
    if (faults->count++ == 0)
        snprintf(faults->example, sizeof faults->example, "%s", code);
}

bool web_add_rate(struct rates *rates, const char *code, struct span rate,
                  struct web_faults *faults) {
    /* Codes of another form are metals, coins and the provider's own. */
    enum rates_add added = rates_add(rates, span_of(code), rate);
    if (added == RATES_BAD_RATE)
        web_note_fault(faults, code);
    return added != RATES_OTHER_BASE;
}
