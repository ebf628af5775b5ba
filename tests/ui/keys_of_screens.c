/*
 * Footer and help promise what the keys do: in every state of every screen a
 * key has one meaning, and what is shown is what it means.
 */
#include "ui/play.h"

static const struct screen *const all[] = {
    &screen_drives, &screen_diff,    &screen_sync,
    &screen_eject,  &screen_history, &screen_versions,
    &screen_find,   &screen_copies,  &screen_drift};

static void check_table(const struct bindings *bindings,
                        const struct model *model)
{
    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->items[i];
        assert_true(binding->words || binding->help ||
                    bindings == &keys_everywhere);
        if (binding->is_valid && !binding->is_valid(model))
            continue;
        for (size_t k = 0; k < BINDING_KEYS && binding->keys[k]; k++)
            if (keys_find(bindings, model, binding->keys[k]) != binding->intent)
                fail_msg("%s: two meanings of one key: %s", bindings->title,
                         binding->words ? binding->words : binding->help);
    }
}

static void check_tables(struct play *play)
{
    for (size_t i = 0; i < COUNT_OF(all); i++)
        check_table(&all[i]->bindings, &play->model);
    check_table(&keys_everywhere, &play->model);
    play_draw(play);
    const struct bindings *bindings = &all[play->model.screen]->bindings;
    const struct binding *back = NULL;
    for (size_t i = 0; i < bindings->count; i++)
        for (size_t k = 0; k < BINDING_KEYS; k++)
            if (bindings->items[i].keys[k] == 'q')
                back = &bindings->items[i];
    assert_non_null(back); /* every screen has its own word for leaving */
}

static void every_key_has_one_meaning(void **state)
{
    struct play *play = play_new(100, 30, false);
    struct plan plan = PLAN_INIT;

    check_tables(play);
    play_drives(play, play_make_drives(true));
    check_tables(play);
    for (const char *key = "HCd/"; *key; key++) {
        play_key(play, (uint32_t)*key);
        check_tables(play);
        play_key(play, UI_KEY_ESCAPE);
        assert_int_equal(play->model.screen, SCREEN_DRIVES);
    }
    play_job(play, "notes", "hdd_homelab", "/notes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_add(&plan, ACTION_NEW, "a/new", 1000);
    play_add(&plan, ACTION_DELETE, "a/gone", 1000)->flags = ACTION_HELD;
    play_plan(play, "notes", "hdd_homelab", &plan);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    check_tables(play);
    play_key(play, UI_KEY_ENTER);
    check_tables(play);
    play_key(play, 'D');
    play_key(play, 'y');
    check_tables(play);
    play_key(play, 't');
    play_key(play, 'o');
    check_tables(play);
    play_plan(play, "notes", "hdd_homelab", &(struct plan)PLAN_INIT);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    play_key(play, 's');
    check_tables(play);
    play_free(play);
}

static void moving_up_and_down_never_leaves_the_lists(void **state)
{
    static const uint32_t keys[] = {
        UI_KEY_UP,  UI_KEY_DOWN, UI_KEY_PAGE_UP, UI_KEY_PAGE_DOWN, UI_KEY_HOME,
        UI_KEY_END, UI_KEY_LEFT, UI_KEY_RIGHT,   UI_CONTROL('u'),  'k'};
    struct play *play = play_new(80, 24, false);

    for (size_t i = 0; i < 40; i++) /* nothing there yet */
        play_key(play, keys[i % COUNT_OF(keys)]);
    play_drives(play, play_make_drives(true));
    for (size_t i = 0; i < 40; i++)
        play_key(play, keys[i * 7 % COUNT_OF(keys)]);
    play_drives(play, (struct drives){.items = NULL});
    for (size_t i = 0; i < 40; i++)
        play_key(play, keys[i * 3 % COUNT_OF(keys)]);
    assert_shows(play, "No drive is attached");
    play_free(play);
}

static void keys_are_called_as_they_are_labelled(void **state)
{
    char buffer[KEY_NAME_SIZE];

    assert_string_equal(keys_name(UI_KEY_ENTER, false, buffer), "Enter");
    assert_string_equal(keys_name(UI_CONTROL('z'), false, buffer), "^Z");
    assert_string_equal(keys_name(' ', false, buffer), "Space");
    assert_string_equal(keys_name('E', false, buffer), "E");
    assert_string_equal(keys_name(UI_KEY_PAGE_UP, false, buffer), "PgUp");
    assert_string_equal(keys_name(UI_KEY_RIGHT, false, buffer), "→");
    assert_string_equal(keys_name(UI_KEY_RIGHT, true, buffer), "Right");
    assert_string_equal(keys_name(UI_KEY_BACKSPACE, true, buffer), "Bksp");
    assert_string_equal(keys_name('E', true, buffer), "E");
}

/* The last line of the picture. */
static bool footer_has(struct play *play, const char *words)
{
    CLEANUP_FREE char *text = play_text(play);
    char *last = text;

    for (char *line = strtok_r(text, "\n", &last); line;) {
        char *next = strtok_r(NULL, "\n", &last);
        if (!next)
            return strstr(line, words) != NULL;
        line = next;
    }
    return false;
}

static void what_lies_over_a_screen_has_the_keys_of_the_last_line(void **state)
{
    struct play *play = play_new(80, 24, false);
    struct plan plan = PLAN_INIT;

    play_drives(play, play_make_drives(true));
    play_job(play, "notes", "hdd_homelab", "/notes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_add(&plan, ACTION_NEW, "a/new", 1000);
    play_plan(play, "notes", "hdd_homelab", &plan);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    assert_true(footer_has(play, "E sync, eject"));
    play_key(play, '?');
    assert_true(footer_has(play, "Esc close"));
    assert_false(footer_has(play, "sync"));
    play_key(play, UI_KEY_ESCAPE);
    play_key(play, 'e');
    assert_true(footer_has(play, "S sync first"));
    assert_true(footer_has(play, "x eject anyway"));
    assert_true(footer_has(play, "Esc cancel"));
    assert_false(footer_has(play, "E sync, eject"));
    play_key(play, UI_KEY_ESCAPE);
    assert_true(footer_has(play, "E sync, eject"));
    play_free(play);
}

static void help_is_left_at_its_end_by_the_first_key_up(void **state)
{
    struct play *play = play_new(80, 24, false);

    play_drives(play, play_make_drives(true));
    play_key(play, '?');
    assert_shows(play, "Enter");
    for (int i = 0; i < 20; i++)
        play_key(play, UI_KEY_PAGE_DOWN);
    CLEANUP_FREE char *end = play_text(play);
    play_key(play, UI_KEY_UP);
    CLEANUP_FREE char *above = play_text(play);
    assert_string_not_equal(end, above);
    play_key(play, UI_KEY_END);
    CLEANUP_FREE char *again = play_text(play);
    assert_string_equal(again, end);
    play_key(play, UI_KEY_HOME);
    assert_shows(play, "make the drive known and say what goes on it");
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_one_meaning),
        cmocka_unit_test(moving_up_and_down_never_leaves_the_lists),
        cmocka_unit_test(keys_are_called_as_they_are_labelled),
        cmocka_unit_test(what_lies_over_a_screen_has_the_keys_of_the_last_line),
        cmocka_unit_test(help_is_left_at_its_end_by_the_first_key_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
