#include "common/settings/moved.h"

#include "common/settings/url.h"

static const struct {
    enum setting which;
    const char *host;
    const char *good_path; /* below it the host serves; NULL: nowhere */
    const char *now;
} places[] = {
    {SETTING_FRANKFURTER_URL, "api.frankfurter.app", NULL,
     "https://api.frankfurter.dev/v1"},
    {SETTING_FRANKFURTER_URL, "www.frankfurter.app", NULL,
     "https://api.frankfurter.dev/v1"},
    {SETTING_FRANKFURTER_URL, "frankfurter.app", NULL,
     "https://api.frankfurter.dev/v1"},
    {SETTING_FRANKFURTER_URL, "api.frankfurter.dev", "/v1",
     "https://api.frankfurter.dev/v1"},
};

static bool same_host(struct span host, const char *other) {
    return host.len == strlen(other) &&
           strncasecmp(host.data, other, host.len) == 0;
}

const char *settings_moved(enum setting which, const char *address) {
    struct url url;
    if (!url_parse(span_of(address), &url))
        return NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].which == which && same_host(url.host, places[i].host) &&
            (places[i].good_path == NULL ||
             !span_begins(url.path, places[i].good_path)))
            return places[i].now;
    return NULL;
}
