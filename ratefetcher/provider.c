#include "ratefetcher/provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/memory.h"
#include "ratefetcher/provider_tables.h"

/* Calls a minute where PROVIDER_CALLS_PER_MINUTE says nothing. */
enum { CALLS_WITH_KEY = 10, CALLS_WITHOUT_KEY = 60 };

/* That no provider is left is told again after so long. */
#define ALERT_PAUSE SECONDS(60)

/* Clocks that differ by so much are told. */
enum { MUCH_AHEAD_MS = 60000 };

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

static void open_provider(struct provider *provider,
                          const struct provider_class *class,
                          const struct provider_context *context,
                          struct call_counts *counts) {
    const struct settings *settings = context->settings;
    *provider = (struct provider){
        .class = class,
        .state = class->open(class, context),
        .context = context,
        .ttl = settings_duration(settings, SETTING_CACHE_TTL_SECONDS),
        .stale_max = settings_duration(settings, SETTING_STALE_MAX_SECONDS),
        .latest_max_days =
            settings_count(settings, SETTING_LATEST_MAX_AGE_DAYS, 0),
        .calls_per_minute = (uint32_t)settings_count(
            settings, SETTING_PROVIDER_CALLS_PER_MINUTE,
            registry_has_key(class) ? CALLS_WITH_KEY : CALLS_WITHOUT_KEY),
        .record = call_counts_record(counts, class->name),
    };
    provider_init_tables(provider);
}

static size_t count_words(struct span list) {
    struct span word;
    size_t count = 0;
    while (settings_next_word(&list, &word))
        count++;
    return count;
}

/* The one that tables are compared with, among the others or behind them. */
static void open_second(struct providers *providers,
                        const struct provider_context *context) {
    const char *name =
        settings_text(context->settings, SETTING_RATES_CROSSCHECK);
    const struct provider_class *class =
        name != NULL ? registry_find(span_of(name)) : NULL;
    if (class == NULL)
        return;
    for (size_t i = 0; i < providers->count; i++)
        if (providers->list[i].class == class)
            providers->second = &providers->list[i];
    if (providers->second != NULL)
        return;
    providers->second = &providers->list[providers->count];
    open_provider(providers->second, class, context, providers->counts);
}

struct providers *providers_new(const struct provider_context *context) {
    struct span word,
        list =
            span_of(settings_text(context->settings, SETTING_RATE_PROVIDERS));
    struct providers *providers = memory_new(
        sizeof *providers + (count_words(list) + 1) * sizeof *providers->list);
    providers->counts =
        call_counts_open(settings_text(context->settings, SETTING_STATE_DIR));
    while (settings_next_word(&list, &word)) {
        const struct provider_class *class = registry_find(word);
        if (class != NULL)
            open_provider(&providers->list[providers->count++], class, context,
                          providers->counts);
        else
            log_warn(EVENT_PROVIDER_UNKNOWN,
                     LOG_FIELDS(log_span("provider", word),
                                log_text("why", "not in this version")));
    }
    open_second(providers, context);
    return providers;
}

void providers_free(struct providers **providers) {
    struct providers *p = *providers;
    *providers = NULL;
    size_t count = p->count + (p->second == &p->list[p->count]);
    for (size_t i = 0; i < count; i++) {
        p->list[i].class->close(p->list[i].state);
        provider_clear_tables(&p->list[i]);
    }
    rates_release(&p->in_hand);
    call_counts_close(&p->counts);
    free(p);
}

static bool needs_call(const struct provider *provider, day when) {
    return provider->class->needs_call == NULL ||
           provider->class->needs_call(provider->state, when);
}

/* Reading a local file is no burden to anybody. */
static bool is_free(const struct provider *provider) {
    return provider->class->api == NULL;
}

static duration wait_asked_for(const struct provider *provider, monotime now) {
    return duration_max((duration){0},
                        monotime_between(now, provider->not_before));
}

static duration wait_for_quota(const struct provider *provider, monotime now) {
    return quota_wait(&provider->record->quota, provider->calls_per_minute,
                      now);
}

/* While its latest table is too old it may well have those of other days. */
static duration wait_for_newer(const struct provider *provider, day when,
                               monotime now) {
    return rates_day_is_latest(when) ? breaker_wait(&provider->newer, now)
                                     : (duration){0};
}

duration provider_wait(const struct provider *provider, day when,
                       monotime now) {
    if (is_free(provider) || !needs_call(provider, when))
        return (duration){0};
    return duration_max(duration_max(wait_asked_for(provider, now),
                                     wait_for_newer(provider, when, now)),
                        duration_max(wait_for_quota(provider, now),
                                     breaker_wait(&provider->breaker, now)));
}

bool provider_may_be_probed(const struct provider *provider, day when,
                            monotime now) {
    return !is_free(provider) && needs_call(provider, when) &&
           wait_asked_for(provider, now).usec == 0 &&
           wait_for_newer(provider, when, now).usec == 0 &&
           wait_for_quota(provider, now).usec == 0;
}

