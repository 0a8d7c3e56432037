#include "supervisor/orders.h"

#include <stdlib.h>

enum { MAX_CLIENTS = 32 };

static struct json_object *answer_stop(const struct orders *o) {
    o->stop(o->arg);
    return message_new(MESSAGE_STOP);
}

static struct json_object *answer_reload(const struct orders *o) {
    char *fault = o->reload(o->arg);
    struct json_object *answer = fault != NULL
                                     ? line_server_error("configuration", fault)
                                     : message_new(MESSAGE_RELOAD);
    free(fault);
    return answer;
}

static struct json_object *answer_restart(const struct orders *o,
                                          const char *name) {
    if (name == NULL || o->restart(o->arg, name) == 0)
        return line_server_error("unknown_helper", ORDERS_HELPERS);
    log_info(EVENT_RESTART_ASKED_FOR, LOG_FIELDS(log_text("helper", name)));
    return message_new(MESSAGE_RESTART);
}

static struct json_object *answer_log_level(const struct orders *o,
                                            const char *word) {
    enum log_level level = word != NULL ? log_level_of(word) : LOG_LEVELS;
    if (level == LOG_LEVELS)
        return line_server_error("unknown_level", ORDERS_LEVELS);
    o->set_log_level(o->arg, level);
    log_info(EVENT_LOG_LEVEL_SET,
             LOG_FIELDS(log_text("log_level", log_level_word(level))));
    return message_new(MESSAGE_LOG_LEVEL);
}

/* A new answer, or NULL if there is no such question. */
static struct json_object *answer(const struct orders *o, enum message_op op,
                                  const struct json_object *question) {
    if ((op == MESSAGE_RELOAD || op == MESSAGE_RESTART) &&
        o->is_stopping(o->arg))
        return line_server_error("stopping", "the service is stopping");
    switch (op) {
    case MESSAGE_STATUS:
        return o->status(o->arg);
    case MESSAGE_STOP:
        return answer_stop(o);
    case MESSAGE_RELOAD:
        return answer_reload(o);
    case MESSAGE_RESTART:
        return answer_restart(o, message_text(question, "helper"));
    case MESSAGE_LOG_LEVEL:
        return answer_log_level(o, message_text(question, "level"));
    default:
        return NULL;
    }
}

static bool on_question(void *arg, struct line_client *client,
                        enum message_op op,
                        const struct json_object *question) {
    struct json_object *message = answer(arg, op, question);
    if (message != NULL)
        line_server_send(client, message);
    return message != NULL;
}

struct line_server *orders_listen(struct event_base *base, int fd,
                                  const struct orders *orders) {
    return line_server_new(
        base, fd,
        &(struct line_service){
            .socket = "control.sock",
            .expected = "one JSON object a line, with an op that is known",
            .max_clients = MAX_CLIENTS,
            .ask = on_question,
            .arg = (void *)orders,
        });
}
