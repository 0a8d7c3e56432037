#include "common/lines/child.h"

#include "common/lines/message.h"
#include "common/log.h"

void child_init(struct child *child, bool supervised,
                struct json_object *(*report)(void *arg), void *arg) {
    *child = (struct child){.report = report, .arg = arg};
    channel_init(&child->channel, supervised ? CHILD_FD_CONTROL : -1);
}

void child_clear(struct child *child) {
    channel_clear(&child->channel);
}

/* A supervisor that does not read is dead or stopped: nothing to be done. */
static void say(struct child *child, struct json_object *message) {
    if (child_is_supervised(child))
        (void)channel_write(&child->channel, message_line(message));
    json_object_put(message);
}

static void say_report(struct child *child, enum message_op op) {
    struct json_object *message = message_new(op);
    struct json_object *report = child->report(child->arg);
    message_add_text(report, "sandbox", child->sandbox);
    json_object_object_add(message, "report", report);
    say(child, message);
}

static void set_log_level(const struct json_object *message) {
    const char *word = message_text(message, "level");
    if (word != NULL)
        log_set_level(log_level_of(word));
}

static enum child_order obey(struct child *child, struct span line) {
    enum child_order order = CHILD_GO_ON;
    struct json_object *message = message_parse(line);
    switch (message_op(message)) {
    case MESSAGE_PING:
        say_report(child, MESSAGE_PONG);
        break;
    case MESSAGE_STATUS:
        if (child->on_status != NULL)
            child->on_status(child->arg, message);
        break;
    case MESSAGE_LOG_LEVEL:
        set_log_level(message);
        break;
    case MESSAGE_STOP:
        order = CHILD_STOP;
        break;
    default:
        break;
    }
    json_object_put(message);
    return order;
}

enum child_order child_read(struct child *child) {
    enum child_order order = CHILD_GO_ON;
    for (;;) {
        switch (channel_read(&child->channel)) {
        case CHANNEL_IDLE:
            return order;
        case CHANNEL_LINES:
            break;
        case CHANNEL_CLOSED:
        case CHANNEL_BROKEN:
            return CHILD_ORPHANED;
        }
        struct span line;
        while (channel_next_line(&child->channel, &line))
            if (obey(child, line) == CHILD_STOP)
                order = CHILD_STOP;
    }
}

void child_ready(struct child *child) {
    say(child, message_new(MESSAGE_READY));
}

void child_report(struct child *child) {
    if (child_is_supervised(child))
        say_report(child, MESSAGE_REPORT);
}

void child_alert(struct child *child, enum event_id event, const char *detail) {
    struct json_object *message = message_new(MESSAGE_ALERT);
    message_add_text(message, "event", event_name(event));
    message_add_text(message, "detail", detail);
    say(child, message);
}

void child_ask_restart(struct child *child) {
    say(child, message_new(MESSAGE_RESTART));
}

bool child_has_argument(int argc, char *argv[], const char *argument) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], argument) == 0)
            return true;
    return false;
}