duration providers_retry(const struct providers *providers,
                         const struct rates_query *query,
                         monotime probe_not_before) {
    monotime now = clock_monotonic();
    duration least = FOREVER;
    for (size_t i = 0; i < providers->count; i++) {
        const struct provider *provider = &providers->list[i];
        if (provider_knows(provider, query, now))
            continue;
        least = duration_min(least, provider_wait(provider, query->when, now));
        if (provider_may_be_probed(provider, query->when, now))
            least =
                duration_min(least, monotime_between(now, probe_not_before));
    }
    return least.usec < FOREVER.usec ? least : (duration){0};
}

bool provider_fetch(struct provider *provider, day when, duration timeout,
                    struct provider_call *call, struct provider_answer *answer,
                    provider_done *done, void *arg) {
    *call =
        (struct provider_call){.today = today(), .begun = clock_monotonic()};
    provider->used = true;
    if (needs_call(provider, when)) {
        call->counted = true;
        call_counts_add(provider->record, call->today, call->begun);
        call->trial = breaker_begin(&provider->breaker, call->begun);
    }
    return provider->class->fetch(provider->state, when, timeout, answer, done,
                                  arg);
}

bool provider_call_again(struct provider *provider) {
    monotime now = clock_monotonic();
    if (wait_for_quota(provider, now).usec > 0)
        return false;
    call_counts_add(provider->record, today(), now);
    return true;
}

/* The call waited in vain for its turn, or could not be begun. */
static void take_back(struct provider *provider,
                      const struct provider_call *call) {
    if (call->counted)
        call_counts_take_back(provider->record, call->today, call->begun);
    if (call->trial)
        breaker_cancel(&provider->breaker);
}

/* A clock that is wrong may be what all else comes of. */
static bool is_told_anew(const struct provider *provider,
                         enum provider_result result) {
    return result == PROVIDER_AHEAD && provider->last != PROVIDER_AHEAD;
}

static void log_failed(const struct provider *provider,
                       const struct provider_answer *answer) {
    log_warn(
        EVENT_PROVIDER_FAILED,
        LOG_FIELDS(log_text("provider", provider->class->name),
                   log_text("result", provider_result_name(answer->result)),
                   log_text("detail", answer->detail)));
}

/* One line when a provider begins to fail, one when it works again. */
static void log_change(const struct provider *provider,
                       const struct provider_answer *answer) {
    bool works = provider_works(answer->result);
    bool worked = provider_works(provider->last);
    const char *name = provider->class->name;
    if (works && !worked)
        log_info(EVENT_PROVIDER_WORKS, LOG_FIELDS(log_text("provider", name)));
    else if (!works && (worked || is_told_anew(provider, answer->result)))
        log_failed(provider, answer);
}

int64_t provider_clock_ahead(const struct provider *provider) {
    int64_t ms = provider->clock_ahead_ms;
    return (ms + (ms < 0 ? -1 : 1) * MSEC_PER_SEC / 2) / MSEC_PER_SEC;
}

/* One alert when it begins, however often it is told afterwards. */
static void alert(const struct provider *provider,
                  const struct provider_answer *answer) {
    const struct provider_context *context = provider->context;
    enum provider_result result = answer->result;
    if (result == provider->last)
        return;
    if (result == PROVIDER_AHEAD) {
        char *detail =
            memory_print("%s: %s", provider->class->name, answer->detail);
        context->alert(context->arg, EVENT_CLOCK_WRONG, detail);
        free(detail);
    }
    if (result == PROVIDER_KEY_REFUSED)
        context->alert(context->arg, EVENT_KEY_REFUSED, provider->class->name);
    if (result == PROVIDER_LIMITED)
        context->alert(context->arg, EVENT_PROVIDER_LIMITED,
                       provider->class->name);
}

static void note_in_breaker(struct provider *provider, bool works,
                            monotime now) {
    duration skipped = provider->breaker.skip;
    if (works)
        breaker_succeed(&provider->breaker);
    else
        breaker_fail(&provider->breaker, now);
    if (!works)
        provider->failed_at = now;
    if (!is_free(provider) && provider->breaker.skip.usec > skipped.usec)
        log_warn(EVENT_PROVIDER_SKIPPED,
                 LOG_FIELDS(log_text("provider", provider->class->name),
                            log_duration("for", provider->breaker.skip)));
}

/* One line when the clocks begin to differ. */
static void note_clock(struct provider *provider,
                       const struct provider_answer *answer) {
    if (!answer->has_clock)
        return;
    bool differs = llabs(answer->clock_ahead_ms) >= MUCH_AHEAD_MS;
    bool differed =
        provider->has_clock && llabs(provider->clock_ahead_ms) >= MUCH_AHEAD_MS;
    provider->has_clock = true;
    provider->clock_ahead_ms = answer->clock_ahead_ms;
    if (differs && !differed)
        log_warn(EVENT_CLOCK_DIFFERS,
                 LOG_FIELDS(
                     log_text("provider", provider->class->name),
                     log_int("ahead_seconds", provider_clock_ahead(provider))));
}

