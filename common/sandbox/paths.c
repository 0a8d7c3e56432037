#include "common/sandbox/paths.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/memory.h"
#include "common/settings/redis_url.h"
#include "common/settings/url.h"

enum { PORT_OF_DNS = 53 };

enum use {
    WRITE,  /* a folder of ours */
    BESIDE, /* read; also what takes its place, so the folder that it is in */
};

static const struct {
    enum setting which;
    unsigned readers;
    enum use use;
} of_settings[] = {
    {SETTING_RUNTIME_DIR,
     SETTINGS_MONITOR | SETTINGS_WSCLIENT | SETTINGS_RATEFETCHER, WRITE},
    {SETTING_STATE_DIR, SETTINGS_WSCLIENT | SETTINGS_RATEFETCHER, WRITE},
    {SETTING_LOGS_DIR, SETTINGS_MONITOR, WRITE},
    {SETTING_AUDIT_DIR, SETTINGS_MONITOR, WRITE},
    {SETTING_WS_CA_FILE, SETTINGS_WSCLIENT, BESIDE},
    {SETTING_WS_CERT_FILE, SETTINGS_WSCLIENT, BESIDE},
    {SETTING_WS_KEY_FILE, SETTINGS_WSCLIENT, BESIDE},
    {SETTING_HTTP_CA_FILE, SETTINGS_RATEFETCHER, BESIDE},
    {SETTING_HTTP_CERT_FILE, SETTINGS_RATEFETCHER, BESIDE},
    {SETTING_HTTP_KEY_FILE, SETTINGS_RATEFETCHER, BESIDE},
    {SETTING_REDIS_CA_FILE, SETTINGS_RATEFETCHER, BESIDE},
    {SETTING_RATES_FILE, SETTINGS_RATEFETCHER, BESIDE},
};

/* What the C library's resolver and OpenSSL read, where it is there. */
static const char *const of_peers[] = {
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust/extracted",
    "/usr/lib/ssl",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/dev/urandom",
};

bool paths_allow(const struct paths *paths, const char *path, bool write) {
    for (size_t i = 0; i < paths->count; i++) {
        const struct path_rule *rule = &paths->rules[i];
        size_t len = rule->plain != NULL ? strlen(rule->plain) : 0;
        if (len > 0 && (rule->writable || !write) &&
            strncmp(path, rule->plain, len) == 0 &&
            (path[len] == '/' || path[len] == '\0'))
            return true;
    }
    return false;
}

static void add(struct paths *paths, const char *path, bool writable) {
    struct stat status;
    char *plain = realpath(path, NULL);
    bool known = plain != NULL && paths_allow(paths, plain, writable);
    if (known || paths->count == PATHS_MAX) {
        free(plain);
        return;
    }
    struct path_rule *rule = &paths->rules[paths->count++];
    *rule = (struct path_rule){.path = memory_copy(path, strlen(path)),
                               .plain = plain,
                               .writable = writable};
    if (stat(path, &status) == 0) {
        rule->device = status.st_dev;
        rule->inode = status.st_ino;
    }
}

/*
 * Cleaners remove what is in these, folders too. The next one of that name
 * would be a stranger to the kernel, so all of the place is let in.
 */
static const char *swept_place(const char *path) {
    static const char *const places[] = {"/tmp", "/var/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t len = strlen(places[i]);
        if (strncmp(path, places[i], len) == 0 && path[len] == '/')
            return places[i];
    }
    return NULL;
}

static void add_own(struct paths *paths, const char *path) {
    const char *place = swept_place(path);
    if (place == NULL && files_make_folder(path) < 0)
        place = NULL; /* whoever writes there will say it */
    add(paths, place != NULL ? place : path, true);
}

/* All in /etc would be too much. */
static void add_beside(struct paths *paths, const char *path) {
    char *copy = memory_copy(path, strlen(path)), *folder = dirname(copy);
    bool alone = strcmp(folder, "/") == 0 || strcmp(folder, "/etc") == 0;
    add(paths, alone ? path : folder, false);
    free(copy);
}

static void add_file(struct paths *paths, const char *path) {
    char *real = realpath(path, NULL);
    add_beside(paths, path);
    if (real != NULL && strcmp(real, path) != 0)
        add_beside(paths, real);
    free(real);
}

static void add_port(struct paths *paths, uint16_t port) {
    if (port != 0 && paths->connect_count < PATHS_MAX_PORTS)
        paths->connect[paths->connect_count++] = port;
}

/* Which port a master of Sentinels has is told by them alone. */
static void add_redis(struct paths *paths, struct span text) {
    struct redis_url url;
    if (!redis_url_parse(text, &url))
        return;
    paths->connect_anywhere = url.master.len > 0;
    if (url.host_count > 0)
        add_port(paths, url.hosts[0].port != 0 ? url.hosts[0].port
                                               : REDIS_URL_DEFAULT_PORT);
}

static void add_ports(struct paths *paths, enum settings_reader who,
                      const struct settings *settings) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(settings, (enum setting)i);
        struct url url;
        if (text == NULL || i == SETTING_WS_ORIGIN ||
            !settings_is_read_by((enum setting)i, who))
            continue;
        if (i == SETTING_REDIS_URL)
            add_redis(paths, span_of(text));
        else if (strstr(text, "://") != NULL && url_parse(span_of(text), &url))
            add_port(paths, url.port != 0 ? url.port : url_default_port(&url));
    }
    add_port(paths, PORT_OF_DNS); /* after an answer that was cut */
}

/* Colons between them, as OpenSSL has it. */
static void add_folders(struct paths *paths, const char *list) {
    char *copy = memory_copy(list, strlen(list)), *rest = copy, *folder;
    while ((folder = strsep(&rest, ":")) != NULL)
        if (*folder != '\0')
            add_file(paths, folder);
    free(copy);
}

static void add_peers(struct paths *paths) {
    const char *file = getenv("SSL_CERT_FILE"),
               *folders = getenv("SSL_CERT_DIR");
    for (size_t i = 0; i < sizeof of_peers / sizeof *of_peers; i++)
        add(paths, of_peers[i], false);
    if (file != NULL)
        add_file(paths, file);
    if (folders != NULL)
        add_folders(paths, folders);
}

static uint16_t port_of_address(const char *address) {
    const char *port = address != NULL ? strrchr(address, ':') : NULL;
    return port != NULL ? (uint16_t)atoi(port + 1) : 0;
}

void paths_init(struct paths *paths, enum settings_reader who,
                const struct settings *settings) {
    *paths = (struct paths){.count = 0};
    for (size_t i = 0; i < sizeof of_settings / sizeof *of_settings; i++) {
        const char *path = settings_text(settings, of_settings[i].which);
        if (path == NULL || (of_settings[i].readers & who) == 0)
            continue;
        if (of_settings[i].use == WRITE)
            add_own(paths, path);
        else
            add_file(paths, path);
    }
    if (who == SETTINGS_MONITOR) {
        paths->listen =
            port_of_address(settings_text(settings, SETTING_STATUS_LISTEN));
        return;
    }
    add_peers(paths);
    add_ports(paths, who, settings);
}

/* One of ours that is gone is made again by the next process, before it is
 * confined. If even that one could not, the number is zero. */
static bool has_changed(const struct path_rule *rule) {
    struct stat now;
    if (stat(rule->path, &now) < 0)
        return errno == ENOENT && rule->writable && rule->inode != 0;
    return now.st_ino != rule->inode || now.st_dev != rule->device;
}

bool paths_changed(const struct paths *paths) {
    for (size_t i = 0; i < paths->count; i++)
        if (has_changed(&paths->rules[i]))
            return true;
    return false;
}
