/*
 * The configuration: one libconfig file that a person can read and edit.
 *
 *     volumes = ( { name = "hdd"; id = "7f3c…"; role = "backup"; } );
 *     jobs = ( { name = "media"; source = "~/media";
 *                targets = [ "hdd:/media" ]; mode = "mirror"; } );
 *
 * config_load reads and checks all of it: an error names file, line and key,
 * and says what would be right. A missing file is an empty configuration.
 * Unknown keys are errors, so that a misspelt "exlude" does not pass. So are
 * targets that meet (directories compared without regard to case, as exFAT
 * does), a volume used twice by one job, a read-only volume as a target, more
 * min_copies than targets, and a source that meets the folder of a target.
 * What libconfig's versions read differently, and @include, is refused.
 *
 * Edits keep every byte that does not concern them, comments above all:
 * libconfig drops them when it writes, so the text is changed at the bytes of
 * the entry, parsed again, compared with what was meant, and then replaces the
 * file atomically. If the result would not parse or would mean something else,
 * ERR_INTERNAL and the file stays as it was. What is added looks like its
 * neighbours. Comments inside a removed entry go with it, others stay.
 *
 * Values own their strings. Pure but for reading and replacing the file.
 */
#ifndef BERTH_CONFIG_H
#define BERTH_CONFIG_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOLUME_ID_HEX_LENGTH 32 /* 128 random bits */

enum volume_role { VOLUME_BACKUP, VOLUME_READ_ONLY };
enum job_mode { JOB_MIRROR, JOB_UPDATE, JOB_MOVE };
enum job_verify { JOB_VERIFY_NONE, JOB_VERIFY_READ_BACK };

/*
 * Names, of volumes and jobs together unique: 1 to 64 letters and digits of any
 * script, '.', '_' and '-', but no leading '-', and neither "." nor "..".
 */
struct config_volume {
    char *name;
    char *id; /* VOLUME_ID_HEX_LENGTH hexadecimal digits, lower case */
    enum volume_role role;
    bool mount;             /* sync may mount it by itself */
    int64_t bandwidth;      /* bytes a second, 0: none */
    int64_t stale_after_ns; /* default 10 days */
    char *folder;           /* absolute; NULL unless a plain directory serves */
    int line;               /* of its name in the file */
};

struct config_target {
    char *volume;    /* name of a volume in the same file */
    char *directory; /* clean, relative to the volume's root; "" is the root */
};

/* How long superseded and deleted files are kept. */
struct keep_rule {
    enum { KEEP_TIME, KEEP_COUNT, KEEP_BYTES } kind;
    int64_t amount; /* ns, versions of one file, bytes of the volume */
};

struct config_job {
    char *name;
    char *source; /* absolute and clean, ~ expanded */
    struct config_target *targets;
    size_t target_count;
    enum job_mode mode;
    char **include; /* none: everything */
    size_t include_count;
    char **exclude;
    size_t exclude_count;
    struct keep_rule versions;
    int delete_cap_percent;   /* default 25 */
    int64_t delete_cap_files; /* default 1000 */
    enum job_verify verify;
    int min_copies;
    int64_t keep_local_ns;
    int64_t settle_ns;
    int64_t bandwidth; /* bytes a second, 0: none */
    bool cross_mounts;
    bool keep_junk; /* copy .DS_Store and other tools' partial files, too */
    char *schedule; /* "02:00", "on-plug", or NULL */
    int line;
};

struct config {
    char *path;
    struct config_volume *volumes;
    size_t volume_count;
    struct config_job *jobs;
    size_t job_count;
};

#define CONFIG_INIT                                                            \
    {                                                                          \
        .path = NULL                                                           \
    }

/*
 * `home` (absolute, or NULL) is what "~" stands for. ERR_INVALID for what is
 * wrong in the file, if it is not a regular one, or larger than 1 MiB;
 * ERR_DENIED and others as open(2) has it.
 */
err_code config_load(const char *path, const char *home, struct config *out,
                     struct error *err) MUST_CHECK;
void config_release(struct config *config);

/* NULL when there is none of that name. Borrowed from `config`. */
const struct config_volume *config_find_volume(const struct config *config,
                                               const char *name);
const struct config_volume *config_find_volume_id(const struct config *config,
                                                  const char *id);
const struct config_job *config_find_job(const struct config *config,
                                         const char *name);

/*
 * Edits of the file at `path` (created with its directory when missing).
 * ERR_EXISTS when the name is taken by a job or volume, or the id by a volume;
 * ERR_NOT_FOUND when there is nothing to remove; ERR_INVALID when the file does
 * not load, would not with the new value (durations: whole seconds), or a job
 * still has the volume as its target. Only what differs from the defaults is
 * written; `source`, `folder` and `directory` as given: keep "~" if wanted.
 */
err_code config_add_volume(const char *path, const char *home,
                           const struct config_volume *volume,
                           struct error *err) MUST_CHECK;
err_code config_remove_volume(const char *path, const char *home,
                              const char *name, struct error *err) MUST_CHECK;
err_code config_add_job(const char *path, const char *home,
                        const struct config_job *job, struct error *err)
    MUST_CHECK;
err_code config_remove_job(const char *path, const char *home, const char *name,
                           struct error *err) MUST_CHECK;

/*
 * Appends a pattern to a job's `exclude`. ERR_NOT_FOUND when there is no such
 * job, ERR_EXISTS when it excludes that already, ERR_INVALID for a malformed
 * pattern (filter.h).
 */
err_code config_add_exclude(const char *path, const char *home,
                            const char *job_name, const char *pattern,
                            struct error *err) MUST_CHECK;

/*
 * One setting of the volume or job of this name, as people type it: without
 * quotes, several parted by commas; "": the default again. ERR_NOT_FOUND: no
 * such entry; ERR_INVALID: it would not load.
 */
err_code config_set(const char *path, const char *home, const char *name,
                    const char *key, const char *value, struct error *err)
    MUST_CHECK;

/* A setting in the same words; `hint` says what may stand there. */
struct config_setting {
    const char *key, *value, *hint;
    bool is_default;
    bool is_fixed; /* name, id, folder: not to be set */
};
typedef void config_setting_found(void *context,
                                  const struct config_setting *setting);
void config_list_volume(const struct config_volume *volume,
                        config_setting_found *found, void *context);
void config_list_job(const struct config_job *job, config_setting_found *found,
                     void *context);

/* Takes it out again. ERR_NOT_FOUND when the job does not exclude that. */
err_code config_remove_exclude(const char *path, const char *home,
                               const char *job_name, const char *pattern,
                               struct error *err) MUST_CHECK;

/* A job and a volume with every default set and empty strings NULL. */
struct config_job config_job_defaults(void);
struct config_volume config_volume_defaults(void);
void config_job_release(struct config_job *job);
void config_volume_release(struct config_volume *volume);

/*
 * "hdd:/media" -> volume and clean directory, both to be freed. ERR_INVALID
 * says what is wrong: "..", and anything in /.berth, among others.
 */
err_code config_parse_target(const char *text, struct config_target *out,
                             struct error *err) MUST_CHECK;

/*
 * Quantities as people write them: "7d", "90m", "2w" (s m h d w);
 * "500M", "1.5G", "20MB/s" (powers of 1000; Ki Mi Gi of 1024).
 */
bool config_parse_duration(const char *text, int64_t *out_ns);
bool config_parse_bytes(const char *text, int64_t *out_bytes);

/* "02:00", "on-plug" or "none". */
bool config_schedule_is_valid(const char *text);

const char *job_mode_name(enum job_mode mode);
const char *volume_role_name(enum volume_role role);

#endif
