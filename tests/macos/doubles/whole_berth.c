/*
 * The whole of berth on a Mac of paper: what the engine makes of the names,
 * the privacy and the litter of macOS. The drive is a directory that the
 * doubles call a volume.
 */
#include "macos/doubles/machine.h"

#include "core/base/clock.h"
#include "unit/play.h"

/* "ä" in one character, and in two as Apple's drivers list it. */
#define COMPOSED "\303\244.txt"
#define DECOMPOSED "a\314\210.txt"

/* --- a berth with a drive of that kind --- */

static struct play *begin(const char *kind, uint32_t flags)
{
    struct play *play = xcalloc(1, sizeof *play);
    const char *temporary = getenv("TMPDIR");
    char *given = xasprintf("%s/whole-XXXXXX", temporary ? temporary : "/tmp");

    fake_reset();
    plug_internal();
    assert_non_null(mkdtemp(given));
    play->sandbox = realpath(given, NULL);
    free(given);
    play->source = path_join(play->sandbox, "source");
    play->drive = path_join(play->sandbox, "drive");
    play->target = path_join(play->drive, "data");
    play->config = path_join(play->sandbox, "config/berth.conf");
    play->state = path_join(play->sandbox, "state");
    assert_int_equal(mkdir(play->source, 0755), 0);
    assert_int_equal(mkdir(play->drive, 0755), 0);
    plug_whole("disk4");
    fake_plug(&(struct fake_medium){.bsd_name = "disk4s1",
                                    .on = "disk4",
                                    .size_bytes = 4999000000000,
                                    .says_not_internal = true,
                                    .protocol = "USB",
                                    .kind = kind,
                                    .label = "here",
                                    .mount_point = play->drive,
                                    .mount_flags = flags});
    assert_int_equal(platform_new(&play->platform, NULL), ERR_OK);
    play_start(play);
    return play;
}

static struct play *begin_with_job(const char *kind)
{
    struct play *play = begin(kind, 0);

    play_add_volume(play);
    struct traits traits = play_get_traits(play);
    /* As probing sees them on a Mac: the directory here takes any bytes. */
    traits.names.is_utf16 = strcmp(kind, "apfs") != 0;
    play_set_traits(play, &traits);
    play_add_job(play, JOB_MIRROR);
    return play;
}

static void end(struct play *play)
{
    play_free(play);
    long alive = fake_live_objects();
    fake_reset();
    assert_int_equal(alive, 0);
}

static void write_in(const char *directory, const char *name,
                     const char *content)
{
    CLEANUP_FREE char *path = path_join(directory, name);

    assert_int_equal(file_replace(path, content, strlen(content), 0644, NULL),
                     ERR_OK);
}

static bool is_in(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);

    return !access(path, F_OK);
}

static struct answer sync_now(struct play *play)
{
    return play_sync(play, DIFF_DEPTH_AUTO, 0);
}

static void must_sync(struct play *play, int64_t files_new)
{
    struct answer answer = sync_now(play);

    if (answer.outcome)
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    assert_int_equal(answer.sync.counts.files_new, files_new);
    assert_int_equal(answer.sync.counts.files_updated, 0);
    assert_int_equal(answer.sync.counts.files_deleted, 0);
    answer_release(&answer);
}

/* --- names --- */

/* A source on HFS+ or APFS that holds decomposed names; the drive's driver
 * lists them decomposed whatever was written. */
static void decomposed_names_are_copied_once(void **state)
{
    static const char *const kinds[] = {"exfat", "msdos", "hfs", "apfs"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct play *play = begin_with_job(kinds[i]);
        write_in(play->source, DECOMPOSED, "one");
        write_in(play->source, "plain.txt", "two");
        must_sync(play, 2);
        /* APFS keeps what it is given, as the source's has it. */
        bool keeps = !strcmp(kinds[i], "apfs");
        assert_int_equal(is_in(play->target, COMPOSED), !keeps);
        assert_int_equal(is_in(play->target, DECOMPOSED), keeps);
        must_sync(play, 0);
        end(play);
    }
}

