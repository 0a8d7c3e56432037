/* The runtime folder: ours alone, with one service in it. */
#ifndef FXWIRE_COMMON_RUNTIME_DIR_H
#define FXWIRE_COMMON_RUNTIME_DIR_H

/*
 * Makes the folder (mode 0700) where it is missing and checks that it belongs
 * to this user alone. NULL, or one line about what is wrong; the caller frees
 * it.
 */
char *runtime_dir_prepare(const char *dir);

/* The path of a file in it; the caller frees it. */
char *runtime_dir_path(const char *dir, const char *name);

/*
 * Takes the lock `name` in it. Gives a descriptor (close-on-exec) that holds
 * it until it is closed; -1 and errno, EWOULDBLOCK if another has it.
 */
int runtime_dir_lock(const char *dir, const char *name);

/* Waits until nobody holds that lock, or there is none. */
void runtime_dir_wait_unlocked(const char *dir, const char *name);

#endif
