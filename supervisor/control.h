/*
 * control.sock: one JSON line asks, one answers. A bad line closes its
 * connection and nothing else.
 */
#ifndef FXWIRE_SUPERVISOR_CONTROL_H
#define FXWIRE_SUPERVISOR_CONTROL_H

#include <event2/event.h>
#include <json-c/json.h>

#include "common/message.h"

struct control;

/*
 * What answers: gives a new message, which is released after it was sent, or
 * NULL if there is no such question.
 */
typedef struct json_object *control_answer(void *arg, enum message_op op,
                                           const struct json_object *question);

/* Serves on the listening socket `fd`, which it takes over. */
struct control *control_new(struct event_base *base, int fd,
                            control_answer *answer, void *arg);
void control_free(struct control **control);

#endif