/* The same directory was restored by a program that composes. */
static void a_name_in_the_other_form_is_the_same_file(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, DECOMPOSED, "one");
    must_sync(play, 1);
    CLEANUP_FREE char *from = path_join(play->source, DECOMPOSED);
    CLEANUP_FREE char *to = path_join(play->source, COMPOSED);
    assert_int_equal(rename(from, to), 0);
    must_sync(play, 0);
    end(play);
}

/* --- privacy --- */

static void must_explain_privacy(struct answer answer)
{
    assert_int_not_equal(answer.outcome, OUTCOME_DONE);
    if (!strstr(answer.words.text, "Privacy & Security"))
        fail_msg("no word of privacy: %s", answer.words.text);
    answer_release(&answer);
}

static void a_source_kept_private_is_not_an_empty_one(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    fake_keeps_private(play->source);
    must_explain_privacy(sync_now(play));
    assert_true(is_in(play->target, "one"));
    fake_keeps_private("");
    must_sync(play, 0);
    end(play);
}

static void a_directory_kept_private_deletes_nothing(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    CLEANUP_FREE char *inner = path_join(play->source, "Desktop");
    assert_int_equal(mkdir(inner, 0755), 0);
    write_in(inner, "one", "1");
    write_in(play->source, "two", "2");
    must_sync(play, 2);
    fake_keeps_private(inner);
    must_explain_privacy(sync_now(play));
    assert_true(is_in(play->target, "Desktop/one"));
    end(play);
}

static void a_drive_kept_private_is_not_an_absent_one(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    fake_keeps_private(play->drive);
    must_explain_privacy(sync_now(play));
    fake_keeps_private("");
    must_sync(play, 0);
    end(play);
}

/* --- litter --- */

static void what_macos_strews_is_neither_copied_nor_deleted(void **state)
{
    static const char *const litter[] = {".DS_Store", "._one"};
    static const char *const places[] = {".fseventsd", ".Spotlight-V100",
                                         ".Trashes", ".TemporaryItems"};
    const char double_head[] = "\0\5\26\7\0\2\0\0";

    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    for (size_t i = 0; i < COUNT_OF(litter); i++) {
        CLEANUP_FREE char *here = path_join(play->source, litter[i]);
        CLEANUP_FREE char *there = path_join(play->target, litter[i]);
        assert_int_equal(file_replace(here, double_head, 8, 0644, NULL),
                         ERR_OK);
        assert_int_equal(file_replace(there, double_head, 8, 0644, NULL),
                         ERR_OK);
    }
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        CLEANUP_FREE char *there = path_join(play->drive, places[i]);
        assert_int_equal(mkdir(there, 0755), 0);
    }
    must_sync(play, 0);
    assert_true(is_in(play->target, "._one"));
    assert_true(is_in(play->target, ".DS_Store"));
    assert_true(is_in(play->drive, ".fseventsd"));
    end(play);
}

/* The directory that it is in was deleted: no error, and not again and again.
 */
static void litter_keeps_no_deleted_directory_on_the_list(void **state)
{
    const char double_head[] = "\0\5\26\7\0\2\0\0";

    (void)state;
    struct play *play = begin_with_job("exfat");
    CLEANUP_FREE char *inner = path_join(play->source, "album");
    CLEANUP_FREE char *there = path_join(play->target, "album/._one");
    CLEANUP_FREE char *store = path_join(play->target, "album/.DS_Store");
    assert_int_equal(mkdir(inner, 0755), 0);
    write_in(inner, "one", "1");
    write_in(play->source, "two", "2");
    must_sync(play, 2);
    assert_int_equal(file_replace(there, double_head, 8, 0644, NULL), ERR_OK);
    assert_int_equal(file_replace(store, "Bud1", 4, 0644, NULL), ERR_OK);
    remove_tree(inner);
    for (int i = 0; i < 3; i++) {
        struct answer answer = sync_now(play);
        if (answer.outcome)
            fail_msg("exit code %d: %s", (int)answer.outcome,
                     answer.words.text);
        assert_int_equal(answer.sync.counts.files_deleted, i ? 0 : 1);
        assert_int_equal(answer.sync.counts.directories_removed, 0);
        answer_release(&answer);
    }
    assert_false(is_in(play->target, "album/one"));
    assert_true(is_in(play->target, "album/._one"));
    end(play);
}

