#include "common/line_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/memory.h"

enum { VERSION = 1, DATA_AT = 4096, CACHE_LINE = 64 };

static const char magic[] = "fxlinrng";

/* A mark, and where the line ends that has it. */
struct marked {
    _Atomic uint64_t head, mark;
};

/* At the front of the file; the data follow at DATA_AT. */
struct line_ring_header {
    struct mapped_header form;
    _Atomic uint64_t bytes;
    _Atomic uint64_t made_at; /* of this boot's nanoseconds: tells it from
                                 others of the same name */
    /* Of who puts: */
    alignas(CACHE_LINE) _Atomic uint64_t head;
    _Atomic uint64_t turn;  /* where the lap ended that head was in before */
    struct marked marks[2]; /* that of head is the last line's */
    _Atomic uint64_t lost, told; /* so many of these were told of */
    _Atomic uint64_t closed;     /* 1: in order */
    /* Of who takes: */
    alignas(CACHE_LINE) _Atomic uint64_t tail;
    struct {
        _Atomic uint64_t inode, size, tail;
    } append; /* at this tail; see line_ring_begin_append() */
};

static uint64_t get(const _Atomic uint64_t *word) {
    return atomic_load_explicit(word, memory_order_acquire);
}

/* Everything written before is there when the word is. */
static void set(_Atomic uint64_t *word, uint64_t value) {
    atomic_store_explicit(word, value, memory_order_release);
}

/* Where the lap ends that this position is in. */
static uint64_t end_of_lap(const struct line_ring *ring, uint64_t position) {
    return (position / ring->bytes + 1) * ring->bytes;
}

static void use_mapping(struct line_ring *ring, size_t bytes) {
    ring->header = ring->file.start;
    ring->data = (char *)ring->file.start + DATA_AT;
    ring->bytes = bytes;
    ring->head = ring->start = get(&ring->header->head);
    ring->tail = get(&ring->header->tail);
}

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int make_file(struct line_ring *ring, size_t bytes) {
    if (mapped_file_map(&ring->file, DATA_AT + bytes) < 0) {
        int error = errno;
        mapped_file_close(&ring->file, true);
        errno = error;
        return -1;
    }
    struct line_ring_header *header = ring->file.start;
    set(&header->bytes, bytes);
    set(&header->made_at, nanoseconds());
    mapped_file_begin(&ring->file, magic, VERSION);
    use_mapping(ring, bytes);
    return 0;
}

/* Whether the positions can be those of a ring. */
static bool is_sound(const struct line_ring *ring) {
    uint64_t head = ring->head, tail = ring->tail;
    return tail <= head && head - tail <= ring->bytes;
}

/* Maps what somebody made. NULL, or why it can not be used. */
static const char *use_file(struct line_ring *ring, enum mapped_form form) {
    static const char *const faults[] = {
        [MAPPED_FORM_NONE] = "it was not begun",
        [MAPPED_FORM_FOREIGN] = "it is none of ours",
        [MAPPED_FORM_VERSION] = "another version wrote it",
        [MAPPED_FORM_BOOT] = "it is of an earlier boot",
        [MAPPED_FORM_SAME] = NULL,
    };
    struct line_ring_header header;
    size_t length = mapped_file_length(&ring->file);
    if (faults[form] != NULL)
        return faults[form];
    if (pread(ring->file.fd, &header, sizeof header, 0) != sizeof header ||
        header.bytes == 0 || header.bytes % DATA_AT != 0 || length < DATA_AT ||
        header.bytes > length - DATA_AT)
        return "it is damaged";
    if (mapped_file_map(&ring->file, DATA_AT + header.bytes) < 0)
        return strerror(errno);
    use_mapping(ring, header.bytes);
    return is_sound(ring) ? NULL : "it is damaged";
}

/* -1 and errno: it stays where it is. */
static int set_aside(struct line_ring *ring, const char *path) {
    char *aside = memory_print("%s.aside", path);
    int result = rename(path, aside);
    free(aside);
    mapped_file_close(&ring->file, false);
    return result;
}

int line_ring_open(struct line_ring *ring, const char *path, size_t bytes,
                   const char **aside) {
    *aside = NULL;
    for (;;) {
        *ring = (struct line_ring){.header = NULL};
        if (mapped_file_open(&ring->file, path) < 0)
            return -1;
        enum mapped_form form = mapped_file_form(&ring->file, magic, VERSION);
        if (form == MAPPED_FORM_NONE)
            return make_file(ring, bytes);
        const char *why = use_file(ring, form);
        if (why == NULL)
            break;
        *aside = why;
        if (set_aside(ring, path) < 0)
            return -1;
    }
    if (get(&ring->header->closed) == 1) /* the marks had another meaning */
        line_ring_clear_mark(ring);
    set(&ring->header->closed, 0);
    return 0;
}

/* Where a line of so many bytes can begin, if there is room for it. */
static bool find_start(struct line_ring *ring, size_t bytes) {
    uint64_t end = end_of_lap(ring, ring->head);
    ring->start = ring->head;
    if (end - ring->head < bytes)
        ring->start = end;
    if (bytes > ring->bytes)
        return false;
    if (ring->start + bytes - ring->tail > ring->bytes)
        ring->tail = get(&ring->header->tail);
    return ring->start + bytes - ring->tail <= ring->bytes;
}

