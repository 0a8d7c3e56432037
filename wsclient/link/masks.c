#include "wsclient/link/masks.h"

#include <bsd/stdlib.h>

uint32_t masks_next(struct masks *masks) {
    if (masks->left == 0) {
        masks->left = sizeof masks->mask / sizeof *masks->mask;
        arc4random_buf(masks->mask, sizeof masks->mask);
    }
    return masks->mask[--masks->left];
}
