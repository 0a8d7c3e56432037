#include "supervisor/top/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RED_PAIR = 1 };

static SCREEN *screen;
static bool knows_utf8;
static volatile sig_atomic_t ended; /* a signal asked for the end */

static void on_end(int number) {
    (void)number;
    ended = 1;
}

/* Ends are as by the key; a wait does not go on after them. */
static void catch_ends(void) {
    const struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool screen_open(void) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    setlocale(LC_CTYPE, "");
    knows_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL)
        return false;
    catch_ends();
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    const char *no_color = getenv("NO_COLOR");
    if ((no_color == NULL || *no_color == '\0') && has_colors()) {
        start_color();
        use_default_colors();
        init_pair(RED_PAIR, COLOR_RED, -1);
    }
    return true;
}

void screen_close(void) {
    endwin();
    delscreen(screen);
    screen = NULL;
}

int screen_width(void) {
    return COLS;
}

int screen_height(void) {
    return LINES > 1 ? LINES - 1 : 1;
}

/* A terminal that knows no UTF-8 gets a mark for each other character. */
static void draw_text(int y, const char *text) {
    move(y, 0);
    if (knows_utf8) {
        addnstr(text, -1);
        return;
    }
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80)
            addch((unsigned char)*text < 0x80 ? (chtype)*text : (chtype)'?');
}

static attr_t attributes(enum top_look look) {
    static const attr_t of[] = {[TOP_PLAIN] = A_NORMAL,
                                [TOP_HEAD] = A_REVERSE,
                                [TOP_TITLE] = A_BOLD,
                                [TOP_BAD] = A_BOLD};
    return of[look] |
           (look == TOP_BAD && has_colors() ? (attr_t)COLOR_PAIR(RED_PAIR)
                                            : A_NORMAL);
}

static void draw_line(int y, enum top_look look, const char *text) {
    attrset(attributes(look));
    if (look == TOP_HEAD) /* the bar goes through */
        mvhline(y, 0, ' ' | A_REVERSE, COLS);
    draw_text(y, text);
}

void screen_draw(const struct top_rows *rows, const char *keys) {
    erase();
    for (int i = 0; i < rows->count && i < screen_height(); i++)
        draw_line(i, rows->rows[i].look, rows->rows[i].text);
    if (LINES > 1)
        draw_line(LINES - 1, TOP_HEAD, keys);
    attrset(A_NORMAL);
    refresh();
}

enum screen_key screen_wait(duration patience) {
    timeout((int)(patience.usec / USEC_PER_MSEC) + 1);
    int key = ended ? ERR : getch();
    if (ended)
        return SCREEN_QUIT;
    switch (key) {
    case 'q':
    case 'Q':
        return SCREEN_QUIT;
    case 'p':
    case 'P':
        return SCREEN_PAUSE;
    case KEY_RESIZE:
        return SCREEN_RESIZED;
    default:
        return SCREEN_NO_KEY;
    }
}
