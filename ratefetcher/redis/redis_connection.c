#include "ratefetcher/redis/redis_connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/resolve.h"

/*
 * An attempt to connect takes no longer; with the longest wait before it, that
 * is below the 5 s within which Redis is to be used again.
 */
#define ATTEMPT_LIMIT MILLISECONDS(1500)
#define FIRST_RETRY   MILLISECONDS(100)
#define LAST_RETRY    SECONDS(1)

/* One that stood so long begins its retries anew. */
#define STOOD_LONG SECONDS(1)

/* While nothing is asked, the probe shows whether it still serves. */
#define PROBE_EACH SECONDS(1)

enum {
    MAX_REPLY_BYTES = 512 * 1024,
    READ_BYTES = 16 * 1024,
    MAX_COMMANDS = 10000, /* that wait; beyond, Redis is skipped */
};

enum redis_state { WAITING, RESOLVING, CONNECTING, GREETING, UP, ENDED };

struct redis_connection {
    struct redis_streams *streams;
    const struct redis_address *address;
    struct redis_connection_owner owner;
    enum redis_state state;
    bool tried;               /* an attempt has ended, well or not */
    bool failed;              /* said so in the log */
    bool refused;             /* the last attempt, by the server's own word */
    bool complained;          /* of that to the owner, since it was up */
    char why[REDIS_WHY_SIZE]; /* the last attempt failed, or it broke */
    struct event *timer; /* of the next attempt, its limit, the next PING */
    struct backoff backoff;
    monotime up_since;
    struct resolve *look_up; /* runs; it outlives an attempt. NULL: none */
    struct event *look_up_done;
    struct addresses addresses;
    size_t next_address;        /* to be tried */
    struct bufferevent *stream; /* NULL: no connection */
    redisReader *reader;
    redisReplyObjectFunctions functions;
    size_t unread; /* bytes of a reply that is not whole */
    struct redis_commands commands;
};

static const char no_answer[] = "no answer in time";

static void fail(struct redis_connection *c, const char *why);
static void fail_refused(struct redis_connection *c, const char *why);

static void on_held_up(void *arg) {
    fail(arg, no_answer);
}

void redis_connection_send(struct redis_connection *connection,
                           enum redis_limit limit, redis_replied *done,
                           void *arg, size_t count,
                           const struct span arguments[]) {
    const char *data[REDIS_MAX_ARGUMENTS];
    size_t lens[REDIS_MAX_ARGUMENTS];
    char *text;
    for (size_t i = 0; i < count; i++) {
        data[i] = arguments[i].data;
        lens[i] = arguments[i].len;
    }
    int len = redisFormatCommandArgv(&text, (int)count, data, lens);
    if (len < 0)
        abort(); /* no memory */
    bufferevent_write(connection->stream, text, (size_t)len);
    redisFreeCommand(text);
    redis_commands_add(&connection->commands, limit, done, arg);
}

static void on_probed(void *arg, const redisReply *reply) {
    struct redis_connection *c = arg;
    if (reply != NULL) /* else it broke, and that is known */
        c->owner.probed(c->owner.arg, reply);
}

static void probe(struct redis_connection *c) {
    loop_set_timer(c->timer, PROBE_EACH);
    redis_connection_send(c, REDIS_WORK, on_probed, c, c->owner.probe_words,
                          c->owner.probe);
}

static void become_up(struct redis_connection *c) {
    c->state = UP;
    c->tried = true;
    c->failed = c->refused = c->complained = false;
    c->why[0] = '\0';
    c->up_since = clock_monotonic();
    log_info(EVENT_REDIS_UP, LOG_FIELDS(log_text("redis", c->address->label)));
    loop_set_timer(c->timer, PROBE_EACH);
    c->owner.changed(c->owner.arg, true);
}

