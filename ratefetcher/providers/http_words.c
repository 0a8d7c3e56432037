#include "ratefetcher/providers/http_words.h"

#include <stdlib.h>

#include "common/memory.h"

/* A part of an address, for people; "" if it has none. free() it. */
static char *part_of(CURLU *url, CURLUPart which) {
    char *part = NULL;
    curl_url_get(url, which, &part, 0);
    char *copy = memory_print("%s", part != NULL ? part : "");
    curl_free(part);
    for (char *c = copy; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            *c = '?';
    return copy;
}

char *http_redirect(CURL *easy) {
    char *to = NULL, *place;
    CURLU *url = curl_url();
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL || url == NULL ||
        curl_url_set(url, CURLUPART_URL, to, CURLU_NON_SUPPORT_SCHEME) !=
            CURLUE_OK) {
        curl_url_cleanup(url);
        return memory_print("%s", "");
    }
    char *host = part_of(url, CURLUPART_HOST),
         *port = part_of(url, CURLUPART_PORT),
         *path = part_of(url, CURLUPART_PATH);
    place =
        memory_print("%s%s%s%s", host, port[0] != '\0' ? ":" : "", port, path);
    free(host);
    free(port);
    free(path);
    curl_url_cleanup(url);
    return place;
}

const char *http_stalled(CURL *easy, bool has_body) {
    static const struct {
        CURLINFO time; /* when the step was done; 0: it is not */
        const char *why;
    } steps[] = {
        {CURLINFO_NAMELOOKUP_TIME_T, "the look-up of its name timed out"},
        {CURLINFO_CONNECT_TIME_T, "the connection timed out"},
        {CURLINFO_PRETRANSFER_TIME_T, "the TLS handshake timed out"},
    };
    curl_off_t done = 1;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (curl_easy_getinfo(easy, steps[i].time, &done) == CURLE_OK &&
            done == 0)
            return steps[i].why;
    return has_body ? "its body timed out" : "its answer timed out";
}
