/*
 * The list of NO_PROXY: a line with it, then a host. In any case, with anything
 * before or behind it, what is found is found; with the host itself, as a word,
 * it always is.
 */
#include <ctype.h>

#include "common/settings/no_proxy.h"
#include "tests/fuzz/fuzz.h"

/* The texts one behind the other; free() it. */
static char *join(const char *one, const char *two, const char *three) {
    char *all = malloc(strlen(one) + strlen(two) + strlen(three) + 1);
    HOLDS(all != NULL, "no memory");
    strcpy(all, one);
    strcat(all, two);
    return strcat(all, three);
}

static void holds_with(const char *before, const char *list, const char *behind,
                       struct span host) {
    char *longer = join(before, list, behind);
    HOLDS(no_proxy_has(longer, host), "%s: %.*s", longer, SPAN(host));
    free(longer);
}

static bool is_word(const char *text) {
    return *text != '\0' && *text != '.' &&
           text[strcspn(text, ", \t")] == '\0' &&
           strcspn(text, "/[]:") == strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    char *list = fuzz_string(fuzz_take(&text, '\n'));
    char *name = fuzz_string(text), *upper = fuzz_string(text);
    struct span host = fuzz_copy(span_of(name));
    for (char *c = upper; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    bool has = no_proxy_has(list, host);
    HOLDS(no_proxy_has(list, span_of(upper)) == has, "%s: %s", list, name);
    HOLDS(!no_proxy_has(" ,\t", host), "%s", name);
    HOLDS(no_proxy_has("*", host), "%s", name);
    if (has && strcmp(list, "*") != 0) {
        holds_with("a.example, ", list, "", host);
        holds_with("", list, ",10.0.0.0/8", host);
    }
    if (is_word(name)) {
        holds_with("a.example ", name, "", host);
        holds_with(list, ",", name, host);
    }
    free((char *)host.data);
    free(list);
    free(name);
    free(upper);
    return 0;
}
