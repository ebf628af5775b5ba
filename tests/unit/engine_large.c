/*
 * Files that a drive cannot hold for their size.
 */
#include "contract/scenery.h"

#include "core/base/fdio.h"
#include "unit/play.h"

static void make_hole(struct play *play, const char *name, off_t size)
{
    CLEANUP_FREE char *path = path_join(play->source, name);

    assert_int_equal(file_replace(path, "", 0, 0600, NULL), ERR_OK);
    assert_int_equal(truncate(path, size), 0);
}

/* It would be written for minutes, and then be "no space": each night. */
static void a_file_of_four_gibibytes_is_refused_by_fat_and_the_others_arrive(
    void **state)
{
    struct play *play = play_new_on(
        JOB_MIRROR, "drive stick size=64GB\n"
                    "volume usb drive=stick family=vfat size=64GB\n");
    CLEANUP_FREE char *other = path_join(play->target, "small");
    CLEANUP_FREE char *large = path_join(play->target, "film");

    make_hole(play, "film", (off_t)4 << 30);
    make_hole(play, "small", 4096);
    struct answer answer = play_sync(play, DIFF_DEPTH_AUTO, 0);
    assert_int_equal(answer.outcome, OUTCOME_FAILED_FILES);
    assert_non_null(strstr(answer.words.text, "FAT holds no file"));
    answer_release(&answer);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(large, F_OK), -1);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_file_of_four_gibibytes_is_refused_by_fat_and_the_others_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
