#include "wsclient/link/masks.h"

#include <bsd/stdlib.h>
#include <openssl/rand.h>

uint32_t masks_next(struct masks *masks) {
    if (masks->left == 0) {
        masks->left = sizeof masks->mask / sizeof *masks->mask;
        if (RAND_bytes((unsigned char *)masks->mask, sizeof masks->mask) != 1)
            arc4random_buf(masks->mask, sizeof masks->mask);
    }
    return masks->mask[--masks->left];
}