/* An old server repeats what it does not understand. */
void redis_error_text(const struct redis_connection *connection,
                      const redisReply *reply,
                      char out[static REDIS_WHY_SIZE]) {
    const char *password = connection->address->password;
    redis_error_code(reply, out);
    if (password == NULL || strstr(reply->str, password) == NULL)
        snprintf(out, REDIS_WHY_SIZE, "%s", reply->str);
}

/* An answer to what was said first; true: all is well so far. */
static bool is_welcome(struct redis_connection *c, const redisReply *reply) {
    char code[REDIS_CODE_SIZE], why[REDIS_WHY_SIZE];
    if (reply == NULL && c->state == GREETING)
        fail(c, no_answer);
    if (reply == NULL)
        return false;
    if (reply->type != REDIS_REPLY_ERROR)
        return true;
    redis_error_code(reply, code);
    redis_error_text(c, reply, why);
    if (redis_error_is_of_role(code))
        fail(c, why);
    else
        fail_refused(c, why);
    return false;
}

static void on_said(void *arg, const redisReply *reply) {
    (void)is_welcome(arg, reply);
}

static void on_first_probed(void *arg, const redisReply *reply) {
    struct redis_connection *c = arg;
    if (is_welcome(c, reply)) {
        become_up(c);
        on_probed(c, reply);
    }
}

/* Database 0 is there without a word, also where SELECT is not understood. */
static bool selects(const struct redis_address *to) {
    return to->database != NULL &&
           strspn(to->database, "0") < strlen(to->database);
}

/* In one go: whichever is refused first ends it, and nothing else is sent. */
static void greet(struct redis_connection *c) {
    const struct redis_address *to = c->address;
    struct span arguments[3] = {span_of("AUTH")};
    size_t count = 1;
    c->state = GREETING;
    evtimer_del(c->timer); /* from here on each command has its limit */
    if (to->password != NULL) {
        if (to->user != NULL)
            arguments[count++] = span_of(to->user);
        arguments[count++] = span_of(to->password);
        redis_connection_send(c, REDIS_STEP, on_said, c, count, arguments);
    }
    if (selects(to)) {
        arguments[0] = span_of("SELECT");
        arguments[1] = span_of(to->database);
        redis_connection_send(c, REDIS_STEP, on_said, c, 2, arguments);
    }
    redis_connection_send(c, REDIS_STEP, on_first_probed, c,
                          c->owner.probe_words, c->owner.probe);
}

/* Hands out the replies that are whole. */
static void take_replies(struct redis_connection *c) {
    void *reply = NULL;
    while (c->stream != NULL) {
        if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
            fail(c, "a reply that is none of Redis");
            return;
        }
        if (reply == NULL)
            return;
        c->unread = 0;
        if (!redis_commands_reply(&c->commands, reply))
            fail(c, "a reply that nobody asked for");
        freeReplyObject(reply);
    }
}

static void on_readable(struct bufferevent *stream, void *arg) {
    struct redis_connection *c = arg;
    char bytes[READ_BYTES];
    int len;
    while (c->stream == stream &&
           (len = evbuffer_remove(bufferevent_get_input(stream), bytes,
                                  sizeof bytes)) > 0) {
        c->unread += (size_t)len;
        if (redisReaderFeed(c->reader, bytes, (size_t)len) != REDIS_OK)
            fail(c, "no memory");
        else
            take_replies(c);
        if (c->unread > MAX_REPLY_BYTES && c->stream != NULL)
            fail(c, "a reply that is too long");
    }
}

/* A proxy says no to a SELECT in this way alone. */
static void fail_closed(struct redis_connection *c) {
    char why[64] = "closed by the server";
    if (c->state == GREETING && selects(c->address))
        snprintf(why, sizeof why, "closed by the server after SELECT %.16s",
                 c->address->database);
    fail(c, why);
}

static void on_event(struct bufferevent *stream, short what, void *arg) {
    struct redis_connection *c = arg;
    int on = 1;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        if (c->address->path == NULL)
            setsockopt(bufferevent_getfd(stream), IPPROTO_TCP, TCP_NODELAY, &on,
                       sizeof on);
        greet(c);
    } else if ((what & BEV_EVENT_EOF) != 0) {
        fail_closed(c);
    } else {
        char why[REDIS_WHY_SIZE];
        fail(c, redis_stream_why(stream, sizeof why, why));
    }
}

