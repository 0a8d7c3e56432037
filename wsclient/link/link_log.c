#include "wsclient/link/link_log.h"

#include "common/log.h"

/* That no subprotocol was chosen is no error, but may be the cause. */
void link_log_connected(const struct upstream *upstream, const char *chosen,
                        const char *proxy) {
    const char *protocol = chosen[0] != '\0' ? chosen : NULL;
    if (upstream->protocols != NULL && protocol == NULL)
        log_warn(EVENT_PROTOCOL_NOT_CHOSEN,
                 LOG_FIELDS(log_text("upstream", upstream->label),
                            log_text("offered", upstream->protocols)));
    log_info(EVENT_CONNECTED, LOG_FIELDS(log_text("url", upstream->url),
                                         log_text("protocol", protocol),
                                         log_text("proxy", proxy)));
}

void link_log_stopped(const struct upstream *upstream,
                      const struct ending *ending) {
    log_info(EVENT_DISCONNECTED,
             LOG_FIELDS(log_text("upstream", upstream->label),
                        log_text("reason", ending->reason)));
}

void link_log_end(const struct upstream *upstream, bool stood,
                  const struct ending *ending, const char *detail,
                  duration retry_in) {
    log_warn(stood ? EVENT_DISCONNECTED : EVENT_CONNECT_FAILED,
             LOG_FIELDS(log_text("upstream", upstream->label),
                        log_text("reason", ending->reason),
                        log_text("detail", detail),
                        log_duration("retry_in", retry_in)));
}
