#include "play.h"

#include "show.h"
#include "ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PLAY_GULP = 65536,
    PLAY_LINE_MAX = 1 << 20,
    PLAY_UNSENT_MAX = 1 << 20, /* do not build more while this waits */
};

/* Takes a copy of what is to be sent: `send` itself or, if that is a string,
 * its characters. */
static struct json_part play_keep(struct play_line *line,
                                  struct json_part send) {
    struct buf b = {0};
    char *text = buf_room(&b, send.len + 1);
    if (json_is_string(send)) {
        line->len = json_unescape(send, text);
    } else {
        memcpy(text, send.text, send.len);
        line->len = send.len;
    }
    line->text = text;
    return (struct json_part){text, line->len};
}

static const char *play_expect(const struct play *p, struct play_line *line,
                               struct json_part whole, struct json_part ask) {
    struct json_part given;
    if (whole.len > 0 && json_member(whole, "expect", &given))
        return expect_given(&line->expect, ask, given);
    if (!p->ecb)
        return "it has no \"expect\", and there is no --rates to compute it "
               "from";
    expect_computed(&line->expect, ask, p->ecb);
    return NULL;
}

static const char *play_members(struct json_part whole) {
    struct json_part name, value;
    size_t at = 0;
    while (json_next(whole, &at, &name, &value))
        if (!(name.len == 4 && memcmp(name.text, "send", 4) == 0) &&
            !(name.len == 2 && memcmp(name.text, "at", 2) == 0) &&
            !(name.len == 6 && memcmp(name.text, "expect", 6) == 0))
            return "beside \"send\" there may be \"expect\" and \"at\" alone";
    return NULL;
}

static const char *play_at(struct play_line *line, struct json_part whole) {
    struct json_part at;
    line->at = -1;
    if (!json_member(whole, "at", &at))
        return NULL;
    if (!json_is_number(at) || at.len > 20)
        return "\"at\" is no number of seconds";
    line->at = strtod(at.text, NULL); /* its line has an end mark */
    return line->at < 0 ? "\"at\" is less than 0" : NULL;
}

/* NULL, or what is wrong with a line. */
static const char *play_line(const struct play *p, struct play_line *line,
                             struct json_part whole) {
    struct json_part value;
    const char *why = NULL;
    *line = (struct play_line){.at = -1};
    if (!json_is_valid(whole) || !json_is_object(whole))
        return "it is no JSON object";
    if (json_member(whole, "fault", &value)) {
        why = play_at(line, whole);
        return why ? why : fault_read(&line->fault, whole);
    }
    if (!json_member(whole, "send", &value))
        return play_expect(p, line, (struct json_part){"", 0},
                           play_keep(line, whole));
    why = play_at(line, whole);
    why = why ? why : play_members(whole);
    return why ? why : play_expect(p, line, whole, play_keep(line, value));
}

static void play_free_line(struct play_line *line) {
    free(line->text);
    expect_free(&line->expect);
    fault_free(&line->fault);
}

/* Room for one more, by powers of two. */
static struct play_line *play_place(struct play *p) {
    if ((p->count & (p->count - 1)) == 0) {
        size_t room = p->count ? 2 * p->count : 1;
        p->line = realloc(p->line, room * sizeof *p->line);
        if (!p->line) {
            perror("mock-upstream: script");
            exit(70);
        }
    }
    return &p->line[p->count];
}

static void play_complain(struct play *p, unsigned line, const char *why) {
    fprintf(stderr, "mock-upstream: %s:%u: %s\n", p->name, line, why);
    p->bad++;
}

/* `text` has an end mark behind it. */
static void play_take(struct play *p, const char *text, size_t len) {
    struct json_part whole = json_trim((struct json_part){text, len});
    p->line_number++;
    if (whole.len == 0 || *whole.text == '#')
        return;
    struct play_line *line = play_place(p);
    const char *why = play_line(p, line, whole);
    if (!why) {
        p->count++;
        return;
    }
    play_free_line(line);
    play_complain(p, p->line_number, why);
}

static void play_take_lines(struct play *p) {
    char *end;
    while ((end = memchr(buf_head(&p->unread), '\n', buf_len(&p->unread)))) {
        char *start = buf_head(&p->unread);
        *end = '\0';
        play_take(p, start, (size_t)(end - start));
        buf_drop(&p->unread, (size_t)(end - start) + 1);
    }
}

void play_read(struct play *p, int fd) {
    char *room = buf_room(&p->unread, PLAY_GULP);
    ssize_t got = read(fd, room, PLAY_GULP);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got > 0)
        buf_grow(&p->unread, (size_t)got);
    else
        p->ended = true;
    if (got < 0)
        play_complain(p, p->line_number + 1, strerror(errno));
    if (p->ended && buf_len(&p->unread) > 0)
        buf_add(&p->unread, "\n", 1); /* the last line may have none */
    play_take_lines(p);
    if (buf_len(&p->unread) > PLAY_LINE_MAX) {
        play_complain(p, p->line_number + 1, "longer than 1 MiB");
        p->ended = true;
    }
}

