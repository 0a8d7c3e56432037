#include "ratefetcher/redis_link.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "ratefetcher/redis_dial.h"

/* An attempt to connect takes no longer. */
#define CONNECT_USEC (1500 * USEC_PER_MSEC)

/* With CONNECT_USEC below the 5 s within which Redis is to be used again. */
#define FIRST_RETRY_USEC (100 * USEC_PER_MSEC)
#define LAST_RETRY_USEC  (1 * USEC_PER_SEC)

/* One that stood so long begins its retries anew. */
#define STOOD_USEC (1 * USEC_PER_SEC)

/* While nothing is asked, a PING shows whether it still answers. */
#define PING_USEC (1 * USEC_PER_SEC)

/*
 * The end of a command's time: a stall of our own must not count, so what the
 * kernel holds by then is read first.
 */
#define LAST_LOOK_USEC (5 * USEC_PER_MSEC)

enum {
    MAX_REPLY_BYTES = 512 * 1024,
    READ_BYTES = 16 * 1024,
    MAX_COMMANDS = 10000, /* that wait; beyond, Redis is skipped */
};

struct command {
    TAILQ_ENTRY(command) entry;
    struct redis_link *link;
    char *text; /* NULL once it is sent */
    size_t len;
    struct event *limit;
    bool last_look;
    redis_done *done;
    void *arg;
};

enum state { WAITING, DIALLING, GREETING, UP };

struct redis_link {
    struct event_base *base;
    const struct redis_address *address;
    struct redis_link_owner owner;
    enum state state;
    bool first;          /* the first attempt since the start is under way */
    bool failed;         /* said so in the log */
    bool refused;        /* said so to the owner */
    struct event *timer; /* of the next attempt, of the next PING */
    struct backoff backoff;
    monotime since;      /* it is up */
    monotime last_reply; /* came */
    size_t count;        /* of the commands in the two lists */
    struct redis_dial *dial;
    struct bufferevent *stream; /* NULL: no connection */
    redisReader *reader;
    redisReplyObjectFunctions functions;
    size_t unread; /* bytes of a reply that is not whole */
    TAILQ_HEAD(commands, command) sent, unsent;
};

static void fail(struct redis_link *link, const char *why);

static void set_timer(struct event *timer, int64_t usec) {
    struct timeval delay = {.tv_sec = usec / USEC_PER_SEC,
                            .tv_usec = usec % USEC_PER_SEC};
    evtimer_add(timer, &delay);
}

static void free_command(struct command *command) {
    command->link->count--;
    if (command->text != NULL)
        redisFreeCommand(command->text);
    event_free(command->limit);
    free(command);
}

void redis_error_code(const redisReply *reply, char out[static 32]) {
    size_t len = 0;
    if (reply->type == REDIS_REPLY_ERROR)
        while (len < 31 && reply->str[len] >= 'A' && reply->str[len] <= 'Z')
            len++;
    if (len > 0)
        memcpy(out, reply->str, len);
    out[len] = '\0';
}

static void give_up(struct command *command) {
    redis_done *done = command->done;
    command->done = NULL;
    if (done != NULL)
        done(command->arg, NULL);
}

/* Takes all commands and tells those who wait for them that there is none. */
static void drop_commands(struct commands *list) {
    struct commands dropped = TAILQ_HEAD_INITIALIZER(dropped);
    TAILQ_CONCAT(&dropped, list, entry);
    struct command *command;
    while ((command = TAILQ_FIRST(&dropped)) != NULL) {
        TAILQ_REMOVE(&dropped, command, entry);
        give_up(command);
        free_command(command);
    }
}

/* Whether nothing came lately, so that Redis is held up, and not just busy. */
static bool is_idle(const struct redis_link *link) {
    return monotime_between(link->last_reply, clock_monotonic()).usec >=
           REDIS_STEP_USEC;
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct command *command = arg;
    struct redis_link *link = command->link;
    if (!command->last_look) {
        command->last_look = true;
        set_timer(command->limit, LAST_LOOK_USEC);
    } else if (command->text != NULL) { /* the first attempt takes long */
        link->first = false;
        drop_commands(&link->unsent);
    } else if (is_idle(link)) {
        fail(link, "no answer in time");
    } else { /* many wait: this one does no longer, its reply is still read */
        give_up(command);
    }
}

static void send_text(struct redis_link *link, struct command *command) {
    bufferevent_write(link->stream, command->text, command->len);
    redisFreeCommand(command->text);
    command->text = NULL;
    TAILQ_INSERT_TAIL(&link->sent, command, entry);
}