/* Of hiredis: the type of an array's length, which came with version 1. */
#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* An answer of ours is at most a pair, however long it claims to be. */
static void *(*make_array)(const redisReadTask *task, element_count elements);
static void *make_pair(const redisReadTask *task, element_count elements) {
    return elements == 2 && task->parent == NULL ? make_array(task, elements)
                                                 : NULL;
}

static void connect_to(struct redis_connection *c, const struct sockaddr *to,
                       int len) {
    c->state = CONNECTING;
    c->stream = redis_stream_new(c->streams, c->address->host.name);
    c->reader = redisReaderCreate();
    c->functions = *c->reader->fn;
    make_array = c->functions.createArray;
    c->functions.createArray = make_pair;
    c->reader->fn = &c->functions;
    c->unread = 0;
    bufferevent_setcb(c->stream, on_readable, NULL, on_event, c);
    bufferevent_enable(c->stream, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(c->stream, to, len) < 0 &&
        c->state == CONNECTING)
        fail(c, strerror(errno));
}

static void connect_unix(struct redis_connection *c) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int len = snprintf(to.sun_path, sizeof to.sun_path, "%s", c->address->path);
    if ((size_t)len < sizeof to.sun_path)
        connect_to(c, (const struct sockaddr *)&to, sizeof to);
    else
        fail(c, "the path is too long for a socket");
}

/* Each attempt takes the next address of the name. */
static void connect_next(struct redis_connection *c) {
    const char *host = c->addresses.text[c->next_address++];
    bool ipv6 = strchr(host, ':') != NULL;
    struct sockaddr_storage to;
    int len = sizeof to;
    char *text = memory_print("%s%s%s:%u", ipv6 ? "[" : "", host,
                              ipv6 ? "]" : "", c->address->host.port);
    int parsed = evutil_parse_sockaddr_port(text, (struct sockaddr *)&to, &len);
    free(text);
    if (parsed == 0)
        connect_to(c, (const struct sockaddr *)&to, len);
    else
        fail(c, "no such address");
}

/* If the attempt that began it has ended, the next one finds the addresses. */
static void on_looked_up(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_connection *c = arg;
    struct addresses found;
    event_free(c->look_up_done);
    c->look_up_done = NULL;
    const char *why = resolve_take(&c->look_up, &found);
    if (why == NULL) {
        c->addresses = found;
        c->next_address = 0;
    }
    if (c->state != RESOLVING)
        return;
    if (why != NULL)
        fail(c, why);
    else
        connect_next(c);
}

static void look_up(struct redis_connection *c) {
    c->state = RESOLVING;
    if (c->look_up != NULL)
        return; /* that of an earlier attempt */
    c->look_up = resolve_start(c->address->host.name);
    if (c->look_up == NULL)
        fail(c, "no thread can be started");
    else
        c->look_up_done =
            loop_watch(redis_streams_base(c->streams), resolve_fd(c->look_up),
                       EV_READ, on_looked_up, c);
}

