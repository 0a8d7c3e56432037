#include "common/settings/redis_url.h"

#include <ctype.h>
#include <stdlib.h>

#include "common/memory.h"
#include "common/settings/url.h"

const char redis_url_forms[] =
    "redis://[user:password@]host[:port][/db], rediss:// (TLS), "
    "redis+sentinel://[user:password@]host[:port],.../master[/db], "
    "rediss+sentinel:// or unix:///path?db=n";

/* NULL, or why this is no number of a database (nothing: the first one). */
static const char *take_database(struct span text, struct redis_url *out) {
    for (size_t i = 0; i < text.len; i++)
        if (!isdigit((unsigned char)text.data[i]))
            return "its database must be a number";
    out->database = text;
    return text.len <= 5 ? NULL : "its database must have at most 5 digits";
}

static const char *parse_unix(struct span rest, struct redis_url *out) {
    const char *query = memchr(rest.data, '?', rest.len);
    size_t path_len = query != NULL ? (size_t)(query - rest.data) : rest.len;
    struct span database = span_from(rest, path_len);
    out->path = (struct span){rest.data, path_len};
    if (path_len < 2 || rest.data[0] != '/')
        return "the path of the socket must begin with / behind unix://";
    if (database.len == 0)
        return NULL;
    return span_begins(database, "?db=") && database.len > 4
               ? take_database(span_from(database, 4), out)
               : "behind the path there can only be ?db= and a number";
}

/* `list`: between the @, or the ://, and the next slash. */
static const char *take_sentinels(struct span list, struct redis_url *out) {
    for (bool more = true; more;) {
        const char *comma = memchr(list.data, ',', list.len);
        struct span one = list;
        more = comma != NULL;
        if (more) {
            one.len = (size_t)(comma - list.data);
            list = span_from(list, one.len + 1);
        }
        struct url parts = {0};
        const char *why = url_take_host(one, &parts);
        if (why != NULL)
            return why;
        if (out->host_count == REDIS_URL_MAX_HOSTS)
            return "it names more than 8 Sentinels";
        out->hosts[out->host_count++] =
            (struct redis_url_host){parts.host, parts.port};
    }
    return NULL;
}

/* `path`: /master or /master/db. */
static const char *take_master(struct span path, struct redis_url *out) {
    struct span name = path.len > 0 ? span_from(path, 1) : path;
    const char *slash = name.len > 0 ? memchr(name.data, '/', name.len) : NULL;
    out->master = name;
    if (slash != NULL)
        out->master.len = (size_t)(slash - name.data);
    if (out->master.len == 0)
        return "behind the Sentinels there must be / and the name that they "
               "have for the master";
    return slash != NULL
               ? take_database(span_from(name, out->master.len + 1), out)
               : NULL;
}

/* Where the hosts stand: behind ://, or the last @ before the next slash. */
static struct span find_hosts(struct span text) {
    const char *scheme_end = memmem(text.data, text.len, "://", 3);
    struct span rest = span_from(text, (size_t)(scheme_end - text.data) + 3);
    const char *slash = memchr(rest.data, '/', rest.len);
    if (slash != NULL)
        rest.len = (size_t)(slash - rest.data);
    const char *at = memrchr(rest.data, '@', rest.len);
    return at != NULL ? span_from(rest, (size_t)(at - rest.data) + 1) : rest;
}

/* The text with one host in the place of all; the caller wipes it. */
static char *with_one_host(struct span text, struct span hosts) {
    size_t before = (size_t)(hosts.data - text.data);
    struct span behind = span_from(text, before + hosts.len);
    return memory_print("%.*sh%.*s", (int)before, text.data, (int)behind.len,
                        behind.data);
}

/* All but the hosts has the form of any other address. */
static char *parse_sentinels(struct span text, struct redis_url *out) {
    struct span hosts = find_hosts(text);
    struct url url;
    char *plain = with_one_host(text, hosts);
    char *why = url_complaint(span_of(plain));
    if (why == NULL && url_parse(span_of(plain), &url)) {
        out->user_info = url.user_info;
        if (url.user_info.len > 0)
            out->user_info.data = text.data + (url.user_info.data - plain);
        const char *fault = url.query.len > 0 ? "it may have no query"
                                              : take_sentinels(hosts, out);
        if (fault == NULL)
            fault = take_master(
                (struct span){hosts.data + hosts.len, url.path.len}, out);
        why = fault != NULL ? memory_print("%s", fault) : NULL;
    }
    memory_wipe(plain);
    return why;
}

static char *parse_host(struct span text, struct redis_url *out) {
    struct url url;
    if (!url_parse(text, &url))
        return url_complaint(text);
    /* Behind the host there can only be a database: an @ ends a password. */
    const char *behind = url.host.data + url.host.len,
               *end = text.data + text.len;
    if (memchr(behind, '@', (size_t)(end - behind)) != NULL)
        return url_must_be_escaped(text, strpbrk(behind, "/?"));
    out->user_info = url.user_info;
    out->host_count = 1;
    out->hosts[0] = (struct redis_url_host){url.host, url.port};
    const char *fault = memchr(behind, '?', (size_t)(end - behind)) != NULL
                            ? "it may have no query"
                        : url.path.len > 0
                            ? take_database(span_from(url.path, 1), out)
                            : NULL;
    return fault != NULL ? memory_print("%s", fault) : NULL;
}

/* NULL: all is well; else why not, which the caller frees. */
static char *parse(struct span text, struct redis_url *out) {
    static const char unix_scheme[] = "unix://";
    *out = (struct redis_url){.tls = span_begins(text, "rediss")};
    if (span_begins(text, unix_scheme)) {
        const char *why =
            parse_unix(span_from(text, sizeof unix_scheme - 1), out);
        return why != NULL ? memory_print("%s", why) : NULL;
    }
    if (span_begins(text, "redis+sentinel://") ||
        span_begins(text, "rediss+sentinel://"))
        return parse_sentinels(text, out);
    if (span_begins(text, "redis://") || span_begins(text, "rediss://"))
        return parse_host(text, out);
    char *why = url_complaint(text);
    return why != NULL ? why : memory_print("its scheme is none of these");
}

bool redis_url_parse(struct span text, struct redis_url *out) {
    char *why = parse(text, out);
    free(why);
    return why == NULL;
}

char *redis_url_complaint(struct span text) {
    struct redis_url url;
    return parse(text, &url);
}