/* Without the magic it is somebody's own. */
static void a_name_like_litter_with_other_content_is_copied(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "._mine", "a text");
    must_sync(play, 1);
    assert_true(is_in(play->target, "._mine"));
    end(play);
}

/* --- while it runs --- */

static void the_mac_stays_awake_during_a_sync(void **state)
{
    char name[129] = "";

    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    assert_int_equal(fake_assertions(name, sizeof name), 0);
    must_sync(play, 1);
    assert_int_equal(fake_assertions(name, sizeof name), 0);
    assert_string_equal(name, "berth sync " PLAY_JOB);
    assert_int_equal(fake_approvers(), 0);
    end(play);
}

static void a_mac_that_may_fall_asleep_is_told_and_syncs(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    fake_power_refuses(true);
    struct answer answer = sync_now(play);
    assert_int_equal(answer.outcome, OUTCOME_DONE);
    assert_non_null(strstr(answer.words.text, "asleep"));
    answer_release(&answer);
    end(play);
}

/* --- drives --- */

static void ntfs_can_only_be_read_and_says_so(void **state)
{
    struct command *command = command_new(COMMAND_VOLUME_ADD);

    (void)state;
    struct play *play = begin("ntfs", 1 /* MNT_RDONLY */);
    command->path = xstrdup(play->drive);
    command->volume.name = xstrdup(PLAY_VOLUME);
    struct answer answer = play_run(play, command);
    assert_int_not_equal(answer.outcome, OUTCOME_DONE);
    if (!strstr(answer.words.text, "NTFS"))
        fail_msg("%s", answer.words.text);
    answer_release(&answer);
    end(play);
}

/* Posts an ejection; its verdict, and the words of the last error. */
static struct eject_judgement eject(struct play *play, enum outcome *outcome)
{
    struct command *command = command_new(COMMAND_EJECT);
    struct pollfd fd = {.fd = engine_wake_fd(play->engine), .events = POLLIN};
    struct eject_judgement judgement = {.why = ""};
    bool is_done = false;

    command_add_name(command, PLAY_VOLUME);
    uint64_t id = engine_post(play->engine, command);
    while (!is_done && poll(&fd, 1, 60000) == 1) {
        struct event *event;
        while ((event = engine_next(play->engine))) {
            if (event->kind == EVENT_EJECT &&
                event->eject.step == EJECT_STEP_DONE)
                judgement = event->eject.judgement;
            if (event->command == id && event->kind == EVENT_DONE) {
                *outcome = event->outcome;
                is_done = true;
            }
            event_free(event);
        }
    }
    assert_true(is_done);
    return judgement;
}

static void a_synced_drive_is_safe_once_macos_says_so(void **state)
{
    enum outcome outcome;

    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    struct eject_judgement judgement = eject(play, &outcome);
    assert_int_equal(judgement.verdict, EJECT_GREEN);
    assert_int_equal(outcome, OUTCOME_DONE);
    assert_int_equal(fake_asked(FAKE_UNMOUNT, "disk4s1"), 1);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk4"), 1);
    assert_false(fake_is_plugged("disk4"));
    end(play);
}

/* F_FULLFSYNC is unknown to its driver: fsync reaches the drive's cache, and
 * nobody knows how far from there. */
static void without_a_full_flush_it_is_not_called_safe(void **state)
{
    enum outcome outcome;

    (void)state;
    struct play *play = begin_with_job("exfat");
    fake_flush_errors(ENOTSUP, ENOTSUP, 0);
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    struct eject_judgement judgement = eject(play, &outcome);
    assert_int_equal(judgement.verdict, EJECT_YELLOW);
    assert_non_null(strstr(judgement.why, "cache"));
    end(play);
}

