/*
 * What libwebsockets says of an attempt that failed, in words for people. Its
 * own differ between 4.1 and 4.3. Pure.
 */
#ifndef FXWIRE_WSCLIENT_LINK_DIAL_TEXTS_H
#define FXWIRE_WSCLIENT_LINK_DIAL_TEXTS_H

#include "common/attributes.h"

enum { DIAL_TEXT_SIZE = 256 };

/*
 * Writes ours for `theirs` (NULL: none was given) with the system's reason, if
 * there is one: the error number that stands in `theirs`, else `reason`, 0:
 * none. A text that is not known stays as it is. Gives `out`.
 */
const char *dial_text(const char *theirs, int reason, char out[DIAL_TEXT_SIZE])
    NONNULL(3);

#endif
