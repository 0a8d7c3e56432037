#include "ratefetcher/providers/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"

/* One whose file is of tomorrow, so that nobody knows its age, is as old. */
#define UNKNOWN_AGE SECONDS(366 * 86400)

struct kept_resource {
    int32_t resource;
    struct history *tables; /* NULL: free */
    struct copy_version version;
    monotime since;
    bool confirmed; /* by the provider, in the life of this process */
};

struct kept {
    const struct web_api *api;
    const struct provider_context *context;
    duration ttl;
    char hash[COPY_HASH_SIZE]; /* of the address */
    bool unwritten;            /* a file could not be, which was said */
    struct kept_resource list[KEPT_RESOURCES];
    struct copy_writer *writer; /* NULL: none is at work */
    struct event *written;
};

/* The file of a resource; free() it. */
static char *path_of(const struct kept *kept, int32_t resource) {
    return memory_print("%s/rates-%s-%d", kept->context->state_dir,
                        kept->api->name, (int)resource);
}

static struct kept_resource *find(const struct kept *kept, int32_t resource) {
    for (size_t i = 0; i < KEPT_RESOURCES; i++) {
        const struct kept_resource *one = &kept->list[i];
        if (one->tables != NULL && one->resource == resource)
            return (struct kept_resource *)one;
    }
    return NULL;
}

/* Its place, another one's that is free, or the oldest one's. */
static struct kept_resource *place_for(struct kept *kept, int32_t resource) {
    struct kept_resource *place = find(kept, resource);
    for (size_t i = 0; place == NULL && i < KEPT_RESOURCES; i++)
        if (kept->list[i].tables == NULL)
            place = &kept->list[i];
    if (place != NULL)
        return place;
    place = &kept->list[0];
    for (size_t i = 1; i < KEPT_RESOURCES; i++)
        if (kept->list[i].since.usec < place->since.usec)
            place = &kept->list[i];
    return place;
}

static void put(struct kept *kept, const struct kept_resource *one) {
    struct kept_resource *place = place_for(kept, one->resource);
    history_free(&place->tables);
    *place = *one;
}

/* Reads the tables of a body; NULL: there are none. */
static struct history *read_tables(const struct kept *kept,
                                   const struct copy *copy) {
    struct history *tables = history_new();
    struct web_faults faults = {0};
    const struct web_text_reader *text = kept->api->text;
    void *reader =
        text->begin(kept->api->name, tables, copy->confirmed_ms, &faults);
    text->feed(reader, copy->body);
    while (text->more != NULL && text->more(reader))
        continue;
    if (text->end(reader) != NULL)
        history_free(&tables);
    return tables;
}

static monotime moment_of(int64_t confirmed_ms) {
    int64_t age_ms = clock_wall_ms() - confirmed_ms;
    duration age = age_ms < 0 ? UNKNOWN_AGE : MILLISECONDS(age_ms);
    return monotime_add(clock_monotonic(), (duration){-age.usec});
}

static void take_copy(struct kept *kept, int32_t resource, const char *path,
                      const struct copy *copy) {
    struct history *tables = read_tables(kept, copy);
    if (tables == NULL) {
        log_warn(
            EVENT_RATES_COPY_REFUSED,
            LOG_FIELDS(log_text("path", path), log_text("why", "no tables")));
        return;
    }
    log_info(EVENT_RATES_COPY_READ,
             LOG_FIELDS(log_text("path", path),
                        log_int("days", (int64_t)history_count(tables))));
    put(kept, &(struct kept_resource){.resource = resource,
                                      .tables = tables,
                                      .version = copy->version,
                                      .since = moment_of(copy->confirmed_ms)});
}

static void read_copy(struct kept *kept, int32_t resource) {
    struct copy copy;
    char *path = path_of(kept, resource);
    const char *why = copy_read(path, kept->hash, &copy);
    if (why == NULL)
        take_copy(kept, resource, path, &copy);
    else if (why[0] != '\0')
        log_warn(EVENT_RATES_COPY_REFUSED,
                 LOG_FIELDS(log_text("path", path), log_text("why", why)));
    free(copy.text);
    free(path);
}

static bool has_files(const struct kept *kept) {
    return kept->context->state_dir != NULL && kept->api->text != NULL;
}

/* One line when files can not be written, one when they can again. */
static void note_written(struct kept *kept, int error) {
    if (error != 0 && !kept->unwritten)
        log_warn(EVENT_RATES_COPY_NOT_WRITTEN,
                 LOG_FIELDS(log_text("provider", kept->api->name),
                            log_text("folder", kept->context->state_dir),
                            log_text("why", strerror(error))));
    if (error == 0)
        log_debug(EVENT_RATES_COPY_WRITTEN,
                  LOG_FIELDS(log_text("provider", kept->api->name)));
    kept->unwritten = error != 0;
}

