#include "core/traits.h"

#include "core/base/clock.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_DIRECTORY STAGING_PATH "/probe"
#define PROBE(name) PROBE_DIRECTORY "/" name

/* FAT and exFAT keep 2 s, or 10 ms where a driver uses the extra field. What
 * one driver wrote another may read coarser: the coarsest counts. */
#define FAT_TOLERANCE_NS (2 * NS_PER_SECOND)
/* Longest file name of nearly every Unix filesystem. */
#define UNIX_NAME_BYTES 255
#define FAT_NAME_UTF16_UNITS 255

static bool is_fat(const char *family)
{
    return !strcmp(family, "exfat") || !strcmp(family, "vfat");
}

static err_code create_empty(struct fsops *ops, const char *path,
                             struct error *err)
{
    CLEANUP_FD int fd = -1;

    return fsops_create(ops, path, 0600, &fd, err);
}

/* Whether a file of that name can be made; what the error was does not
 * matter, unless the device failed. */
static err_code can_create(struct fsops *ops, const char *path, bool *out_can,
                           struct error *err)
{
    err_code code = create_empty(ops, path, err);

    if (error_is_device_failure(code) || code == ERR_NO_SPACE)
        return code;
    *out_can = code == ERR_OK;
    return ERR_OK;
}

static err_code probe_names(struct fsops *ops, const char *family,
                            struct name_rules *rules, struct error *err)
{
    bool upper_is_there = false, colon = false, not_utf8 = false, dot = false;
    struct platform_stat stat;
    err_code code = create_empty(ops, PROBE("case"), err);

    if (!code)
        code = fsops_look(ops, PROBE("CASE"), &upper_is_there, &stat, err);
    if (!code)
        code = can_create(ops, PROBE("a:b"), &colon, err);
    if (!code)
        code = can_create(ops, PROBE("\xff\xfe"), &not_utf8, err);
    if (!code)
        code = can_create(ops, PROBE("dot."), &dot, err);
    if (code)
        return code;
    bool is_dos = is_fat(family) || !strcmp(family, "ntfs");
    *rules = (struct name_rules){
        .is_case_insensitive = upper_is_there,
        .is_utf16 = !not_utf8 || is_dos,
        /* Some drivers accept what every other machine then refuses. */
        .refuses_dos_characters = !colon || is_dos,
        .strips_trailing_dots = !dot || is_dos,
        .refuses_dos_names = is_dos,
        .longest_bytes = is_dos ? 0 : UNIX_NAME_BYTES,
        .longest_utf16_units = is_dos ? FAT_NAME_UTF16_UNITS : 0,
    };
    return ERR_OK;
}

static err_code probe_times(struct fsops *ops, const char *family,
                            int64_t *out_tolerance_ns, struct error *err)
{
    struct record odd = {.type = ENTRY_FILE,
                         .source = {.mtime_ns = INT64_C(1234567891123456789)}};
    struct platform_stat stat;
    bool exists;
    err_code code =
        fsops_set_metadata(ops, PROBE("case"), &odd, FSOPS_SET_TIMES, err);

    if (!code)
        code = fsops_look(ops, PROBE("case"), &exists, &stat, err);
    if (code)
        return code;
    int64_t lost = odd.source.mtime_ns - stat.mtime_ns;
    if (lost < 0)
        lost = -lost;
    int64_t grain = 0;
    while (grain < lost)
        grain = grain ? grain * 10 : 100;
    if (is_fat(family) && grain < FAT_TOLERANCE_NS)
        grain = FAT_TOLERANCE_NS;
    *out_tolerance_ns = grain;
    return ERR_OK;
}

static err_code probe_modes(struct fsops *ops, bool *out_has_modes,
                            struct error *err)
{
    struct record strict = {.type = ENTRY_FILE, .mode = 0400};
    struct platform_stat stat = {.mode = 0};
    bool exists;

    *out_has_modes =
        !fsops_set_metadata(ops, PROBE("case"), &strict, FSOPS_SET_MODE, NULL);
    err_code code = fsops_look(ops, PROBE("case"), &exists, &stat, err);
    *out_has_modes = *out_has_modes && !code && stat.mode == strict.mode;
    return code;
}

static err_code probe_links(struct fsops *ops, struct traits *traits,
                            struct error *err)
{
    err_code code = fsops_make_symlink(ops, "case", PROBE("symlink"), err);

    if (error_is_device_failure(code))
        return code;
    traits->has_symlinks = code == ERR_OK;
    code = fsops_link(ops, PROBE("case"), PROBE("link"), err);
    if (error_is_device_failure(code))
        return code;
    traits->has_hard_links = code == ERR_OK;
    return ERR_OK;
}

static err_code probe_attributes(struct fsops *ops, bool *out_has_attributes,
                                 struct error *err)
{
    static const char odd[] = "user.berth\0\3\0\0\0odd";
    const size_t length = sizeof odd - 1;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    err_code code = fsops_create(ops, PROBE("attributes"), 0600, &fd, err);

    if (code)
        return code;
    code = platform_write_attributes(fd, odd, length, err);
    if (!code)
        code = platform_read_attributes(fd, &found, err);
    *out_has_attributes =
        !code && found.length == length && !memcmp(found.text, odd, length);
    return error_is_device_failure(code) ? code : ERR_OK;
}

static err_code probe_all(struct fsops *ops, const struct volume *volume,
                          struct traits *traits, struct error *err)
{
    struct platform_space space;
    err_code code = probe_names(ops, volume->mount.family, &traits->names, err);

