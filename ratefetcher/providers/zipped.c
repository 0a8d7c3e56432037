#include "ratefetcher/providers/zipped.h"

#include <stdlib.h>
#include <zip.h>

#include "common/memory.h"
#include "ratefetcher/providers/http.h"

struct zipped {
    zip_t *archive;
    zip_file_t *file;
    zip_uint64_t left; /* bytes of it */
};

/* One file, of the methods of each ZIP program, as long as a body may be. */
static bool is_one_file(zip_t *archive, zip_uint64_t *size) {
    zip_stat_t stat;
    if (zip_get_num_entries(archive, 0) != 1 ||
        zip_stat_index(archive, 0, 0, &stat) != 0 ||
        (stat.valid & ZIP_STAT_SIZE) == 0 ||
        (stat.valid & ZIP_STAT_COMP_METHOD) == 0)
        return false;
    *size = stat.size;
    return stat.size <= HTTP_MAX_BODY_BYTES &&
           (stat.comp_method == ZIP_CM_STORE ||
            stat.comp_method == ZIP_CM_DEFLATE);
}

struct zipped *zipped_open(struct span archive) {
    struct zipped *zipped = memory_new(sizeof *zipped);
    zip_source_t *source =
        zip_source_buffer_create(archive.data, archive.len, 0, NULL);
    if (source != NULL)
        zipped->archive =
            zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    if (zipped->archive == NULL)
        zip_source_free(source); /* else it is the archive's */
    else if (is_one_file(zipped->archive, &zipped->left))
        zipped->file = zip_fopen_index(zipped->archive, 0, 0);
    if (zipped->file == NULL)
        zipped_close(&zipped);
    return zipped;
}

void zipped_close(struct zipped **zipped) {
    struct zipped *z = *zipped;
    *zipped = NULL;
    if (z->file != NULL)
        zip_fclose(z->file);
    if (z->archive != NULL)
        zip_discard(z->archive);
    free(z);
}

/* libzip compares the sum of all at the end. */
long zipped_read(struct zipped *zipped, char piece[static ZIPPED_PIECE_BYTES]) {
    zip_int64_t n = zip_fread(zipped->file, piece, ZIPPED_PIECE_BYTES);
    if (n < 0 || (zip_uint64_t)n > zipped->left || (n == 0 && zipped->left > 0))
        return -1;
    zipped->left -= (zip_uint64_t)n;
    return (long)n;
}
