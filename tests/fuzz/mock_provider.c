/*
 * Scripts of mock-provider, and calls of what it serves: lines of a script,
 * among them lines that begin with a /, the address that is called. A fault
 * that is taken is within its bounds, and what is served as JSON is JSON.
 */
#include <event2/http.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/lines/message.h"
#include "tests/fuzz/quiet.h"
#include "tests/provider/shop.h"

/* 2021-05-18 and 2021-05-14 */
static const char *codes[] = {"USD", "JPY"};
static const char *newest[] = {"1.2222", "133.21"}, *older[] = {"1.2123", NULL};
static struct ecb_row rows[] = {{18765, newest}, {18761, older}};
static const struct ecb table = {
    .columns = 2, .code = codes, .rows = 2, .row = rows};

static struct shop shop; /* too large for the stack */

static void check_fault(const struct trouble *t) {
    HOLDS(t->type != TROUBLE_NONE && t->at >= 0 && t->at <= 1e9, "%s", t->name);
    HOLDS(t->seconds >= -1 && t->calls >= -1 && t->retry_after >= -1, "%s",
          t->name);
    HOLDS(t->status >= 300 && t->status <= 599, "%u", t->status);
    HOLDS(t->bytes >= 10 && t->percent >= -99 && t->percent <= 1000, "%s",
          t->name);
    HOLDS(memchr(t->provider, '\0', sizeof t->provider) != NULL, "%s", t->name);
}

/* `path` as it stands behind the provider's name. */
static void check_answer(int form, const char *path, const char *query,
                         double factor) {
    struct evkeyvalq parsed, headers = {NULL, NULL};
    HOLDS(evhttp_parse_query_str("apikey=k", &headers) == 0, "no header");
    if (evhttp_parse_query_str(query, &parsed) == 0) {
        struct evbuffer *out = evbuffer_new();
        struct form_call call = {.ecb = &table,
                                 .path = path,
                                 .query = &parsed,
                                 .headers = &headers,
                                 .key = "k",
                                 .base = "EUR",
                                 .factor = factor};
        int status = form_answer(form, &call, out);
        HOLDS(status >= 200 && status < 500, "%s: %d", path, status);
        struct span body = {(char *)evbuffer_pullup(out, -1),
                            evbuffer_get_length(out)};
        if (strcmp(form_content_type(form), "application/json") == 0) {
            struct json_object *json = message_parse(body);
            HOLDS(json != NULL, "%s: %.*s", path, SPAN(body));
            json_object_put(json);
        }
        evbuffer_free(out);
        evhttp_clear_headers(&parsed);
    }
    evhttp_clear_headers(&headers);
}

/* As each provider has it: /NAME/... */
static void call(struct span line) {
    char *address = fuzz_string(line);
    char *query = strchr(address, '?');
    if (query != NULL)
        *query++ = '\0';
    for (int form = 0; form < FORMS; form++) {
        size_t len = strlen(form_name(form));
        if (strncmp(address + 1, form_name(form), len) != 0)
            continue;
        check_answer(form, address + 1 + len, query != NULL ? query : "", 1);
        check_answer(form, address + 1 + len, query != NULL ? query : "", 1.1);
    }
    free(address);
}

static void read_script(struct span text) {
    int fd = memfd_create("script", 0);
    HOLDS(write(fd, text.data, text.len) == (ssize_t)text.len, "no room");
    lseek(fd, 0, SEEK_SET);
    shop = (struct shop){.ecb = &table, .script = "script"};
    shop_read(&shop, fd, true);
    close(fd);
    for (size_t i = 0; i < shop.troubles; i++)
        check_fault(&shop.trouble[i]);
    HOLDS(shop.troubles + shop.bad <= shop.line_number, "%zu", shop.troubles);
    shop_close(&shop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    quiet(true);
    trouble_print_all(stdout);
    read_script(text);
    quiet(false);
    while (text.len > 0) {
        struct span line = fuzz_take(&text, '\n');
        if (span_begins(line, "/"))
            call(line);
    }
    return 0;
}
