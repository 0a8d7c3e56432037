/* A process's last words: the stack frames of a crash, in the log. */
#ifndef FXWIRE_COMMON_CRASH_H
#define FXWIRE_COMMON_CRASH_H

/*
 * From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT log one line with at
 * most `frames` frames before they end the process. Frames have the names of
 * functions, static ones too, as far as the program was not stripped; those of
 * a library have its name and an offset.
 */
void crash_install(int frames);

/* Another number of frames is in force. */
void crash_set(int frames);

/*
 * Who writes the log dies with this process, and with it would be lost what it
 * has read of that line and not yet written. So after its line a process that
 * crashes closes `channel`, lent, and waits for at most half a second until the
 * other side has ended, as one does without its parent. -1: there is none.
 */
void crash_await_end_of(int channel);

#endif
