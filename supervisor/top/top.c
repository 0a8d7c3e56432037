/* The command `top`: the state of the running service on a terminal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/day.h"
#include "common/lines/message.h"
#include "common/memory.h"
#include "supervisor/client.h"
#include "supervisor/command.h"
#include "supervisor/top/layout.h"
#include "supervisor/top/screen.h"

#define REFRESH SECONDS(1)

#define KEYS   "q quits, p pauses"
#define PAUSED "PAUSED: p goes on, q quits"

struct top {
    const struct settings *settings;
    struct json_object *status; /* the last one; NULL: there is none */
    const char *away;           /* why there is none now; NULL: there is */
    bool paused;
    struct top_rows rows;
};

static const char *ask(const struct settings *settings,
                       struct json_object **status) {
    if (client_ask(settings, "control.sock", message_new(MESSAGE_STATUS),
                   REFRESH, status) < 0)
        return "no service is running there";
    return *status == NULL ? "the service does not answer" : NULL;
}

static void look(struct top *top) {
    struct json_object *status = NULL;
    top->away = ask(top->settings, &status);
    if (status == NULL)
        return;
    json_object_put(top->status);
    top->status = status;
}

static void put(struct top_rows *rows, enum top_look look, char *text) {
    struct top_row *row = &rows->rows[rows->count++];
    row->look = look;
    snprintf(row->text, sizeof row->text, "%s", text);
    free(text);
}

/* In the place of a state that is no longer true. */
static void lay_out_absence(struct top *top) {
    const char *dir = settings_text(top->settings, SETTING_RUNTIME_DIR);
    top->rows.count = 0;
    put(&top->rows, TOP_HEAD, memory_print("fxwire is away"));
    put(&top->rows, TOP_BAD,
        memory_print("RUNTIME_DIR=%s: %s", dir, top->away));
    if (top->status != NULL)
        put(&top->rows, TOP_PLAIN,
            memory_print("Its last answer is of %s.",
                         message_text(top->status, "time")));
    put(&top->rows, TOP_PLAIN, memory_print("It is tried again each second."));
}

static void draw(struct top *top) {
    if (top->away != NULL)
        lay_out_absence(top);
    else
        top_layout(top->status, screen_width(), screen_height(), &top->rows);
    screen_draw(&top->rows, top->paused ? PAUSED : KEYS);
}

/* Until the next look is due; false: that is enough. */
static bool wait_for_keys(struct top *top) {
    monotime due = monotime_add(clock_monotonic(), REFRESH);
    for (;;) {
        duration left = monotime_between(clock_monotonic(), due);
        if (left.usec <= 0 && !top->paused)
            return true;
        switch (screen_wait(top->paused ? REFRESH : left)) {
        case SCREEN_QUIT:
            return false;
        case SCREEN_PAUSE:
            top->paused = !top->paused;
            draw(top);
            break;
        case SCREEN_RESIZED:
            draw(top);
            break;
        case SCREEN_NO_KEY:
            break;
        }
    }
}

static int watch(struct top *top) {
    if (!screen_open()) {
        fputs("top needs a terminal that TERM names; top --once prints the "
              "same\n",
              stderr);
        return EX_USAGE;
    }
    do {
        look(top);
        draw(top);
    } while (wait_for_keys(top));
    screen_close();
    return EX_OK;
}

/* For scripts: all of it, no row and no list cut. */
static int print_once(struct top *top) {
    look(top);
    if (top->away != NULL) {
        fprintf(stderr, "RUNTIME_DIR=%s: %s\n",
                settings_text(top->settings, SETTING_RUNTIME_DIR), top->away);
        return EX_UNAVAILABLE;
    }
    top_layout(top->status, 0, 0, &top->rows);
    for (int i = 0; i < top->rows.count; i++)
        puts(top->rows.rows[i].text);
    return EX_OK;
}

int command_top(const struct options *options) {
    struct settings *settings =
        options_load_settings(options, SETTINGS_COMMAND);
    int code = EX_CONFIG;
    if (*settings_faults(settings) == '\0') {
        struct top *top = memory_new(sizeof *top);
        top->settings = settings;
        code = options->once ? print_once(top) : watch(top);
        json_object_put(top->status);
        free(top);
    } else {
        fputs(settings_faults(settings), stderr);
    }
    settings_free(&settings);
    return code;
}
