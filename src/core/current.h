/*
 * The file that a run is at: set by its workers, read by whoever shows it. Of
 * several workers the one that began last. Any thread.
 */
#ifndef BERTH_CURRENT_H
#define BERTH_CURRENT_H

#include <pthread.h>

struct current {
    pthread_mutex_t mutex; /* guards `path`; a leaf */
    char *path;            /* NULL: none yet */
};

void current_init(struct current *current);
void current_release(struct current *current);
/* NULL is nobody who looks. */
void current_set(struct current *current, const char *path);
/* NULL where there is none; free() it. */
char *current_get(struct current *current);

#endif
