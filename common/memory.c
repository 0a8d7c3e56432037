#include "common/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void) {
    static const char text[] = "fxwire: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(EX_SOFTWARE);
}

void *memory_new(size_t size) {
    void *new = calloc(1, size);
    if (new == NULL)
        out_of_memory();
    return new;
}

void *memory_resize(void *old, size_t size) {
    void *new = realloc(old, size);
    if (new == NULL)
        out_of_memory();
    return new;
}

char *memory_copy(const char *text, size_t len) {
    char *copy = memory_new(len + 1);
    memcpy(copy, text, len);
    return copy;
}

/* Not vasprintf(): its buffer grows, and leaves copies of a secret behind. */
char *memory_print(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    if (len < 0)
        abort(); /* a bad format */
    char *text = memory_new((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

void memory_wipe(char *secret) {
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
