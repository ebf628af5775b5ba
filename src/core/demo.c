#include "core/demo.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/demo_internal.h"
#include "platform/platform_host.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SANDBOX_PREFIX "berth-demo-"
#define PRACTICE_PROGRAM "berth-practice"

/*
 * The drives: one to sync to, a second that is away and behind, a stick that
 * comes and goes, a disk inside with a worry.
 */
static const char script[] =
    "drive hdd vendor=Seagate model=Expansion serial=NA8F0QX1 bus=usb size=5TB "
    "link=5000 rotational=yes smart=passed temperature=34 hours=4120 "
    "attribute-5=Reallocated_Sector_Ct,100,100,10,8 "
    "attribute-197=Current_Pending_Sector,100,100,0,0 io-errors=0 "
    "link-resets=0\n"
    "volume hdd_homelab drive=hdd family=exfat uuid=6a3b19c2 size=5TB "
    "used=3.1TB\n"
    "drive rotating vendor=WD model=\"Elements 25A3\" serial=WX52D911 bus=usb "
    "size=4TB link=5000 rotational=yes smart=hidden\n"
    "volume hdd_rotating drive=rotating family=exfat uuid=90cc41d7 size=4TB "
    "used=2.2TB\n"
    "drive stick vendor=SanDisk model=Ultra serial=4C5300 bus=usb size=256GB "
    "link=480 smart=hidden\n"
    "volume tools_usb drive=stick family=exfat uuid=11ab77e0 size=256GB "
    "used=171GB\n"
    "drive ssd vendor=Samsung model=\"SSD 970\" serial=S4EWNF0 bus=nvme "
    "size=500GB smart=passed temperature=47 hours=18233 "
    "attribute-0=media_errors,,,,0\n"
    "volume system drive=ssd family=ext4 uuid=5f2c size=490GB used=459GB "
    "system=yes\n";

/* Their time starts with the platform, just before the first screen. */
static const char surprises[] =
    "on unmount hdd_homelab busy hdd_homelab - vlc \"/media/Nosferatu "
    "(1922).mkv\" for=6\n"
    "at 20 unplug stick\n"
    "at 26 plug stick\n";

/* --- files --- */

/* xorshift64* */
static uint64_t next_chance(struct demo *demo)
{
    demo->chance ^= demo->chance >> 12;
    demo->chance ^= demo->chance << 25;
    demo->chance ^= demo->chance >> 27;
    return demo->chance * UINT64_C(0x2545f4914f6cdd1d);
}

size_t demo_chance(struct demo *demo, size_t below)
{
    return (size_t)(next_chance(demo) >> 33) % below;
}

static err_code set_age(struct demo *demo, int fd, const char *path,
                        double days, struct error *err)
{
    const struct record record = {
        .type = ENTRY_FILE,
        .source = {.mtime_ns = demo->now_ns -
                               (int64_t)(days * 86400 * (double)NS_PER_SECOND)},
    };

    return fsops_set_metadata_fd(fd, path, &record, FSOPS_SET_TIMES, err);
}

/* In place of one that is there. */
static err_code create(struct demo *demo, const char *path, int *out_fd,
                       struct error *err)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    err_code code = ERR_OK;

    if (*parent)
        code = fsops_ensure_directory(&demo->ops, parent, err);
    if (!code)
        code = fsops_unlink_if_there(&demo->ops, path, err);
    return code ? code : fsops_create(&demo->ops, path, 0644, out_fd, err);
}

err_code demo_write(struct demo *demo, const char *path, const char *text,
                    size_t length, double days, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = create(demo, path, &fd, err);

    if (code)
        return code;
    int failed = fd_write_full(fd, text, length);
    if (failed)
        return error_set_errno(err, failed, "cannot write %s", path);
    return set_age(demo, fd, path, days, err);
}

err_code demo_write_text(struct demo *demo, const char *path, const char *text,
                         double days, struct error *err)
{
    return demo_write(demo, path, text, strlen(text), days, err);
}

err_code demo_write_film(struct demo *demo, const char *path, size_t bytes,
                         double days, struct error *err)
{
    uint64_t block[8192];
    CLEANUP_FD int fd = -1;
    err_code code = create(demo, path, &fd, err);

    while (!code && bytes > 0) {
        size_t length = bytes < sizeof block ? bytes : sizeof block;
        for (size_t i = 0; i < COUNT_OF(block); i++)
            block[i] = next_chance(demo);
        int failed = fd_write_full(fd, block, length);
        if (failed)
            code = error_set_errno(err, failed, "cannot write %s", path);
        bytes -= length;
    }
    return code ? code : set_age(demo, fd, path, days, err);
}

