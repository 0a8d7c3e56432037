#include "ratefetcher/providers/http_tls.h"

#include <stdlib.h>

/* Of the environment, as OpenSSL reads it for the upstream; NULL: none. */
static const char *of_environment(const char *name) {
    const char *path = getenv(name);
    return path != NULL && *path != '\0' ? path : NULL;
}

/* A file takes the place of the system's file and folder, a folder that of the
 * system's folder. */
static int use_anchor(CURL *easy, const struct settings *settings) {
    const char *file = settings_text(settings, SETTING_HTTP_CA_FILE),
               *folder = NULL;
    if (file == NULL) {
        file = of_environment("SSL_CERT_FILE");
        folder = of_environment("SSL_CERT_DIR");
    }
    int failed = 0;
    if (file != NULL)
        failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (file != NULL || folder != NULL)
        failed |= curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
    return failed;
}

/* libcurl reads the files for each new connection. */
static int use_certificate(CURL *easy, const struct settings *settings) {
    int failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_SSLCERT,
                               settings_text(settings, SETTING_HTTP_CERT_FILE));
    failed |= curl_easy_setopt(easy, CURLOPT_SSLKEY,
                               settings_text(settings, SETTING_HTTP_KEY_FILE));
    return failed;
}

bool http_tls_use(CURL *easy, const struct settings *settings) {
    int failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                               (long)CURL_SSLVERSION_TLSv1_2);
    failed |= use_anchor(easy, settings);
    failed |= use_certificate(easy, settings);
    return failed == 0;
}
