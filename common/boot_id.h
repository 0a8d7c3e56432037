/* Which boot of the machine this is: what is kept in files may end with it. */
#ifndef FXWIRE_COMMON_BOOT_ID_H
#define FXWIRE_COMMON_BOOT_ID_H

enum { BOOT_ID_SIZE = 40 };

/* The kernel's id of this boot as text, see random(4); the rest is NULs. */
void boot_id_read(char out[static BOOT_ID_SIZE]);

#endif
