/*
 * The write-ahead journal and the history, in the catalogue's file: intents
 * of each kind come back as they were, states change together with batches,
 * and what fails half way was never there.
 */
#include "contract/scenery.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/catalogue.h"
#include "core/db.h"
#include "core/history.h"
#include "core/journal.h"
#include "unit/dice.h"

#define VOLUME "0123456789abcdef0123456789abcdef"

static char *directory, *path;

static int make_catalogue(void **state)
{
    const char *temporary = getenv("TMPDIR");
    struct catalogue *catalogue;

    directory = xasprintf("%s/journal-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    path = path_join(directory, "volume.db");
    if (catalogue_open(path, VOLUME, &catalogue, NULL))
        return -1;
    *state = catalogue;
    return 0;
}

static int remove_catalogue(void **state)
{
    catalogue_close(*state);
    remove_tree(directory);
    free(directory);
    free(path);
    return 0;
}

static void reopen(void **state)
{
    struct catalogue *catalogue;

    catalogue_close(*state);
    *state = NULL;
    assert_int_equal(catalogue_open(path, VOLUME, &catalogue, NULL), ERR_OK);
    *state = catalogue;
}

/* --- sessions --- */

static enum session_state last_state(struct catalogue *catalogue)
{
    CLEANUP(journal_session_release) struct journal_session last = {.id = 0};

    assert_int_equal(journal_last_session(catalogue, &last, NULL), ERR_OK);
    return last.state;
}

static void a_session_keeps_what_it_was_opened_with(void **state)
{
    struct journal_session last;
    int64_t first, second;

    assert_int_equal(last_state(*state), SESSION_NONE);
    clock_freeze(INT64_C(1795356363000000000));
    assert_int_equal(
        journal_open_session(*state, 5, "boot 1", "usb 1", &first, NULL),
        ERR_OK);
    assert_int_equal(
        journal_open_session(*state, 6, "boot 2", "", &second, NULL), ERR_OK);
    clock_freeze(0);
    assert_true(second > first);
    reopen(state);
    assert_int_equal(journal_last_session(*state, &last, NULL), ERR_OK);
    assert_int_equal(last.id, second);
    assert_int_equal(last.run, 6);
    assert_int_equal(last.state, SESSION_AT_REST);
    assert_true(last.opened_ns == INT64_C(1795356363000000000));
    assert_string_equal(last.boot, "boot 2");
    assert_string_equal(last.attachment, "");
    journal_session_release(&last);
    journal_session_release(&last);
}

static void the_last_session_has_the_state_that_was_set(void **state)
{
    static const enum session_state states[] = {SESSION_OPEN, SESSION_AT_REST,
                                                SESSION_CLOSED, SESSION_OPEN};
    int64_t first, second;

    assert_int_equal(journal_open_session(*state, 1, "b", "a", &first, NULL),
                     ERR_OK);
    assert_int_equal(journal_open_session(*state, 2, "b", "a", &second, NULL),
                     ERR_OK);
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        assert_int_equal(journal_set_state(*state, second, states[i], NULL),
                         ERR_OK);
        assert_int_equal(journal_set_state(*state, first, SESSION_CLOSED, NULL),
                         ERR_OK);
        reopen(state);
        assert_int_equal(last_state(*state), states[i]);
    }
}

/* --- batches --- */

static const char *random_text(struct dice *dice, struct arena *arena,
                               bool may_be_null)
{
    char text[12] = "";

    if (may_be_null && dice_one_in(dice, 3))
        return NULL;
    for (size_t i = 0; i < dice_below(dice, sizeof text); i++)
        text[i] = (char)(1 + dice_below(dice, 255));
    return arena_strdup(arena, text);
}

static struct intent random_intent(struct dice *dice, struct arena *arena)
{
    struct intent intent = {
        .kind = (enum intent_kind)(INTENT_PLACE + dice_below(dice, 7)),
        .owner = dice_extreme(dice),
        .path = random_text(dice, arena, false),
        .old_path = random_text(dice, arena, true),
        .from = random_text(dice, arena, true),
        .to = random_text(dice, arena, true),
        .version = random_text(dice, arena, true),
        .reason = (enum version_reason)dice_below(dice, 3),
        .before = {dice_extreme(dice), dice_extreme(dice)},
        .forget = dice_one_in(dice, 2),
        .record = {.type = (enum entry_type)dice_below(dice, 3),
                   .flags = (unsigned)dice_next(dice),
                   .raw = random_text(dice, arena, true),
                   .mode = (uint32_t)dice_next(dice),
                   .source = {.inode = (uint64_t)dice_extreme(dice)},
                   .stamp = {dice_extreme(dice), dice_extreme(dice)}},
    };

    return intent;
}

