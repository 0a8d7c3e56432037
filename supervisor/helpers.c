#include "supervisor/helpers.h"

#include <stdlib.h>
#include <string.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/settings/url.h"
#include "supervisor/launch.h"
#include "supervisor/spawn.h"

/* Puts it behind the others of its kind. */
static void add(struct helpers *h, enum helper_kind kind,
                struct span upstream) {
    size_t place = 0;
    while (place < h->count && h->list[place]->kind <= kind)
        place++;
    h->list = memory_resize(h->list, (h->count + 1) * sizeof(void *));
    memmove(h->list + place + 1, h->list + place,
            (h->count - place) * sizeof(void *));
    h->list[place] = helper_new(&h->context, kind, upstream);
    h->count++;
}

/* The wanted wsclient of this address's upstream, or NULL. */
static struct helper *find_upstream(const struct helpers *h,
                                    struct span upstream) {
    struct url url;
    if (!url_parse(upstream, &url))
        return NULL;
    char *identity = url_identity(&url);
    struct helper *found = NULL;
    for (size_t i = 0; i < h->count && found == NULL; i++)
        if (h->list[i]->identity != NULL && h->list[i]->life.wanted &&
            strcmp(h->list[i]->identity, identity) == 0)
            found = h->list[i];
    memory_wipe(identity);
    return found;
}

/* Starts a wsclient for each upstream that has none. */
static size_t add_upstreams(struct helpers *h) {
    struct span list =
        span_of(settings_text(h->context.settings, SETTING_REQUESTS_WS_URL));
    struct span upstream;
    size_t added = 0;
    while (settings_next_word(&list, &upstream))
        if (find_upstream(h, upstream) == NULL) {
            add(h, HELPER_WSCLIENT, upstream);
            added++;
        }
    return added;
}

void helpers_start(struct helpers *helpers) {
    const struct span none = {"", 0};
    add_upstreams(helpers);
    add(helpers, HELPER_RATEFETCHER, none);
    add(helpers, HELPER_MONITOR, none);
}

void helpers_free(struct helpers *helpers) {
    for (size_t i = 0; i < helpers->count; i++)
        helper_free(&helpers->list[i]);
    free(helpers->list);
}

void helpers_ping(struct helpers *helpers) {
    for (size_t i = 0; i < helpers->count; i++)
        helper_ping(helpers->list[i]);
}

static bool same_list(char *const a[], char *const b[]) {
    for (; *a != NULL && *b != NULL; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return *a == *b;
}

/*
 * The address that `helper` is given by these settings, or nothing. It may
 * differ from the one before, by a password.
 */
static struct span find_address(const struct settings *settings,
                                const struct helper *helper) {
    struct span list =
        span_of(settings_text(settings, SETTING_REQUESTS_WS_URL));
    struct span word;
    while (settings_next_word(&list, &word)) {
        struct url url;
        char *identity = url_parse(word, &url) ? url_identity(&url) : NULL;
        bool same = identity != NULL && strcmp(identity, helper->identity) == 0;
        memory_wipe(identity);
        if (same)
            return word;
    }
    return (struct span){0};
}

/* Puts other settings in force for one helper; whether it is concerned. */
static bool reload(struct helper *helper, const struct settings *old,
                   const struct settings *new) {
    if (!helper->life.wanted)
        return false; /* on its way out already */
    char **before = launch_environment(helper, old);
    if (helper->upstream != NULL) {
        struct span address = find_address(new, helper);
        if (address.len == 0) {
            spawn_environment_free(&before);
            helper_stop(helper);
            return true;
        }
        helper_set_upstream(helper, address);
    }
    char **after = launch_environment(helper, new);
    bool concerned =
        !same_list(before, after) || helper->life.state == LIFECYCLE_REFUSED;
    spawn_environment_free(&before);
    spawn_environment_free(&after);
    if (concerned)
        helper_restart(helper);
    return concerned;
}

/* Tells all that run; those that are started later get it at their start. */
static void tell_log_level(struct helpers *helpers, const char *word) {
    struct json_object *message = message_new(MESSAGE_LOG_LEVEL);
    message_add_text(message, "level", word);
    for (size_t i = 0; i < helpers->count; i++)
        helper_tell(helpers->list[i], message);
    json_object_put(message);
}

void helpers_set_log_level(struct helpers *helpers, enum log_level level) {
    helpers->context.log_level = level;
    tell_log_level(helpers, log_level_word(level));
}

size_t helpers_reload(struct helpers *helpers,
                      const struct settings *settings) {
    const struct settings *old = helpers->context.settings;
    size_t concerned = 0;
    helpers->context.settings = settings;
    helpers->context.log_level = LOG_LEVELS;
    tell_log_level(helpers, settings_text(settings, SETTING_LOG_LEVEL));
    for (size_t i = 0; i < helpers->count; i++)
        concerned += reload(helpers->list[i], old, settings);
    concerned += add_upstreams(helpers);
    helpers_sweep(helpers);
    return concerned;
}

size_t helpers_restart(struct helpers *helpers, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < helpers->count; i++)
        if (helpers->list[i]->life.wanted &&
            strcmp(helper_name(helpers->list[i]), name) == 0) {
            helper_restart(helpers->list[i]);
            count++;
        }
    return count;
}

bool helpers_stop_next(struct helpers *helpers) {
    bool waits = false;
    enum helper_kind kind = HELPER_WSCLIENT;
    for (size_t i = 0; i < helpers->count; i++) {
        struct helper *helper = helpers->list[i];
        if (helper->kind != kind && waits)
            return false;
        kind = helper->kind;
        if (kind == HELPER_MONITOR && helper->life.wanted)
            log_info(EVENT_STOPPED, NULL); /* the monitor's last line */
        if (helper->life.wanted)
            helper_stop(helper);
        waits = waits || !helper_is_stopped(helper);
    }
    return !waits;
}

void helpers_kill(struct helpers *helpers, bool monitor_too) {
    for (size_t i = 0; i < helpers->count; i++)
        if (helpers->list[i]->kind != HELPER_MONITOR || monitor_too)
            helper_kill(helpers->list[i]);
}

void helpers_tell_monitor(struct helpers *helpers, struct json_object *status) {
    if (message_line(status).len > CHANNEL_MAX_LINE_BYTES)
        return; /* of some hundred upstreams: it would break the channel */
    for (size_t i = 0; i < helpers->count; i++) {
        struct helper *helper = helpers->list[i];
        if (helper->kind == HELPER_MONITOR)
            helper_tell(helper, status);
    }
}

bool helpers_monitor_is_down(const struct helpers *helpers) {
    for (size_t i = 0; i < helpers->count; i++)
        if (helpers->list[i]->kind == HELPER_MONITOR)
            return !lifecycle_has_process(&helpers->list[i]->life);
    return true;
}

void helpers_sweep(struct helpers *helpers) {
    size_t kept = 0;
    for (size_t i = 0; i < helpers->count; i++)
        if (helper_is_stopped(helpers->list[i]))
            helper_free(&helpers->list[i]);
        else
            helpers->list[kept++] = helpers->list[i];
    helpers->count = kept;
}

bool helpers_all_ready(const struct helpers *helpers) {
    for (size_t i = 0; i < helpers->count; i++)
        if (!helpers->list[i]->life.ready)
            return false;
    return true;
}
