#include "common/settings/no_proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct address {
    int family;
    unsigned char bytes[sizeof(struct in6_addr)];
    unsigned bits; /* of the family */
};

static bool read_address(struct span text, struct address *out) {
    char copy[INET6_ADDRSTRLEN];
    if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
        text = (struct span){text.data + 1, text.len - 2};
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = (struct address){.family = AF_INET, .bits = 32};
    if (inet_pton(AF_INET, copy, out->bytes) == 1)
        return true;
    *out = (struct address){.family = AF_INET6, .bits = 128};
    return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

/* Cuts /BITS off a word; false: what is behind the slash is none. */
static bool take_bits(struct span *word, unsigned most, unsigned *bits) {
    const char *slash = memchr(word->data, '/', word->len);
    *bits = most;
    if (slash == NULL)
        return true;
    struct span digits =
        span_from(*word, (size_t)(slash - word->data) + strlen("/"));
    word->len = (size_t)(slash - word->data);
    if (digits.len == 0 || digits.len > 3)
        return false;
    *bits = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (!isdigit((unsigned char)digits.data[i]))
            return false;
        *bits = *bits * 10 + (unsigned)(digits.data[i] - '0');
    }
    return *bits <= most;
}

static bool same_bits(const struct address *a, const struct address *b,
                      unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a->bytes, b->bytes, whole) == 0 &&
           (rest == 0 ||
            (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0);
}

static bool has_address(struct span word, const struct address *host) {
    struct address network;
    unsigned bits;
    return take_bits(&word, host->bits, &bits) &&
           read_address(word, &network) && network.family == host->family &&
           same_bits(&network, host, bits);
}

static struct span without_last_dot(struct span name) {
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    return name;
}

/* The name itself, or one below it. */
static bool has_name(struct span word, struct span host) {
    if (word.len > 0 && word.data[0] == '.')
        word = span_from(word, 1);
    word = without_last_dot(word);
    if (word.len == 0 || host.len < word.len ||
        strncasecmp(host.data + host.len - word.len, word.data, word.len) != 0)
        return false;
    return host.len == word.len || host.data[host.len - word.len - 1] == '.';
}

bool no_proxy_has(const char *list, struct span host) {
    static const char between[] = ", \t";
    struct address address;
    bool is_address = read_address(host, &address);
    host = without_last_dot(host);
    if (strcmp(list, "*") == 0)
        return true;
    while (*(list += strspn(list, between)) != '\0') {
        struct span word = {list, strcspn(list, between)};
        if (is_address ? has_address(word, &address) : has_name(word, host))
            return true;
        list += word.len;
    }
    return false;
}