static bool same_text(const char *one, const char *other)
{
    return one == other || (one && other && !strcmp(one, other));
}

static bool same_intent(const struct intent *one, const struct intent *other)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf others = STRBUF_INIT;

    record_encode(&one->record, &bytes);
    record_encode(&other->record, &others);
    return one->kind == other->kind && one->owner == other->owner &&
           same_text(one->path, other->path) &&
           same_text(one->old_path, other->old_path) &&
           same_text(one->from, other->from) && same_text(one->to, other->to) &&
           same_text(one->version, other->version) &&
           one->reason == other->reason &&
           one->before.size_bytes == other->before.size_bytes &&
           one->before.mtime_ns == other->before.mtime_ns &&
           one->forget == other->forget && bytes.length == others.length &&
           !memcmp(bytes.text, others.text, bytes.length);
}

static void check_batch(struct catalogue *catalogue, int64_t batch,
                        const struct intents *expected)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(intents_release) struct intents read = {.items = NULL};

    assert_int_equal(journal_read_batch(catalogue, batch, &arena, &read, NULL),
                     ERR_OK);
    assert_int_equal(read.count, expected->count);
    for (size_t i = 0; i < read.count; i++)
        if (!same_intent(&read.items[i], &expected->items[i]))
            fail_msg("intent %zu", i);
}

static void intents_of_each_kind_come_back_in_their_order(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(28));
    int64_t session;

    assert_int_equal(journal_open_session(*state, 1, "b", "a", &session, NULL),
                     ERR_OK);
    for (int round = 0; round < 10; round++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT;
        CLEANUP(intents_release) struct intents batch = {.items = NULL};
        int64_t id = 0, pending = 0;
        for (size_t i = 0; i < 100; i++)
            ARRAY_PUSH(&batch, random_intent(&dice, &arena));
        assert_int_equal(journal_record(*state, session, &batch, &id, NULL),
                         ERR_OK);
        assert_true(id > 0);
        assert_int_equal(last_state(*state), SESSION_OPEN);
        reopen(state); /* durable: another process sees it */
        assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
        assert_int_equal(pending, id);
        check_batch(*state, id, &batch);
        assert_int_equal(journal_forget_batch(*state, id, NULL), ERR_OK);
        assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
        assert_int_equal(pending, 0);
    }
}

static void two_batches_wait_for_each_other_in_order(void **state)
{
    struct intent one = {.kind = INTENT_MKDIR, .path = "one", .to = "one"};
    struct intent two = {.kind = INTENT_RMDIR, .path = "two", .from = "two"};
    const struct intents first = {&one, 1, 1}, second = {&two, 1, 1};
    int64_t session, first_id, second_id, pending;

    assert_int_equal(journal_open_session(*state, 1, "b", "a", &session, NULL),
                     ERR_OK);
    assert_int_equal(journal_record(*state, session, &first, &first_id, NULL),
                     ERR_OK);
    assert_int_equal(journal_record(*state, session, &second, &second_id, NULL),
                     ERR_OK);
    assert_true(second_id > first_id);
    assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
    assert_int_equal(pending, first_id);
    check_batch(*state, first_id, &first);
    check_batch(*state, second_id, &second);
    assert_int_equal(journal_forget_batch(*state, first_id, NULL), ERR_OK);
    assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
    assert_int_equal(pending, second_id);
    check_batch(*state, second_id, &second);
}

static void forgetting_a_batch_is_undone_with_its_commit(void **state)
{
    struct intent one = {.kind = INTENT_NOTE, .path = "one", .forget = true};
    const struct intents batch = {&one, 1, 1};
    int64_t session, id, pending;

    assert_int_equal(journal_open_session(*state, 1, "b", "a", &session, NULL),
                     ERR_OK);
    assert_int_equal(journal_record(*state, session, &batch, &id, NULL),
                     ERR_OK);
    assert_int_equal(db_begin(catalogue_db(*state), NULL), ERR_OK);
    assert_int_equal(journal_forget_batch(*state, id, NULL), ERR_OK);
    assert_int_equal(journal_set_state(*state, session, SESSION_AT_REST, NULL),
                     ERR_OK);
    reopen(state); /* killed before the commit */
    assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
    assert_int_equal(pending, id);
    assert_int_equal(last_state(*state), SESSION_OPEN);
    check_batch(*state, id, &batch);
}

