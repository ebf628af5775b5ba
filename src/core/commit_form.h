/* Shared by commit_write.c and commit_read.c only. */
#ifndef BERTH_COMMIT_FORM_H
#define BERTH_COMMIT_FORM_H

#define COMMIT_FORMAT 1
#define COMMIT_MAGIC_LENGTH 13
extern const char commit_magic[COMMIT_MAGIC_LENGTH + 1];

/* Of a run: id, times, exit code, counts. */
#define COMMIT_RUN_NUMBERS 14

#endif
