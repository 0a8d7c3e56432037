/* What a service manager such as systemd is told. */
#ifndef FXWIRE_SUPERVISOR_NOTIFY_H
#define FXWIRE_SUPERVISOR_NOTIFY_H

#include "common/attributes.h"

/*
 * Sends `state` (lines such as READY=1) to the service manager, as
 * sd_notify(3) describes it. One that does not listen is none of ours.
 */
void notify(const char *state) NONNULL_ALL;

#endif
