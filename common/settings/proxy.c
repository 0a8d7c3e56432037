#include "common/settings/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/memory.h"
#include "common/settings/no_proxy.h"
#include "common/settings/url.h"

static const char none[] = "none";

/* An http:// address with a port, and nothing behind that. */
static bool is_proxy(struct span text, struct url *url) {
    return url_parse(text, url) && span_equals(url->scheme, "http") &&
           url->port != 0 && url->query.len == 0 &&
           (url->path.len == 0 || span_equals(url->path, "/"));
}

struct proxy *proxy_new(const struct settings *settings, enum setting which,
                        struct span host) {
    const char *text = settings_text(settings, which),
               *no_proxy = settings_text(settings, SETTING_NO_PROXY);
    struct url url;
    if (text == NULL || strcmp(text, none) == 0 ||
        (no_proxy != NULL && no_proxy_has(no_proxy, host)))
        return NULL;
    if (!is_proxy(span_of(text), &url))
        abort(); /* it was checked */
    struct proxy *proxy = memory_new(sizeof *proxy);
    char *label = url_label(&url, 0);
    proxy->label = memory_copy(label, strcspn(label, "/"));
    free(label);
    proxy->host = memory_copy(url.host.data, url.host.len);
    proxy->port = url.port;
    proxy->url = memory_copy(text, strlen(text));
    if (url.user_info.len > 0)
        proxy->user_info = memory_copy(url.user_info.data, url.user_info.len);
    return proxy;
}

void proxy_free(struct proxy **proxy) {
    struct proxy *p = *proxy;
    *proxy = NULL;
    if (p == NULL)
        return;
    free(p->label);
    free(p->host);
    memory_wipe(p->url);
    memory_wipe(p->user_info);
    free(p);
}

const char *proxy_advice(unsigned status) {
    static const struct {
        unsigned status;
        const char *advice;
    } known[] = {
        {401, ": it takes no such user and password"},
        {403, ": it does not allow this way; ask who runs it, or see NO_PROXY"},
        {407, ": it wants another user and password in its address"},
        {502, ": it did not reach the peer"},
        {503, ": it did not reach the peer"},
        {504, ": it did not reach the peer"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].advice;
    return "";
}

bool proxy_check(char *text) {
    struct url url;
    if (strcasecmp(text, none) == 0) {
        strcpy(text, none);
        return true;
    }
    return is_proxy(span_of(text), &url);
}

char *proxy_complaint(const char *text) {
    static const char *const others[] = {"https://", "socks"};
    struct url url;
    char *why = url_complaint(span_of(text));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncasecmp(text, others[i], strlen(others[i])) == 0) {
            free(why);
            return memory_print("this kind of proxy (https://, socks) is not "
                                "supported, and is never spoken to in clear");
        }
    if (why == NULL && url_parse(span_of(text), &url) && url.port == 0)
        return memory_print("it has no port");
    return why;
}

static const char *value_of(char *const environment[], const char *name) {
    size_t len = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

/* No HTTP_PROXY: a web server sets it for a CGI program from a header. */
char *proxy_of_environment(char *const environment[], bool tls,
                           const char **variable) {
    static const struct {
        const char *name;
        bool tls;
    } variables[] = {
        {"https_proxy", true}, {"HTTPS_PROXY", true}, {"http_proxy", false}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *text = variables[i].tls == tls
                               ? value_of(environment, variables[i].name)
                               : NULL;
        if (text == NULL || *text == '\0')
            continue;
        *variable = variables[i].name;
        return memory_print("%s%s", strstr(text, "://") ? "" : "http://", text);
    }
    return NULL;
}
