#include "ratefetcher/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "ratefetcher/latest_age.h"
#include "ratefetcher/redis/redis_trial.h"

/* Whoever asked waits, and wants to hear of a slow one, too. */
#define CALL_LIMIT SECONDS(10)

/* Clocks that differ by so much are warned of. */
enum { MUCH_AHEAD_SECONDS = 60 };

/* A provider that is tried. */
struct tried {
    struct rates_trial *trial;
    const struct provider_class *class;
    void *state; /* of the class */
    monotime begun;
    duration took;
    enum provider_result result;
    char *detail;
    char as_of[DAY_TEXT_SIZE]; /* "": it gave no table */
    size_t currencies;
    bool has_clock;
    int64_t clock_ahead_ms;
    struct http_calls_left calls_left[HTTP_QUOTAS];
};

struct rates_trial {
    struct event_base *base;
    int64_t latest_max_days;
    size_t waiting; /* for so many */
    size_t count;
    struct tried list[];
};

static void end_one(struct rates_trial *trial) {
    if (--trial->waiting == 0)
        event_base_loopbreak(trial->base);
}

static void note(struct tried *tried, struct provider_answer answer) {
    char why[LATEST_AGE_WHY_SIZE];
    latest_age_check(&answer, RATES_LATEST, tried->trial->latest_max_days, why);
    tried->took = monotime_between(tried->begun, clock_monotonic());
    tried->result = answer.result;
    tried->detail = memory_print("%s", answer.detail);
    tried->has_clock = answer.has_clock;
    tried->clock_ahead_ms = answer.clock_ahead_ms;
    memcpy(tried->calls_left, answer.calls_left, sizeof tried->calls_left);
    if (answer.rates != NULL) {
        day_print(rates_as_of(answer.rates), tried->as_of);
        tried->currencies = rates_count(answer.rates);
    }
}

static void on_answer(void *arg, const struct provider_answer *answer) {
    struct tried *tried = arg;
    note(tried, *answer);
    end_one(tried->trial);
}

static void on_redis(void *arg) {
    end_one(arg);
}

static void try_provider(struct tried *tried,
                         const struct provider_context *context) {
    struct provider_answer answer;
    tried->state = tried->class->open(tried->class, context);
    tried->begun = clock_monotonic();
    if (tried->class->fetch(tried->state, RATES_LATEST, CALL_LIMIT, &answer,
                            on_answer, tried))
        note(tried, answer);
    else
        tried->trial->waiting++;
}

/* In whole seconds: its clock was read in these. */
static int64_t offset_seconds(const struct tried *tried) {
    int64_t ms = tried->clock_ahead_ms;
    return (ms + (ms < 0 ? -1 : 1) * MSEC_PER_SEC / 2) / MSEC_PER_SEC;
}

static void warn_of_clock(const struct tried *tried) {
    long long seconds = tried->has_clock ? offset_seconds(tried) : 0;
    if (llabs(seconds) >= MUCH_AHEAD_SECONDS)
        fprintf(stderr,
                "warning: %s: our clock is %lld s %s its own; today's rates "
                "depend on it\n",
                tried->class->name, llabs(seconds),
                seconds > 0 ? "ahead of" : "behind");
}

static void print(const struct tried *tried) {
    struct log_field fields[10] = {
        log_text("name", tried->class->name),
        log_text("result", provider_result_name(tried->result)),
    };
    static const char *const quotas[HTTP_QUOTAS] = {
        [HTTP_MONTH] = "calls_left_month", [HTTP_MINUTE] = "calls_left_minute"};
    size_t n = 2;
    if (tried->as_of[0] != '\0') {
        fields[n++] = log_text("as_of", tried->as_of);
        fields[n++] = log_int("currencies", (int64_t)tried->currencies);
    } else {
        fields[n++] = log_text("detail", tried->detail);
    }
    for (int i = 0; i < HTTP_QUOTAS; i++)
        if (tried->calls_left[i].told)
            fields[n++] = log_int(quotas[i], tried->calls_left[i].calls);
    if (tried->has_clock)
        fields[n++] = log_int("clock_offset_seconds", offset_seconds(tried));
    fields[n++] = log_duration("took_seconds", tried->took);
    log_print_row(STDOUT_FILENO, "provider", fields);
    warn_of_clock(tried);
}

static struct rates_trial *new_trial(const struct provider_context *context) {
    struct span word,
        list =
            span_of(settings_text(context->settings, SETTING_RATE_PROVIDERS));
    size_t count = 0;
    for (struct span rest = list; settings_next_word(&rest, &word);)
        count++;
    struct rates_trial *trial =
        memory_new(sizeof *trial + count * sizeof *trial->list);
    trial->base = context->base;
    trial->latest_max_days =
        settings_count(context->settings, SETTING_LATEST_MAX_AGE_DAYS, 0);
    while (settings_next_word(&list, &word)) {
        const struct provider_class *class = registry_find(word);
        if (class != NULL)
            trial->list[trial->count++] =
                (struct tried){.trial = trial, .class = class};
    }
    return trial;
}

/* Closes and prints them, in their order; whether all of them work. */
static bool end_providers(struct rates_trial *trial) {
    bool good = true;
    for (size_t i = 0; i < trial->count; i++) {
        struct tried *tried = &trial->list[i];
        print(tried);
        good = good && tried->result == PROVIDER_OK;
        tried->class->close(tried->state);
        free(tried->detail);
    }
    return good;
}

bool trial_run(const struct provider_context *context) {
    const char *redis_url = settings_text(context->settings, SETTING_REDIS_URL);
    struct rates_trial *trial = new_trial(context);
    for (size_t i = 0; i < trial->count; i++)
        try_provider(&trial->list[i], context);
    struct redis_trial *redis =
        redis_url != NULL
            ? redis_trial_new(
                  context->base, redis_url,
                  settings_text(context->settings, SETTING_REDIS_CA_FILE),
                  on_redis, trial)
            : NULL;
    trial->waiting += redis != NULL;
    if (trial->waiting > 0)
        loop_run(context->base);
    bool good = end_providers(trial);
    if (redis != NULL)
        good = redis_trial_end(&redis) && good;
    free(trial);
    return good;
}
