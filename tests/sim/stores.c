#include "tests/sim/stores.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/mapped_file.h"
#include "tests/sim/stores_in.h"

#undef memcpy
#undef memmove
#undef memset

jmp_buf stores_killed;

static enum process at_work;
static uint64_t count;

/* Memory of a process; in front of what malloc() gives. */
struct block {
    _Alignas(max_align_t) LIST_ENTRY(block) entry;
    size_t size;
    enum process of;
};

static struct {
    uint64_t armed, armed_at_length;
    const struct mapped_file *file; /* NULL: none yet */
    LIST_HEAD(, block) blocks;
    size_t memory;
} all[PROCESSES];

void stores_at_work(enum process process) {
    at_work = process;
}

void stores_arm(enum process process, uint64_t number) {
    all[process].armed = number;
}

void stores_arm_at_length(enum process process, uint64_t number) {
    all[process].armed_at_length = number;
}

uint64_t stores_count(void) {
    return count;
}

static bool is_in_file(const void *at) {
    const struct mapped_file *file = all[at_work].file;
    return file != NULL && file->start != NULL &&
           (uintptr_t)at - (uintptr_t)file->start < file->bytes;
}

/* In front of a store. */
static void store(const void *at) {
    if (!is_in_file(at))
        return;
    count++;
    if (all[at_work].armed > 0 && --all[at_work].armed == 0)
        longjmp(stores_killed, 1);
}

/* A copy is as many stores as it has words, in the order of addresses. */
void *stores_copy(void *to, const void *from, size_t len) {
    if (!is_in_file(to))
        return memmove(to, from, len);
    for (size_t done = 0, step; done < len; done += step) {
        step = len - done < sizeof count ? len - done : sizeof count;
        store((char *)to + done);
        memmove((char *)to + done, (const char *)from + done, step);
    }
    return to;
}

void *stores_fill(void *to, int byte, size_t len) {
    store(to);
    return memset(to, byte, len);
}

/* What the compiler calls in front of each access. */
#define TSAN(name, parameters)                                                 \
    void __tsan_##name parameters;                                             \
    void __tsan_##name parameters
#define ACCESS(size)                                                           \
    TSAN(read##size, (void *at)) {                                             \
        (void)at;                                                              \
    }                                                                          \
    TSAN(unaligned_read##size, (void *at)) {                                   \
        (void)at;                                                              \
    }                                                                          \
    TSAN(write##size, (void *at)) {                                            \
        store(at);                                                             \
    }                                                                          \
    TSAN(unaligned_write##size, (void *at)) {                                  \
        store(at);                                                             \
    }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
TSAN(init, (void)) {
}
TSAN(func_entry, (void *caller)) {
    (void)caller;
}
TSAN(func_exit, (void)) {
}
TSAN(read_range, (void *at, size_t len)) {
    (void)at, (void)len;
}
TSAN(write_range, (void *at, size_t len)) {
    (void)len;
    store(at);
}
TSAN(atomic_thread_fence, (int order)) {
    (void)order;
}
TSAN(atomic64_store, (uint64_t * at, uint64_t value, int order)) {
    (void)order;
    store(at);
    *at = value;
}
uint64_t __tsan_atomic64_load(const uint64_t *at, int order);
uint64_t __tsan_atomic64_load(const uint64_t *at, int order) {
    (void)order;
    return *at;
}

size_t stores_memory(enum process process) {
    return all[process].memory;
}

void *__real_malloc(size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *at, size_t size);
void __wrap_free(void *at);
int __real_mapped_file_open(struct mapped_file *opened, const char *path);
int __wrap_mapped_file_open(struct mapped_file *opened, const char *path);

void *__wrap_malloc(size_t size) {
    struct block *block = __real_malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct block){.size = size, .of = at_work};
    if (at_work != NO_PROCESS)
        LIST_INSERT_HEAD(&all[at_work].blocks, block, entry);
    all[at_work].memory += size;
    return block + 1;
}

void *__wrap_calloc(size_t number, size_t size) {
    void *at = __wrap_malloc(number * size);
    return at != NULL ? memset(at, 0, number * size) : NULL;
}

void __wrap_free(void *at) {
    if (at == NULL)
        return;
    struct block *block = (struct block *)at - 1;
    if (block->of != NO_PROCESS)
        LIST_REMOVE(block, entry);
    all[block->of].memory -= block->size;
    __real_free(block);
}

void *__wrap_realloc(void *at, size_t size) {
    void *new = __wrap_malloc(size);
    if (at != NULL && new != NULL) {
        size_t before = ((struct block *)at - 1)->size;
        memcpy(new, at, before < size ? before : size);
        __wrap_free(at);
    }
    return new;
}

int __wrap_mapped_file_open(struct mapped_file *opened, const char *path) {
    int result = __real_mapped_file_open(opened, path);
    all[at_work].file = opened;
    return result;
}

void __real_mapped_file_close(struct mapped_file *closed, bool remove);
void __wrap_mapped_file_close(struct mapped_file *closed, bool remove);
void __wrap_mapped_file_close(struct mapped_file *closed, bool remove) {
    __real_mapped_file_close(closed, remove);
    all[at_work].file = NULL;
}

/* The file's length is what a process can be killed in front of and behind,
 * too. */
static void length_changes(void) {
    if (all[at_work].armed_at_length > 0)
        all[at_work].armed = all[at_work].armed_at_length;
    all[at_work].armed_at_length = 0;
}

int __real_mapped_file_map(struct mapped_file *mapped, size_t bytes);
int __wrap_mapped_file_map(struct mapped_file *mapped, size_t bytes);
int __wrap_mapped_file_map(struct mapped_file *mapped, size_t bytes) {
    length_changes();
    store(mapped->start);
    int result = __real_mapped_file_map(mapped, bytes);
    store(mapped->start);
    return result;
}

void __real_mapped_file_shorten(struct mapped_file *mapped, size_t bytes);
void __wrap_mapped_file_shorten(struct mapped_file *mapped, size_t bytes);
void __wrap_mapped_file_shorten(struct mapped_file *mapped, size_t bytes) {
    length_changes();
    store(mapped->start);
    __real_mapped_file_shorten(mapped, bytes);
    store(mapped->start);
}

void stores_end(enum process process) {
    const struct mapped_file *file = all[process].file;
    at_work = NO_PROCESS;
    if (file != NULL) {
        struct mapped_file left = *file;
        left.path = NULL; /* the process's memory, too */
        __real_mapped_file_close(&left, false);
    }
    all[process].file = NULL;
    while (!LIST_EMPTY(&all[process].blocks)) {
        struct block *block = LIST_FIRST(&all[process].blocks);
        __wrap_free(block + 1);
    }
}
