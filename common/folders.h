/* Folders of our own. */
#ifndef FXWIRE_COMMON_FOLDERS_H
#define FXWIRE_COMMON_FOLDERS_H

/* Makes the folder (mode 0700) and those above it that are missing. -1 and
 * errno. */
int folders_make(const char *path);

#endif