/* For the status: what the log has said when it began. */
static void note_failure(struct provider *provider,
                         const struct provider_answer *answer) {
    provider->failure[0] = '\0';
    if (!provider_works(answer->result))
        snprintf(provider->failure, sizeof provider->failure, "%s%s%s",
                 provider_result_name(answer->result),
                 *answer->detail != '\0' ? ": " : "", answer->detail);
}

/* One line for each latest table that is too old, however often other days'
 * are had between: the provider works. */
static void note_too_old(struct provider *provider,
                         const struct provider_answer *answer, monotime now) {
    breaker_succeed(&provider->breaker);
    breaker_fail(&provider->newer, now);
    provider->last = PROVIDER_OK;
    provider->failure[0] = '\0';
    if (provider->too_old_told.number == provider->too_old.number)
        return;
    provider->too_old_told = provider->too_old;
    log_failed(provider, answer);
}

/* What a call says of the provider. */
static void note_call(struct provider *provider,
                      const struct provider_answer *answer, duration took,
                      monotime now) {
    const struct provider_context *context = provider->context;
    bool is_too_old = answer->detail == provider->why_too_old;
    bool works = provider_works(answer->result);
    bool worked = provider_works(provider->last);
    note_clock(provider, answer);
    if (is_too_old) {
        note_too_old(provider, answer, now);
    } else {
        alert(provider, answer);
        log_change(provider, answer);
        provider->last = answer->result;
        note_failure(provider, answer);
        note_in_breaker(provider, works, now);
    }
    monotime not_before = monotime_add(now, answer->wait);
    if (not_before.usec > provider->not_before.usec)
        provider->not_before = not_before;
    if (!works || !worked || answer->wait.usec > 0)
        context->changed(context->arg);
    metrics_count(context->metrics, works ? provider->class->calls_ok
                                          : provider->class->calls_failed);
    metrics_add(context->metrics, METRIC_PROVIDER_SECONDS,
                (double)took.usec / USEC_PER_SEC);
    metrics_count(context->metrics, METRIC_PROVIDER_COUNT);
}

void providers_alert_none_left(struct providers *providers,
                               const struct provider_context *context,
                               day when) {
    monotime now = clock_monotonic();
    char date[DAY_TEXT_SIZE];
    if (!monotime_reached(now, providers->alert_not_before))
        return;
    providers->alert_not_before = monotime_add(now, ALERT_PAUSE);
    rates_day_print(when, date);
    char *detail = memory_print("no provider can be asked for %s", date);
    context->alert(context->arg, EVENT_NO_PROVIDER_LEFT, detail);
    free(detail);
}

void providers_clock_stepped(struct providers *providers,
                             const struct clock_step *step) {
    for (size_t i = 0; i < providers->count; i++) {
        struct provider *provider = &providers->list[i];
        breaker_succeed(&provider->breaker);
        breaker_succeed(&provider->newer);
        provider->clock_ahead_ms += step->ms;
        if (step->another_day)
            provider_forget_today(provider);
    }
    if (step->another_day)
        rates_release(&providers->in_hand);
}

void provider_works_again(struct provider *provider, monotime fetched) {
    const struct provider_context *context = provider->context;
    if (provider_works(provider->last) ||
        fetched.usec < provider->failed_at.usec)
        return;
    log_info(EVENT_PROVIDER_WORKS,
             LOG_FIELDS(log_text("provider", provider->class->name)));
    provider->last = PROVIDER_OK;
    provider->failure[0] = '\0';
    breaker_succeed(&provider->breaker);
    context->changed(context->arg);
}

bool provider_end(struct provider *provider, day when,
                  const struct provider_call *call,
                  const struct provider_answer *answer) {
    const struct provider_context *context = provider->context;
    monotime now = clock_monotonic();
    monotime fetched = monotime_add(now, (duration){-answer->age.usec});
    struct rates *rates = answer->rates;
    if (answer->without_call)
        take_back(provider, call);
    else
        note_call(provider, answer, monotime_between(call->begun, now), now);
    if (answer->result == PROVIDER_OK)
        provider->last_success_ms = clock_wall_ms();
    if (answer->result == PROVIDER_NO_TABLE)
        rates = provider_latest_of_day(provider, when);
    bool is_new = rates != NULL &&
                  provider_keep(provider, when, rates, fetched, PROVIDER_LAYER);
    if (answer->result == PROVIDER_NO_TABLE && rates == NULL &&
        !rates_day_is_latest(when)) /* of today there is always one */
        provider_keep_none(provider, when, now, answer->fresh);
    if (is_new && answer->fresh.usec > 0)
        provider_keep_briefly(provider, when, answer->fresh);
    if (is_new && rates_day_is_latest(when))
        context->changed(context->arg);
    return is_new;
}
