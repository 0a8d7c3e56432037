/*
 * The ledger of messages in hand. Lines, by their first character:
 *
 *   t TEXT      a message is taken        + TEXT     one of 16 times that
 *   a TEXT      the oldest without an answer is answered
 *   u           the newest answer is withdrawn
 *   r           the oldest message is released
 *   w           the newest is being worked on; if it is the end of the process
 *   n           from now on there are notes
 *   x           the file loses its name, and gets it back
 *   o           the file is opened again, by the next process
 *   g, s        the same, with more room; which the disk has not, until the
 *               next of these lines
 *   l           it is looked after for ten seconds
 *   b           the same, and a folder has the file's place; then it has not
 *   d PLACE NUMBER, or d PLACE   ... with damage, see files_damage()
 *
 * Without damage the next process finds what was there, and nothing else. With
 * damage it finds what can be read; from then on, that and nothing else.
 */
#include "wsclient/ledger.h"
#include "tests/fuzz/files.h"
#include "wsclient/response.h"

enum { ROOM = 16384, MORE_ROOM = 1 << 20, HELD = 64 };

/* What must be in the ledger, the oldest first. */
static struct held {
    struct message *message;
    char *request, *answer; /* the latter NULL: there is none */
    size_t request_len, answer_len;
    uint64_t sequence;
    unsigned deaths;
} held[HELD];
static size_t count;
static uint64_t work_on; /* the sequence of that message; 0: none */
static struct ledger *ledger;
static size_t room;
static bool blocked, in_memory; /* the file can not be had, or is not */

static void forget(size_t place) {
    free(held[place].request);
    free(held[place].answer);
    memmove(held + place, held + place + 1, (--count - place) * sizeof *held);
}

static char *copy_of(struct span text) {
    return (char *)fuzz_copy(text).data;
}

static void add(struct message *message) {
    HOLDS(count < HELD, "%zu", count);
    held[count++] = (struct held){
        .message = message,
        .request = copy_of(message->request),
        .request_len = message->request.len,
        .answer = message->answer.len > 0 ? copy_of(message->answer) : NULL,
        .answer_len = message->answer.len,
        .sequence = message->sequence,
        .deaths = message->deaths,
    };
}

