#include "common/settings_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/files.h"
#include "common/memory.h"

typedef void add_fault(struct settings *settings, char *line);

static void check_heartbeat(struct settings *s, add_fault *fault) {
    const enum setting timeout = SETTING_HEARTBEAT_TIMEOUT_SECONDS;
    const enum setting interval = SETTING_HEARTBEAT_INTERVAL_SECONDS;
    if (settings_is_good(s, timeout) && settings_is_good(s, interval) &&
        settings_duration(s, timeout).usec <=
            settings_duration(s, interval).usec)
        fault(s, memory_print("%s=%s: must be larger than %s (%s)",
                              settings_name(timeout), settings_text(s, timeout),
                              settings_name(interval),
                              settings_text(s, interval)));
}

#define PROVIDER(id, ID, need) {#id, need},
static const struct {
    const char *provider;
    enum setting needed; /* SETTINGS: none */
} needs[] = {
#include "common/providers.def"
};
#undef PROVIDER

/* A provider that is named needs its key or its file. */
static void check_providers(struct settings *s, add_fault *fault) {
    if (!settings_is_good(s, SETTING_RATE_PROVIDERS))
        return;
    const char *providers = settings_text(s, SETTING_RATE_PROVIDERS);
    struct span list = span_of(providers), word;
    while (settings_next_word(&list, &word))
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
            if (span_equals(word, needs[i].provider) &&
                needs[i].needed != SETTINGS &&
                settings_text(s, needs[i].needed) == NULL)
                fault(s, memory_print("RATE_PROVIDERS=%s: %s needs %s",
                                      providers, needs[i].provider,
                                      settings_name(needs[i].needed)));
}

/* A file that is no trust anchor would fail each connection, later. */
static void check_ca_file(struct settings *s, enum setting which,
                          add_fault *fault) {
    size_t len;
    if (!settings_is_good(s, which))
        return;
    const char *path = settings_text(s, which);
    char *text = files_read(path, &len);
    if (text == NULL)
        fault(s, memory_print("%s=%s: cannot be read: %s", settings_name(which),
                              path, strerror(errno)));
    else if (strstr(text, "-----BEGIN CERTIFICATE-----") == NULL &&
             strstr(text, "-----BEGIN TRUSTED CERTIFICATE-----") == NULL)
        fault(s, memory_print("%s=%s: must be a file of certificates in PEM",
                              settings_name(which), path));
    free(text);
}

/* Who reads along could change the rates. */
static void check_encrypted(struct settings *s, add_fault *warn) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(s, (enum setting)i);
        if (settings_is_good(s, (enum setting)i) &&
            i != SETTING_REQUESTS_WS_URL && strncmp(text, "http://", 7) == 0)
            warn(s, memory_print("%s: http:// is not encrypted; whoever is on "
                                 "the way can change the rates",
                                 settings_name((enum setting)i)));
    }
}

void settings_rules_check(struct settings *settings,
                          enum settings_reader readers, add_fault *fault,
                          add_fault *warn) {
    if ((readers & SETTINGS_WSCLIENT) != 0) {
        check_heartbeat(settings, fault);
        check_ca_file(settings, SETTING_WS_CA_FILE, fault);
    }
    if ((readers & SETTINGS_RATEFETCHER) != 0) {
        check_providers(settings, fault);
        check_encrypted(settings, warn);
        check_ca_file(settings, SETTING_HTTP_CA_FILE, fault);
    }
}
