#include "common/settings/pem_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/memory.h"
#include "common/settings/settings_check.h"
#include "common/utf8.h"

static void add_fault(struct settings *s, enum setting which,
                      const char *what) {
    settings_add_fault(s, memory_print("%s=%s: %s", settings_name(which),
                                       settings_text(s, which), what));
}

/* Of its file; NULL: a fault is entered. memory_wipe() it. */
static char *read_file(struct settings *s, enum setting which, size_t *len) {
    char *text = files_read(settings_text(s, which), len);
    char *why = memory_print("cannot be read: %s", strerror(errno));
    if (text == NULL)
        add_fault(s, which, why);
    free(why);
    return text;
}

static void check_certificates(struct settings *s, enum setting which) {
    size_t len;
    char *text = read_file(s, which, &len);
    if (text == NULL)
        return;
    if (strstr(text, "-----BEGIN CERTIFICATE-----") == NULL &&
        strstr(text, "-----BEGIN TRUSTED CERTIFICATE-----") == NULL)
        add_fault(s, which, "must be a file of certificates in PEM");
    else if (utf8_without_mark((struct span){text, len}).len != len)
        add_fault(s, which,
                  "a byte order mark hides its first certificate; save it "
                  "without one");
    memory_wipe(text);
}

/* A file that is no trust anchor would fail each connection, later. */
void pem_files_check_anchor(struct settings *settings, enum setting which) {
    if (settings_is_good(settings, which))
        check_certificates(settings, which);
}

static void check_key(struct settings *s, enum setting which) {
    struct stat status;
    size_t len;
    char *text = read_file(s, which, &len);
    if (text == NULL)
        return;
    if (strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL ||
        strstr(text, "Proc-Type: 4,ENCRYPTED") != NULL)
        add_fault(s, which,
                  "is encrypted, and nobody is there to give the password; "
                  "save the key without one");
    else if (strstr(text, "PRIVATE KEY-----") == NULL)
        add_fault(s, which, "must be a file with a private key in PEM");
    else if (stat(settings_text(s, which), &status) == 0 &&
             (status.st_mode & S_IROTH) != 0)
        settings_add_warning(
            s, memory_print("%s=%s: everybody on this machine can read the "
                            "key: chmod o-r",
                            settings_name(which), settings_text(s, which)));
    memory_wipe(text);
}

void pem_files_check_pair(struct settings *settings, enum setting certificate,
                          enum setting key) {
    struct settings *s = settings;
    bool has_certificate = settings_text(s, certificate) != NULL;
    bool has_key = settings_text(s, key) != NULL;
    if (settings_is_good(s, certificate))
        check_certificates(s, certificate);
    if (settings_is_good(s, key))
        check_key(s, key);
    if (has_certificate && !has_key)
        settings_add_fault(s, memory_print("%s needs %s, the key that belongs "
                                           "to it (it may be the same file)",
                                           settings_name(certificate),
                                           settings_name(key)));
    if (has_key && !has_certificate)
        settings_add_fault(
            s,
            memory_print("%s needs %s, the certificate that it is the key of",
                         settings_name(key), settings_name(certificate)));
}
