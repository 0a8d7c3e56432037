#include "ratefetcher/provider.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/message.h"

/* Calls a minute where PROVIDER_CALLS_PER_MINUTE says nothing. */
enum { CALLS_WITH_KEY = 10, CALLS_WITHOUT_KEY = 60 };

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

void source_open(struct source *source, const struct provider_class *class,
                 const struct provider_context *context,
                 struct call_counts_record *record) {
    *source = (struct source){
        .class = class,
        .state = class->open(class, context),
        .calls_per_minute = (uint32_t)settings_count(
            context->settings, SETTING_PROVIDER_CALLS_PER_MINUTE,
            registry_has_key(class) ? CALLS_WITH_KEY : CALLS_WITHOUT_KEY),
        .record = record,
    };
}

void source_close(struct source *source) {
    source->class->close(source->state);
    rates_release(&source->latest);
}

static bool needs_call(const struct source *source, day when) {
    return source->class->needs_call == NULL ||
           source->class->needs_call(source->state, when);
}

/* Reading a local file is no burden to anybody. */
static bool is_free(const struct source *source) {
    return source->class->api == NULL;
}

static int64_t wait_asked_for(const struct source *source, monotime now) {
    return monotime_reached(now, source->not_before)
               ? 0
               : monotime_between(now, source->not_before).usec;
}

static int64_t wait_for_quota(const struct source *source, monotime now) {
    return quota_wait(&source->record->quota, source->calls_per_minute, now);
}

int64_t source_wait(const struct source *source, day when, monotime now) {
    if (is_free(source) || !needs_call(source, when))
        return 0;
    const int64_t waits[] = {wait_asked_for(source, now),
                             wait_for_quota(source, now),
                             breaker_wait(&source->breaker, now)};
    int64_t longest = 0;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        if (waits[i] > longest)
            longest = waits[i];
    return longest;
}

bool source_may_be_probed(const struct source *source, day when, monotime now) {
    return !is_free(source) && needs_call(source, when) &&
           wait_asked_for(source, now) == 0 && wait_for_quota(source, now) == 0;
}

struct source_call source_begin(struct source *source, day when, monotime now) {
    struct source_call call = {.today = today(), .begun = now};
    source->used = true;
    if (!needs_call(source, when))
        return call;
    call.counted = true;
    call_counts_count(source->record, call.today, now);
    call.trial = breaker_begin(&source->breaker, now);
    return call;
}

/* The call waited in vain for its turn, or could not be begun. */
static void take_back(struct source *source, const struct source_call *call) {
    if (call->counted)
        call_counts_uncount(source->record, call->today, call->begun);
    if (call->trial)
        breaker_cancel(&source->breaker);
}

/* One line when a provider begins to fail, one when it works again. */
static void log_change(const struct source *source,
                       const struct provider_answer *answer) {
    bool works = provider_works(answer->result);
    bool worked = provider_works(source->last);
    if (works && !worked)
        log_info("provider_works",
                 LOG_FIELDS(log_text("provider", source->class->name)));
    else if (!works && worked)
        log_warn(
            "provider_failed",
            LOG_FIELDS(log_text("provider", source->class->name),
                       log_text("result", provider_result_name(answer->result)),
                       log_text("detail", answer->detail)));
}

/* One alert when it begins, however often it is told afterwards. */
static void alert(const struct source *source, enum provider_result result,
                  const struct provider_context *context) {
    if (result == source->last)
        return;
    if (result == PROVIDER_KEY_REFUSED)
        context->alert(context->arg, "key_refused", source->class->name);
    if (result == PROVIDER_LIMITED)
        context->alert(context->arg, "provider_limited", source->class->name);
}

static void note_call(struct source *source,
                      const struct provider_answer *answer, monotime now) {
    log_change(source, answer);
    source->last = answer->result;
    monotime not_before = monotime_add(now, (duration){answer->wait_usec});
    if (not_before.usec >
        source->not_before.usec) /* others were told to wait */
        source->not_before = not_before;
    int64_t skipped_usec = source->breaker.skip_usec;
    if (provider_works(answer->result))
        breaker_succeed(&source->breaker);
    else
        breaker_fail(&source->breaker, now);
    if (!is_free(source) && source->breaker.skip_usec > skipped_usec)
        log_warn("provider_skipped",
                 LOG_FIELDS(log_text("provider", source->class->name),
                            log_duration(
                                "for", (duration){source->breaker.skip_usec})));
}

void source_end(struct source *source, const struct source_call *call,
                const struct provider_answer *answer, struct metrics *metrics,
                const struct provider_context *context) {
    bool works = provider_works(answer->result);
    if (answer->without_call) {
        take_back(source, call);
    } else {
        int64_t usec = monotime_between(call->begun, clock_monotonic()).usec;
        bool worked = provider_works(source->last);
        alert(source, answer->result, context);
        note_call(source, answer, clock_monotonic());
        if (!works || !worked || answer->wait_usec > 0)
            context->changed(context->arg);
        metrics_count(metrics, works ? source->class->calls_ok
                                     : source->class->calls_failed);
        metrics->values[METRIC_PROVIDER_SECONDS] += (double)usec / USEC_PER_SEC;
    }
    if (answer->result == PROVIDER_OK)
        source->last_success_ms = clock_wall_ms();
}

void source_keep_latest(struct source *source, struct rates *rates,
                        const char *layer) {
    rates_hold(rates);
    rates_release(&source->latest);
    source->latest = rates;
    source->latest_layer = layer;
}

struct rates *source_table_of_day(const struct source *source, day when) {
    return source->latest != NULL &&
                   when.number == day_add(today(), -1).number &&
                   when.number ==
                       day_of_ms(rates_fetched_ms(source->latest)).number
               ? source->latest
               : NULL;
}

static const char *state_name(const struct source *source, monotime now) {
    bool waits = wait_asked_for(source, now) > 0;
    if (!source->used)
        return "unused";
    if (waits && source->last == PROVIDER_KEY_REFUSED)
        return "key_refused";
    if (waits)
        return "waiting";
    if (!is_free(source) && breaker_wait(&source->breaker, now) > 0)
        return "skipped";
    if (!provider_works(source->last))
        return "failing";
    return !is_free(source) && wait_for_quota(source, now) > 0 ? "limited"
                                                               : "ok";
}

struct json_object *source_status(const struct source *source, monotime now) {
    struct json_object *row = json_object_new_object();
    char moment[MOMENT_TEXT_SIZE];
    moment_print_ms(source->last_success_ms, moment);
    message_add_text(row, "name", source->class->name);
    message_add_text(row, "state", state_name(source, now));
    json_object_object_add(
        row, "last_success",
        source->last_success_ms > 0 ? json_object_new_string(moment) : NULL);
    json_object_object_add(row, "calls_month",
                           json_object_new_int64((int64_t)call_counts_calls(
                               source->record, today())));
    return row;
}
