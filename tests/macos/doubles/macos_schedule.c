/*
 * Launchd agents: the files, which an XML parser must take, and what launchctl
 * is told. launchctl is a script of the test's own.
 */
#include "contract/scenery.h"

#include "core/base/strbuf.h"
#include "platform/platform_schedule.h"

#include <stdlib.h>

static char *home;
static struct error err;

static char *in_home(const char *path)
{
    return path_join(home, path);
}

static void read_into(const char *path, struct strbuf *out)
{
    CLEANUP_FREE char *whole = in_home(path);

    if (file_read(whole, 1 << 20, out, NULL))
        fail_msg("no %s", path);
}

static bool is_there(const char *path)
{
    CLEANUP_FREE char *whole = in_home(path);

    return !access(whole, F_OK);
}

/* What launchctl was told, a line each; then it forgets. */
static void must_have_told(const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP_FREE char *path = in_home("told");
    CLEANUP_FREE char *user = xasprintf("gui/%lu", (unsigned long)getuid());

    read_into("told", &said);
    for (char *at; (at = strstr(said.text, user));)
        strbuf_splice(&said, (size_t)(at - said.text), strlen(user), "GUI", 3);
    for (char *at; (at = strstr(said.text, home));)
        strbuf_splice(&said, (size_t)(at - said.text), strlen(home), "~", 1);
    assert_string_equal(said.text, expected);
    assert_int_equal(truncate(path, 0), 0);
}

static char words_of[][24] = {"sync", "--scheduled", "02:00 & <more>"};
static char *words[] = {words_of[0], words_of[1], words_of[2]};
static const struct platform_timer nightly = {
    .name = "0200", .at = "02:05", .words = words, .word_count = 3};
static const struct platform_timer plug = {
    .name = "plug", .words = words, .word_count = 1};

static void install(const struct platform_timer *timers, size_t count)
{
    if (platform_schedule_install(timers, count, &err))
        fail_msg("%s", err.message);
}

static struct platform_schedule check(const struct platform_timer *timers,
                                      size_t count)
{
    struct platform_schedule found;

    assert_int_equal(platform_schedule_check(timers, count, &found, &err),
                     ERR_OK);
    return found;
}

/* --- tests --- */

static void an_agent_says_when_and_what(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    install(&nightly, 1);
    must_have_told("bootstrap GUI ~/Library/LaunchAgents/berth.0200.plist\n");
    read_into("Library/LaunchAgents/berth.0200.plist", &text);
    assert_non_null(strstr(text.text, "<key>Label</key><string>berth.0200<"));
    assert_non_null(strstr(text.text, "<key>Hour</key><integer>2</integer>\n"
                                      "<key>Minute</key><integer>5<"));
    assert_non_null(strstr(text.text, "/macos_schedule</string>\n"
                                      "<string>sync</string>\n"));
    assert_non_null(strstr(text.text, "02:00 &amp; &lt;more&gt;"));
    assert_non_null(strstr(text.text, "/Library/Logs/berth.log</string>"));
    assert_null(strstr(text.text, "StartOnMount"));
}

static void an_agent_for_plugs_starts_with_every_mount(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    install(&plug, 1);
    read_into("Library/LaunchAgents/berth.plug.plist", &text);
    assert_non_null(strstr(text.text, "<key>StartOnMount</key><true/>"));
    assert_null(strstr(text.text, "StartCalendarInterval"));
}

static void an_xml_parser_takes_what_is_written(void **state)
{
    (void)state;
    if (system("python3 -c 'import plistlib' 2>/dev/null"))
        SKIP_BECAUSE("needs python3");
    install(&nightly, 1);
    CLEANUP_FREE char *command = xasprintf(
        "python3 -c 'import plistlib,sys\n"
        "p = plistlib.load(open(sys.argv[1], \"rb\"))\n"
        "assert p[\"StartCalendarInterval\"] == {\"Hour\": 2, \"Minute\": 5}\n"
        "assert p[\"ProgramArguments\"][3] == \"02:00 & <more>\", p\n"
        "assert p[\"Label\"] == \"berth.0200\" and p[\"LowPriorityIO\"]' "
        "%s/Library/LaunchAgents/berth.0200.plist",
        home);
    assert_int_equal(system(command), 0);
}

