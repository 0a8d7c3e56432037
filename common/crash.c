/*
 * The handler may run in any state of the process: it allocates nothing and
 * takes no lock of ours. The symbol table is mapped beforehand.
 */
#include "common/crash.h"

#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

enum { MAX_FRAMES = 64, MAX_OBJECTS = 64, STACK_BYTES = 65536 };

/* So long the death waits for who writes the log; none hangs for it. */
static const struct timespec last_line_patience = {.tv_nsec = 500000000};

/* A loaded file: the program itself is the first. */
struct object {
    uintptr_t base, end;
    char name[48];
};

static struct {
    int frames;
    struct object objects[MAX_OBJECTS];
    size_t object_count;
    const ElfW(Sym) * symbols;
    size_t count;
    const char *names;
    int awaited; /* see crash_await_end_of() */
} crash = {.awaited = -1};

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"},
};

/* The function of this program that has `address`, or NULL. */
static const ElfW(Sym) * find_symbol(uintptr_t address) {
    for (size_t i = 0; i < crash.count; i++) {
        const ElfW(Sym) *symbol = &crash.symbols[i];
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            address >= symbol->st_value &&
            address < symbol->st_value + symbol->st_size)
            return symbol;
    }
    return NULL;
}

static const struct object *find_object(uintptr_t address) {
    for (size_t i = 0; i < crash.object_count; i++)
        if (address >= crash.objects[i].base && address < crash.objects[i].end)
            return &crash.objects[i];
    return NULL;
}

/* `function+12` in the program, `libc.so.6+0x2a1b` elsewhere. */
static void put_frame(struct log_buffer *line, uintptr_t address) {
    const struct object *object = find_object(address);
    uintptr_t offset = address - (object != NULL ? object->base : 0);
    const ElfW(Sym) *symbol =
        object == crash.objects ? find_symbol(offset) : NULL;
    if (symbol != NULL) {
        log_put(line, crash.names + symbol->st_name);
        log_put(line, "+");
        log_put_number(line, offset - symbol->st_value, 10);
        return;
    }
    log_put(line, object != NULL ? object->name : "?");
    log_put(line, "+0x");
    log_put_number(line, offset, 16);
}

static const char *signal_name(int number) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == number)
            return signals[i].name;
    return "?";
}

/* No signal shortens it: that of the awaited one's own end comes in between. */
static void await_end(void) {
    sigset_t all;
    sigfillset(&all);
    struct pollfd hangup = {.fd = crash.awaited};
    if (crash.awaited >= 0 && shutdown(crash.awaited, SHUT_WR) == 0)
        ppoll(&hangup, 1, &last_line_patience, &all);
}

/* Frames 0 and 1 are this handler and what the kernel put below it. */
static void on_crash(int number) {
    enum { OWN_FRAMES = 2 };
    static struct log_buffer text;
    static void *frames[MAX_FRAMES + OWN_FRAMES];
    int count = backtrace(frames, crash.frames + OWN_FRAMES);
    for (int i = OWN_FRAMES; i < count; i++) {
        log_put(&text, i > OWN_FRAMES ? " < " : "");
        put_frame(&text, (uintptr_t)frames[i]);
    }
    const struct log_field all = {
        "frames", {text.text, text.len}, 0, LOG_QUOTED};
    log_error(EVENT_CRASHED,
              LOG_FIELDS(log_text("signal", signal_name(number)), all));
    await_end();
    raise(number); /* the default action, as SA_RESETHAND put it back */
}

/* Finds the symbol table in the mapped program. */
static void read_sections(const char *image, size_t size) {
    const ElfW(Ehdr) *head = (const void *)image;
    if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_shoff + head->e_shnum * sizeof(ElfW(Shdr)) > size)
        return;
    const ElfW(Shdr) *sections = (const void *)(image + head->e_shoff);
    for (size_t i = 0; i < head->e_shnum; i++) {
        const ElfW(Shdr) *section = &sections[i];
        if (section->sh_type != SHT_SYMTAB ||
            section->sh_offset + section->sh_size > size)
            continue;
        crash.symbols = (const void *)(image + section->sh_offset);
        crash.count = section->sh_size / sizeof *crash.symbols;
        crash.names = image + sections[section->sh_link].sh_offset;
    }
}

static void map_symbols(void) {
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        size_t size = (size_t)status.st_size;
        const char *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (image != MAP_FAILED)
            read_sections(image, size);
    }
    if (fd >= 0)
        close(fd);
}

static int on_object(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size, (void)arg;
    struct object *object = &crash.objects[crash.object_count++];
    const char *name = strrchr(info->dlpi_name, '/');
    strncpy(object->name, name != NULL ? name + 1 : "program",
            sizeof object->name - 1);
    object->base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
                        info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && end > object->end)
            object->end = end;
    }
    return crash.object_count == MAX_OBJECTS;
}

void crash_set(int frames) {
    crash.frames = frames < MAX_FRAMES ? frames : MAX_FRAMES;
}

void crash_await_end_of(int channel) {
    crash.awaited = channel;
}

void crash_install(int frames) {
    static char stack[STACK_BYTES]; /* for an overflow of the usual one */
    void *warm_up[1];
    crash_set(frames);
    backtrace(warm_up, 1); /* loads what it needs, while that is safe */
    map_symbols();
    dl_iterate_phdr(on_object, NULL);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction action = {.sa_handler = on_crash,
                               .sa_flags =
                                   SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i].number, &action, NULL);
}