static void a_batch_that_does_not_fit_was_never_recorded(void **state)
{
    CLEANUP(intents_release) struct intents batch = {.items = NULL};
    static char long_path[2000];
    struct intent intent = {.kind = INTENT_MKDIR, .path = long_path};
    int64_t session, id = 42, pending;
    struct error err = ERROR_INIT;

    memset(long_path, 'p', sizeof long_path - 1);
    for (size_t i = 0; i < 500; i++)
        ARRAY_PUSH(&batch, intent);
    assert_int_equal(journal_open_session(*state, 1, "b", "a", &session, NULL),
                     ERR_OK);
    assert_int_equal(
        db_execute(catalogue_db(*state), "PRAGMA max_page_count = 60", NULL),
        ERR_OK);
    assert_int_equal(journal_record(*state, session, &batch, &id, &err),
                     ERR_NO_SPACE);
    assert_int_equal(id, 42);
    assert_int_equal(journal_pending_batch(*state, &pending, NULL), ERR_OK);
    assert_int_equal(pending, 0);
    assert_int_equal(last_state(*state), SESSION_AT_REST);
    batch.count = 1; /* and the next one works */
    assert_int_equal(journal_record(*state, session, &batch, &id, NULL),
                     ERR_OK);
}

static void a_damaged_intent_is_an_error(void **state)
{
    struct intent one = {.kind = INTENT_MKDIR, .path = "one", .to = "one"};
    const struct intents batch = {&one, 1, 1};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(intents_release) struct intents read = {.items = NULL};
    int64_t session, id;
    struct error err = ERROR_INIT;

    assert_int_equal(journal_open_session(*state, 1, "b", "a", &session, NULL),
                     ERR_OK);
    assert_int_equal(journal_record(*state, session, &batch, &id, NULL),
                     ERR_OK);
    assert_int_equal(db_execute(catalogue_db(*state),
                                "UPDATE intent SET record = x'0102'", NULL),
                     ERR_OK);
    assert_int_equal(journal_read_batch(*state, id, &arena, &read, &err),
                     ERR_CORRUPT);
    assert_true(*err.message);
}

static void a_batch_that_is_not_there_is_empty(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(intents_release) struct intents read = {.items = NULL};

    assert_int_equal(journal_read_batch(*state, 99, &arena, &read, NULL),
                     ERR_OK);
    assert_int_equal(read.count, 0);
    assert_int_equal(journal_forget_batch(*state, 99, NULL), ERR_OK);
}

/* --- poison --- */

static void poisoned_paths_are_listed_by_owner_until_they_are_cured(
    void **state)
{
    static const char *const names[] = {"b", "a/x", "a", "a b", "ä", "\xff"};
    static const char *const sorted[] = {"a", "a b", "a/x", "b", "ä", "\xff"};
    CLEANUP(paths_release) struct paths paths = {.items = NULL};

    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < COUNT_OF(names); i++)
            assert_int_equal(journal_poison(*state, 1, names[i], NULL), ERR_OK);
    assert_int_equal(journal_poison(*state, 2, "other", NULL), ERR_OK);
    reopen(state);
    assert_int_equal(journal_list_poisoned(*state, 1, &paths, NULL), ERR_OK);
    assert_int_equal(paths.count, COUNT_OF(sorted));
    for (size_t i = 0; i < paths.count; i++) {
        assert_string_equal(paths.items[i], sorted[i]);
        assert_true(paths_contain(&paths, sorted[i]));
    }
    assert_false(paths_contain(&paths, "other"));
    assert_false(paths_contain(&paths, ""));
    paths_release(&paths);
    assert_false(paths_contain(&paths, "a"));

    assert_int_equal(journal_unpoison(*state, 1, "a", NULL), ERR_OK);
    assert_int_equal(journal_unpoison(*state, 1, "never", NULL), ERR_OK);
    assert_int_equal(journal_unpoison(*state, 1, "other", NULL), ERR_OK);
    assert_int_equal(journal_list_poisoned(*state, 1, &paths, NULL), ERR_OK);
    assert_int_equal(paths.count, COUNT_OF(sorted) - 1);
    assert_false(paths_contain(&paths, "a"));
    assert_true(paths_contain(&paths, "a/x"));
    paths_release(&paths);
    assert_int_equal(journal_list_poisoned(*state, 2, &paths, NULL), ERR_OK);
    assert_int_equal(paths.count, 1);
}

/* --- history --- */

struct told {
    int64_t ids[8];
    size_t count;
    struct run last;
    char text[512];
};

static err_code note_run(void *context, const struct run *run,
                         struct error *err)
{
    struct told *told = context;

    told->ids[told->count++] = run->id;
    told->last = *run;
    snprintf(told->text, sizeof told->text, "%s", run->jobs);
    return ERR_OK;
}

static err_code note_item(void *context, const struct run_item *item,
                          struct error *err)
{
    struct told *told = context;
    size_t used = strlen(told->text);

    told->count++;
    snprintf(told->text + used, sizeof told->text - used, "%s:%s:%s:%s:%lld ",
             history_deed_name(item->deed), item->job, item->path, item->detail,
             (long long)item->size_bytes);
    return ERR_OK;
}

