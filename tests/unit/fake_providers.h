/*
 * Providers under the test's hand, in the place of the registry: what is asked
 * of them waits until the test answers it.
 */
#ifndef FXWIRE_TESTS_UNIT_FAKE_PROVIDERS_H
#define FXWIRE_TESTS_UNIT_FAKE_PROVIDERS_H

#include "ratefetcher/provider.h"
#include "ratefetcher/providers/web.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

enum { FAKE_PROVIDERS = 3, FAKE_MAX_ASKED = 16 };

/* A fetch that waits for its answer. */
struct fake_fetch {
    day when;
    duration timeout;
    provider_done *done;
    void *arg;
};

static struct fake_provider {
    size_t count; /* fetches that wait */
    struct fake_fetch asked[FAKE_MAX_ASKED];
    size_t fetches; /* since the last fake_forget() */
    /* Answers at once with this, if it is set. */
    const struct provider_answer *at_once;
} fakes[FAKE_PROVIDERS];

static void *fake_open(const struct provider_class *class,
                       const struct provider_context *context);

static void fake_close(void *state) {
    (void)state;
}

/* Only the first who asks for a day makes a call. */
static bool fake_needs_call(void *state, day when) {
    const struct fake_provider *fake = state;
    for (size_t i = 0; i < fake->count; i++)
        if (fake->asked[i].when.number == when.number)
            return false;
    return fake->at_once == NULL;
}

static bool fake_fetch(void *state, day when, duration timeout,
                       struct provider_answer *answer, provider_done *done,
                       void *arg) {
    struct fake_provider *fake = state;
    fake->fetches++;
    if (fake->at_once != NULL) {
        *answer = *fake->at_once;
        return true;
    }
    assert_true(fake->count < FAKE_MAX_ASKED);
    fake->asked[fake->count++] = (struct fake_fetch){when, timeout, done, arg};
    return false;
}

static const struct web_api fake_api = {.key = SETTINGS};

#define FAKE_CLASS(id, its_api)                                                \
    {                                                                          \
        .name = id, .calls_ok = METRIC_CALLS_OK_ECB,                           \
        .calls_failed = METRIC_CALLS_FAILED_ECB, .api = its_api,               \
        .open = fake_open, .close = fake_close, .needs_call = fake_needs_call, \
        .fetch = fake_fetch,                                                   \
    }

/* The file is the one that costs no call. */
static const struct provider_class fake_classes[FAKE_PROVIDERS] = {
    FAKE_CLASS("frankfurter", &fake_api),
    FAKE_CLASS("ecb", &fake_api),
    FAKE_CLASS("file", NULL),
};

static void *fake_open(const struct provider_class *class,
                       const struct provider_context *context) {
    (void)context;
    return &fakes[class - fake_classes];
}

const struct provider_class *registry_find(struct span name) {
    for (size_t i = 0; i < FAKE_PROVIDERS; i++)
        if (span_equals(name, fake_classes[i].name))
            return &fake_classes[i];
    return NULL;
}

const char *registry_base(const struct provider_class *class) {
    (void)class;
    return "EUR";
}

bool registry_has_key(const struct provider_class *class) {
    (void)class;
    return false;
}

const char *provider_result_name(enum provider_result result) {
    (void)result;
    return "";
}

static inline void fake_forget(void) {
    memset(fakes, 0, sizeof fakes);
}

/* Answers the fetch that has waited longest for that provider. */
static inline void fake_answer(size_t provider,
                               const struct provider_answer *answer) {
    struct fake_provider *fake = &fakes[provider];
    assert_true(fake->count > 0);
    struct fake_fetch first = fake->asked[0];
    fake->count--;
    for (size_t i = 0; i < fake->count; i++)
        fake->asked[i] = fake->asked[i + 1];
    first.done(first.arg, answer);
}

/* With a table of that day like "USD 1.2 JPY 130". */
static inline void fake_give_of(size_t provider, const char *as_of,
                                const char *list) {
    struct rates *rates = table_of(fake_classes[provider].name, as_of, list);
    fake_answer(provider, &(struct provider_answer){.result = PROVIDER_OK,
                                                    .rates = rates,
                                                    .detail = ""});
    rates_release(&rates);
}

static inline void fake_give(size_t provider, const char *list) {
    fake_give_of(provider, "2021-05-18", list);
}

static inline void fake_fail(size_t provider, enum provider_result result) {
    fake_answer(provider,
                &(struct provider_answer){.result = result, .detail = ""});
}

#endif
