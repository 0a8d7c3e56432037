/* One question to a socket of the running service, from the command line. */
#ifndef FXWIRE_SUPERVISOR_ASKING_H
#define FXWIRE_SUPERVISOR_ASKING_H

#include <json-c/json.h>

#include "common/channel.h"
#include "common/settings.h"

struct asking {
    struct channel channel;
};

/*
 * Connects to the socket `name` in RUNTIME_DIR. 0, or -1 and errno: nobody
 * listens there.
 */
int asking_open(struct asking *asking, const struct settings *settings,
                const char *name);
void asking_close(struct asking *asking);

/*
 * Sends a question, which it releases, and waits for the answer, which the
 * caller releases. NULL: the service is gone, or silent for `timeout_ms`.
 */
struct json_object *asking_ask(struct asking *asking,
                               struct json_object *question, int timeout_ms);

/* Waits until the service closes the connection. */
void asking_wait_for_end(struct asking *asking);

#endif
