/* Files of certificates and keys in PEM, as far as they can be judged without
 * TLS. */
#ifndef FXWIRE_COMMON_SETTINGS_PEM_FILES_H
#define FXWIRE_COMMON_SETTINGS_PEM_FILES_H

#include "common/settings/settings.h"

/* Enters a fault if the setting `which` names what is no trust anchor. */
void pem_files_check_anchor(struct settings *settings,
                            enum setting which) NONNULL_ALL;

/*
 * The same for the two files of a client's certificate, which may be one; a
 * warning if everybody may read the key.
 */
void pem_files_check_pair(struct settings *settings, enum setting certificate,
                          enum setting key) NONNULL_ALL;

#endif
