/*
 * Who may ask at STATUS_LISTEN: no page of another site, and nobody so much
 * that others have no turn.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_STATUS_GUARD_H
#define FXWIRE_SUPERVISOR_MONITOR_STATUS_GUARD_H

#include <stdbool.h>

/*
 * Whether a `Host` header (NULL: there is none, as no browser does) can only
 * stand for this machine's own address: a literal address, localhost, or `own`,
 * the one that is listened on. A page of another site whose name was made to
 * point here (DNS rebinding) has that name.
 */
bool status_guard_knows(const char *host, const char *own);

/*
 * Ends all connections that came by the socket `listener`, as far as their
 * descriptors are below `descriptors`: for when there is none left. Who asks in
 * earnest comes again; who only keeps a connection does not keep others out.
 */
void status_guard_make_room(int listener, int descriptors);

#endif
