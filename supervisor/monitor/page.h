/* The page that STATUS_LISTEN shows at `/`: page.html, as it was built in. */
#ifndef FXWIRE_SUPERVISOR_MONITOR_PAGE_H
#define FXWIRE_SUPERVISOR_MONITOR_PAGE_H

#include "common/span.h"

/* Its bytes, for good. */
struct span page_html(void);

/*
 * Its Content-Security-Policy: it may run its own script, use its own style,
 * and ask this server; nothing else.
 */
const char *page_policy(void);

#endif
