/* A process's last words: the stack frames of a crash, in the log. */
#ifndef FXWIRE_COMMON_CRASH_H
#define FXWIRE_COMMON_CRASH_H

#include <stdbool.h>

/*
 * From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write one log line
 * (JSON or text) with at most `frames` frames to `fd` before they end the
 * process. `process` is lent for ever. Frames have the names of functions,
 * static ones too, as far as the program was not stripped; those of a library
 * have its name and an offset.
 */
void crash_install(const char *process, int frames, bool json, int fd);

/* Other settings are in force. */
void crash_set(int frames, bool json);

#endif
