#include "ratefetcher/source.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/message.h"

void source_close(struct source *source) {
    source->class->close(source->state);
    rates_release(&source->latest);
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

static void count(struct source *source, const struct provider_answer *answer,
                  int64_t usec, struct metrics *metrics) {
    source->calls++;
    metrics_count(metrics, provider_works(answer->result)
                               ? source->class->calls_ok
                               : source->class->calls_failed);
    metrics->values[METRIC_PROVIDER_SECONDS] += (double)usec / USEC_PER_SEC;
}

void source_note(struct source *source, day when,
                 const struct provider_answer *answer, int64_t usec,
                 struct metrics *metrics,
                 const struct provider_context *context) {
    if (answer->result == PROVIDER_KEY_REFUSED)
        context->alert(context->arg, "key_refused", source->class->name);
    log_change(source, answer);
    source->last = answer->result;
    source->not_before = monotime_add(clock_monotonic(), answer->wait_usec);
    if (!answer->without_call)
        count(source, answer, usec, metrics);
    metrics_count(metrics, answer->result == PROVIDER_OK
                               ? METRIC_LOOKUPS_PROVIDER_HIT
                               : METRIC_LOOKUPS_PROVIDER_MISS);
    if (answer->result != PROVIDER_OK)
        return;
    source->last_success_ms = clock_wall_ms();
    if (rates_day_is_latest(when)) {
        rates_release(&source->latest);
        source->latest = rates_hold(answer->rates);
        source->latest_day = day_of_ms(source->last_success_ms);
    }
}

struct rates *source_table_of_day(const struct source *source, day when) {
    day today = day_of_ms(clock_wall_ms());
    return source->latest != NULL && when.number == day_add(today, -1).number &&
                   when.number == source->latest_day.number
               ? source->latest
               : NULL;
}

struct json_object *source_status(const struct source *source) {
    struct json_object *row = json_object_new_object();
    char moment[MOMENT_TEXT_SIZE];
    moment_print_ms(source->last_success_ms, moment);
    message_add_text(row, "name", source->class->name);
    message_add_text(row, "state",
                     source->calls == 0             ? "unused"
                     : provider_works(source->last) ? "ok"
                                                    : "failing");
    json_object_object_add(
        row, "last_success",
        source->last_success_ms > 0 ? json_object_new_string(moment) : NULL);
    json_object_object_add(row, "calls_month",
                           json_object_new_int64(source->calls));
    return row;
}
