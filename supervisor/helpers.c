#include "supervisor/helpers.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/memory.h"
#include "supervisor/environment.h"

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

static struct helper *find_upstream(const struct helpers *h,
                                    struct span upstream) {
    for (size_t i = 0; i < h->count; i++)
        if (h->list[i]->upstream != NULL && h->list[i]->life.wanted &&
            span_equals(upstream, h->list[i]->upstream))
            return h->list[i];
    return NULL;
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

/* Whether the helper would be given another environment. */
static bool is_concerned(const struct helper *helper,
                         const struct settings *old,
                         const struct settings *new) {
    char **before = helper_environment(helper, old);
    char **after = helper_environment(helper, new);
    bool concerned = !same_list(before, after);
    environment_free(&before);
    environment_free(&after);
    return concerned;
}

static bool names_upstream(const struct settings *settings,
                           const char *upstream) {
    struct span list =
        span_of(settings_text(settings, SETTING_REQUESTS_WS_URL));
    struct span word;
    while (settings_next_word(&list, &word))
        if (span_equals(word, upstream))
            return true;
    return false;
}

size_t helpers_reload(struct helpers *helpers,
                      const struct settings *settings) {
    const struct settings *old = helpers->context.settings;
    size_t concerned = 0;
    helpers->context.settings = settings;
    for (size_t i = 0; i < helpers->count; i++) {
        struct helper *helper = helpers->list[i];
        if (!helper->life.wanted)
            continue; /* on its way out already */
        bool gone = helper->upstream != NULL &&
                    !names_upstream(settings, helper->upstream);
        if (gone)
            helper_stop(helper);
        else if (is_concerned(helper, old, settings) ||
                 helper->life.state == LIFECYCLE_REFUSED)
            helper_restart(helper);
        else
            continue;
        concerned++;
    }
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
            log_info("stopped", NULL); /* the last line that is written */
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
