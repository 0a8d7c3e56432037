/* Messages to a service manager, as sd_notify(3) describes them. */
#ifndef FXWIRE_SUPERVISOR_NOTIFY_H
#define FXWIRE_SUPERVISOR_NOTIFY_H

/*
 * Sends `state` (lines such as READY=1) to $NOTIFY_SOCKET, if there is one. A
 * manager that does not listen is none of the service's business.
 */
void notify_send(const char *state);

#endif