/* The other partition and an APFS volume, on a disk of another number. */
static void every_volume_of_the_drive_is_unmounted_first(void **state)
{
    static const char *const volumes[] = {"disk4s1", "disk4s2", "disk5s1"};
    enum outcome outcome;

    (void)state;
    struct play *play = begin_with_job("exfat");
    CLEANUP_FREE char *two = path_join(play->sandbox, "two");
    CLEANUP_FREE char *photos = path_join(play->sandbox, "photos");
    assert_int_equal(mkdir(two, 0755), 0);
    assert_int_equal(mkdir(photos, 0755), 0);
    plug_part("disk4s2", "disk4", "hfs", "two", two);
    plug_part("disk4s3", "disk4", NULL, NULL, NULL);
    fake_plug(&(struct fake_medium){.bsd_name = "disk5",
                                    .on = "disk4s3",
                                    .is_whole = true,
                                    .says_not_internal = true,
                                    .protocol = "USB"});
    plug_part("disk5s1", "disk5", "apfs", "Photos", photos);
    struct eject_judgement judgement = eject(play, &outcome);
    if (outcome)
        fail_msg("%s", judgement.why);
    for (size_t i = 0; i < COUNT_OF(volumes); i++)
        assert_int_equal(fake_asked(FAKE_UNMOUNT, volumes[i]), 1);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk4"), 1);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk5"), 0);
    end(play);
}

/* Pulled while macOS was at it: no answer came. */
static void a_drive_that_vanishes_while_it_is_ejected_is_not_safe(void **state)
{
    enum outcome outcome;

    (void)state;
    struct play *play = begin_with_job("exfat");
    write_in(play->source, "one", "1");
    must_sync(play, 1);
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .delay_ms = 50,
                                      .vanishes = true});
    struct eject_judgement judgement = eject(play, &outcome);
    assert_int_equal(judgement.verdict, EJECT_RED);
    end(play);
}

static void a_busy_drive_stays_and_names_the_reason(void **state)
{
    (void)state;
    struct play *play = begin_with_job("exfat");
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .status = 0xC010,
                                      .words = "Spotlight"});
    enum outcome outcome;
    struct eject_judgement judgement = eject(play, &outcome);
    assert_int_not_equal(judgement.verdict, EJECT_GREEN);
    assert_int_not_equal(outcome, OUTCOME_DONE);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk4"), 0);
    end(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decomposed_names_are_copied_once),
        cmocka_unit_test(a_name_in_the_other_form_is_the_same_file),
        cmocka_unit_test(a_source_kept_private_is_not_an_empty_one),
        cmocka_unit_test(a_directory_kept_private_deletes_nothing),
        cmocka_unit_test(a_drive_kept_private_is_not_an_absent_one),
        cmocka_unit_test(what_macos_strews_is_neither_copied_nor_deleted),
        cmocka_unit_test(litter_keeps_no_deleted_directory_on_the_list),
        cmocka_unit_test(a_name_like_litter_with_other_content_is_copied),
        cmocka_unit_test(the_mac_stays_awake_during_a_sync),
        cmocka_unit_test(a_mac_that_may_fall_asleep_is_told_and_syncs),
        cmocka_unit_test(ntfs_can_only_be_read_and_says_so),
        cmocka_unit_test(a_synced_drive_is_safe_once_macos_says_so),
        cmocka_unit_test(every_volume_of_the_drive_is_unmounted_first),
        cmocka_unit_test(without_a_full_flush_it_is_not_called_safe),
        cmocka_unit_test(a_drive_that_vanishes_while_it_is_ejected_is_not_safe),
        cmocka_unit_test(a_busy_drive_stays_and_names_the_reason),
    };

    return cmocka_run_group_tests_name("whole_berth", tests, NULL, NULL);
}
