/*
 * Health readings of the drives that are plugged in, kept between two lists
 * for HEALTH_FRESH_NS: reading them may take a while, and drives come and go
 * in a handful of notices.
 * The baseline of each drive (what its critical counts were at first sight) is
 * a small file in the state directory. One thread at a time.
 */
#ifndef BERTH_HEALTH_STORE_H
#define BERTH_HEALTH_STORE_H

#include "core/base/clock.h"
#include "core/drive.h"
#include "core/health.h"
#include "platform/platform.h"

struct health_store;

#define HEALTH_FRESH_NS (5 * 60 * NS_PER_SECOND)

struct health_store *health_store_new(const char *state_directory);
void health_store_free(struct health_store *store); /* NULL is fine */
/* Everything is read anew next time. */
void health_store_forget(struct health_store *store);
/* What is not plugged in any more: back again it is read anew. */
void health_store_forget_gone(struct health_store *store,
                              const struct drives *drives);

/* Fills in readings and verdict; nothing when `store` is NULL. */
void health_store_judge(struct health_store *store, struct platform *platform,
                        struct drive *drive);

#endif