static void installing_anew_takes_away_what_is_not_wanted(void **state)
{
    const struct platform_timer both[] = {nightly, plug};

    (void)state;
    install(both, 2);
    must_have_told("bootstrap GUI ~/Library/LaunchAgents/berth.0200.plist\n"
                   "bootstrap GUI ~/Library/LaunchAgents/berth.plug.plist\n");
    install(&plug, 1);
    assert_false(is_there("Library/LaunchAgents/berth.0200.plist"));
    assert_true(is_there("Library/LaunchAgents/berth.plug.plist"));
    CLEANUP_FREE char *other = in_home("Library/LaunchAgents/org.other.plist");
    assert_int_equal(file_replace(other, "x", 1, 0644, NULL), ERR_OK);
    install(NULL, 0);
    assert_false(is_there("Library/LaunchAgents/berth.plug.plist"));
    assert_true(is_there("Library/LaunchAgents/org.other.plist"));
}

static void removing_unloads_and_says_whether_there_was_anything(void **state)
{
    bool was_there;

    (void)state;
    assert_int_equal(platform_schedule_remove(&was_there, &err), ERR_OK);
    assert_false(was_there);
    install(&nightly, 1);
    CLEANUP_FREE char *told = in_home("told");
    assert_int_equal(truncate(told, 0), 0);
    assert_int_equal(platform_schedule_remove(&was_there, &err), ERR_OK);
    assert_true(was_there);
    must_have_told("bootout GUI/berth.0200\n");
}

static void a_check_sees_what_is_not_as_it_should_be(void **state)
{
    const struct platform_timer both[] = {nightly, plug};

    (void)state;
    assert_false(check(&nightly, 1).is_installed);
    install(&nightly, 1);
    struct platform_schedule found = check(&nightly, 1);
    assert_true(found.is_installed && found.is_current);
    assert_string_equal(found.kind, "launchd agent");
    assert_int_equal(found.lingers, -1);
    assert_false(check(both, 2).is_current);
    install(both, 2);
    assert_false(check(&nightly, 1).is_current); /* one too many */
    setenv("LAUNCHCTL_STATUS", "113", 1);        /* not loaded */
    assert_false(check(both, 2).is_current);
}

static void who_is_not_logged_in_is_told(void **state)
{
    (void)state;
    setenv("LAUNCHCTL_STATUS", "125", 1);
    assert_int_equal(platform_schedule_install(&nightly, 1, &err), ERR_DENIED);
    assert_non_null(strstr(err.message, "Domain does not support"));
    assert_non_null(strstr(err.message, "logged in"));
}

/* --- the whole --- */

static const char script[] =
    "#!/bin/sh\n"
    "echo \"$*\" >> \"$HOME/told\"\n"
    "[ -z \"$LAUNCHCTL_STATUS\" ] || echo 'Domain does not support it' >&2\n"
    "exit \"${LAUNCHCTL_STATUS:-0}\"\n";

static int set_up(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    home = xasprintf("%s/schedule-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(home));
    CLEANUP_FREE char *path = xasprintf("%s:/usr/bin:/bin", home);
    CLEANUP_FREE char *program = in_home("launchctl");
    CLEANUP_FREE char *told = in_home("told");
    assert_int_equal(file_replace(told, "", 0, 0644, NULL), ERR_OK);
    setenv("HOME", home, 1);
    setenv("PATH", path, 1);
    unsetenv("LAUNCHCTL_STATUS");
    return file_replace(program, script, strlen(script), 0755, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(home);
    free(home);
    return 0;
}

#define SCHEDULE_TEST(name)                                                    \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCHEDULE_TEST(an_agent_says_when_and_what),
        SCHEDULE_TEST(an_agent_for_plugs_starts_with_every_mount),
        SCHEDULE_TEST(an_xml_parser_takes_what_is_written),
        SCHEDULE_TEST(installing_anew_takes_away_what_is_not_wanted),
        SCHEDULE_TEST(removing_unloads_and_says_whether_there_was_anything),
        SCHEDULE_TEST(a_check_sees_what_is_not_as_it_should_be),
        SCHEDULE_TEST(who_is_not_logged_in_is_told),
    };

    return cmocka_run_group_tests_name("macos_schedule", tests, NULL, NULL);
}
