/*
 * Masks for frames: strong random numbers, as RFC 6455, 10.3, wants of them,
 * many by one call. OpenSSL's cost a fifth of those that libc has of the
 * kernel.
 */
#ifndef FXWIRE_WSCLIENT_LINK_MASKS_H
#define FXWIRE_WSCLIENT_LINK_MASKS_H

#include <stddef.h>
#include <stdint.h>

struct masks {
    uint32_t mask[1024];
    size_t left; /* at its front */
};

/* One that was never given before. */
uint32_t masks_next(struct masks *masks);

#endif
