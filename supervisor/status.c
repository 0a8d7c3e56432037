#include "supervisor/status.h"

#include <string.h>

#include "common/day.h"
#include "common/lines/message.h"
#include "common/metrics.h"
#include "supervisor/counted.h"
#include "supervisor/launch.h"
#include "supervisor/summary.h"

static void add_copy(struct json_object *object, const char *name,
                     struct json_object *member) {
    json_object_object_add(object, name, json_object_get(member));
}

static struct json_object *death_reasons(const struct helper *helper) {
    struct json_object *reasons = json_object_new_object();
    json_object_object_add(
        reasons, "exit",
        json_object_new_int((int)(helper->deaths - helper->killed)));
    json_object_object_add(reasons, "signal",
                           json_object_new_int((int)helper->killed));
    return reasons;
}

/* As far as they are kept: more than that are told as so many. */
static int deaths_within_a_minute(const struct helper *helper) {
    monotime now = clock_monotonic();
    int deaths = 0;
    for (unsigned i = 0; i < helper->deaths && i < HELPER_LOOP_DEATHS; i++)
        deaths += !monotime_reached(
            now, monotime_add(helper->recent_deaths[i], SECONDS(60)));
    return deaths;
}

static struct json_object *helper_row(const struct helper *helper) {
    struct json_object *row = json_object_new_object();
    message_add_text(row, "name", helper_name(helper));
    message_add_text(row, "upstream", helper->label);
    json_object_object_add(
        row, "pid", helper->pid != 0 ? json_object_new_int(helper->pid) : NULL);
    message_add_text(row, "state", lifecycle_name(&helper->life));
    if (helper_reported(helper, "sandbox") != NULL)
        add_copy(row, "sandbox", helper_reported(helper, "sandbox"));
    if (helper->debugged)
        json_object_object_add(row, "debugged", json_object_new_boolean(1));
    message_add_duration(row, "uptime_seconds", helper_uptime(helper));
    json_object_object_add(row, "deaths",
                           json_object_new_int((int)helper->deaths));
    json_object_object_add(row, "deaths_minute",
                           json_object_new_int(deaths_within_a_minute(helper)));
    json_object_object_add(row, "death_reasons", death_reasons(helper));
    json_object_object_add(
        row, "last_death",
        helper->deaths > 0 ? json_object_new_string(helper->last_death) : NULL);
    return row;
}

static void add_results(struct json_object *row, const struct helper *helper) {
    struct json_object *counters = helper_counters(helper);
    json_object_object_add(
        row, "results",
        counted_family(counters, "fxwire_requests_total", true));
    json_object_object_add(
        row, "refused",
        counted_family(counters, "fxwire_requests_refused_total", false));
    json_object_object_add(
        row, "reconnects",
        counted_family(counters, "fxwire_reconnects_total", false));
    json_object_put(counters);
}

static struct json_object *upstream_row(const struct helper *helper) {
    static const char *const reported[] = {"connected",
                                           "since_seconds",
                                           "heartbeat_age_seconds",
                                           "pending",
                                           "ledger_bytes",
                                           "ledger_max_bytes",
                                           "receipts",
                                           "last_break",
                                           "last_failure",
                                           "requests_per_second",
                                           "p50_seconds",
                                           "p99_seconds"};
    struct json_object *row = json_object_new_object();
    message_add_text(row, "upstream", helper->label);
    for (size_t i = 0; i < sizeof reported / sizeof *reported; i++)
        add_copy(row, reported[i], helper_reported(helper, reported[i]));
    add_results(row, helper);
    struct json_object *connected;
    if (!json_object_object_get_ex(row, "connected", &connected) ||
        connected == NULL)
        json_object_object_add(row, "connected", json_object_new_boolean(0));
    return row;
}

static void add_reason(struct json_object *reasons, const char *text,
                       const char *of) {
    char reason[320];
    snprintf(reason, sizeof reason, "%s%s%s", text, of != NULL ? ": " : "",
             of != NULL ? of : "");
    json_object_array_add(reasons, json_object_new_string(reason));
}

/* Enters why the service is not ready, as far as this helper is concerned. */
static void add_reasons(struct json_object *reasons,
                        const struct helper *helper) {
    bool good = true;
    if (helper->kind == HELPER_WSCLIENT)
        good = json_object_get_boolean(helper_reported(helper, "connected"));
    if (helper->kind == HELPER_RATEFETCHER)
        good =
            json_object_get_boolean(helper_reported(helper, "latest_at_hand"));
    if (!helper->life.ready)
        add_reason(reasons, "helper is not ready", helper_name(helper));
    else if (!good && helper->kind == HELPER_WSCLIENT)
        add_reason(reasons, "upstream is not connected", helper->label);
    else if (!good)
        add_reason(reasons, "today's rates are not at hand", NULL);
}

/* The helper's counters, under its name and upstream. */
static struct json_object *counters_row(const struct helper *helper) {
    struct json_object *row = json_object_new_object();
    message_add_text(row, "name", helper_name(helper));
    message_add_text(row, "upstream", helper->label);
    json_object_object_add(row, "values", helper_counters(helper));
    return row;
}

/* What one helper tells of more than itself. */
static void add_reported(struct json_object *status,
                         const struct helper *helper) {
    static const char *const by_kind[HELPER_KINDS][5] = {
        [HELPER_RATEFETCHER] = {"providers", "latest", "redis", "rates_differ"},
        [HELPER_MONITOR] = {"last_warnings"},
    };
    const char *const *names = by_kind[helper->kind];
    for (; *names != NULL; names++)
        add_copy(status, *names, helper_reported(helper, *names));
    if (helper->kind != HELPER_RATEFETCHER)
        return;
    struct json_object *counters = helper_counters(helper);
    json_object_object_add(status, "lookups", counted_lookups(counters));
    json_object_put(counters);
}