static struct command *new_command(struct redis_link *link, int64_t limit_usec,
                                   redis_done *done, void *arg, size_t count,
                                   const struct span arguments[]) {
    struct command *command = memory_new(sizeof *command);
    const char *data[REDIS_MAX_ARGUMENTS];
    size_t lens[REDIS_MAX_ARGUMENTS];
    for (size_t i = 0; i < count; i++) {
        data[i] = arguments[i].data;
        lens[i] = arguments[i].len;
    }
    command->link = link;
    link->count++;
    command->done = done;
    command->arg = arg;
    int len = redisFormatCommandArgv(&command->text, (int)count, data, lens);
    if (len < 0)
        abort(); /* no memory */
    command->len = (size_t)len;
    command->limit = evtimer_new(link->base, on_limit, command);
    set_timer(command->limit, limit_usec - LAST_LOOK_USEC);
    return command;
}

void redis_link_send(struct redis_link *link, int64_t limit_usec,
                     redis_done *done, void *arg, size_t count,
                     const struct span arguments[]) {
    struct command *command =
        new_command(link, limit_usec, done, arg, count, arguments);
    if (link->state == UP)
        send_text(link, command);
    else
        TAILQ_INSERT_TAIL(&link->unsent, command, entry);
}

static void on_pong(void *arg, const redisReply *reply) {
    char code[32];
    if (reply == NULL)
        return; /* it broke, and that is known */
    redis_error_code(reply, code);
    if (code[0] != '\0')
        fail(arg, code);
}

static void ping(struct redis_link *link) {
    const struct span command[] = {span_of("PING")};
    set_timer(link->timer, PING_USEC);
    redis_link_send(link, REDIS_WORK_USEC, on_pong, link, 1, command);
}

static void become_up(struct redis_link *link) {
    struct command *command;
    link->state = UP;
    link->first = link->failed = link->refused = false;
    link->since = clock_monotonic();
    log_info("redis_up", LOG_FIELDS(log_text("redis", link->address->label)));
    set_timer(link->timer, PING_USEC);
    while ((command = TAILQ_FIRST(&link->unsent)) != NULL) {
        TAILQ_REMOVE(&link->unsent, command, entry);
        send_text(link, command);
    }
    link->owner.changed(link->owner.arg, true);
}

/* An error's text; an old server repeats what it does not know: not that. */
static void describe(const struct redis_link *link, const redisReply *reply,
                     char out[static 128]) {
    const char *password = link->address->password;
    redis_error_code(reply, out);
    if (password == NULL || strstr(reply->str, password) == NULL)
        snprintf(out, 128, "%s", reply->str);
}

/* An answer to what was said first; true: all is well so far. */
static bool is_welcome(struct redis_link *link, const redisReply *reply,
                       bool is_auth) {
    char code[32], why[128];
    if (reply == NULL)
        return false;
    redis_error_code(reply, code);
    if (code[0] == '\0')
        return true;
    bool refusal =
        is_auth || strcmp(code, "NOAUTH") == 0 || strcmp(code, "NOPERM") == 0;
    bool told = link->refused;
    describe(link, reply, why);
    link->refused = told || refusal;
    fail(link, why);
    if (refusal && !told)
        link->owner.refused(link->owner.arg, code);
    return false;
}

static void on_auth(void *arg, const redisReply *reply) {
    (void)is_welcome(arg, reply, true);
}

static void on_select(void *arg, const redisReply *reply) {
    (void)is_welcome(arg, reply, false);
}

static void on_first_pong(void *arg, const redisReply *reply) {
    if (is_welcome(arg, reply, false))
        become_up(arg);
}

static void say(struct redis_link *link, redis_done *done, size_t count,
                const struct span arguments[]) {
    send_text(link,
              new_command(link, REDIS_STEP_USEC, done, link, count, arguments));
}

/* In one go: whichever is refused first ends it, and nothing else is sent. */
static void greet(struct redis_link *link) {
    const struct redis_address *to = link->address;
    struct span arguments[3] = {span_of("AUTH")};
    size_t count = 1;
    link->state = GREETING;
    if (to->password != NULL) {
        if (to->user != NULL)
            arguments[count++] = span_of(to->user);
        arguments[count++] = span_of(to->password);
        say(link, on_auth, count, arguments);
    }
    if (to->database != NULL) {
        arguments[0] = span_of("SELECT");
        arguments[1] = span_of(to->database);
        say(link, on_select, 2, arguments);
    }
    arguments[0] = span_of("PING");
    say(link, on_first_pong, 1, arguments);
}