static void take(struct span text, size_t times) {
    char *request = malloc(text.len * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(request + i * text.len, text.data, text.len);
    bool could = ledger_could_take(ledger, text.len * times);
    struct message *message =
        count < HELD
            ? ledger_take(ledger, (struct span){request, text.len * times},
                          (monotime){1})
            : NULL;
    if (message != NULL) {
        HOLDS(could && ledger_bytes(ledger) <= room, "%zu",
              ledger_bytes(ledger));
        HOLDS(ledger_is_filling(ledger) || ledger_bytes(ledger) <= room / 8,
              "%zu", ledger_bytes(ledger));
        HOLDS(count == 0 || message->sequence > held[count - 1].sequence, "%lu",
              (unsigned long)message->sequence);
        add(message);
        if (message->request.len > 2)
            ledger_note_id(message,
                           (struct span){message->request.data + 1, 2});
    }
    free(request);
}

static void answer(struct span text) {
    size_t i = 0;
    while (i < count && held[i].answer != NULL)
        i++;
    if (i == count)
        return;
    size_t most = held[i].request_len + RESPONSE_GROWTH_BYTES;
    text.len = text.len < most ? text.len : most;
    if (text.len == 0)
        return;
    memcpy(ledger_answer_room(held[i].message), text.data, text.len);
    ledger_answered(held[i].message, text.len);
    held[i].answer = copy_of(text);
    held[i].answer_len = text.len;
}

static void withdraw(void) {
    size_t i = count;
    while (i > 0 && held[i - 1].answer == NULL)
        i--;
    if (i == 0)
        return;
    ledger_unanswer(held[i - 1].message);
    free(held[i - 1].answer);
    held[i - 1].answer = NULL;
    held[i - 1].answer_len = 0;
}

static void release(void) {
    if (count == 0)
        return;
    ledger_release(ledger, held[0].message);
    forget(0);
}

static void work(void) {
    if (count == 0)
        return;
    ledger_work_begins(ledger, held[count - 1].message);
    work_on = held[count - 1].sequence;
}

static void check_found(struct message *message, size_t place) {
    struct held *h = &held[place];
    HOLDS(
        fuzz_same(message->request, (struct span){h->request, h->request_len}),
        "%.*s", SPAN(message->request));
    HOLDS(fuzz_same(message->answer, (struct span){h->answer, h->answer_len}),
          "%.*s", SPAN(message->answer));
    HOLDS(message->sequence == h->sequence, "%lu",
          (unsigned long)message->sequence);
    if (work_on != 0 && work_on == h->sequence && h->deaths < 255)
        h->deaths++;
    HOLDS(message->deaths == h->deaths, "%u, not %u", message->deaths,
          h->deaths);
    h->message = message;
}

/* All that it is said to have can be read. */
static void check_readable(struct message *message) {
    struct span all[] = {message->request, message->answer, message->id};
    for (size_t i = 0; i < 3; i++)
        free((char *)fuzz_copy(all[i]).data);
    HOLDS(message->id.len == 0 || fuzz_within(message->id, message->request),
          "%zu", message->id.len);
    char *note = ledger_note(message, 32);
    if (note != NULL)
        free((char *)fuzz_copy((struct span){note, 32}).data);
    memset(ledger_answer_room(message), 'a', message->answer.len);
    if (message->answer.len > 0)
        ledger_answered(message, message->answer.len);
}

static void open_again(bool damaged) {
    struct message_queue queue;
    struct message *message;
    size_t place = 0;
    if (damaged)
        while (count > 0)
            forget(0);
    ledger = ledger_open(files_path, room);
    HOLDS(ledger != NULL, "%s", files_path);
    TAILQ_INIT(&queue);
    ledger_found(ledger, clock_monotonic(), &queue);
    TAILQ_FOREACH (message, &queue, entry) {
        if (damaged) {
            check_readable(message);
            add(message);
        } else {
            HOLDS(place < count, "%.*s", SPAN(message->request));
            check_found(message, place++);
        }
    }
    HOLDS(damaged || place == count, "%zu of %zu are there", place, count);
    HOLDS(ledger_count(ledger) == count, "%zu", ledger_count(ledger));
    HOLDS(ledger_max_bytes(ledger) <= room, "%zu", ledger_max_bytes(ledger));
    work_on = 0;
    in_memory = blocked || access(files_path, F_OK) < 0;
}

static void look(void) {
    for (int i = 0; i < 10; i++)
        HOLDS(!ledger_restore(ledger), "%s", files_path);
    HOLDS(ledger_is_stuck(ledger) || ledger_max_bytes(ledger) == room, "%zu",
          ledger_max_bytes(ledger));
}

static void lose_name(void) {
    files_limit(0);
    if (in_memory) {
        HOLDS(!ledger_restore(ledger), "%s", files_path);
        return;
    }
    HOLDS(unlink(files_path) == 0, "%s", files_path);
    HOLDS(ledger_restore(ledger), "%s", files_path);
    HOLDS(!ledger_restore(ledger), "%s", files_path);
}

/* What was in memory alone ends with the process. */
static void next_process(char what, struct span text) {
    bool other = in_memory || what == 'd' || what == 'b';
    ledger_close(&ledger);
    files_limit(0);
    if (what == 'g' || what == 's')
        room = MORE_ROOM;
    if (what == 'b')
        files_block(blocked = !blocked);
    if (what == 'd' && !blocked)
        files_damage(text);
    if (what == 's')
        files_limit(6000);
    open_again(other);
}

static void take_line(struct span line) {
    char what = line.len > 0 ? line.data[0] : ' ';
    struct span text = span_from(line, line.len < 2 ? line.len : 2);
    if (what == 't' || what == '+')
        take(text, what == '+' ? 16 : 1);
    else if (what == 'a')
        answer(text);
    else if (what == 'u')
        withdraw();
    else if (what == 'r')
        release();
    else if (what == 'w')
        work();
    else if (what == 'n')
        ledger_keep_notes(ledger, 32);
    else if (what == 'x')
        lose_name();
    else if (what == 'l')
        look();
    else if (line.len > 0 && strchr("odgsb", what) != NULL)
        next_process(what, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    files_begin("ledger");
    unlink(files_path);
    room = ROOM;
    open_again(false);
    while (text.len > 0)
        take_line(fuzz_take(&text, '\n'));
    next_process(blocked ? 'b' : 'o', text);
    while (count > 0)
        release();
    ledger_close(&ledger);
    HOLDS(access(files_path, F_OK) < 0, "%s is still there", files_path);
    return 0;
}
