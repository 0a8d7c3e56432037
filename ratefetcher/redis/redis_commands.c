#include "ratefetcher/redis/redis_commands.h"

#include <stdlib.h>

#include "common/loop.h"
#include "common/memory.h"

/*
 * The end of a command's time: a stall of our own must not count, so what the
 * kernel holds by then is read first.
 */
#define LAST_LOOK MILLISECONDS(5)

struct redis_command {
    TAILQ_ENTRY(redis_command) in_list;
    TAILQ_ENTRY(redis_command) in_deadlines; /* while `waits` */
    struct redis_deadlines *deadlines;
    monotime deadline;
    bool waits; /* somebody, for its reply; else it is only read past */
    redis_replied *done;
    void *arg;
};

/* The timer of a limit runs for the first of its commands. */
static void plan(struct redis_deadlines *deadlines) {
    const struct redis_command *first = TAILQ_FIRST(&deadlines->waiting);
    deadlines->last_look = false;
    if (first == NULL)
        evtimer_del(deadlines->timer);
    else
        loop_set_timer(
            deadlines->timer,
            duration_max(monotime_between(clock_monotonic(), first->deadline),
                         (duration){0}));
}

/* The command is over for the one who waits for it. */
static void tell(struct redis_command *command, const redisReply *reply) {
    struct redis_deadlines *deadlines = command->deadlines;
    bool was_first = TAILQ_FIRST(&deadlines->waiting) == command;
    if (!command->waits)
        return;
    command->waits = false;
    TAILQ_REMOVE(&deadlines->waiting, command, in_deadlines);
    if (was_first)
        plan(deadlines);
    if (command->done != NULL)
        command->done(command->arg, reply);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_deadlines *deadlines = arg;
    struct redis_commands *commands = deadlines->commands;
    struct redis_command *command;
    monotime now = clock_monotonic();
    if (!deadlines->last_look) {
        deadlines->last_look = true;
        loop_set_timer(deadlines->timer, LAST_LOOK);
    } else if (monotime_between(commands->last_reply, now).usec >=
               REDIS_STEP_LIMIT.usec) {
        commands->held_up(commands->arg);
    } else {
        while ((command = TAILQ_FIRST(&deadlines->waiting)) != NULL &&
               monotime_reached(now, command->deadline))
            tell(command, NULL);
        plan(deadlines); /* libevent's time may be ahead of the clock */
    }
}

void redis_commands_init(struct redis_commands *commands,
                         struct event_base *base, void (*held_up)(void *arg),
                         void *arg) {
    *commands = (struct redis_commands){.held_up = held_up, .arg = arg};
    TAILQ_INIT(&commands->list);
    for (size_t i = 0; i < REDIS_LIMITS; i++) {
        struct redis_deadlines *deadlines = &commands->deadlines[i];
        deadlines->commands = commands;
        TAILQ_INIT(&deadlines->waiting);
        deadlines->timer = evtimer_new(base, on_deadline, deadlines);
    }
}

void redis_commands_clear(struct redis_commands *commands) {
    struct redis_command *command;
    while ((command = TAILQ_FIRST(&commands->list)) != NULL) {
        TAILQ_REMOVE(&commands->list, command, in_list);
        free(command);
    }
    for (size_t i = 0; i < REDIS_LIMITS; i++)
        event_free(commands->deadlines[i].timer);
}

void redis_commands_add(struct redis_commands *commands, enum redis_limit limit,
                        redis_replied *done, void *arg) {
    const duration limits[REDIS_LIMITS] = {
        [REDIS_STEP] = REDIS_STEP_LIMIT,
        [REDIS_WORK] = MILLISECONDS(500),
    };
    struct redis_deadlines *deadlines = &commands->deadlines[limit];
    struct redis_command *command = memory_new(sizeof *command);
    duration until_look = {limits[limit].usec - LAST_LOOK.usec};
    command->deadlines = deadlines;
    command->deadline = monotime_add(clock_monotonic(), until_look);
    command->waits = true;
    command->done = done;
    command->arg = arg;
    commands->count++;
    TAILQ_INSERT_TAIL(&commands->list, command, in_list);
    TAILQ_INSERT_TAIL(&deadlines->waiting, command, in_deadlines);
    if (TAILQ_FIRST(&deadlines->waiting) == command)
        plan(deadlines);
}

bool redis_commands_reply(struct redis_commands *commands,
                          const redisReply *reply) {
    struct redis_command *command = TAILQ_FIRST(&commands->list);
    commands->last_reply = clock_monotonic();
    if (command == NULL)
        return false;
    TAILQ_REMOVE(&commands->list, command, in_list);
    commands->count--;
    tell(command, reply);
    free(command);
    return true;
}

/* Taken off first: who is told may send anew, on the next connection. */
void redis_commands_drop(struct redis_commands *commands) {
    struct redis_command_list dropped = TAILQ_HEAD_INITIALIZER(dropped);
    struct redis_command *command;
    TAILQ_CONCAT(&dropped, &commands->list, in_list);
    while ((command = TAILQ_FIRST(&dropped)) != NULL) {
        TAILQ_REMOVE(&dropped, command, in_list);
        commands->count--;
        tell(command, NULL);
        free(command);
    }
}