/* Hands out the replies that are whole. */
static void take_replies(struct redis_link *link) {
    void *reply = NULL;
    while (link->stream != NULL) {
        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            fail(link, "a reply that is none of Redis");
            return;
        }
        if (reply == NULL)
            return;
        link->unread = 0;
        link->last_reply = clock_monotonic();
        struct command *command = TAILQ_FIRST(&link->sent);
        if (command == NULL) {
            fail(link, "a reply that nobody asked for");
        } else {
            TAILQ_REMOVE(&link->sent, command, entry);
            if (command->done != NULL)
                command->done(command->arg, reply);
            free_command(command);
        }
        freeReplyObject(reply);
    }
}

static void on_readable(struct bufferevent *stream, void *arg) {
    struct redis_link *link = arg;
    char bytes[READ_BYTES];
    int len;
    while (link->stream == stream &&
           (len = evbuffer_remove(bufferevent_get_input(stream), bytes,
                                  sizeof bytes)) > 0) {
        link->unread += (size_t)len;
        if (redisReaderFeed(link->reader, bytes, (size_t)len) != REDIS_OK)
            fail(link, "no memory");
        else
            take_replies(link);
        if (link->unread > MAX_REPLY_BYTES && link->stream != NULL)
            fail(link, "a reply that is too long");
    }
}

static void on_event(struct bufferevent *stream, short what, void *arg) {
    (void)stream;
    struct redis_link *link = arg;
    fail(link, (what & BEV_EVENT_EOF) != 0 ? "closed by the server"
                                           : strerror(EVUTIL_SOCKET_ERROR()));
}

/* No command of ours is answered by an array, however long it claims to be. */
static void *refuse_array(const redisReadTask *task, int elements) {
    (void)task, (void)elements;
    return NULL;
}

static void on_dialled(void *arg, int fd, const char *why) {
    struct redis_link *link = arg;
    if (fd < 0) {
        fail(link, why);
        return;
    }
    link->stream =
        bufferevent_socket_new(link->base, fd, BEV_OPT_CLOSE_ON_FREE);
    link->reader = redisReaderCreate();
    link->functions = *link->reader->fn;
    link->functions.createArray = refuse_array;
    link->reader->fn = &link->functions;
    link->unread = 0;
    bufferevent_setcb(link->stream, on_readable, NULL, on_event, link);
    bufferevent_enable(link->stream, EV_READ | EV_WRITE);
    greet(link);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_link *link = arg;
    if (link->state == UP) {
        ping(link);
    } else {
        link->state = DIALLING;
        redis_dial_start(link->dial, CONNECT_USEC);
    }
}

static void disconnect(struct redis_link *link) {
    if (link->stream == NULL)
        return;
    bufferevent_free(link->stream);
    redisReaderFree(link->reader);
    link->stream = NULL;
    link->reader = NULL;
}

/* The connection, or the attempt to make one, is over; the next one follows. */
static void fail(struct redis_link *link, const char *why) {
    bool was_up = link->state == UP;
    disconnect(link);
    if (was_up &&
        monotime_between(link->since, clock_monotonic()).usec >= STOOD_USEC)
        backoff_reset(&link->backoff);
    link->state = WAITING;
    link->first = false;
    if (!link->failed)
        log_warn("redis_down",
                 LOG_FIELDS(log_text("redis", link->address->label),
                            log_text("why", why)));
    link->failed = true;
    set_timer(link->timer, backoff_next(&link->backoff, arc4random()).usec);
    if (was_up)
        link->owner.changed(link->owner.arg, false);
    drop_commands(&link->sent);
    drop_commands(&link->unsent);
}

struct redis_link *redis_link_new(struct event_base *base,
                                  const struct redis_address *address,
                                  const struct redis_link_owner *owner) {
    struct redis_link *link = memory_new(sizeof *link);
    link->base = base;
    link->address = address;
    link->owner = *owner;
    link->first = true;
    link->backoff = (struct backoff){.first = {FIRST_RETRY_USEC},
                                     .ceiling = {LAST_RETRY_USEC},
                                     .floor_share = 50};
    TAILQ_INIT(&link->sent);
    TAILQ_INIT(&link->unsent);
    link->dial = redis_dial_new(base, address, on_dialled, link);
    link->timer = evtimer_new(base, on_timer, link);
    set_timer(link->timer, 0); /* from the loop: a failure is told later */
    return link;
}

static void forget_commands(struct commands *list) {
    struct command *command;
    while ((command = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, command, entry);
        free_command(command);
    }
}

void redis_link_free(struct redis_link **link) {
    struct redis_link *l = *link;
    *link = NULL;
    disconnect(l);
    redis_dial_free(&l->dial);
    forget_commands(&l->sent);
    forget_commands(&l->unsent);
    event_free(l->timer);
    free(l);
}

bool redis_link_takes(const struct redis_link *link) {
    return (link->state == UP || link->first) && link->count < MAX_COMMANDS;
}

bool redis_link_is_up(const struct redis_link *link) {
    return link->state == UP;
}
