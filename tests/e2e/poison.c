/*
 * Linked into a wsclient of the tests alone (see tests.mk): it dies when it
 * reads a request with "poison" in it, and when it answers one with "venom".
 */
#include <stdlib.h>

#include "wsclient/response.h"

/* The linker's --wrap makes each of these pairs of one function. */
void __real_request_read(struct span text, int64_t now_ms, struct request *out);
void __wrap_request_read(struct span text, int64_t now_ms, struct request *out);
size_t __real_response_write(const struct request *request, struct span text,
                             euro amount, int64_t date_ms, char *out);
size_t __wrap_response_write(const struct request *request, struct span text,
                             euro amount, int64_t date_ms, char *out);

static void die_of(struct span text, const char *word) {
    if (memmem(text.data, text.len, word, strlen(word)) != NULL)
        abort();
}

void __wrap_request_read(struct span text, int64_t now_ms,
                         struct request *out) {
    die_of(text, "poison");
    __real_request_read(text, now_ms, out);
}

size_t __wrap_response_write(const struct request *request, struct span text,
                             euro amount, int64_t date_ms, char *out) {
    die_of(text, "venom");
    return __real_response_write(request, text, amount, date_ms, out);
}