    if (!code)
        code = probe_times(ops, volume->mount.family,
                           &traits->time_tolerance_ns, err);
    if (!code)
        code = probe_modes(ops, &traits->has_modes, err);
    if (!code)
        code = probe_links(ops, traits, err);
    if (!code)
        code = probe_attributes(ops, &traits->has_attributes, err);
    if (!code)
        code = platform_space(volume->root_fd, &space, err);
    if (code)
        return code;
    traits->has_owners = traits->has_modes && traits->has_hard_links;
    traits->has_journal = volume->mount.has_journal;
    traits->cluster_bytes = space.cluster_bytes;
    return ERR_OK;
}

err_code traits_probe(struct fsops *ops, const struct volume *volume,
                      struct traits *out, struct error *err)
{
    struct traits traits = {.cluster_bytes = 0};
    err_code code = fsops_make_directory(ops, PROBE_DIRECTORY, 0700, err);

    if (!code)
        code = probe_all(ops, volume, &traits, err);
    err_code cleaned = fsops_empty_directory(ops, PROBE_DIRECTORY, err);
    if (!cleaned)
        cleaned = fsops_remove_directory(ops, PROBE_DIRECTORY, err);
    if (code || cleaned) {
        error_prefix(err, "cannot find out what the volume can hold");
        return code ? code : cleaned;
    }
    *out = traits;
    return ERR_OK;
}

unsigned traits_metadata(const struct traits *traits)
{
    return FSOPS_SET_TIMES |
           (traits->has_modes ? FSOPS_SET_MODE | FSOPS_KEEP_ACCESS : 0u) |
           (traits->has_owners ? FSOPS_SET_OWNER : 0u) |
           (traits->has_attributes ? FSOPS_SET_ATTRIBUTES | FSOPS_IF_THEY_FIT
                                   : 0u);
}

int64_t traits_longest_file(const char *family)
{
    return !strcmp(family, "vfat") ? UINT32_MAX : INT64_MAX;
}

/* --- in the catalogue --- */

#define META_NAME "traits"

err_code traits_store(struct catalogue *catalogue, const struct traits *traits,
                      struct error *err)
{
    const struct name_rules *names = &traits->names;
    json_t *object = json_pack(
        "{s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:b, "
        "s:I, s:I}",
        "is_case_insensitive", names->is_case_insensitive, "is_utf16",
        names->is_utf16, "refuses_dos_characters",
        names->refuses_dos_characters, "strips_trailing_dots",
        names->strips_trailing_dots, "refuses_dos_names",
        names->refuses_dos_names, "longest_bytes",
        (json_int_t)names->longest_bytes, "longest_utf16_units",
        (json_int_t)names->longest_utf16_units, "has_symlinks",
        traits->has_symlinks, "has_hard_links", traits->has_hard_links,
        "has_modes", traits->has_modes, "has_owners", traits->has_owners,
        "has_attributes", traits->has_attributes, "has_journal",
        traits->has_journal, "time_tolerance_ns",
        (json_int_t)traits->time_tolerance_ns, "cluster_bytes",
        (json_int_t)traits->cluster_bytes);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    if (!text)
        die("cannot format the traits of a volume");
    err_code code = catalogue_set_meta(catalogue, META_NAME, text, err);
    free(text);
    return code;
}

static bool traits_from_json(json_t *object, struct traits *out)
{
    int insensitive, utf16, characters, dots, dos_names, symlinks, links, modes,
        owners, journal, attributes = 0; /* not known in November 2026 */
    json_int_t bytes, units, tolerance, cluster;

    if (json_unpack(object,
                    "{s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:b, s:b, s:b, s:b, "
                    "s:b, s:I, s:I, s?b}",
                    "is_case_insensitive", &insensitive, "is_utf16", &utf16,
                    "refuses_dos_characters", &characters,
                    "strips_trailing_dots", &dots, "refuses_dos_names",
                    &dos_names, "longest_bytes", &bytes, "longest_utf16_units",
                    &units, "has_symlinks", &symlinks, "has_hard_links", &links,
                    "has_modes", &modes, "has_owners", &owners, "has_journal",
                    &journal, "time_tolerance_ns", &tolerance, "cluster_bytes",
                    &cluster, "has_attributes", &attributes))
        return false;
    *out = (struct traits){
        .names = {.is_case_insensitive = insensitive,
                  .is_utf16 = utf16,
                  .refuses_dos_characters = characters,
                  .strips_trailing_dots = dots,
                  .refuses_dos_names = dos_names,
                  .longest_bytes = (size_t)bytes,
                  .longest_utf16_units = (size_t)units},
        .has_symlinks = symlinks,
        .has_hard_links = links,
        .has_modes = modes,
        .has_owners = owners,
        .has_attributes = attributes,
        .has_journal = journal,
        .time_tolerance_ns = tolerance,
        .cluster_bytes = cluster,
    };
    return true;
}

err_code traits_load(struct catalogue *catalogue, struct traits *out,
                     struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    bool found;
    err_code code =
        catalogue_get_meta(catalogue, META_NAME, &text, &found, err);

    if (code)
        return code;
    json_t *object = found ? json_loads(text.text, 0, NULL) : NULL;
    if (!object || !traits_from_json(object, out))
        code = error_set(err, ERR_NOT_FOUND,
                         "what the volume can hold is not known yet: plug it "
                         "in and run `berth sync` once");
    json_decref(object);
    return code;
}
