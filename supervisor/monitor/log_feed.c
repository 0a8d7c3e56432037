#include "supervisor/monitor/log_feed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/lines/line_server.h"
#include "common/memory.h"

enum {
    MAX_FOLLOWERS = 16,
    /* Nothing is told to one who has so much to read. */
    MAX_UNREAD_BYTES = 512 * 1024,
};

/* Who asked, and is told until he goes. */
struct follower {
    LIST_ENTRY(follower) entry;
    struct line_question question;
    uint64_t lost; /* lines that he was not told, and not told of */
};

struct log_feed {
    struct line_server *server;
    LIST_HEAD(, follower) followers;
    char *last[LOG_FEED_LAST]; /* as a ring; NULL: there was none yet */
    size_t count;
};

static void tell_lost(struct follower *follower) {
    struct json_object *message = message_new(MESSAGE_LOGS);
    json_object_object_add(message, "lost",
                           json_object_new_int64((int64_t)follower->lost));
    line_server_send(follower->question.client, message);
    follower->lost = 0;
}

static void tell(struct follower *follower, const char *line) {
    struct line_client *client = follower->question.client;
    if (line_server_unread(client) > MAX_UNREAD_BYTES) {
        follower->lost++;
        return;
    }
    if (follower->lost > 0)
        tell_lost(follower);
    struct json_object *message = message_new(MESSAGE_LOGS);
    message_add_text(message, "line", line);
    line_server_send(client, message);
}

static void on_gone(void *arg) {
    struct follower *follower = arg;
    LIST_REMOVE(follower, entry);
    free(follower);
}

static bool on_question(void *arg, struct line_client *client,
                        enum message_op op,
                        const struct json_object *question) {
    (void)question;
    struct log_feed *feed = arg;
    if (op != MESSAGE_LOGS)
        return false;
    struct follower *follower = memory_new(sizeof *follower);
    follower->question =
        (struct line_question){.cancel = on_gone, .arg = follower};
    line_server_defer(client, &follower->question);
    LIST_INSERT_HEAD(&feed->followers, follower, entry);
    for (size_t i = 0; i < LOG_FEED_LAST; i++) {
        const char *line = feed->last[(feed->count + i) % LOG_FEED_LAST];
        if (line != NULL)
            tell(follower, line);
    }
    return true;
}

struct log_feed *log_feed_new(struct event_base *base, int fd) {
    struct log_feed *feed = memory_new(sizeof *feed);
    const struct line_service service = {
        .socket = "logs.sock",
        .expected = "{\"op\":\"logs\"}",
        .max_clients = MAX_FOLLOWERS,
        .ask = on_question,
        .arg = feed,
    };
    LIST_INIT(&feed->followers);
    feed->server = line_server_new(base, fd, &service);
    return feed;
}

void log_feed_free(struct log_feed **feed) {
    struct log_feed *f = *feed;
    *feed = NULL;
    line_server_free(&f->server);
    for (size_t i = 0; i < LOG_FEED_LAST; i++)
        free(f->last[i]);
    free(f);
}

/* Takes the line over. */
static void keep(struct log_feed *feed, char *line) {
    char **place = &feed->last[feed->count++ % LOG_FEED_LAST];
    free(*place);
    *place = line;
}

void log_feed_add(struct log_feed *feed, struct span lines) {
    while (lines.len > 0) {
        struct follower *follower;
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t len = end != NULL ? (size_t)(end - lines.data) : lines.len;
        char *line = memory_copy(lines.data, len);
        LIST_FOREACH (follower, &feed->followers, entry)
            tell(follower, line);
        keep(feed, line);
        lines = span_from(lines, end != NULL ? len + 1 : len);
    }
}
