/*
 * Lines that go through a mapped file. Lines, by their first character:
 *
 *   p TEXT   a line is put      + TEXT   one of 16 times that
 *   e N      one that ends so many bytes, less 5, behind the lap
 *   t        all that is there is taken
 *   o        who puts opens the file again     a   who takes does
 *   b        an append is begun, and not ended
 *   x        the file loses its name, and gets it back; who takes follows
 *   x t      the same, and in between all that is there is taken
 *   k        who puts finds a folder in the file's place, and none then
 *   c        who puts closes it in order, and opens it again
 *   d PLACE NUMBER   damage, while both have it open, see files_damage()
 *
 * Without damage what is taken is what was put, in its order. With damage both
 * stay within the file.
 */
#include "common/line_ring.h"
#include "tests/fuzz/files.h"

enum { ROOM = 4096, WAITING = 1 << 16 };

static struct line_ring putter, taker;
static bool damaged;
static char waiting[WAITING]; /* lines that were put and not yet taken */
static size_t waiting_len;
static uint64_t marks, lost, append_size;

static bool is_open(const struct line_ring *ring) {
    return ring->header != NULL;
}

/* A line of so many bytes for which `asked` are asked for. */
static void put(struct span text, size_t len, size_t asked) {
    if (!is_open(&putter) || len > WAITING - waiting_len)
        return;
    char *room = line_ring_room(&putter, asked);
    if (room == NULL) {
        lost++;
        return;
    }
    HOLDS(room >= putter.data &&
              (size_t)(room - putter.data) + asked <= putter.bytes,
          "%td", room - putter.data);
    for (size_t i = 0; i + 1 < len; i++)
        room[i] = text.len > 0 ? text.data[i % text.len] : '-';
    room[len - 1] = '\n';
    memcpy(waiting + waiting_len, room, len);
    waiting_len += len;
    line_ring_put(&putter, len, ++marks);
    HOLDS(damaged || line_ring_mark(&putter) == marks, "%lu",
          (unsigned long)marks);
}

static void put_to_the_end(struct span number) {
    size_t left = putter.bytes - putter.head % putter.bytes;
    size_t len = left + files_number(&number) % 10;
    if (len > 5)
        put(span_of("e"), len - 5, len - 5);
}

static void take(void) {
    if (!is_open(&taker))
        return;
    for (int turns = 0; turns < 1000; turns++) {
        struct span lines = line_ring_lines(&taker);
        HOLDS(fuzz_within(lines, (struct span){taker.data, taker.bytes}), "%zu",
              lines.len);
        if (lines.len == 0)
            break;
        HOLDS(damaged || (lines.len <= waiting_len &&
                          memcmp(lines.data, waiting, lines.len) == 0),
              "%.*s", SPAN(lines));
        if (!damaged) {
            waiting_len -= lines.len;
            memmove(waiting, waiting + lines.len, waiting_len);
        }
        line_ring_taken(&taker, lines.len);
    }
    HOLDS(damaged || waiting_len == 0, "%zu", waiting_len);
    waiting_len = 0;
}

static void open_putter(void) {
    const char *aside;
    HOLDS(line_ring_open(&putter, files_path, ROOM, &aside) == 0, "%s",
          files_path);
    HOLDS(damaged || aside == NULL, "%s", aside);
    if (aside != NULL && is_open(&taker))
        line_ring_detach(&taker); /* that one's file is another now */
    if (line_ring_mark(&putter) == 0)
        marks = 0;
}

static void open_taker(void) {
    struct line_ring_append append;
    if (is_open(&taker))
        line_ring_detach(&taker);
    bool attached = line_ring_attach(&taker, files_path);
    HOLDS(damaged || attached, "%s", files_path);
    if (attached && line_ring_unfinished_append(&taker, &append))
        HOLDS(damaged || (append.inode == 7 && append.size == append_size),
              "%lu", (unsigned long)append.size);
}

static void begin_append(void) {
    append_size = waiting_len;
    if (is_open(&taker))
        line_ring_begin_append(&taker,
                               (struct line_ring_append){7, append_size});
}

/* Who puts is gone; `in_order`: it said so. */
static void reopen_putter(bool in_order) {
    if (in_order)
        line_ring_close(&putter);
    else
        line_ring_detach(&putter);
    open_putter();
}

static void lose_name(bool takes) {
    unlink(files_path);
    HOLDS(mapped_file_restore(&putter.file) == 1, "%s", files_path);
    if (takes)
        take();
    if (is_open(&taker))
        HOLDS(line_ring_follow(&taker) || damaged, "%s", files_path);
}

static void be_blocked(void) {
    const char *aside;
    line_ring_detach(&putter);
    files_block(true);
    HOLDS(line_ring_open(&putter, files_path, ROOM, &aside) < 0, "%s",
          files_path);
    files_block(false);
    files_limit(6000);
    HOLDS(line_ring_open(&putter, files_path, ROOM, &aside) < 0, "%s",
          files_path);
    files_limit(0);
    damaged = true; /* the file, and all that was in it, is gone */
    open_putter();
}

static void take_line(struct span line) {
    char what = line.len > 0 ? line.data[0] : ' ';
    struct span text = span_from(line, line.len < 2 ? line.len : 2);
    size_t times = what == '+' ? 16 : 1, len = text.len * times + 1;
    if (what == 'p' || what == '+')
        put(text, len, len + 7);
    else if (what == 'e')
        put_to_the_end(text);
    else if (what == 't')
        take();
    else if (what == 'o' || what == 'c')
        reopen_putter(what == 'c');
    else if (what == 'a')
        open_taker();
    else if (what == 'b')
        begin_append();
    else if (what == 'x')
        lose_name(text.len > 0);
    else if (what == 'k')
        be_blocked();
    else if (what == 'd' && memchr(text.data, ' ', text.len) != NULL) {
        damaged = true;
        files_damage(text);
    }
}

/* All is taken and nobody puts any more: then the file is removed. */
static void end(void) {
    take();
    if (is_open(&taker)) {
        HOLDS(damaged || line_ring_take_lost(&taker) == lost, "%lu",
              (unsigned long)lost);
        HOLDS(!line_ring_retire(&taker) || damaged, "it is in use");
    }
    line_ring_close(&putter);
    if (is_open(&taker)) {
        HOLDS(line_ring_retire(&taker) || damaged, "it stays");
        line_ring_detach(&taker);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    files_begin("ring");
    unlink(files_path);
    damaged = false;
    waiting_len = 0;
    marks = lost = 0;
    open_putter();
    open_taker();
    while (text.len > 0)
        take_line(fuzz_take(&text, '\n'));
    end();
    return 0;
}
