#include "ratefetcher/server.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lines/line_server.h"
#include "common/memory.h"
#include "common/rates/euro_fixed.h"

enum { MAX_CLIENTS = 256 };

/* An irrevocable rate holds for ever; what is told of it, for a day. */
#define FIXED_FRESH SECONDS(86400)

struct server {
    struct lookup *lookup;
    struct line_server *lines;
};

/* A question that waits for its table. */
struct rates_question {
    struct line_question line;
    struct lookup_waiter *waiter;
    day when;
    char currency[RATES_CODE_LEN + 1]; /* "": any */
};

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

static struct json_object *found_message(const struct rates_question *question,
                                         const struct lookup_answer *answer) {
    struct json_object *message =
        rates_message_new(question->when, answer->rates, answer->layer,
                          clock_wall_ms() + answer->fresh.usec / USEC_PER_MSEC);
    message_add_duration(message, "expires_in", answer->fresh);
    if (question->currency[0] != '\0')
        message_add_text(message, "currency", question->currency);
    return message;
}

static struct json_object *
missing_message(const struct rates_question *question,
                const struct lookup_answer *answer) {
    struct json_object *message =
        answer->result == LOOKUP_NO_CURRENCY
            ? line_server_error("unknown_currency",
                                "no provider has this currency on this day")
            : line_server_error("unavailable",
                                answer->why != NULL
                                    ? answer->why
                                    : "no provider has rates of this day");
    char text[DAY_TEXT_SIZE];
    rates_day_print(question->when, text);
    message_add_text(message, "date", text);
    if (question->currency[0] != '\0')
        message_add_text(message, "currency", question->currency);
    message_add_duration(message, "retry_after", answer->retry);
    return message;
}

/* Answers the question, which is gone then. Takes the message over. */
static void answer(struct rates_question *question,
                   struct json_object *message) {
    line_server_answer(&question->line, message);
    free(question);
}

/* What is fixed on that day is told as that, whatever the table has. */
static void on_answer(void *arg, const struct lookup_answer *found) {
    struct rates_question *question = arg;
    if (found->result != LOOKUP_FOUND) {
        answer(question, missing_message(question, found));
        return;
    }
    struct json_object *message = found_message(question, found);
    euro_fixed_to_message(message, question->when, today());
    answer(question, message);
}

/* True: it is a currency that needs no look-up, and the question is answered
 * and gone. */
static bool answer_fixed(struct rates_question *question) {
    const struct euro_fixed *fixed =
        euro_fixed_find(question->currency, question->when, today());
    if (fixed == NULL)
        return false;
    struct rates *table = euro_fixed_table(fixed);
    const struct lookup_answer found = {.result = LOOKUP_FOUND,
                                        .rates = table,
                                        .layer = EURO_FIXED_WORD,
                                        .fresh = FIXED_FRESH};
    answer(question, found_message(question, &found));
    rates_release(&table);
    return true;
}

static void on_client_gone(void *arg) {
    struct rates_question *question = arg;
    lookup_cancel(question->waiter);
    free(question);
}

/* Reads what is asked; false: no such question can be. */
static bool read_question(const struct json_object *message,
                          struct rates_question *question) {
    const char *date = message_text(message, "date");
    const char *currency = message_text(message, "currency");
    if (date == NULL || !rates_day_parse(span_of(date), &question->when))
        return false;
    if (!rates_day_is_latest(question->when) &&
        (question->when.number < DAY_FIRST_RATES.number ||
         question->when.number > today().number))
        return false;
    if (currency == NULL)
        return !json_object_object_get_ex(message, "currency", NULL);
    if (!rates_is_code(span_of(currency)))
        return false;
    strcpy(question->currency, currency);
    return true;
}

/* Today's date takes the latest table: one of the day before, as today's is not
 * out yet, is not to be kept as today's. */
static day table_of(day when) {
    return when.number == today().number ? RATES_LATEST : when;
}

static void refuse(struct line_client *client,
                   const struct json_object *message) {
    struct json_object *error = line_server_error(
        "bad_request", "date must be latest or a day from 1999-01-04 to "
                       "today, currency three upper-case letters");
    message_add_text(error, "date", message_text(message, "date"));
    line_server_send(client, error);
}

static bool on_line(void *arg, struct line_client *client, enum message_op op,
                    const struct json_object *message) {
    struct server *server = arg;
    if (op != MESSAGE_RATES)
        return false;
    struct rates_question *question = memory_new(sizeof *question);
    if (!read_question(message, question)) {
        free(question);
        refuse(client, message);
        return true;
    }
    question->line =
        (struct line_question){.cancel = on_client_gone, .arg = question};
    line_server_defer(client, &question->line);
    if (answer_fixed(question))
        return true;
    struct lookup_waiter *waiter =
        lookup_ask(server->lookup, table_of(question->when),
                   span_of(question->currency), on_answer, question);
    if (waiter != NULL) /* else the question is answered and gone */
        question->waiter = waiter;
    return true;
}

struct server *server_new(struct event_base *base, int fd,
                          struct lookup *lookup) {
    struct server *server = memory_new(sizeof *server);
    const struct line_service with = {
        .socket = "rates.sock",
        .expected = "one JSON object a line, with \"op\":\"rates\"",
        .max_clients = MAX_CLIENTS,
        .ask = on_line,
        .arg = server,
    };
    server->lookup = lookup;
    server->lines = line_server_new(base, fd, &with);
    return server;
}

void server_free(struct server **server) {
    line_server_free(&(*server)->lines);
    free(*server);
    *server = NULL;
}
