/*
 * libwebsockets closes what it watches, so it is given a duplicate: then each
 * side can close its own without asking the other.
 */
#include "wsclient/fd_watch.h"

#include <fcntl.h>
#include <unistd.h>

int fd_watch_callback(struct lws *wsi, enum lws_callback_reasons reason,
                      void *user, void *in, size_t len) {
    (void)user, (void)in, (void)len;
    struct fd_watch *watch = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        if (watch == NULL)
            return -1; /* stopped */
        watch->ready(watch->arg);
        break;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        if (watch != NULL) {
            lws_sul_cancel(&watch->write);
            watch->wsi = NULL;
            watch->ready(watch->arg); /* its reader will find the end */
        }
        break;
    default:
        break;
    }
    return 0;
}

int fd_watch_start(struct fd_watch *watch, struct lws_context *context, int fd,
                   void (*ready)(void *arg), void *arg) {
    *watch = (struct fd_watch){.ready = ready, .arg = arg};
    lws_sock_file_fd_type own = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    if (own.filefd < 0)
        return -1;
    watch->wsi = lws_adopt_descriptor_vhost(
        lws_get_vhost_by_name(context, "default"), LWS_ADOPT_RAW_FILE_DESC, own,
        FD_WATCH_PROTOCOL, NULL);
    if (watch->wsi == NULL) {
        close(own.filefd);
        return -1;
    }
    lws_set_opaque_user_data(watch->wsi, watch);
    return 0;
}

static void ask_for_writing(lws_sorted_usec_list_t *write) {
    struct fd_watch *watch = lws_container_of(write, struct fd_watch, write);
    lws_callback_on_writable(watch->wsi);
}

/* Not at once: asked from within `ready`, libwebsockets 4.1 forgets it. */
void fd_watch_for_writing(struct fd_watch *watch) {
    if (watch->wsi != NULL)
        lws_sul_schedule(lws_get_context(watch->wsi), 0, &watch->write,
                         ask_for_writing, 1);
}

void fd_watch_stop(struct fd_watch *watch) {
    if (watch->wsi == NULL)
        return;
    lws_sul_cancel(&watch->write);
    lws_set_opaque_user_data(watch->wsi, NULL);
    lws_set_timeout(watch->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    watch->wsi = NULL;
}