void play_start(struct play *p, uint64_t now_ns) {
    if (p->start_ns == 0)
        p->start_ns = now_ns;
}

static void play_frame(const struct play *p, const struct play_line *line,
                       struct buf *out) {
    char *room = buf_room(out, WS_HEAD_MAX + line->len);
    size_t head = ws_head(room, WS_TEXT, line->len);
    memcpy(room + head, line->text, line->len);
    buf_grow(out, head + line->len);
    if (p->tally->show) {
        show_text(stdout, "-> ", line->text, line->len);
        putchar('\n');
    }
}

static double play_due(const struct play *p, const struct play_line *line) {
    double at = (double)p->start_ns + line->at * 1e9;
    return line->at >= 0 && at > p->due_ns ? at : p->due_ns;
}

static bool play_may(const struct play *p, bool link) {
    if (p->next == p->count || p->start_ns == 0)
        return false;
    const struct play_line *line = &p->line[p->next];
    if (!line->text)
        return link || !fault_needs_link(&line->fault);
    return link && p->open < p->window;
}

const struct fault *play_run(struct play *p, struct buf *out, uint64_t now_ns) {
    while (play_may(p, out != NULL)) {
        struct play_line *line = &p->line[p->next];
        double due = play_due(p, line);
        if (due > (double)now_ns || (out && buf_len(out) > PLAY_UNSENT_MAX))
            return NULL;
        p->next++;
        if (!line->text)
            return &line->fault;
        play_frame(p, line, out);
        p->due_ns = (due > 0 ? due : (double)now_ns) + p->period_ns;
        if (line->expect.kind == EXPECT_NOTHING)
            continue;
        line->number = tally_ask(p->tally, now_ns);
        line->asked_ns = now_ns;
        line->open = true;
        p->open++;
    }
    return NULL;
}

void play_again(struct play *p, struct buf *out, uint64_t now_ns) {
    for (size_t i = p->first_open; i < p->next; i++) {
        struct play_line *line = &p->line[i];
        if (!line->open || line->number <= p->tally->taken)
            continue;
        line->asked_ns = now_ns;
        p->tally->again++;
        play_frame(p, line, out);
    }
}

uint64_t play_wake(const struct play *p, const struct buf *out) {
    if (!play_may(p, out != NULL) || (out && buf_len(out) > PLAY_UNSENT_MAX))
        return UINT64_MAX;
    return (uint64_t)play_due(p, &p->line[p->next]);
}

bool play_done(const struct play *p) {
    return p->ended && p->next == p->count;
}

static bool play_is_of(const struct play_line *line, struct json_part id) {
    return line->text && line->expect.kind != EXPECT_NOTHING &&
           line->expect.id.len == id.len &&
           memcmp(line->expect.id.text, id.text, id.len) == 0;
}

/* The open request of that id which this answers rightly, or the oldest one, or
 * one that was answered before. */
static struct play_line *play_find(struct play *p, struct json_part id,
                                   struct json_part answer, bool *right) {
    struct play_line *found = NULL;
    *right = false;
    for (size_t i = p->first_open; i < p->next; i++) {
        struct play_line *line = &p->line[i];
        if (!line->open || !play_is_of(line, id))
            continue;
        *right = expect_matches(&line->expect, &p->tally->span, p->same_date,
                                answer.text, answer.len);
        if (*right)
            return line;
        if (!found)
            found = line;
    }
    for (size_t i = 0; i < p->next && !found; i++)
        if (play_is_of(&p->line[i], id))
            found = &p->line[i];
    return found;
}

static void play_close(struct play *p, struct play_line *line) {
    line->open = false;
    p->open--;
    while (p->first_open < p->next && !p->line[p->first_open].open)
        p->first_open++;
}

bool play_judge(struct play *p, const char *text, size_t len, uint64_t now_ns) {
    struct json_part answer = {text, len}, id;
    bool right;
    if (!json_member(answer, "id", &id))
        return false;
    struct play_line *line = play_find(p, id, answer, &right);
    if (!line)
        return false;
    const struct expect *e = &line->expect;
    enum tally_word word = tally_wrong(p->tally, id.text, id.len, text, len);
    if (!line->open)
        word = TALLY_TWICE;
    else if (right)
        word = e->kind == EXPECT_ERROR ? TALLY_ERROR : TALLY_RIGHT;
    if (line->open)
        play_close(p, line);
    tally_answer(p->tally, word, line->asked_ns, now_ns);
    bool wrong = word == TALLY_WRONG;
    tally_show(p->tally, word, text, len, wrong ? e->text : NULL, e->len);
    return true;
}

void play_free(struct play *p) {
    for (size_t i = 0; i < p->count; i++)
        play_free_line(&p->line[i]);
    free(p->line);
    buf_free(&p->unread);
}