/* --- the sandbox --- */

/* Where sandboxes are made; free() it. */
static char *find_parent(void)
{
    const char *temporary = getenv("TMPDIR");

    return temporary && *temporary == '/' ? path_clean(temporary)
                                          : xstrdup("/tmp");
}

/* Only what we made: a private directory of this user, below a descriptor. */
static err_code remove_sandbox(int parent_fd, const char *name,
                               struct error *err)
{
    CLEANUP(fsops_release) struct fsops ops = fsops_on(-1);
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(parent_fd, name,
                                          PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (code)
        return code;
    ops.root_fd = fd;
    code = fsops_empty_directory(&ops, "", err);
    if (!code && unlinkat(parent_fd, name, AT_REMOVEDIR))
        code = error_set_errno(err, errno, "cannot remove %s", name);
    return code;
}

/* The process that made a sandbox, by its name; 0: it is none. */
static pid_t maker_of(const char *name)
{
    char *end;

    if (strncmp(name, SANDBOX_PREFIX, strlen(SANDBOX_PREFIX)) != 0)
        return 0;
    long pid = strtol(name + strlen(SANDBOX_PREFIX), &end, 10);
    return *end == '-' && pid > 1 ? (pid_t)pid : 0;
}

static err_code remove_if_stale(void *context,
                                const struct platform_entry *entry,
                                struct error *err)
{
    const int *parent_fd = context;
    pid_t maker = maker_of(entry->name);

    if (!maker || !entry->stat || entry->stat->type != PLATFORM_DIRECTORY ||
        entry->stat->uid != geteuid() || (entry->stat->mode & 0777) != 0700 ||
        !kill(maker, 0) || errno != ESRCH)
        return ERR_OK;
    /* What cannot be removed is in nobody's way. */
    err_code removed = remove_sandbox(*parent_fd, entry->name, NULL);
    (void)removed;
    return ERR_OK;
}

static void remove_stale(const char *parent)
{
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_root(parent, &fd, NULL);

    if (!code)
        code = platform_list_directory(fd, remove_if_stale, &fd, NULL);
    (void)code; /* a leftover is no reason not to start */
}

/* From here on nobody in this process finds the user's own places. */
static void move_in(const struct demo *demo)
{
    static const char *const elsewhere[] = {
        "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
        "XDG_CACHE_HOME",  "BERTH_CONFIG",   "BERTH_STATE_DIR"};
    CLEANUP_FREE char *home = path_join(demo->directory, "home");
    CLEANUP_FREE char *temporary = path_join(demo->directory, "tmp");

    for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
        unsetenv(elsewhere[i]);
    setenv("HOME", home, 1);
    setenv("TMPDIR", temporary, 1);
    setenv("BERTH_PRACTICE", demo->directory, 1);
}

static err_code enter(struct demo *demo, const char *path, struct error *err)
{
    demo->directory = realpath(path, NULL);
    if (!demo->directory)
        return error_set_errno(err, errno, "cannot find %s", path);
    move_in(demo); /* before the platform asks where its drives lie */
    err_code code = platform_open_root(demo->directory, &demo->root_fd, err);
    demo->ops = fsops_on(demo->root_fd);
    return code;
}

static err_code make_sandbox(struct demo *demo, struct error *err)
{
    CLEANUP_FREE char *parent = find_parent();
    CLEANUP_FREE char *path =
        xasprintf("%s/" SANDBOX_PREFIX "%ld-XXXXXX", parent, (long)getpid());

    if (!mkdtemp(path))
        return error_set_errno(err, errno,
                               "cannot make a directory for the demo in %s "
                               "(TMPDIR says where)",
                               parent);
    err_code code = enter(demo, path, err);
    remove_stale(parent);
    return code;
}

static err_code look_for_others(void *context,
                                const struct platform_entry *entry,
                                struct error *err)
{
    const char *path = context;

    return error_set(err, ERR_INVALID,
                     "%s is no sandbox of the demo, or one that was not "
                     "finished: it holds %s; name a new or an empty directory",
                     path, entry->name);
}

/* Ours, empty, or to be made. */
static err_code find_kept(struct demo *demo, const char *path,
                          struct error *err)
{
    struct platform_stat mark;