static err_code give_up(void *context, const struct run *run, struct error *err)
{
    return ERR_CANCELLED;
}

static void runs_are_told_newest_first_with_their_counts(void **state)
{
    struct told told = {.count = 0};
    int64_t ids[3];

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_int_equal(history_begin(*state, "a, b", &ids[i], NULL), ERR_OK);
    struct run end = {
        .id = ids[1],
        .ended_ns = 99,
        .exit_code = 3,
        .counts = {1, 2, 3, 4, 5, 6, INT64_MAX, 8, 9, 10},
    };
    assert_int_equal(history_end(*state, &end, NULL), ERR_OK);
    reopen(state);
    assert_int_equal(history_walk(*state, 0, note_run, &told, NULL), ERR_OK);
    assert_int_equal(told.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(told.ids[i], ids[2 - i]);
    assert_int_equal(told.last.ended_ns, 0); /* killed */

    told.count = 0;
    assert_int_equal(history_walk(*state, ids[1], note_run, &told, NULL),
                     ERR_OK);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.text, "a, b");
    assert_int_equal(told.last.ended_ns, 99);
    assert_int_equal(told.last.exit_code, 3);
    assert_memory_equal(&told.last.counts, &end.counts, sizeof end.counts);

    told.count = 0;
    assert_int_equal(history_walk(*state, 12345, note_run, &told, NULL),
                     ERR_OK);
    assert_int_equal(told.count, 0);
    assert_int_equal(history_walk(*state, 0, give_up, NULL, NULL),
                     ERR_CANCELLED);
    assert_int_equal(history_walk(*state, 0, note_run, &told, NULL), ERR_OK);
    assert_int_equal(told.count, 3);
}

static void the_number_of_a_run_is_never_given_to_another(void **state)
{
    int64_t last = 0, run;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(history_begin(*state, "a", &run, NULL), ERR_OK);
        assert_true(run > last);
        last = run;
        assert_int_equal(
            db_execute(catalogue_db(*state), "DELETE FROM run", NULL), ERR_OK);
        reopen(state);
    }
}

static void what_a_run_did_is_told_in_order(void **state)
{
    static const struct run_item items[] = {
        {DEED_NEW, "a", "z", NULL, 5},
        {DEED_RENAMED, "a", "b", "old", 6},
        {DEED_FAILED, "b", "c", "cannot read", 0},
        {DEED_DELETED, "b", "d", "", -1},
    };
    struct told told = {.count = 0};
    int64_t run, other;

    assert_int_equal(history_begin(*state, "a", &run, NULL), ERR_OK);
    assert_int_equal(history_begin(*state, "a", &other, NULL), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        assert_int_equal(history_add_item(*state, run, &items[i], NULL),
                         ERR_OK);
        assert_int_equal(history_add_item(*state, other, &items[0], NULL),
                         ERR_OK);
    }
    assert_int_equal(history_walk_items(*state, run, note_item, &told, NULL),
                     ERR_OK);
    assert_int_equal(told.count, 4);
    assert_string_equal(told.text, "new:a:z::5 renamed:a:b:old:6 "
                                   "failed:b:c:cannot read:0 "
                                   "deleted:b:d::-1 ");
}

static void every_deed_has_a_name_of_its_own(void **state)
{
    for (int i = DEED_NEW; i <= DEED_PRUNED; i++) {
        const char *name = history_deed_name((enum history_deed)i);
        assert_string_not_equal(name, "?");
        for (int j = DEED_NEW; j < i; j++)
            assert_string_not_equal(name,
                                    history_deed_name((enum history_deed)j));
    }
    assert_string_equal(history_deed_name((enum history_deed)0), "?");
}

#define JOURNAL_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, make_catalogue, remove_catalogue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_session_keeps_what_it_was_opened_with),
        JOURNAL_TEST(the_last_session_has_the_state_that_was_set),
        JOURNAL_TEST(intents_of_each_kind_come_back_in_their_order),
        JOURNAL_TEST(two_batches_wait_for_each_other_in_order),
        JOURNAL_TEST(forgetting_a_batch_is_undone_with_its_commit),
        JOURNAL_TEST(a_batch_that_does_not_fit_was_never_recorded),
        JOURNAL_TEST(a_damaged_intent_is_an_error),
        JOURNAL_TEST(a_batch_that_is_not_there_is_empty),
        JOURNAL_TEST(poisoned_paths_are_listed_by_owner_until_they_are_cured),
        JOURNAL_TEST(runs_are_told_newest_first_with_their_counts),
        JOURNAL_TEST(the_number_of_a_run_is_never_given_to_another),
        JOURNAL_TEST(what_a_run_did_is_told_in_order),
        cmocka_unit_test(every_deed_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
