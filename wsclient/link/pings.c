#include "wsclient/link/pings.h"

#include <string.h>

#include "common/clock.h"

/* The socket took bytes when holding began, so the Pong goes out much sooner.
 */
#define HOLD_LIMIT MILLISECONDS(50)

enum { QUIET = LLL_ERR | LLL_WARN, WITH_PINGS = QUIET | LLL_INFO };

/* The one whose connection stands. */
static struct pings *hearing;

static void set_level(int level) {
    lws_set_log_level(level, NULL); /* the callback stays */
}

void pings_begin(struct pings *pings, struct lws *wsi) {
    pings->wsi = wsi;
    pings->held = false;
    hearing = pings;
    set_level(WITH_PINGS);
}

void pings_end(struct pings *pings) {
    set_level(QUIET);
    hearing = NULL;
    lws_sul_cancel(&pings->limit);
    pings->wsi = NULL;
    pings->held = false;
}

void pings_ponged(struct pings *pings) {
    if (!pings->held)
        return;
    lws_sul_cancel(&pings->limit);
    lws_rx_flow_control(pings->wsi, 1);
    pings->held = false;
}

static void on_limit(lws_sorted_usec_list_t *limit) {
    pings_ponged(lws_container_of(limit, struct pings, limit));
}

/*
 * While the peer does not read, no Pong would go out, and two who wait for
 * each other to read would do so for ever.
 */
static void hold(struct pings *pings) {
    if (pings->held || lws_send_pipe_choked(pings->wsi))
        return;
    pings->held = true;
    lws_rx_flow_control(pings->wsi, 0);
    lws_callback_on_writable(pings->wsi);
    lws_sul_schedule(lws_get_context(pings->wsi), 0, &pings->limit, on_limit,
                     HOLD_LIMIT.usec);
}

void pings_hear_library(const char *line) {
    if (hearing != NULL && strstr(line, "byte ping, sending pong") != NULL)
        hold(hearing);
}

void pings_begin_sending(void) {
    set_level(QUIET);
}

void pings_end_sending(void) {
    if (hearing != NULL)
        set_level(WITH_PINGS);
}
