#include "ratefetcher/providers/web_detail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/settings/moved.h"
#include "common/settings/url.h"

/* Of the place that an answer redirects to. */
enum { WEB_PLACE_BYTES = 128 };

/* Whether the text has the key in it, escaped or not. */
static bool shows_key(const struct web_place *from, const char *text) {
    if (from->api->key == SETTINGS)
        return false;
    const char *key = settings_text(from->settings, from->api->key);
    char *plain = url_unescape(span_of(text));
    /* Of %00 there is a NUL, and the rest behind it. */
    bool shows = strstr(text, key) != NULL ||
                 memmem(plain, strlen(text), key, strlen(key)) != NULL;
    memory_wipe(plain);
    return shows;
}

/* The place as it may be shown: without the key, and not too long. */
static void print_place(const struct web_place *from, const char *place,
                        char out[static WEB_PLACE_BYTES]) {
    char *host = memory_copy(place, strcspn(place, "/"));
    const char *shown = !shows_key(from, place)  ? place
                        : !shows_key(from, host) ? host
                                                 : "another place";
    snprintf(out, WEB_PLACE_BYTES, "%s", shown);
    if (strlen(shown) >= WEB_PLACE_BYTES)
        strcpy(out + WEB_PLACE_BYTES - sizeof "...", "...");
    free(host);
}

void web_detail_write(const struct web_place *from,
                      const struct http_answer *http,
                      char out[static WEB_DETAIL_BYTES]) {
    char place[WEB_PLACE_BYTES], to[WEB_PLACE_BYTES + 32] = "";
    const char *setting = settings_name(from->api->address),
               *moved = settings_moved(from->api->address, from->address);
    if (http->redirect[0] != '\0') {
        print_place(from, http->redirect, place);
        snprintf(to, sizeof to, ": it redirects to %s", place);
    }
    if (http->status == 0)
        snprintf(out, WEB_DETAIL_BYTES, "%.128s", http->error);
    else
        snprintf(out, WEB_DETAIL_BYTES, "status %ld%s", http->status, to);
    size_t len = strlen(out);
    if (moved != NULL)
        snprintf(out + len, WEB_DETAIL_BYTES - len,
                 "; its address is now %s=%s", setting, moved);
    else if (to[0] != '\0')
        snprintf(out + len, WEB_DETAIL_BYTES - len,
                 ", which is not followed: see %s", setting);
}
