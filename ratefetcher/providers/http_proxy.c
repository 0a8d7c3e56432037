#include "ratefetcher/providers/http_proxy.h"

#include <stdio.h>

enum { HTTP_OK = 200, HTTP_REDIRECTS = 300, HTTP_PROXY_AUTHENTICATION = 407 };

/* What the environment says has gone into the settings already. */
bool http_proxy_use(CURL *easy, const struct proxy *proxy) {
    int failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    failed |=
        curl_easy_setopt(easy, CURLOPT_PROXY, proxy != NULL ? proxy->url : "");
    failed |= curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
    return failed == 0;
}

static long number_of(CURL *easy, CURLINFO which) {
    long number = 0;
    curl_easy_getinfo(easy, which, &number);
    return number;
}

/* Whether the way to the provider stands, or stood, so that it was asked. */
static bool is_asked(CURL *easy) {
    curl_off_t usec = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &usec);
    return usec > 0;
}

/* The status by which the proxy refuses; 0: it does not. */
static long refusal(CURL *easy) {
    long tunnel = number_of(easy, CURLINFO_HTTP_CONNECTCODE);
    if (tunnel != 0)
        return tunnel < HTTP_OK || tunnel >= HTTP_REDIRECTS ? tunnel : 0;
    return number_of(easy, CURLINFO_RESPONSE_CODE) == HTTP_PROXY_AUTHENTICATION
               ? HTTP_PROXY_AUTHENTICATION
               : 0;
}

bool http_proxy_failed(CURL *easy, const struct proxy *proxy, CURLcode code,
                       const char *error,
                       char text[static HTTP_PROXY_TEXT_SIZE]) {
    if (proxy == NULL)
        return false;
    long status = refusal(easy);
    bool tunnel = number_of(easy, CURLINFO_HTTP_CONNECTCODE) != 0;
    if (status != 0)
        snprintf(text, HTTP_PROXY_TEXT_SIZE, "proxy %s: status %ld%s",
                 proxy->label, status, proxy_advice((unsigned)status));
    else if (code != CURLE_OK && !tunnel && !is_asked(easy))
        snprintf(text, HTTP_PROXY_TEXT_SIZE, "proxy %s: %s", proxy->label,
                 code == CURLE_OPERATION_TIMEDOUT ? "it does not answer"
                                                  : error);
    else
        return false;
    return true;
}