char *line_ring_room(struct line_ring *ring, size_t bytes) {
    if (find_start(ring, bytes))
        return ring->data + ring->start % ring->bytes;
    line_ring_lose(ring, 1);
    return NULL;
}

void line_ring_put(struct line_ring *ring, size_t len, uint64_t mark) {
    struct line_ring_header *header = ring->header;
    uint64_t head = ring->start + len;
    if (ring->start != ring->head)
        set(&header->turn, ring->head);
    else if (head % ring->bytes == 0)
        set(&header->turn, head); /* not one that was set before a kill */
    /* The marks' places by turns: the last line's is good until `head` is set.
     */
    struct marked *next = &header->marks[++ring->puts % 2];
    if (get(&next->head) == ring->head)
        next = &header->marks[++ring->puts % 2];
    set(&next->head, head);
    set(&next->mark, mark);
    set(&header->head, head);
    ring->head = head;
}

uint64_t line_ring_mark(const struct line_ring *ring) {
    for (int i = 0; i < 2; i++)
        if (get(&ring->header->marks[i].head) == ring->head)
            return get(&ring->header->marks[i].mark);
    return 0;
}

void line_ring_clear_mark(struct line_ring *ring) {
    for (int i = 0; i < 2; i++)
        set(&ring->header->marks[i].mark, 0);
}

void line_ring_lose(struct line_ring *ring, uint64_t lines) {
    set(&ring->header->lost, get(&ring->header->lost) + lines);
}

void line_ring_close(struct line_ring *ring) {
    set(&ring->header->closed, 1);
    mapped_file_close(&ring->file, false);
    ring->header = NULL;
}

bool line_ring_attach(struct line_ring *ring, const char *path) {
    struct stat status;
    *ring = (struct line_ring){.header = NULL};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    ring->file =
        (struct mapped_file){.fd = fd, .path = memory_copy(path, strlen(path))};
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_uid == geteuid() &&
        use_file(ring, mapped_file_form(&ring->file, magic, VERSION)) == NULL)
        return true;
    line_ring_detach(ring);
    return false;
}

struct span line_ring_lines(struct line_ring *ring) {
    uint64_t head = get(&ring->header->head);
    if (head - ring->tail > ring->bytes) /* somebody damaged it meanwhile */
        return (struct span){ring->data, 0};
    uint64_t lap = end_of_lap(ring, ring->tail), end = head;
    if (head >= lap) {
        uint64_t turn = get(&ring->header->turn);
        end = ring->tail <= turn && turn < lap ? turn : lap;
    }
    if (end == ring->tail && head > lap) { /* the rest of that lap is free */
        ring->tail = lap;
        set(&ring->header->tail, lap);
        return line_ring_lines(ring);
    }
    return (struct span){ring->data + ring->tail % ring->bytes,
                         end - ring->tail};
}

void line_ring_taken(struct line_ring *ring, size_t len) {
    ring->tail += len;
    set(&ring->header->tail, ring->tail);
}

void line_ring_begin_append(struct line_ring *ring,
                            struct line_ring_append append) {
    struct line_ring_header *header = ring->header;
    set(&header->append.inode, 0); /* until all of it is there */
    set(&header->append.tail, ring->tail);
    set(&header->append.size, append.size);
    set(&header->append.inode, append.inode);
}

bool line_ring_unfinished_append(const struct line_ring *ring,
                                 struct line_ring_append *append) {
    const struct line_ring_header *header = ring->header;
    append->inode = get(&header->append.inode);
    append->size = get(&header->append.size);
    return append->inode != 0 && get(&header->append.tail) == ring->tail;
}

uint64_t line_ring_take_lost(struct line_ring *ring) {
    uint64_t lost = get(&ring->header->lost), told = get(&ring->header->told);
    set(&ring->header->told, lost);
    return lost - told;
}

bool line_ring_follow(struct line_ring *ring) {
    struct line_ring other;
    if (!line_ring_attach(&other, ring->file.path))
        return false;
    bool copied = get(&other.header->made_at) == get(&ring->header->made_at);
    if (!copied && line_ring_lines(ring).len > 0) {
        line_ring_detach(&other);
        return false;
    }
    if (copied && other.tail < ring->tail && ring->tail <= other.head) {
        other.tail = ring->tail;
        set(&other.header->tail, other.tail);
    }
    line_ring_detach(ring);
    *ring = other;
    return true;
}

bool line_ring_retire(struct line_ring *ring) {
    bool named = mapped_file_is_in_place(&ring->file);
    if ((named && get(&ring->header->closed) != 1) ||
        line_ring_lines(ring).len > 0 ||
        flock(ring->file.fd, LOCK_EX | LOCK_NB) < 0)
        return false;
    /* Nobody has it open now; but somebody may have had before. */
    bool gone = get(&ring->header->head) == ring->tail &&
                (!named || (get(&ring->header->closed) == 1 &&
                            unlink(ring->file.path) == 0));
    flock(ring->file.fd, LOCK_UN);
    return gone;
}

void line_ring_detach(struct line_ring *ring) {
    mapped_file_close(&ring->file, false);
    ring->header = NULL;
}