static void begin_attempt(struct redis_connection *c) {
    loop_set_timer(c->timer, ATTEMPT_LIMIT);
    if (c->address->path != NULL) {
        connect_unix(c);
    } else if (c->address->host.name == NULL) {
        c->state = RESOLVING; /* by redis_connection_renew() */
    } else if (c->next_address < c->addresses.count) {
        connect_next(c);
    } else if (resolve_numeric(c->address->host.name, &c->addresses)) {
        c->next_address = 0;
        connect_next(c);
    } else {
        look_up(c);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_connection *c = arg;
    switch (c->state) {
    case WAITING:
        begin_attempt(c);
        break;
    case RESOLVING:
        fail(c, c->address->host.name != NULL
                    ? "the name look-up takes too long"
                    : "no Sentinel names the master");
        break;
    case CONNECTING:
        fail(c, c->address->tls ? "no connection, or no TLS handshake, in time"
                                : "no connection in time");
        break;
    case GREETING: /* its commands have their limit */
    case ENDED:
        break;
    case UP:
        probe(c);
        break;
    }
}

static void disconnect(struct redis_connection *c) {
    if (c->stream == NULL)
        return;
    bufferevent_free(c->stream);
    redisReaderFree(c->reader);
    c->stream = NULL;
    c->reader = NULL;
}

/* The connection, or the attempt to make one, is over; the next one follows. */
static void end_attempt(struct redis_connection *c, const char *why,
                        bool refused) {
    bool told = c->state == UP || !c->tried || c->refused != refused;
    if (c->state == UP &&
        monotime_between(c->up_since, clock_monotonic()).usec >=
            STOOD_LONG.usec)
        backoff_reset(&c->backoff);
    disconnect(c);
    c->state = WAITING;
    c->tried = true;
    c->refused = refused;
    if (c->why[0] == '\0' || why != no_answer) /* a word tells more */
        snprintf(c->why, sizeof c->why, "%s", why);
    if (!c->failed)
        log_warn(EVENT_REDIS_DOWN,
                 LOG_FIELDS(log_text("redis", c->address->label),
                            log_text("why", why)));
    c->failed = true;
    loop_set_timer(c->timer, backoff_next(&c->backoff, arc4random()));
    if (told)
        c->owner.changed(c->owner.arg, false);
    redis_commands_drop(&c->commands);
}

static void fail(struct redis_connection *c, const char *why) {
    end_attempt(c, why, false);
}

static void fail_refused(struct redis_connection *c, const char *why) {
    bool complained = c->complained;
    c->complained = true;
    end_attempt(c, why, true);
    if (!complained)
        c->owner.refused(c->owner.arg, why);
}

void redis_connection_renew(struct redis_connection *connection,
                            const char *why) {
    connection->addresses.count = 0;
    if (connection->state == UP) {
        fail(connection, why);
    } else if (connection->state == WAITING ||
               (connection->state == RESOLVING &&
                connection->look_up == NULL)) {
        connection->state = WAITING;
        loop_set_timer(connection->timer, (duration){0});
    }
}

void redis_connection_end(struct redis_connection *connection,
                          const char *why) {
    fail_refused(connection, why);
    connection->state = ENDED;
    evtimer_del(connection->timer);
}

struct redis_connection *
redis_connection_new(struct redis_streams *streams,
                     const struct redis_address *address,
                     const struct redis_connection_owner *owner) {
    struct event_base *base = redis_streams_base(streams);
    struct redis_connection *c = memory_new(sizeof *c);
    c->streams = streams;
    c->address = address;
    c->owner = *owner;
    c->backoff = (struct backoff){
        .first = FIRST_RETRY,
        .ceiling = LAST_RETRY,
        .floor_share = 50,
    };
    redis_commands_init(&c->commands, base, on_held_up, c);
    c->timer = evtimer_new(base, on_timer, c);
    loop_set_timer(c->timer, (duration){0});
    return c;
}

void redis_connection_free(struct redis_connection **connection) {
    struct redis_connection *c = *connection;
    *connection = NULL;
    disconnect(c);
    redis_commands_clear(&c->commands);
    if (c->look_up_done != NULL)
        event_free(c->look_up_done);
    resolve_abandon(&c->look_up);
    event_free(c->timer);
    free(c);
}

bool redis_connection_is_up(const struct redis_connection *connection) {
    return connection->state == UP;
}

bool redis_connection_is_refused(const struct redis_connection *connection) {
    return connection->state != UP && connection->refused;
}

const char *redis_connection_why(const struct redis_connection *connection) {
    return connection->why;
}

bool redis_connection_takes(const struct redis_connection *connection) {
    return connection->state == UP && connection->commands.count < MAX_COMMANDS;
}