    demo->is_kept = true;
    if (mkdir(path, 0700) && errno != EEXIST)
        return error_set_errno(err, errno, "cannot make %s for the demo", path);
    err_code code = enter(demo, path, err);
    if (code)
        return code;
    demo->is_furnished =
        !platform_stat_beneath(demo->root_fd, DEMO_MARK, &mark, NULL);
    return demo->is_furnished
               ? ERR_OK
               : platform_list_directory(demo->root_fd, look_for_others,
                                         demo->directory, err);
}

static err_code furnish(struct demo *demo, bool has_surprises,
                        struct error *err)
{
    CLEANUP_FREE char *all =
        xasprintf("%s%s", script, has_surprises ? surprises : "");
    err_code code = demo_make_sources(demo, err);

    if (!code)
        code = fsops_make_directory(&demo->ops, "tmp", 0700, err);
    if (!code)
        code = demo_write_text(demo, "script", all, 0, err);
    return code;
}

/* What lies on the drives is to be seen as it is, pulled or not. */
static void stop_practising(const struct demo *demo)
{
    CLEANUP_FREE char *nowhere = path_join(demo->directory, "over");

    setenv("BERTH_PRACTICE", nowhere, 1);
}

static err_code remove_own(const struct demo *demo, struct error *err)
{
    CLEANUP_FREE char *parent =
        xstrndup(demo->directory, path_parent_length(demo->directory));
    CLEANUP_FD int parent_fd = -1;
    err_code code = platform_open_root(parent, &parent_fd, err);

    if (!code)
        code = remove_sandbox(parent_fd, path_name(demo->directory), err);
    if (code)
        error_prefix(err, "the demo's sandbox %s is left", demo->directory);
    return code;
}

err_code demo_close(struct demo *demo, struct error *err)
{
    err_code code = ERR_OK;

    if (!demo)
        return ERR_OK;
    demo_database_stop(demo->database);
    fsops_release(&demo->ops);
    cleanup_fd(&demo->root_fd);
    if (demo->directory)
        stop_practising(demo);
    if (demo->directory && !demo->is_kept)
        code = remove_own(demo, err);
    free(demo->directory);
    free(demo);
    return code;
}

err_code demo_new(const struct demo_options *options, struct demo **out,
                  struct error *err)
{
    const char *kept = options->kept_directory;
    struct demo *demo = xcalloc(1, sizeof *demo);

    demo->root_fd = -1;
    demo->chance = UINT64_C(0x9e3779b97f4a7c15);
    demo->now_ns = clock_now_ns();
    err_code code = kept ? find_kept(demo, kept, err) : make_sandbox(demo, err);
    if (!code && !demo->is_furnished)
        code = furnish(demo, options->has_surprises, err);
    if (!code)
        code = demo_database_start(demo, err);
    if (code) {
        err_code closed = demo_close(demo, NULL); /* the first reason counts */
        (void)closed;
        return code;
    }
    *out = demo;
    return ERR_OK;
}

const char *demo_directory(const struct demo *demo)
{
    return demo->directory;
}

/* --- the program that has drives of paper --- */

static char *beside(const char *program, const char *where)
{
    CLEANUP_FREE char *directory =
        xstrndup(program, path_parent_length(program));
    CLEANUP_FREE char *joined = path_join(directory, where);

    return path_clean(joined);
}

err_code demo_start_program(char *const *argv, struct error *err)
{
    static const char *const places[] = {PRACTICE_PROGRAM,
                                         "../libexec/berth/" PRACTICE_PROGRAM};
    CLEANUP_FREE char *own = NULL;
    err_code code = platform_own_program(&own, err);

    if (code)
        return code;
    CLEANUP_FREE char *real = realpath(own, NULL);
    if (!real)
        return error_set_errno(err, errno, "cannot find this program (%s)",
                               own);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        CLEANUP_FREE char *program = beside(real, places[i]);
        execv(program, argv);
        if (errno != ENOENT)
            return error_set_errno(err, errno, "cannot run %s", program);
    }
    CLEANUP_FREE char *first = beside(real, places[0]);
    CLEANUP_FREE char *second = beside(real, places[1]);
    return error_set(err, ERR_NOT_FOUND,
                     "the demo needs " PRACTICE_PROGRAM ", which is neither %s "
                     "nor %s: `make install` puts it there, and in the source "
                     "tree scripts/try starts it",
                     first, second);
}
