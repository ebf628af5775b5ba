/*
 * Health readings of the drives that are plugged in, kept between two lists:
 * reading them may take a while, and must not wake a sleeping drive often.
 * The baseline of each drive (what its critical counts were at first sight) is
 * a small file in the state directory. One thread at a time.
 */
#ifndef BERTH_HEALTH_STORE_H
#define BERTH_HEALTH_STORE_H

#include "core/drive.h"
#include "core/health.h"
#include "platform/platform.h"

struct health_store;

struct health_store *health_store_new(const char *state_directory);
void health_store_free(struct health_store *store); /* NULL is fine */
/* Everything is read anew next time. */
void health_store_forget(struct health_store *store);

/* Fills in readings and verdict; nothing when `store` is NULL. */
void health_store_judge(struct health_store *store, struct platform *platform,
                        struct drive *drive);

#endif