static void add_time(struct json_object *status) {
    char moment[MOMENT_TEXT_SIZE];
    moment_print_ms(clock_wall_ms(), moment);
    message_add_text(status, "time", moment);
}

struct json_object *status_new(struct helper *const helpers[], size_t count,
                               duration uptime) {
    struct json_object *status = message_new(MESSAGE_STATUS);
    struct json_object *rows = json_object_new_array();
    struct json_object *upstreams = json_object_new_array();
    struct json_object *reasons = json_object_new_array();
    struct json_object *counters = json_object_new_array();
    message_add_text(status, "version", FXWIRE_VERSION);
    add_time(status);
    message_add_duration(status, "uptime_seconds", uptime);
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(rows, helper_row(helpers[i]));
        json_object_array_add(counters, counters_row(helpers[i]));
        add_reasons(reasons, helpers[i]);
        if (helpers[i]->kind == HELPER_WSCLIENT)
            json_object_array_add(upstreams, upstream_row(helpers[i]));
    }
    json_object_object_add(
        status, "ready",
        json_object_new_boolean(json_object_array_length(reasons) == 0));
    json_object_object_add(status, "reasons", reasons);
    json_object_object_add(status, "helpers", rows);
    json_object_object_add(status, "upstreams", upstreams);
    for (size_t i = 0; i < count; i++)
        add_reported(status, helpers[i]);
    json_object_object_add(status, "counters", counters);
    summary_add(status);
    return status;
}

/* A member as text: a string plainly, `-` if there is none. */
static const char *text_of(struct json_object *object, const char *name) {
    struct json_object *member;
    if (!json_object_object_get_ex(object, name, &member) || member == NULL)
        return "-";
    return json_object_get_string(member);
}

/* A row as `member=value` pairs on a line. */
static void print_row(const char *title, struct json_object *row,
                      const char *const members[], size_t count, FILE *out) {
    fprintf(out, "%-11s", title);
    for (size_t m = 0; m < count; m++)
        if (strcmp(text_of(row, members[m]), "-") != 0)
            fprintf(out, " %s=%s", members[m], text_of(row, members[m]));
    fputc('\n', out);
}

static void print_rows(struct json_object *status, const char *list,
                       const char *const members[], size_t count, FILE *out) {
    struct json_object *rows = NULL;
    json_object_object_get_ex(status, list, &rows);
    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++)
        print_row(i == 0 ? list : "", json_object_array_get_idx(rows, i),
                  members, count, out);
}

static void print_counters(struct json_object *status, FILE *out) {
    struct json_object *rows = NULL;
    json_object_object_get_ex(status, "counters", &rows);
    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows);
         i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct json_object *values = NULL;
        json_object_object_get_ex(row, "values", &values);
        json_object_object_foreach (values, name, value) {
            fprintf(out, "%-11s %s %s\n", text_of(row, "name"), name,
                    json_object_get_string(value));
        }
    }
}

/* Each sentence of a list on a line of its own. */
static void print_sentences(struct json_object *status, const char *list,
                            const char *title, FILE *out) {
    struct json_object *rows = NULL;
    json_object_object_get_ex(status, list, &rows);
    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++)
        fprintf(out, "%-11s %s\n", title,
                json_object_get_string(json_object_array_get_idx(rows, i)));
}

void status_print(struct json_object *status, FILE *out) {
    static const char *const of_helper[] = {
        "name",       "pid",      "state",   "uptime_seconds", "deaths",
        "last_death", "debugged", "sandbox", "upstream"};
    static const char *const of_upstream[] = {"upstream",
                                              "connected",
                                              "since_seconds",
                                              "heartbeat_age_seconds",
                                              "pending",
                                              "ledger_bytes",
                                              "requests_per_second",
                                              "p50_seconds",
                                              "p99_seconds",
                                              "receipts",
                                              "last_break",
                                              "last_failure"};
    static const char *const of_provider[] = {
        "name",         "state",
        "last_success", "calls_month",
        "calls_minute", "calls_minute_max",
        "failure",      "clock_offset_seconds"};
    static const char *const of_difference[] = {
        "why",  "currency", "provider",    "as_of",
        "rate", "other",    "other_as_of", "other_rate"};
    static const char *const of_latest[] = {"provider", "as_of", "age_seconds",
                                            "layer",
                                            "working_days_without_new"};
    struct json_object *latest = NULL;
    fprintf(out, "fxwire %s, up %s s, ready: %s\n", text_of(status, "version"),
            text_of(status, "uptime_seconds"), text_of(status, "ready"));
    print_sentences(status, "reasons", "not ready", out);
    print_sentences(status, "attention", "attention", out);
    print_rows(status, "helpers", of_helper, 9, out);
    print_rows(status, "upstreams", of_upstream, 11, out);
    print_rows(status, "providers", of_provider, 8, out);
    if (json_object_object_get_ex(status, "latest", &latest) && latest != NULL)
        print_row("latest", latest, of_latest, 5, out);
    print_rows(status, "rates_differ", of_difference, 8, out);
    fprintf(out, "%-11s %s\n", "redis", text_of(status, "redis"));
    print_counters(status, out);
}