static void end_writing(struct kept *kept) {
    event_free(kept->written);
    kept->written = NULL;
}

static void on_written(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct kept *kept = arg;
    end_writing(kept);
    note_written(kept, copy_writer_end(&kept->writer));
}

/* While a disk hangs nothing more is given to it. */
static void write_copy(struct kept *kept, int32_t resource,
                       const struct copy_version *version, struct span body) {
    if (!has_files(kept) || kept->writer != NULL)
        return;
    char *path = path_of(kept, resource);
    kept->writer = copy_write(path, kept->hash, version, body);
    int error = errno;
    free(path);
    if (kept->writer == NULL)
        note_written(kept, error);
    else
        kept->written =
            loop_watch(kept->context->base, copy_writer_fd(kept->writer),
                       EV_READ, on_written, kept);
}

struct kept *kept_new(const struct web_api *api,
                      const struct provider_context *context,
                      const char *address) {
    struct kept *kept = memory_new(sizeof *kept);
    kept->api = api;
    kept->context = context;
    kept->ttl = settings_duration(context->settings, SETTING_CACHE_TTL_SECONDS);
    copy_hash(address, kept->hash);
    for (int32_t i = 0; has_files(kept) && i < KEPT_RESOURCES; i++)
        read_copy(kept, api->first_kept + i);
    return kept;
}

void kept_free(struct kept **kept) {
    struct kept *k = *kept;
    *kept = NULL;
    if (k->writer != NULL) {
        end_writing(k);
        (void)copy_writer_end(&k->writer);
    }
    for (size_t i = 0; i < KEPT_RESOURCES; i++)
        history_free(&k->list[i].tables);
    free(k);
}

/* A refresh of the latest table comes when a tenth of its time is left. */
static duration fresh_for(const struct kept *kept, day when) {
    return (duration){rates_day_is_latest(when) ? kept->ttl.usec / 100 * 85
                                                : kept->ttl.usec};
}

const struct history *kept_find(const struct kept *kept, int32_t resource,
                                day when, monotime *since) {
    const struct kept_resource *one = find(kept, resource);
    if (one == NULL || !one->confirmed ||
        monotime_between(one->since, clock_monotonic()).usec >=
            fresh_for(kept, when).usec)
        return NULL;
    *since = one->since;
    return one->tables;
}

/* Somebody has removed the file: only a body can bring it back, no 304. */
static bool lacks_file(const struct kept *kept, int32_t resource) {
    if (!has_files(kept) || kept->writer != NULL || kept->unwritten)
        return false;
    char *path = path_of(kept, resource);
    bool lacks = access(path, F_OK) < 0 && errno == ENOENT;
    free(path);
    return lacks;
}

const struct copy_version *kept_version(const struct kept *kept,
                                        int32_t resource) {
    const struct kept_resource *one = find(kept, resource);
    return one != NULL &&
                   (one->version.etag[0] != '\0' ||
                    one->version.changed[0] != '\0') &&
                   !lacks_file(kept, resource)
               ? &one->version
               : NULL;
}

void kept_put(struct kept *kept, int32_t resource, struct history *tables,
              const struct copy_version *version, struct span body) {
    put(kept, &(struct kept_resource){.resource = resource,
                                      .tables = tables,
                                      .version = *version,
                                      .since = clock_monotonic(),
                                      .confirmed = true});
    write_copy(kept, resource, version, body);
}

const struct history *kept_confirm(struct kept *kept, int32_t resource) {
    struct kept_resource *one = find(kept, resource);
    if (one == NULL)
        return NULL;
    history_renew(one->tables, clock_wall_ms());
    one->since = clock_monotonic();
    one->confirmed = true;
    if (has_files(kept)) {
        char *path = path_of(kept, resource);
        copy_confirm(path);
        free(path);
    }
    return one->tables;
}

struct rates *kept_old(const struct kept *kept, day when, monotime *since) {
    struct rates *best = NULL;
    day today = day_of_ms(clock_wall_ms());
    for (size_t i = 0; i < KEPT_RESOURCES; i++) {
        const struct kept_resource *one = &kept->list[i];
        struct rates *found =
            one->tables != NULL ? history_find(one->tables, when, today) : NULL;
        if (found == NULL || (best != NULL && rates_as_of(found).number <=
                                                  rates_as_of(best).number))
            continue;
        best = found;
        *since = one->since;
    }
    return best;
}
