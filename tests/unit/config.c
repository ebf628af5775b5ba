/*
 * Reading, refusing and editing the configuration. Most tests work in memory;
 * those of files use a directory of their own.
 */
#include "core/config.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/config_internal.h"
#include "core/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY (24 * 60 * 60 * NS_PER_SECOND)

#define PATH "/x/berth.conf"
#define HOME "/home/me"
#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "11111111111111111111111111111111"
#define ID_C "22222222222222222222222222222222"
#define ID_D "33333333333333333333333333333333"

static err_code load_bytes(const char *bytes, size_t length, struct config *out,
                           struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf buffer = STRBUF_INIT;

    strbuf_add(&buffer, bytes, length);
    return config_load_bytes(PATH, HOME, &buffer, out, err);
}

static void load(const char *text, struct config *out)
{
    struct error err = ERROR_INIT;

    if (load_bytes(text, strlen(text), out, &err))
        fail_msg("%s\nin: %s", err.message, text);
}

static void assert_refused_bytes(const char *bytes, size_t length,
                                 const char *message)
{
    struct config config = CONFIG_INIT;
    struct error err = ERROR_INIT;
    err_code code = load_bytes(bytes, length, &config, &err);

    if (code != ERR_INVALID)
        fail_msg("read with code %d: %s", (int)code, bytes);
    assert_string_equal(err.message, message);
    assert_null(config.path);
}

static void assert_refused(const char *text, const char *message)
{
    assert_refused_bytes(text, strlen(text), message);
}

static void dump_texts(const char *key, char *const *texts, size_t count,
                       struct strbuf *out)
{
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, " %s[%s]", key, texts[i]);
}

static void dump_volume(const struct config_volume *volume, struct strbuf *out)
{
    strbuf_addf(
        out, "volume %s %s %s mount=%d rate=%lld stale=%lld folder=%s\n",
        volume->name, volume->id, volume_role_name(volume->role), volume->mount,
        (long long)volume->bandwidth, (long long)volume->stale_after_ns,
        volume->folder ? volume->folder : "-");
}

static void dump_job(const struct config_job *job, struct strbuf *out)
{
    strbuf_addf(out, "job %s %s %s", job->name, job->source,
                job_mode_name(job->mode));
    for (size_t i = 0; i < job->target_count; i++)
        strbuf_addf(out, " to[%s:/%s]", job->targets[i].volume,
                    job->targets[i].directory);
    dump_texts("include", job->include, job->include_count, out);
    dump_texts("exclude", job->exclude, job->exclude_count, out);
    strbuf_addf(out, " keep=%d:%lld cap=%d:%lld verify=%d copies=%d",
                (int)job->versions.kind, (long long)job->versions.amount,
                job->delete_cap_percent, (long long)job->delete_cap_files,
                (int)job->verify, job->min_copies);
    strbuf_addf(out,
                " local=%lld settle=%lld rate=%lld cross=%d junk=%d at=%s\n",
                (long long)job->keep_local_ns, (long long)job->settle_ns,
                (long long)job->bandwidth, job->cross_mounts, job->keep_junk,
                job->schedule ? job->schedule : "-");
}

/* Everything but the lines. */
static void dump(const struct config *config, struct strbuf *out)
{
    for (size_t i = 0; i < config->volume_count; i++)
        dump_volume(&config->volumes[i], out);
    for (size_t i = 0; i < config->job_count; i++)
        dump_job(&config->jobs[i], out);
}

static void dump_text(const char *text, struct strbuf *out)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    load(text, &config);
    dump(&config, out);
}

static void assert_same_meaning(const char *one, const char *other)
{
    CLEANUP(strbuf_release) struct strbuf left = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf right = STRBUF_INIT;

    dump_text(one, &left);
    dump_text(other, &right);
    assert_string_equal(left.text, right.text);
}

static const char manual[] =
    "volumes = (\n"
    "  { name = \"hdd_homelab\"; id = \"" ID_A "\"; role = \"backup\"; },\n"
    "  { name = \"hdd_rotating\"; id = \"" ID_B "\"; },\n"
    "  { name = \"tools_usb\";   id = \"" ID_C "\"; role = \"read-only\"; }\n"
    ");\n"
    "jobs = (\n"
    "  { name = \"scrapes\"; source = \"~/lab/tmp/scrapes\"; targets = [ "
    "\"hdd_homelab:/raw_scrapes\", \"hdd_rotating:/raw_scrapes\" ];\n"
    "    mode = \"move\"; keep_local = \"7d\"; min_copies = 2; },\n"
    "  { name = \"databases\"; source = \"~/data\"; targets = [ "
    "\"hdd_homelab:/sqlite\" ]; mode = \"mirror\";\n"
    "    include = [ \"*.sqlite\", \"*.db\" ]; exclude = [ \"*.tmp\" ]; "
    "versions = \"30d\"; schedule = \"02:00\"; }\n"
    ");\n";

static void example_of_the_manual_is_read(void **state)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    load(manual, &config);
    assert_string_equal(config.path, PATH);
    assert_int_equal(config.volume_count, 3);
    assert_int_equal(config.job_count, 2);
    assert_string_equal(config.volumes[0].id, ID_A);
    assert_int_equal(config.volumes[2].role, VOLUME_READ_ONLY);
    assert_int_equal(config.volumes[2].line, 4);

    const struct config_job *job = config_find_job(&config, "scrapes");
    assert_string_equal(job->source, HOME "/lab/tmp/scrapes");
    assert_int_equal(job->target_count, 2);
    assert_string_equal(job->targets[1].volume, "hdd_rotating");
    assert_string_equal(job->targets[1].directory, "raw_scrapes");
    assert_int_equal(job->mode, JOB_MOVE);
    assert_true(job->keep_local_ns == 7 * DAY);
    assert_int_equal(job->min_copies, 2);
    assert_int_equal(job->line, 7);

    job = config_find_job(&config, "databases");
    assert_int_equal(job->include_count, 2);
    assert_string_equal(job->include[1], "*.db");
    assert_string_equal(job->exclude[0], "*.tmp");
    assert_string_equal(job->schedule, "02:00");
}

static void defaults_are_those_of_the_manual(void **state)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    load(
        "volumes = ( { name = \"a\"; id = \"" ID_A "\"; } );"
        "jobs = ( { name = \"j\"; source = \"/s\"; targets = [ \"a:/\" ]; } );",
        &config);
    const struct config_volume *volume = &config.volumes[0];
    assert_int_equal(volume->role, VOLUME_BACKUP);
    assert_false(volume->mount);
    assert_true(volume->bandwidth == 0);
    assert_true(volume->stale_after_ns == 10 * DAY);
    assert_null(volume->folder);

    const struct config_job *job = &config.jobs[0];
    assert_string_equal(job->targets[0].directory, "");
    assert_int_equal(job->mode, JOB_MIRROR);
    assert_int_equal(job->verify, JOB_VERIFY_NONE);
    assert_int_equal(job->min_copies, 1);
    assert_true(job->keep_local_ns == 0 && job->settle_ns == 0);
    assert_int_equal(job->versions.kind, KEEP_TIME);
    assert_true(job->versions.amount == 30 * DAY);
    assert_int_equal(job->delete_cap_percent, 25);
    assert_true(job->delete_cap_files == 1000);
    assert_true(job->bandwidth == 0);
    assert_false(job->cross_mounts || job->keep_junk);
    assert_null(job->schedule);
    assert_int_equal(job->include_count + job->exclude_count, 0);
}

static void every_key_is_read(void **state)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;

    dump_text(
        "volumes = ( { name = \"a\"; id = \"0123456789ABCDEF0123456789abcdef\";"
        " role = \"backup\"; mount = true; bandwidth = \"20MB/s\";"
        " stale_after = \"3w\"; folder = \"~/nas/./x/\"; } );\n"
        "jobs = ( { name = \"j\"; source = \"/s//t/../u/\";"
        " targets = [ \"a:/b//c/./\" ]; mode = \"update\"; include = [ \"*.c\" "
        "];"
        " exclude = [ \"/tmp\", \"b/\" ]; versions = 5;"
        " delete_cap = \"40%, 20\"; verify = \"read-back\"; min_copies = 3;"
        " keep_local = \"90m\"; settle = \"5s\"; bandwidth = \"1.5M\";"
        " cross_mounts = TRUE; keep_junk = true; schedule = \"on-plug\"; } );",
        &seen);
    assert_string_equal(
        seen.text,
        "volume a " ID_A " backup mount=1 rate=20000000 "
        "stale=1814400000000000 folder=/home/me/nas/x\n"
        "job j /s/u update to[a:/b/c] include[*.c] exclude[/tmp] exclude[b/] "
        "keep=1:5 cap=40:20 verify=1 copies=3 local=5400000000000 "
        "settle=5000000000 rate=1500000 cross=1 junk=1 at=on-plug\n");
}

#define VOLUME_A "{ name = \"a\"; id = \"" ID_A "\"; }"
#define VOLUME_B "{ name = \"b\"; id = \"" ID_B "\"; }"
#define VOLUMES "volumes = ( " VOLUME_A ", " VOLUME_B " );\n"
#define VOLUMES_LINES                                                          \
    "volumes = (\n" VOLUME_A ",\n" VOLUME_B "\n);\n" /* 1-4                    \
                                                      */

static void layout_does_not_change_the_meaning(void **state)
{
    static const char *const same[] = {
        VOLUMES "\n\n",
        "\xef\xbb\xbf" VOLUMES,
        "volumes=(" VOLUME_A "," VOLUME_B ")",
        "volumes : (\n" VOLUME_A ",\n" VOLUME_B ",\n),",
        "volumes = ( " VOLUME_A ", " VOLUME_B " ) # no line break",
        "volumes = ( " VOLUME_A ", " VOLUME_B " ) // no line break",
        "volumes = ( " VOLUME_A ", " VOLUME_B " , /* last */ )",
        "volumes = (\r\n" VOLUME_A ",\r\n" VOLUME_B "\r\n); // x\r\n",
        "/* \" */ volumes = ( {name=\"a\" id=\"" ID_A "\"}, {name : \"b\", "
        "id : \"1111111111111111\" /**/ \"1111111111111111\",} )",
    };

    for (size_t i = 0; i < COUNT_OF(same); i++)
        assert_same_meaning(same[i], VOLUMES);
}

static void empty_files_and_lists_are_empty_configurations(void **state)
{
    static const char *const empty[] = {
        "",
        "\n",
        "# nothing",
        "/**/",
        "\xef\xbb\xbf",
        "volumes = ( );",
        "jobs = (); volumes = (\n# none yet\n)",
    };

    for (size_t i = 0; i < COUNT_OF(empty); i++)
        assert_same_meaning(empty[i], "");
}

static void none_can_be_written_out(void **state)
{
    assert_same_meaning(
        VOLUMES "jobs = ( { name = \"j\"; source = \"/s\"; targets = [ \"a:/\" "
                "]; schedule = \"none\"; bandwidth = \"none\"; verify = "
                "\"none\"; include = []; } );",
        VOLUMES "jobs = ( { name = \"j\"; source = \"/s\"; targets = [ \"a:/\" "
                "]; } );");
}

static void escapes_in_text_are_read(void **state)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    load(VOLUMES "jobs = ( { name = \"j\"; targets = [ \"a:/\" ];"
                 " source = \"/q\\\"b\\\\n\\n\\x41\\xc3\\xa9\\d\"; } );",
         &config);
    assert_string_equal(config.jobs[0].source, "/q\"b\\n\nA\xc3\xa9\\d");
}

static void names_may_be_in_any_script(void **state)
{
    static const char *const good[] = {
        "a",
        "A.b_c-9",
        ".hidden",
        "Büro",
        "ディスク",
        "e\xcc\x81t\xc3\xa9",
        "диск2",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "-x",
        "a b",
        "a/b",
        "a:b",
        "a\tb",
        "a\nb",
        "a,b",
        "\xff",
        "a\xc2\xa0"
        "b", /* no-break space */
        "a\xe2\x80\xae"
        "b", /* right-to-left override */
        "a\xe2\x80\x8b"
        "b", /* zero width space */
        "01234567890123456789012345678901234567890123456789012345678901234",
    };

    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!config_name_is_valid(good[i]))
            fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (config_name_is_valid(bad[i]))
            fail_msg("%s is accepted", bad[i]);
}

struct refusal {
    const char *text;
    const char *message;
};

static void assert_all_refused(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(refusals[i].text, refusals[i].message);
}

/* A job on line 2 with one more setting on line 3. */
#define JOB_WITH(setting)                                                      \
    VOLUMES "jobs = ( { name = \"media\"; source = \"/m\";\n" setting          \
            " targets = [ \"a:/media\" ]; } );"
#define VOLUME_WITH(setting)                                                   \
    "volumes = ( { name = \"hdd\"; id = \"" ID_A "\";\n" setting " } );"

static void unknown_key_is_refused_with_its_line(void **state)
{
    static const struct refusal refusals[] = {
        {JOB_WITH("exlude = [ \"x\" ];"),
         PATH ":3: unknown key exlude in job \"media\": use exclude"},
        {JOB_WITH("Mode = \"move\";"),
         PATH ":3: unknown key Mode in job \"media\": use mode"},
        {JOB_WITH("keep-local = \"1d\";"),
         PATH ":3: unknown key keep-local in job \"media\": use keep_local"},
        {JOB_WITH("mount = true;"),
         PATH ":3: unknown key mount in job \"media\": it belongs into a "
              "volume"},
        {JOB_WITH("frobnicate = 1;"),
         PATH ":3: unknown key frobnicate in job \"media\": use one of name, "
              "source, targets, mode, include, exclude, versions, delete_cap, "
              "verify, min_copies, keep_local, settle, bandwidth, "
              "cross_mounts, keep_junk, schedule"},
        {VOLUME_WITH("schedule = \"02:00\";"),
         PATH ":2: unknown key schedule in volume \"hdd\": it belongs into a "
              "job"},
        {"\nvolume = ( );", PATH ":2: unknown key volume: use volumes"},
        {"x = 1;", PATH ":1: unknown key x: use one of volumes, jobs"},
        {"jobs = (\n{ nmae = \"x\"; } );",
         PATH ":2: unknown key nmae in job 1: use name"},
        {"jobs = ( { name = 7; x = 1; } );",
         PATH ":1: name = 7 in job 1: use 1 to 64 letters, digits, '.', '_' or "
              "'-' (not first) in quotes"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void wrong_value_is_refused_with_what_would_be_right(void **state)
{
    static const struct refusal refusals[] = {
        {JOB_WITH("mode = \"miror\";"),
         PATH ":3: mode = \"miror\" in job \"media\": use \"mirror\", "
              "\"update\" or \"move\""},
        {JOB_WITH("verify = \"always\";"),
         PATH ":3: verify = \"always\" in job \"media\": use \"none\" or "
              "\"read-back\""},
        {JOB_WITH("min_copies = 0;"),
         PATH ":3: min_copies = 0 in job \"media\": use a number from 1 to 99, "
              "without quotes"},
        {JOB_WITH("min_copies = 100;"),
         PATH ":3: min_copies = 100 in job \"media\": use a number from 1 to "
              "99, without quotes"},
        {JOB_WITH("keep_local = \"1y\";"),
         PATH ":3: keep_local = \"1y\" in job \"media\": use a duration such "
              "as \"90s\", \"15m\", \"12h\", \"7d\" or \"2w\""},
        {JOB_WITH("versions = \"many\";"),
         PATH ":3: versions = \"many\" in job \"media\": use a time (\"30d\"), "
              "a number of versions (5) or a size (\"50GB\")"},
        {JOB_WITH("versions = -1;"),
         PATH ":3: versions = -1 in job \"media\": use a time (\"30d\"), a "
              "number of versions (5) or a size (\"50GB\")"},
        {JOB_WITH("delete_cap = \"101%\";"),
         PATH ":3: delete_cap = \"101%\" in job \"media\": use a share and a "
              "number of files such as \"25%, 1000\""},
        {JOB_WITH("bandwidth = \"fast\";"),
         PATH ":3: bandwidth = \"fast\" in job \"media\": use an amount a "
              "second such as \"20MB/s\", or \"none\""},
        {JOB_WITH("schedule = \"2:00\";"),
         PATH ":3: schedule = \"2:00\" in job \"media\": use a time such as "
              "\"02:00\", \"on-plug\" or \"none\""},
        {VOLUME_WITH("role = \"archive\";"),
         PATH ":2: role = \"archive\" in volume \"hdd\": use \"backup\" or "
              "\"read-only\""},
        {VOLUME_WITH("stale_after = \"-1d\";"), PATH
         ":2: stale_after = \"-1d\" in volume \"hdd\": use a duration such "
         "as \"90s\", \"15m\", \"12h\", \"7d\" or \"2w\""},
        {VOLUME_WITH("folder = \"nas\";"), PATH
         ":2: folder = \"nas\" in volume \"hdd\": use an absolute path, or "
         "one that begins with \"~/\", in quotes"},
        {"volumes = ( { name = \"hdd\";\nid = \"12\"; } );",
         PATH ":2: id = \"12\" in volume \"hdd\": use 32 hexadecimal digits in "
              "quotes, as \"berth volume add\" writes them"},
        {"volumes = ( { id = \"" ID_A "\";\nname = \"my disk\"; } );",
         PATH ":2: name = \"my disk\" in volume \"my disk\": use 1 to 64 "
              "letters, digits, '.', '_' or '-' (not first) in quotes"},
        {VOLUMES "jobs = ( { name = \"j\"; targets = [ \"a:/\" ];\n"
                 "source = \"data\"; } );",
         PATH
         ":3: source = \"data\" in job \"j\": use an absolute path, or one "
         "that begins with \"~/\", in quotes"},
        {VOLUMES "jobs = ( { name = \"j\"; targets = [ \"a:/\" ];\n"
                 "source = \"~you/data\"; } );",
         PATH ":3: source = \"~you/data\" in job \"j\": use an absolute path, "
              "or one that begins with \"~/\", in quotes"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

/* Which words there are for it is filter.c's business. */
static void malformed_pattern_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *pattern, *place;
    } cases[] = {
        {JOB_WITH("include = [ \"ok\",\n\"[a\" ];"), "[a",
         PATH ":4: include = \"[a\" in job \"media\": "},
        {JOB_WITH("exclude = [ \"[\x1b[1m\" ];"), "[\\x1b[1m",
         PATH ":3: exclude = \"[\\x1b[1m\" in job \"media\": "},
        {JOB_WITH("exclude = [ \"\" ];"), "",
         PATH ":3: exclude = \"\" in job \"media\": "},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP_FREE char *expected = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(filter_check(cases[i].pattern, &err), ERR_INVALID);
        expected = xasprintf("%s%s", cases[i].place, err.message);
        assert_refused(cases[i].text, expected);
    }
}

static void wrong_type_is_refused_with_the_right_one(void **state)
{
    static const struct refusal refusals[] = {
        {JOB_WITH("mode = 3;"),
         PATH ":3: mode = 3 in job \"media\": use \"mirror\", \"update\" or "
              "\"move\""},
        {JOB_WITH("min_copies = \"2\";"),
         PATH ":3: min_copies = \"2\" in job \"media\": use a number from 1 to "
              "99, without quotes"},
        {JOB_WITH("cross_mounts = \"yes\";"),
         PATH ":3: cross_mounts = \"yes\" in job \"media\": use true or false, "
              "without quotes"},
        {JOB_WITH("exclude = \"*.tmp\";"),
         PATH ":3: exclude = \"*.tmp\" in job \"media\": use patterns, as in "
              "[ \"*.tmp\", \"/cache\" ]"},
        {JOB_WITH("exclude = ( \"*.tmp\" );"),
         PATH ":3: exclude = ( \"*.tmp\" ) in job \"media\": use patterns, as "
              "in [ \"*.tmp\", \"/cache\" ]"},
        {JOB_WITH("exclude = [ 1, 2 ];"),
         PATH ":3: exclude = 1 in job \"media\": use patterns, as in [ "
              "\"*.tmp\", \"/cache\" ]"},
        {JOB_WITH("exclude = [ \"a\", 2 ];"),
         PATH ":3: exclude: all that is in [ ] must be of one kind, as in "
              "[ \"one\", \"two\" ]"},
        {JOB_WITH("bandwidth = 20;"), PATH
         ":3: bandwidth = 20 in job \"media\": use an amount a second such "
         "as \"20MB/s\", or \"none\""},
        {JOB_WITH("settle = { a = 1; };"), PATH
         ":3: settle = { a = 1; } in job \"media\": use a duration such as "
         "\"90s\", \"15m\", \"12h\", \"7d\" or \"2w\""},
        {"volumes = [ ];", PATH ":1: volumes = [ ]: use ( { name = \"...\"; id "
                                "= \"...\"; } )"},
        {"\nvolumes = {\n};",
         PATH ":2: volumes = {...: use ( { name = \"...\"; id = \"...\"; } )"},
        {"jobs = (\n\"media\" );",
         PATH ":2: jobs = \"media\": use ( { name = \"...\"; source = "
              "\"...\"; targets = [ \"...\" ]; } )"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void missing_and_repeated_keys_are_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"volumes = (\n{ name = \"hdd\"; } );",
         PATH ":2: id is missing in volume \"hdd\": add 32 hexadecimal digits "
              "in quotes, as \"berth volume add\" writes them"},
        {"volumes = (\n{ id = \"" ID_A "\"; } );",
         PATH ":2: name is missing in volume 1: add 1 to 64 letters, digits, "
              "'.', '_' or '-' (not first) in quotes"},
        {VOLUMES "jobs = (\n{ name = \"j\"; targets = [ \"a:/\" ]; } );", PATH
         ":3: source is missing in job \"j\": add an absolute path, or one "
         "that begins with \"~/\", in quotes"},
        {VOLUMES "jobs = (\n{ name = \"j\"; source = \"/s\"; } );",
         PATH ":3: targets is missing in job \"j\": add at least one, as in [ "
              "\"VOLUME:/DIRECTORY\" ]"},
        {VOLUMES "jobs = (\n{ name = \"j\"; source = \"/s\"; targets = [ ]; } "
                 ");",
         PATH ":3: targets = [ ] in job \"j\": use at least one, as in [ "
              "\"VOLUME:/DIRECTORY\" ]"},
        {JOB_WITH("mode = \"move\";\nmode = \"move\";"),
         PATH ":4: mode is there twice in job \"media\", first on line 3: keep "
              "one"},
        {"jobs = ( );\njobs = ( );",
         PATH ":2: jobs is there twice, first on line 1: keep one"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

#define JOB(name, source, target)                                              \
    "{ name = \"" name "\"; source = \"" source "\"; targets = [ \"" target    \
    "\" ]; }"
#define JOBS(one, two) VOLUMES_LINES "jobs = (\n" one ",\n" two "\n);\n"
#define NAME_TAKEN ": use another, volumes and jobs share their names"

static void names_and_ids_are_unique_together(void **state)
{
    static const struct refusal refusals[] = {
        {"volumes = (\n" VOLUME_A ",\n{ name = \"a\"; id = \"" ID_B "\"; } );",
         PATH
         ":3: name = \"a\" is that of a volume already (line 2)" NAME_TAKEN},
        {JOBS(JOB("j", "/s", "a:/1"), JOB("j", "/t", "a:/2")),
         PATH ":7: name = \"j\" is that of a job already (line 6)" NAME_TAKEN},
        {JOBS(JOB("j", "/s", "a:/1"), JOB("b", "/t", "a:/2")), PATH
         ":7: name = \"b\" is that of a volume already (line 3)" NAME_TAKEN},
        {"volumes = (\n{ name = \"a\"; id = \"" ID_A "\"; },\n{ name = \"b\";\n"
         "id = \"0123456789ABCDEF0123456789ABCDEF\"; } );",
         PATH ":4: id of volume \"b\" is that of volume \"a\" (line 2): keep "
              "one of them"},
        {"volumes = (\n{ name = \"a\"; id = \"" ID_A "\"; folder = \"/n\"; },\n"
         "{ name = \"b\"; id = \"" ID_B "\"; folder = \"/n/\"; } );",
         PATH ":3: folder of volume \"b\" is that of volume \"a\" (line 2): "
              "keep one of them"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void bad_targets_are_refused(void **state)
{
    static const struct refusal refusals[] = {
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a") ");",
         PATH ":3: targets = \"a\" in job \"j\": use VOLUME:/DIRECTORY, or "
              "VOLUME:/ for the whole volume"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:media") ");",
         PATH ":3: targets = \"a:media\" in job \"j\": use VOLUME:/DIRECTORY, "
              "or VOLUME:/ for the whole volume"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", ":/x") ");",
         PATH ":3: targets = \":/x\" in job \"j\": use the name of a volume "
              "before the ':'"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:/x\xff") ");", PATH
         ":3: targets = \"a:/x\\xff\" in job \"j\": use a directory whose name "
         "is UTF-8 without control characters"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:/x\\ny") ");", PATH
         ":3: targets = \"a:/x\\ny\" in job \"j\": use a directory whose name "
         "is UTF-8 without control characters"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:/x/../y") ");",
         PATH ":3: targets = \"a:/x/../y\" in job \"j\": leave out \"..\", a "
              "target stays inside its volume"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:/.berth") ");", PATH
         ":3: targets = \"a:/.berth\" in job \"j\": use another directory, "
         "/.berth is berth's own"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a://./.Berth./versions") ");",
         PATH ":3: targets = \"a://./.Berth./versions\" in job \"j\": use "
              "another directory, /.berth is berth's own"},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "hdd:/x") ");",
         PATH ":3: targets = \"hdd:/x\" in job \"j\": there is no such volume: "
              "use one of \"a\", \"b\""},
        {"jobs = (\n" JOB("j", "/s", "hdd:/x") ");",
         PATH ":2: targets = \"hdd:/x\" in job \"j\": there is no such volume: "
              "add it to volumes"},
        {"volumes = ( { name = \"a\"; id = \"" ID_A "\"; role = \"read-only\"; "
         "} );\njobs = (\n" JOB("j", "/s", "a:/x") ");",
         PATH ":3: targets = \"a:/x\" in job \"j\": that volume is read-only: "
              "use one whose role is \"backup\""},
        {VOLUMES "jobs = (\n" JOB("j", "/s", "a:/x\",\n\"a:/y") ");",
         PATH ":4: targets = \"a:/y\" in job \"j\": use each volume once: a "
              "second copy on one drive does not outlive it"},
        {JOB_WITH("mode = \"move\"; min_copies = 2;"),
         PATH ":3: min_copies = 2 in job \"media\": it has 1 target, so "
              "nothing would ever be moved: use 1 or add targets"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

#define OVERLAP                                                                \
    ": use a directory that neither contains the other nor lies in it"

static void overlapping_targets_of_jobs_are_refused(void **state)
{
    static const struct refusal refusals[] = {
        {JOBS(JOB("j", "/s", "a:/x"), JOB("k", "/t", "a:/x")), PATH
         ":7: targets = \"a:/x\" in job \"k\": it overlaps \"a:/x\" of job "
         "\"j\" (line 6)" OVERLAP},
        {JOBS(JOB("j", "/s", "a:/x"), JOB("k", "/t", "a://x/./y/")),
         PATH ":7: targets = \"a:/x/y\" in job \"k\": it overlaps \"a:/x\" of "
              "job \"j\" (line 6)" OVERLAP},
        {JOBS(JOB("j", "/s", "a:/x/y"), JOB("k", "/t", "a:/x")),
         PATH ":7: targets = \"a:/x\" in job \"k\": it overlaps \"a:/x/y\" of "
              "job \"j\" (line 6)" OVERLAP},
        {JOBS(JOB("j", "/s", "a:/x/y"), JOB("k", "/t", "a:/")),
         PATH ":7: targets = \"a:/\" in job \"k\": it overlaps \"a:/x/y\" of "
              "job \"j\" (line 6)" OVERLAP},
        {JOBS(JOB("j", "/s", "a:/Médias"), JOB("k", "/t",
                                               "a:/me\xcc\x81"
                                               "DIAS")),
         PATH ":7: targets = \"a:/me\xcc\x81"
              "DIAS\" in job \"k\": it overlaps "
              "\"a:/Médias\" of job \"j\" (line 6)" OVERLAP},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

#define MOVING(mode_of_j)                                                      \
    VOLUMES_LINES                                                              \
    "jobs = (\n{ name = \"j\"; source = \"/s\"; mode = \"" mode_of_j           \
    "\"; targets = [ \"a:/x\" ]; },\n{ name = \"k\"; source = \"/s/t\"; mode " \
    "= \"move\"; targets = [ \"b:/x\" ]; }\n);\n"

static void a_mirror_of_what_is_moved_away_is_refused(void **state)
{
    static const struct refusal refusals[] = {
        {MOVING("mirror"),
         PATH ":7: job \"k\" moves files away from where job \"j\" (line 6) "
              "mirrors them, which would delete its copies: use \"update\" "
              "for \"j\", or sources apart"},
    };
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    assert_all_refused(refusals, COUNT_OF(refusals));
    load(MOVING("update"), &config);
    assert_int_equal(config.job_count, 2);
}

static void disjoint_targets_are_accepted(void **state)
{
    static const char *const fine[] = {
        JOBS(JOB("j", "/s", "a:/x"), JOB("k", "/s", "b:/x")),
        JOBS(JOB("j", "/s", "a:/x"), JOB("k", "/s/t", "a:/xy")),
        JOBS(JOB("j", "/s", "a:/x y"), JOB("k", "/s/t", "a:/x/y")),
        JOBS(JOB("j", "/s", "a:/"), JOB("k", "/s/t", "b:/")),
    };

    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        CLEANUP(config_release) struct config config = CONFIG_INIT;
        load(fine[i], &config);
        assert_int_equal(config.job_count, 2);
    }
}

#define FOLDERS                                                                \
    "volumes = ( { name = \"a\"; id = \"" ID_A "\"; folder = \"~/nas\"; }, {"  \
    " name = \"b\"; id = \"" ID_B "\"; folder = \"/home/me/nas/in\"; } );\n"
#define RECOPIED                                                               \
    ", so copies would be copied again: use a source that neither contains "   \
    "it nor lies in it"

static void sources_do_not_meet_the_folders_of_targets(void **state)
{
    static const struct refusal refusals[] = {
        {FOLDERS "jobs = (\n" JOB("j", "~/nas/x/y", "a:/x") ");",
         PATH ":3: source = \"/home/me/nas/x/y\" in job \"j\": it overlaps the "
              "target \"a:/x\" of job \"j\" (line 3)" RECOPIED},
        {FOLDERS "jobs = (\n" JOB("j", "~", "a:/x") ");",
         PATH ":3: source = \"/home/me\" in job \"j\": it overlaps the target "
              "\"a:/x\" of job \"j\" (line 3)" RECOPIED},
        {FOLDERS "jobs = (\n" JOB("j", "/s", "a:/x") ",\n" JOB(
             "k", "~/nas/in/z", "a:/y") ",\n" JOB("l", "/t", "b:/z/z") ");",
         PATH
         ":4: source = \"/home/me/nas/in/z\" in job \"k\": it overlaps the "
         "target \"b:/z/z\" of job \"l\" (line 5)" RECOPIED},
        {FOLDERS "jobs = (\n" JOB("j", "/s", "a:/in/x") ",\n" JOB("k", "/t",
                                                                  "b:/x") ");",
         PATH ":4: targets = \"b:/x\" in job \"k\": it overlaps \"a:/in/x\" of "
              "job \"j\" (line 3)" OVERLAP},
    };
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    assert_all_refused(refusals, COUNT_OF(refusals));
    load(FOLDERS "jobs = ( " JOB("j", "~/nas/x2", "a:/x") " );", &config);
}

#define NO_VALUE                                                               \
    " is no value: use text in straight double quotes, a whole number of at "  \
    "most 9 digits, true or false"

static void syntax_errors_name_line_and_key(void **state)
{
    static const struct refusal refusals[] = {
        {"volumes",
         PATH ":1: volumes: expected '=' behind the key, not the end of the "
              "file"},
        {"volumes = ", PATH ":1: volumes: expected a value, not the end of the "
                            "file"},
        {"\n= ( );",
         PATH ":2: expected a key and its value (key = ...), not '='"},
        {"volumes = ( );;",
         PATH ":1: volumes: expected a key and its value (key = ...), not ';'"},
        {"volumes = (\n" VOLUME_A "\n" VOLUME_B ");",
         PATH ":3: volumes: expected ',' or ')', not '{'"},
        {"volumes = (\n" VOLUME_A ";",
         PATH ":2: volumes: expected ',' or ')', not ';'"},
        {"volumes = (\n" VOLUME_A ",\n\n",
         PATH ":4: volumes: expected a value, not the end of the file: '(' of "
              "line 1 is not closed"},
        {"volumes = (\n" VOLUME_A "\njobs = ( );",
         PATH ":3: volumes: expected ',' or ')', not 'jobs'"},
        {"volumes = ( , );", PATH ":1: volumes: expected a value, not ','"},
        {"jobs = ( { name \"j\"; } );",
         PATH ":1: name: expected '=' behind the key, not \"j\""},
        {"jobs = ( { targets = [ \"a\" \n; ] } );",
         PATH ":2: targets: expected ',' or ']', not ';'"},
        {"jobs = ( { targets = [ [ \"a\" ] ] } );",
         PATH ":1: targets: all that is in [ ] must be of one kind, as in [ "
              "\"one\", \"two\" ]"},
        {JOB_WITH("mode = mirror;"), PATH ":3: mode: mirror" NO_VALUE},
        {JOB_WITH("mode = 'mirror';"), PATH ":3: mode: 'mirror'" NO_VALUE},
        {JOB_WITH("mode = “mirror”;"), PATH ":3: mode: “mirror”" NO_VALUE},
        {JOB_WITH("min_copies = 1.5;"), PATH ":3: min_copies: 1.5" NO_VALUE},
        {JOB_WITH("min_copies = 010;"), PATH ":3: min_copies: 010" NO_VALUE},
        {JOB_WITH("min_copies = 4294967298;"),
         PATH ":3: min_copies: 4294967298" NO_VALUE},
        {JOB_WITH("true = 1;"),
         PATH ":3: source: expected a key and its value (key = ...), not "
              "'true'"},
        {JOB_WITH("mode = \"move;"), PATH ":3: a: /media" NO_VALUE},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void what_is_never_closed_is_refused_where_it_begins(void **state)
{
    static const struct refusal refusals[] = {
        {JOB_WITH("mode = \"move;\n"),
         PATH ":3: mode: this text has no closing '\"' on its line (write \\n "
              "for a line break)"},
        {JOB_WITH("mode = /* \"move\";\n\n"),
         PATH ":3: mode: this comment is not closed: add */"},
        {"volumes = ( ); /*", PATH ":1: volumes: this comment is not closed: "
                                   "add */"},
        {"# fine\n/*/", PATH ":2: this comment is not closed: add */"},
        {"x = \"\\", PATH ":1: x: this text has no closing '\"' on its line "
                          "(write \\n for a line break)"},
        {"x = \"\\\"", PATH ":1: x: this text has no closing '\"' on its line "
                            "(write \\n for a line break)"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void what_libconfigs_versions_read_differently_is_refused(void **state)
{
    static const struct refusal refusals[] = {
        {JOB_WITH("schedule = \"\\x00\";"),
         PATH ":3: schedule: \\x00 cannot be part of a text: leave it out"},
        {JOB_WITH("schedule = \"C:\\back\";"),
         PATH ":3: schedule: \\a, \\b and \\v depend on libconfig's version: "
              "use \\\\ for a backslash"},
    };

    assert_all_refused(refusals, COUNT_OF(refusals));
}

static void include_directive_is_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"# mine\n@include \"/etc/passwd\"\n",
         PATH ":2: @include is not supported, because edits could not keep it: "
              "put everything into this file"},
        {"volumes = (\n  @include \"more.conf\"\n);",
         PATH ":2: volumes: @include" NO_VALUE},
        {"volumes = ( { name = \"x\";\n@include \"more.conf\"\n} );",
         PATH ":2: name: @include is not supported, because edits could not "
              "keep it: put everything into this file"},
    };
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    assert_all_refused(refusals, COUNT_OF(refusals));
    load("/*\n@include \"/etc/passwd\"\n*/\n# @include \"x\"\n" VOLUMES,
         &config);
    assert_int_equal(config.volume_count, 2);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static const char nul[] = "volumes =\n (\0);";
    static const char utf16[] = "\xff\xfev\0o\0l\0";

    assert_refused_bytes(nul, sizeof nul - 1,
                         PATH ":2: there is a NUL byte: this must be UTF-8 "
                              "text");
    assert_refused_bytes(utf16, sizeof utf16 - 1,
                         PATH ":1: there is a NUL byte: this must be UTF-8 "
                              "text");
    assert_refused("# old Mac\rvolumes = ( );\r",
                   PATH ":1: a carriage return without a line feed: end lines "
                        "with LF");
    assert_refused("\x01\x02\x1b[2Jx",
                   PATH ":1: expected a key and its value (key = ...), not "
                        "'\\x01\\x02\\x1b'");
    assert_refused("\x1b]0;x\x07",
                   PATH ":1: expected a key and its value (key = ...), not "
                        "'\\x1b'");
    assert_refused("volumes = ( \"\x1b]0;\xff\x07\" );",
                   PATH ":1: volumes = \"\\x1b]0;\\xff\\x07\": use ( { name = "
                        "\"...\"; id = \"...\"; } )");
}

static void deep_nesting_is_refused(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, "volumes = ");
    for (int i = 0; i < 100000; i++)
        strbuf_addch(&text, '(');
    assert_refused(text.text, PATH ":1: volumes: brackets within brackets, "
                                   "deeper than anything here");
}

static void long_values_are_cut_in_messages(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct config config = CONFIG_INIT;
    struct error err = ERROR_INIT;

    strbuf_adds(&text, "volumes = ( { name = \"");
    for (int i = 0; i < 100000; i++)
        strbuf_adds(&text, "é");
    strbuf_adds(&text, "\"; id = \"x\"; } );");
    assert_int_equal(load_bytes(text.text, text.length, &config, &err),
                     ERR_INVALID);
    assert_true(strlen(err.message) < 400);
    assert_non_null(strstr(err.message, "éé...: use 1 to 64"));
}

/* Not within the program's time limit, if anything here or in libconfig were
 * quadratic. */
static void many_entries_are_read(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    strbuf_adds(&text, VOLUMES "jobs = (\n");
    for (int i = 0; i < 2000; i++)
        strbuf_addf(&text,
                    "%s"
                    "{ name = \"j%d\"; source = \"/s\"; "
                    "targets = [ \"a:/%d\", \"b:/%d\" ]; }",
                    i ? ",\n" : "", i, i, i);
    strbuf_adds(&text, ");\n");
    load(text.text, &config);
    assert_int_equal(config.job_count, 2000);
    assert_int_equal(config.jobs[1999].line, 2002);
}

static void durations_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"0s", 0},
        {"0d", 0},
        {"90s", 90 * NS_PER_SECOND},
        {"15m", 900 * NS_PER_SECOND},
        {"12h", DAY / 2},
        {"7d", 7 * DAY},
        {"2w", 14 * DAY},
        {"15250w", 15250 * 7 * DAY},
    };
    static const char *const bad[] = {
        "",
        "d",
        "7",
        "-1d",
        "+1d",
        " 1d",
        "1d ",
        "1.5d",
        "1D",
        "1dd",
        "1 d",
        "15251w",
        "99999999999999999999s",
        "1\xc2\xb5s",
    };
    int64_t ns;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        CLEANUP(strbuf_release) struct strbuf written = STRBUF_INIT;
        assert_true(config_parse_duration(good[i].text, &ns));
        assert_true(ns == good[i].ns);
        config_format_duration(ns, &written);
        assert_true(config_parse_duration(written.text, &ns));
        assert_true(ns == good[i].ns);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ns = -7;
        if (config_parse_duration(bad[i], &ns) || ns != -7)
            fail_msg("\"%s\" is accepted", bad[i]);
    }
}

static void sizes_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        {"0", 0},
        {"512", 512},
        {"7B", 7},
        {"500M", 500000000},
        {"1.5G", 1500000000},
        {"1.25 GB", 1250000000},
        {"20MB/s", 20000000},
        {"64k", 64000},
        {"1Ki", 1024},
        {"0.5KiB", 512},
        {"3TiB", INT64_C(3) << 40},
        {"9223P", INT64_C(9223000000000000000)},
    };
    static const char *const bad[] = {
        "",    "M",    "-1M",   "1m",  "1.M",  ".5M",    "1.2345G",
        "1G/", "1G/m", "1GiBB", "1 2", "1,5G", "10000P", "9223372036854775808",
        "1e3", "Mbit",
    };
    int64_t bytes;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        CLEANUP(strbuf_release) struct strbuf written = STRBUF_INIT;
        assert_true(config_parse_bytes(good[i].text, &bytes));
        if (bytes != good[i].bytes)
            fail_msg("%s: %lld", good[i].text, (long long)bytes);
        config_format_bytes(bytes, &written);
        assert_true(config_parse_bytes(written.text, &bytes));
        assert_true(bytes == good[i].bytes);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bytes = -7;
        if (config_parse_bytes(bad[i], &bytes) || bytes != -7)
            fail_msg("\"%s\" is accepted", bad[i]);
    }
}

static void rules_for_versions_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        int kind;
        int64_t amount;
    } good[] = {
        {"30d", KEEP_TIME, 30 * DAY},
        {"5m", KEEP_TIME, 300 * NS_PER_SECOND},
        {"5", KEEP_COUNT, 5},
        {"5M", KEEP_BYTES, 5000000},
        {"50GB", KEEP_BYTES, 50000000000},
    };
    static const char *const bad[] = {"", "5GB/s", "all", "5 d", "-1"};
    struct keep_rule rule;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(config_parse_keep_rule(good[i].text, &rule));
        assert_int_equal(rule.kind, good[i].kind);
        assert_true(rule.amount == good[i].amount);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(config_parse_keep_rule(bad[i], &rule));
}

static void delete_caps_are_a_share_and_a_number(void **state)
{
    static const struct {
        const char *text;
        int percent;
        int64_t files;
    } good[] = {
        {"25%, 1000", 25, 1000}, {"1000,25%", 25, 1000}, {"50%", 50, -1},
        {"20", -1, 20},          {" 0% , 0 ", 0, 0},     {"100%", 100, -1},
    };
    static const char *const bad[] = {
        "",
        "%",
        "101%",
        "1,2",
        "1%,2%",
        "1%,",
        ",1",
        "1% 2",
        "-1%",
        "1%,2,3",
        "x",
        "1.5%",
        "99999999999999999999",
    };

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int percent = -1;
        int64_t files = -1;
        assert_true(config_parse_delete_cap(good[i].text, &percent, &files));
        assert_int_equal(percent, good[i].percent);
        assert_true(files == good[i].files);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int percent = -1;
        int64_t files = -1;
        if (config_parse_delete_cap(bad[i], &percent, &files))
            fail_msg("\"%s\" is accepted", bad[i]);
        assert_true(percent == -1 && files == -1);
    }
}

static void schedules_are_times_or_words(void **state)
{
    static const char *const good[] = {"00:00", "23:59", "on-plug", "none"};
    static const char *const bad[] = {"",      "24:00", "12:60",  "2:00",
                                      "02:0",  "02-00", "02:00 ", "plug",
                                      "0a:00", "noon"};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(config_schedule_is_valid(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (config_schedule_is_valid(bad[i]))
            fail_msg("\"%s\" is accepted", bad[i]);
}

static void target_is_a_volume_and_a_clean_directory(void **state)
{
    struct config_target target = {NULL, NULL};
    struct error err = ERROR_INIT;

    assert_int_equal(config_parse_target("hdd://a/./b:c/", &target, &err),
                     ERR_OK);
    assert_string_equal(target.volume, "hdd");
    assert_string_equal(target.directory, "a/b:c");
    free(target.volume);
    free(target.directory);

    target.volume = NULL;
    assert_int_equal(config_parse_target("hdd:/../x", &target, &err),
                     ERR_INVALID);
    assert_string_equal(err.message,
                        "target \"hdd:/../x\": leave out \"..\", a "
                        "target stays inside its volume");
    assert_int_equal(config_parse_target("hdd", &target, NULL), ERR_INVALID);
    assert_null(target.volume);
}

enum operation {
    ADD_VOLUME,
    ADD_JOB,
    REMOVE_VOLUME,
    REMOVE_JOB,
    EXCLUDE,
};

static char new_name[] = "new";
static char new_id[] = ID_D;
static char new_source[] = "~/n";
static char new_directory[] = "n";
static char volume_a[] = "a";

/* On `text`; `name` is that of the thing removed or the job that excludes. */
static err_code edit_text(const char *text, enum operation operation,
                          const char *name, struct strbuf *out,
                          struct error *err)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config_volume volume = config_volume_defaults();
    struct config_job job = config_job_defaults();
    struct config_target target = {volume_a, new_directory};

    strbuf_adds(&bytes, text);
    err_code code = config_edit_begin(&edit, PATH, HOME, &bytes, err);
    if (code)
        return code;
    volume.name = job.name = new_name;
    volume.id = new_id;
    job.source = new_source;
    job.targets = &target;
    job.target_count = 1;
    switch (operation) {
    case ADD_VOLUME:
        code = config_edit_add_volume(&edit, &volume, err);
        break;
    case ADD_JOB:
        code = config_edit_add_job(&edit, &job, err);
        break;
    case REMOVE_VOLUME:
        code = config_edit_remove_volume(&edit, name, err);
        break;
    case REMOVE_JOB:
        code = config_edit_remove_job(&edit, name, err);
        break;
    case EXCLUDE:
        code = config_edit_add_exclude(&edit, name, "*.new", err);
        break;
    }
    strbuf_add(out, edit.bytes.text, edit.bytes.length);
    return code;
}

static void assert_edit(const char *before, enum operation operation,
                        const char *name, const char *after)
{
    CLEANUP(strbuf_release) struct strbuf edited = STRBUF_INIT;
    struct error err = ERROR_INIT;

    if (edit_text(before, operation, name, &edited, &err))
        fail_msg("%s\nin: %s", err.message, before);
    assert_string_equal(edited.text, after);
}

#define NEW_VOLUME "{ name = \"new\"; id = \"" ID_D "\"; }"
#define NEW_JOB "{ name = \"new\"; source = \"~/n\"; targets = [ \"a:/n\" ]; }"

static void added_entry_imitates_its_neighbours(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"", "volumes = (\n  " NEW_VOLUME "\n);\n"},
        {"# mine", "# mine\nvolumes = (\n  " NEW_VOLUME "\n);\n"},
        {"jobs = ( )\r\n",
         "jobs = ( )\r\nvolumes = (\r\n  " NEW_VOLUME "\r\n);\r\n"},
        {"volumes = ( );", "volumes = (\n  " NEW_VOLUME "\n);"},
        {"volumes = ();", "volumes = (\n  " NEW_VOLUME "\n);"},
        {"volumes = (\n);\n", "volumes = (\n  " NEW_VOLUME "\n);\n"},
        {"volumes : ( /* none */ ) // yet\n",
         "volumes : ( /* none */\n  " NEW_VOLUME "\n) // yet\n"},
        {"volumes = (\n    # none yet\n);\n",
         "volumes = (\n    # none yet\n  " NEW_VOLUME "\n);\n"},
        {"volumes = ( " VOLUME_A " );",
         "volumes = ( " VOLUME_A ", " NEW_VOLUME " );"},
        {"volumes=(" VOLUME_A ");", "volumes=(" VOLUME_A ", " NEW_VOLUME ");"},
        {"volumes = ( " VOLUME_A ", " VOLUME_B " /* b */ );",
         "volumes = ( " VOLUME_A ", " VOLUME_B ", /* b */ " NEW_VOLUME " );"},
        {"volumes = ( " VOLUME_A ", );",
         "volumes = ( " VOLUME_A ", " NEW_VOLUME ", );"},
        {"volumes = (\n\t" VOLUME_A "\n);",
         "volumes = (\n\t" VOLUME_A ",\n\t" NEW_VOLUME "\n);"},
        {"volumes = (\r\n    " VOLUME_A ", // a }\r\n    # { old }\r\n);\r\n",
         "volumes = (\r\n    " VOLUME_A ", // a }\r\n    # { old }\r\n"
         "    " NEW_VOLUME ",\r\n);\r\n"},
        {"volumes = ( " VOLUME_A ",\n            " VOLUME_B " );",
         "volumes = ( " VOLUME_A ",\n            " VOLUME_B
         ",\n            " NEW_VOLUME " );"},
        {"volumes = ( " VOLUME_A " # a\n);",
         "volumes = ( " VOLUME_A ", # a\n  " NEW_VOLUME "\n);"},
        {"volumes = (\n  {\n\tname = \"a\";\n\tid = \"" ID_A "\";\n  }\n);",
         "volumes = (\n  {\n\tname = \"a\";\n\tid = \"" ID_A
         "\";\n  },\n  {\n\tname = \"new\";\n\tid = \"" ID_D "\";\n  }\n);"},
        {"volumes = ( {\n  name = \"a\";\n  id = \"" ID_A "\";\n} );",
         "volumes = ( {\n  name = \"a\";\n  id = \"" ID_A
         "\";\n}, {\n  name = \"new\";\n  id = \"" ID_D "\";\n} );"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_edit(cases[i].before, ADD_VOLUME, NULL, cases[i].after);
    assert_edit(VOLUMES, ADD_JOB, NULL,
                VOLUMES "jobs = (\n  " NEW_JOB "\n);\n");
    assert_edit("volumes = (\n\t" VOLUME_A "\n);", ADD_JOB, NULL,
                "volumes = (\n\t" VOLUME_A "\n);\njobs = (\n\t" NEW_JOB
                "\n);\n");
    assert_edit("volumes = ( " VOLUME_B ",\n            " VOLUME_A " );",
                ADD_JOB, NULL,
                "volumes = ( " VOLUME_B ",\n            " VOLUME_A
                " );\njobs = (\n  " NEW_JOB "\n);\n");
}

/* One that the others of a list on one line would not have, either. */
static void entry_on_a_line_of_others_is_not_broken_up(void **state)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config_volume volume = config_volume_defaults();
    static char folder[] = "/a/directory/with/a/rather/long/path/to/it";

    strbuf_adds(&bytes, "volumes = ( " VOLUME_A " );");
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    volume.name = new_name;
    volume.id = new_id;
    volume.folder = folder;
    assert_int_equal(config_edit_add_volume(&edit, &volume, NULL), ERR_OK);
    assert_string_equal(edit.bytes.text,
                        "volumes = ( " VOLUME_A ", { name = \"new\"; id = "
                        "\"" ID_D "\"; folder = \"/a/directory/with/a/rather/"
                        "long/path/to/it\"; } );");
}

static void removed_entry_takes_only_its_comma_along(void **state)
{
    static const struct {
        const char *before, *name, *after;
    } cases[] = {
        {"volumes = ( " VOLUME_A " );", "a", "volumes = ( );"},
        {"volumes = ( " VOLUME_A ", );", "a", "volumes = ( );"},
        {"volumes = (\n  " VOLUME_A "\n);", "a", "volumes = (\n);"},
        {VOLUMES, "a", "volumes = ( " VOLUME_B " );\n"},
        {VOLUMES, "b", "volumes = ( " VOLUME_A " );\n"},
        {"volumes=(" VOLUME_A "," VOLUME_B ");", "a",
         "volumes=(" VOLUME_B ");"},
        {"volumes=(" VOLUME_A "," VOLUME_B ");", "b",
         "volumes=(" VOLUME_A ");"},
        {"volumes = (\n  " VOLUME_A ", # first\n  " VOLUME_B " # second\n);",
         "a", "volumes = (\n  # first\n  " VOLUME_B " # second\n);"},
        {"volumes = (\n  " VOLUME_A ", # first\n  " VOLUME_B " # second\n);",
         "b", "volumes = (\n  " VOLUME_A " # first\n  # second\n);"},
        {"volumes = (\r\n  " VOLUME_A ",\r\n  " VOLUME_B "\r\n);", "a",
         "volumes = (\r\n  " VOLUME_B "\r\n);"},
        {"volumes = (\r\n  " VOLUME_A ",\r\n  " VOLUME_B ",\r\n);", "b",
         "volumes = (\r\n  " VOLUME_A ",\r\n);"},
        {"volumes = (\n  " VOLUME_A "\n  , " VOLUME_B "\n);", "a",
         "volumes = (\n  " VOLUME_B "\n);"},
        {"volumes = (\n  " VOLUME_A "\n  , " VOLUME_B "\n);", "b",
         "volumes = (\n  " VOLUME_A "\n);"},
        {"volumes = ( " VOLUME_A " /* , */ , /* b */ " VOLUME_B " );", "a",
         "volumes = ( /* , */ /* b */ " VOLUME_B " );"},
        {"volumes = ( " VOLUME_A " /* , */ , /* b */ " VOLUME_B " );", "b",
         "volumes = ( " VOLUME_A " /* , */ /* b */ );"},
        {"volumes = (\n# a\n{\nname = \"a\"; id = /* } */\n\"" ID_A
         "\";\n},\n# b\n" VOLUME_B "\n);",
         "a", "volumes = (\n# a\n# b\n" VOLUME_B "\n);"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_edit(cases[i].before, REMOVE_VOLUME, cases[i].name,
                    cases[i].after);
}

#define J_BEFORE VOLUMES "jobs = ( { name = \"j\"; source = \"/s\"; "
#define J_TARGETS "targets = [ \"a:/j\" ];"

static void excluded_pattern_goes_into_the_array(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {J_BEFORE J_TARGETS " } );",
         J_BEFORE J_TARGETS " exclude = [ \"*.new\" ]; } );"},
        {J_BEFORE "targets = [ \"a:/j\" ] } );",
         J_BEFORE "targets = [ \"a:/j\" ]; exclude = [ \"*.new\" ]; } );"},
        {J_BEFORE "targets = [ \"a:/j\" ] // t\n } );", J_BEFORE
         "targets = [ \"a:/j\" ]; // t\n  exclude = [ \"*.new\" ];\n } "
         ");"},
        {J_BEFORE "\n    " J_TARGETS "\n  } );",
         J_BEFORE "\n    " J_TARGETS "\n    exclude = [ \"*.new\" ];\n  } );"},
        {J_BEFORE J_TARGETS " exclude = [ ]; } );",
         J_BEFORE J_TARGETS " exclude = [ \"*.new\" ]; } );"},
        {J_BEFORE J_TARGETS " exclude = []; } );",
         J_BEFORE J_TARGETS " exclude = [\"*.new\"]; } );"},
        {J_BEFORE J_TARGETS " exclude = [ \"*.a\" \"b\" /* , */ ]; } );",
         J_BEFORE J_TARGETS
         " exclude = [ \"*.a\" \"b\", /* , */ \"*.new\" ]; } "
         ");"},
        {J_BEFORE J_TARGETS "\n exclude = [\n   \"*.a\", # ] x\n ]; } );",
         J_BEFORE J_TARGETS
         "\n exclude = [\n   \"*.a\", # ] x\n   \"*.new\",\n "
         "]; } );"},
        {J_BEFORE "exclude = [ \"*.a\" ], " J_TARGETS " } );",
         J_BEFORE "exclude = [ \"*.a\", \"*.new\" ], " J_TARGETS " } );"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_edit(cases[i].before, EXCLUDE, "j", cases[i].after);
}

static void added_job_has_only_what_differs_from_the_defaults(void **state)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    static char name[] = "j", source[] = "~/a \"b\"\\\n", pattern[] = "\\[x\t*",
                schedule[] = "02:00", volume[] = "b", directory[] = "x";
    char *patterns[] = {pattern};
    struct config_target targets[] = {{volume_a, directory},
                                      {volume, directory}};
    struct config_job job = config_job_defaults();

    strbuf_adds(&bytes, VOLUMES_LINES);
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    job.name = name;
    job.source = source;
    job.targets = targets;
    job.target_count = 2;
    job.mode = JOB_MOVE;
    job.include = job.exclude = patterns;
    job.include_count = job.exclude_count = 1;
    job.versions = (struct keep_rule){KEEP_BYTES, INT64_C(1500000001)};
    job.delete_cap_files = 7;
    job.verify = JOB_VERIFY_READ_BACK;
    job.min_copies = 2;
    job.keep_local_ns = 36 * 60 * 60 * NS_PER_SECOND;
    job.settle_ns = 90 * NS_PER_SECOND;
    job.bandwidth = INT64_C(20) << 20;
    job.cross_mounts = job.keep_junk = true;
    job.schedule = schedule;
    assert_int_equal(config_edit_add_job(&edit, &job, NULL), ERR_OK);
    assert_string_equal(
        edit.bytes.text, VOLUMES_LINES
        "jobs = (\n"
        "  { name = \"j\"; source = \"~/a \\\"b\\\"\\\\\\x0a\"; targets = [ "
        "\"a:/x\", \"b:/x\" ]; mode = \"move\";\n"
        "    include = [ \"\\\\[x\\x09*\" ]; exclude = [ \"\\\\[x\\x09*\" ]; "
        "versions = \"1500000001B\";\n"
        "    delete_cap = \"25%, 7\"; min_copies = 2; verify = \"read-back\"; "
        "keep_local = \"36h\"; settle = \"90s\";\n"
        "    bandwidth = \"20MiB/s\"; cross_mounts = true; keep_junk = true; "
        "schedule = \"02:00\"; }\n"
        ");\n");
}

static void added_volume_has_only_what_differs_from_the_defaults(void **state)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config_volume volume = config_volume_defaults();
    static char folder[] = "~/nas";

    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    volume.name = new_name;
    volume.id = new_id;
    volume.role = VOLUME_READ_ONLY;
    volume.mount = true;
    volume.bandwidth = 1000;
    volume.stale_after_ns = 0;
    volume.folder = folder;
    assert_int_equal(config_edit_add_volume(&edit, &volume, NULL), ERR_OK);
    assert_string_equal(
        edit.bytes.text,
        "volumes = (\n  { name = \"new\"; id = \"" ID_D "\"; role = "
        "\"read-only\"; folder = \"~/nas\";\n    mount = true; bandwidth = "
        "\"1KB/s\"; stale_after = \"0s\"; }\n);\n");
}

static void assert_edit_fails(const char *text, enum operation operation,
                              const char *name, err_code expected,
                              const char *message)
{
    CLEANUP(strbuf_release) struct strbuf edited = STRBUF_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(edit_text(text, operation, name, &edited, &err), expected);
    assert_string_equal(err.message, message);
}

static void impossible_edits_say_why(void **state)
{
    static const char with_new[] =
        VOLUMES_LINES "jobs = (\n" JOB("new", "/s", "a:/x") "\n);";
    static const char same_id[] =
        "volumes = (\n{ name = \"x\"; id = \"" ID_D "\"; } );";

    assert_edit_fails(with_new, ADD_VOLUME, NULL, ERR_EXISTS,
                      PATH ":6: there is a job \"new\" already");
    assert_edit_fails(with_new, ADD_JOB, NULL, ERR_EXISTS,
                      PATH ":6: there is a job \"new\" already");
    assert_edit_fails(same_id, ADD_VOLUME, NULL, ERR_EXISTS,
                      PATH ":2: this volume is there already, as \"x\"");
    assert_edit_fails(
        with_new, REMOVE_VOLUME, "x", ERR_INVALID,
        PATH
        ": there is no volume \"x\": `berth volume list` shows what there is");
    assert_edit_fails(
        with_new, REMOVE_JOB, "a", ERR_INVALID,
        PATH ": there is no job \"a\": `berth job list` shows what there is");
    assert_edit_fails(
        with_new, EXCLUDE, "\x1b[1m", ERR_INVALID,
        PATH
        ": there is no job \"\\x1b[1m\": `berth job list` shows what there is");
    assert_edit_fails(with_new, REMOVE_VOLUME, "a", ERR_INVALID,
                      PATH
                      ":6: volume \"a\" is a target of job \"new\": remove "
                      "the job or that target first");
    assert_edit_fails(VOLUMES
                      "jobs = ( { exclude = [ \"*.new\" ];\nname = "
                      "\"j\"; source = \"/s\"; targets = [ \"a:/\" ]; } "
                      ");",
                      EXCLUDE, "j", ERR_EXISTS,
                      PATH ":2: job \"j\" excludes \"*.new\" already");
    assert_edit_fails(
        with_new, EXCLUDE, "j", ERR_INVALID,
        PATH ": there is no job \"j\": `berth job list` shows what there is");
    assert_edit_fails("volumes = (\n" VOLUME_B " );", ADD_JOB, NULL,
                      ERR_INVALID,
                      PATH ": targets = \"a:/n\" in job \"new\": there is no "
                           "such volume: use one of \"b\"");
    assert_edit_fails(VOLUMES_LINES "jobs = (\n" JOB("j", "/s", "a:/") "\n);",
                      ADD_JOB, NULL, ERR_INVALID,
                      PATH ": targets = \"a:/n\" in job \"new\": it overlaps "
                           "\"a:/\" of job \"j\" (line 6)" OVERLAP);
    assert_edit_fails("volumes = (", ADD_VOLUME, NULL, ERR_INVALID,
                      PATH ":1: volumes: expected a value, not the end of the "
                           "file: '(' of line 1 is not closed");
}

static void values_that_would_not_load_are_not_added(void **state)
{
    static char bad_name[] = "my disk", bad_id[] = "12", relative[] = "n";
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config_volume volume = config_volume_defaults();
    struct config_job job = config_job_defaults();
    struct error err = ERROR_INIT;

    strbuf_adds(&bytes, VOLUMES);
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    assert_int_equal(config_edit_add_volume(&edit, &volume, &err), ERR_INVALID);
    volume.name = bad_name;
    volume.id = new_id;
    assert_int_equal(config_edit_add_volume(&edit, &volume, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH
                        ": name = \"my disk\" in volume \"my disk\": use 1 "
                        "to 64 letters, digits, '.', '_' or '-' (not "
                        "first) in quotes");
    volume.name = new_name;
    volume.id = bad_id;
    assert_int_equal(config_edit_add_volume(&edit, &volume, NULL), ERR_INVALID);
    volume.id = new_id;
    volume.stale_after_ns = 1;
    assert_int_equal(config_edit_add_volume(&edit, &volume, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH ": stale_after: use whole seconds");
    volume.stale_after_ns = -DAY;
    assert_int_equal(config_edit_add_volume(&edit, &volume, &err), ERR_INVALID);

    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    job.name = new_name;
    job.source = relative;
    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    job.source = new_source;
    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH
                        ": targets is missing in job \"new\": add at least "
                        "one, as in [ \"VOLUME:/DIRECTORY\" ]");
    job.keep_local_ns = 1;
    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH ": keep_local: use whole seconds");
    job.keep_local_ns = 0;
    job.settle_ns = 1;
    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH ": settle: use whole seconds");
    job.settle_ns = 0;
    job.versions.amount = 1;
    assert_int_equal(config_edit_add_job(&edit, &job, &err), ERR_INVALID);
    assert_string_equal(err.message, PATH ": versions: use whole seconds");
    assert_string_equal(edit.bytes.text, VOLUMES);
}

static void volume_in_the_folder_of_another_is_not_added(void **state)
{
    static char folder[] = "/nas";
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config_volume volume = config_volume_defaults();
    struct error err = ERROR_INIT;

    strbuf_adds(&bytes, "volumes = ( { name = \"a\"; id = \"" ID_A
                        "\"; folder = \"/nas\"; } );");
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    volume.name = new_name;
    volume.id = new_id;
    volume.folder = folder;
    assert_int_equal(config_edit_add_volume(&edit, &volume, &err), ERR_INVALID);
    assert_string_equal(err.message,
                        PATH ": folder of volume \"new\" is that of "
                             "volume \"a\" (line 1): keep one of "
                             "them");
}

/* As if our tree or the edit had a bug: what is in memory is made wrong. */
static void edit_that_would_mean_something_else_is_an_internal_error(
    void **state)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(config_edit_release) struct config_edit broken = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error err = ERROR_INIT;

    strbuf_adds(&bytes, JOB_WITH(""));
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    edit.config.jobs[0].min_copies = 2;
    assert_int_equal(config_edit_remove_volume(&edit, "b", &err), ERR_INTERNAL);
    assert_string_equal(err.message, PATH " stays as it was: changed by berth "
                                          "it would mean something else");

    strbuf_adds(&bytes, VOLUMES);
    assert_int_equal(config_edit_begin(&broken, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    broken.text.items[config_text_child(&broken.text, 0, "volumes")].end--;
    broken.text.items[2].end--;
    assert_int_equal(config_edit_remove_volume(&broken, "a", &err),
                     ERR_INTERNAL);
    assert_non_null(strstr(err.message,
                           "changed by berth it would not load: " PATH ":1: "));
}

static void malformed_pattern_is_not_added(void **state)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error err = ERROR_INIT;

    strbuf_adds(&bytes, JOB_WITH(""));
    assert_int_equal(config_edit_begin(&edit, PATH, HOME, &bytes, NULL),
                     ERR_OK);
    assert_int_equal(config_edit_add_exclude(&edit, "media", "[\x1b", &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.message, PATH ": exclude: "));
    assert_non_null(strstr(err.message, "[\\x1b"));
    assert_string_equal(edit.bytes.text, JOB_WITH(""));
}

static const char *const layouts[] = {
    /* as the manual has it */
    "volumes = (\n"
    "  { name = \"a\"; id = \"" ID_A "\"; role = \"backup\"; },\n"
    "  { name = \"b\"; id = \"" ID_B "\"; },\n"
    "  { name = \"c\";   id = \"" ID_C "\"; role = \"read-only\"; }\n"
    ");\n"
    "jobs = (\n"
    "  { name = \"j\"; source = \"~/j\"; targets = [ \"a:/j\", \"b:/j\" ];\n"
    "    mode = \"move\"; keep_local = \"7d\"; min_copies = 2; },\n"
    "  { name = \"k\"; source = \"~/k\"; targets = [ \"a:/k\" ];\n"
    "    include = [ \"*.s\", \"*.db\" ]; exclude = [ \"*.tmp\" ]; versions = "
    "5; }\n"
    ");\n",
    /* one line, no blanks, ':' and no terminators */
    "volumes:(" VOLUME_A ",{name:\"b\" id:\"" ID_B "\"},{name:\"c\" id:\"" ID_C
    "\"})jobs:({name:\"j\" source:\"/j\" targets:[\"a:/j\"]},{name:\"k\" "
    "source:\"/k\" targets:[\"a:/k\"] exclude:[\"x\" \"y\",\"z\"]})",
    /* one key per line, trailing commas, CRLF */
    "volumes = (\r\n\t{\r\n\t\tname = \"a\",\r\n\t\tid = \"" ID_A
    "\",\r\n\t},\r\n\t{\r\n\t\tname = \"b\",\r\n\t\tid = \"" ID_B
    "\",\r\n\t},\r\n\t{\r\n\t\tname = \"c\",\r\n\t\tid = \"" ID_C
    "\",\r\n\t},\r\n);\r\njobs = (\r\n\t{\r\n\t\tname = \"j\",\r\n\t\tsource = "
    "\"/j\",\r\n\t\ttargets = [\r\n\t\t\t\"a:/j\",\r\n\t\t],\r\n\t},\r\n\t{\r\n"
    "\t\tname = \"k\",\r\n\t\tsource = \"/k\",\r\n\t\ttargets = [ \"a:/k\" "
    "],\r\n\t\texclude = [\r\n\t\t\t\"x\",\r\n\t\t],\r\n\t},\r\n);\r\n",
    /* leading commas, jobs first, aligned, an empty exclude */
    "jobs = ( { name = \"j\"; source = \"/j\"; targets = [ \"a:/j\" ]; exclude "
    "= "
    "[]; }\n"
    "       , { exclude = [ ]; name = \"k\"; source = \"/k\"; targets = [ "
    "\"a:/k\" ] } );\n\n"
    "volumes = ( { name = \"a\"; id = \"" ID_A "\"; }\n"
    "          , { name = \"b\"; id = \"" ID_B "\"; }\n"
    "          , { name = \"c\"; id = \"" ID_C "\"; }\n"
    "          );",
    /* text that looks like entries, comments of its own */
    "\xef\xbb\xbf/* volumes = ( { */ volumes = ( // ( {\n"
    "  " VOLUME_A ", # }, {\n"
    "  /* { name = \"z\"; } */ " VOLUME_B ",\n"
    "\n"
    "  "
    "{ name = \"c\"; id = \"" ID_C "\"; folder = \"/f } ) ; , { ( \\\" # // "
    "/* \"; } # last )\n"
    "  # );\n"
    ") # ;\n"
    ";jobs = ( { name = \"j\"; source = \"/j\\\\\"; targets = [ \"a:/j\" ]; "
    "},\n"
    "  { name = \"k\"; source = \"/k#\"; targets = [ \"a:/k\" ]; exclude = [ "
    "\"/*\", \"#\", \"]\", \"\\\\[\" ]; } ) // end",
};

static const char *const comments[] = {
    "/**/",
    "/* }, { name = \"z\"; ) ] ; \" \n */",
    "// { name = \"z\"; }, ) ] } ; \"\n",
    "# jobs = ( { \" \n",
    " \n\n  ",
};

/* A tokenizer of the test's own, so that both would have to be wrong. */
struct piece {
    size_t begin, end;
    bool is_comment;
};

struct piece_list {
    struct piece *items;
    size_t count, capacity;
};

static size_t piece_end(const char *text, size_t at)
{
    size_t end = at + 1;

    if (text[at] == '#' || !strncmp(text + at, "//", 2))
        return at + strcspn(text + at, "\n");
    if (!strncmp(text + at, "/*", 2))
        return (size_t)(strstr(text + at, "*/") - text) + 2;
    if (text[at] == '"') {
        while (text[end] != '"')
            end += text[end] == '\\' ? 2 : 1;
        return end + 1;
    }
    if (strchr("{}()[]=:;,", text[at]))
        return end;
    return at + strcspn(text + at, " \t\r\n{}()[]=:;,\"#/");
}

static void find_pieces(const char *text, struct piece_list *out)
{
    size_t at = strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3;

    for (;;) {
        at += strspn(text + at, " \t\r\n");
        if (!text[at])
            return;
        struct piece piece = {at, piece_end(text, at),
                              text[at] == '#' || text[at] == '/'};
        if (out->count == out->capacity) {
            out->capacity = out->capacity * 2 + 64;
            out->items =
                xrealloc(out->items, out->capacity * sizeof *out->items);
        }
        out->items[out->count++] = piece;
        at = piece.end;
    }
}

static void pieces_free(struct piece_list *list)
{
    free(list->items);
}

/* The braces around `name = "…"` of the entry that has this name. */
static struct piece entry_span(const char *text, const char *name)
{
    CLEANUP(pieces_free) struct piece_list list = {NULL, 0, 0};
    char quoted[16];
    size_t open = 0;
    bool is_found = false;

    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    find_pieces(text, &list);
    for (size_t i = 0; i < list.count; i++) {
        const char *piece = text + list.items[i].begin;
        if (list.items[i].is_comment)
            continue;
        if (*piece == '{')
            open = list.items[i].begin;
        if (!strncmp(piece, quoted, strlen(quoted)))
            is_found = true;
        if (*piece == '}' && is_found)
            return (struct piece){open, list.items[i].end, false};
    }
    fail_msg("no entry %s in %s", name, text);
    return (struct piece){0, 0, false};
}

static bool is_subsequence(const char *inner, const char *outer)
{
    for (; *inner; outer++) {
        if (!*outer)
            return false;
        inner += *inner == *outer;
    }
    return true;
}

/* All comments of `before` outside of `removed`, in order, and no others. */
static void assert_comments_kept(const char *before, struct piece removed,
                                 const char *after)
{
    CLEANUP(pieces_free) struct piece_list old = {NULL, 0, 0};
    CLEANUP(pieces_free) struct piece_list new = {NULL, 0, 0};
    size_t j = 0;

    find_pieces(before, &old);
    find_pieces(after, &new);
    for (size_t i = 0; i < old.count; i++) {
        struct piece piece = old.items[i];
        size_t length = piece.end - piece.begin;
        if (!piece.is_comment ||
            (piece.begin >= removed.begin && piece.end <= removed.end))
            continue;
        while (j < new.count && !new.items[j].is_comment)
            j++;
        if (j == new.count || new.items[j].end - new.items[j].begin != length ||
            memcmp(before + piece.begin, after + new.items[j].begin, length))
            fail_msg("lost: %.*s\nbefore:\n%s\nafter:\n%s", (int)length,
                     before + piece.begin, before, after);
        j++;
    }
    while (j < new.count && !new.items[j].is_comment)
        j++;
    assert_int_equal(j, new.count);
}

static void assert_means(const char *text, const char *dumped,
                         const char *before)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;

    dump_text(text, &seen);
    if (strcmp(seen.text, dumped))
        fail_msg("means:\n%s\ninstead of:\n%s\nbefore:\n%s\nafter:\n%s",
                 seen.text, dumped, before, text);
}

static const struct {
    enum operation operation;
    const char *name;
} operations[] = {
    {ADD_VOLUME, NULL},   {ADD_JOB, NULL},   {REMOVE_VOLUME, "b"},
    {REMOVE_VOLUME, "c"}, {REMOVE_JOB, "j"}, {REMOVE_JOB, "k"},
    {EXCLUDE, "j"},       {EXCLUDE, "k"},
};

static bool is_possible(size_t layout, size_t operation)
{
    /* Only there a job has b as its target. */
    return layout || operation != 2;
}

/* What `after` must mean follows from the dump before, line by line. */
static void expected_dump(const char *before, enum operation operation,
                          const char *name, struct strbuf *out)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;
    struct config_volume volume = config_volume_defaults();
    struct config_job job = config_job_defaults();
    static char expanded[] = HOME "/n";
    struct config_target target = {volume_a, new_directory};

    load(before, &config);
    volume.name = job.name = new_name;
    volume.id = new_id;
    job.source = expanded;
    job.targets = &target;
    job.target_count = 1;
    for (size_t i = 0; i < config.volume_count; i++)
        if (operation != REMOVE_VOLUME || strcmp(config.volumes[i].name, name))
            dump_volume(&config.volumes[i], out);
    if (operation == ADD_VOLUME)
        dump_volume(&volume, out);
    for (size_t i = 0; i < config.job_count; i++) {
        struct config_job *old = &config.jobs[i];
        if (operation == EXCLUDE && !strcmp(old->name, name)) {
            old->exclude = xrealloc(old->exclude, (old->exclude_count + 1) *
                                                      sizeof *old->exclude);
            old->exclude[old->exclude_count++] = xstrdup("*.new");
        }
        if (operation != REMOVE_JOB || strcmp(old->name, name))
            dump_job(old, out);
    }
    if (operation == ADD_JOB)
        dump_job(&job, out);
}

static void strip_line_ends(struct strbuf *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->length; i++) {
        if (text->text[i] == '\n' || text->text[i] == '\r')
            while (kept && text->text[kept - 1] == ' ')
                kept--;
        text->text[kept++] = text->text[i];
    }
    strbuf_truncate(text, kept);
}

/* Adding and then removing it again restores all but blanks at line ends. */
static void assert_can_be_undone(const char *before, const char *after,
                                 enum operation operation)
{
    CLEANUP(strbuf_release) struct strbuf undone = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf original = STRBUF_INIT;
    struct error err = ERROR_INIT;

    if (edit_text(after, operation == ADD_JOB ? REMOVE_JOB : REMOVE_VOLUME,
                  new_name, &undone, &err))
        fail_msg("%s\nin: %s", err.message, after);
    strbuf_adds(&original, before);
    strip_line_ends(&original);
    strip_line_ends(&undone);
    assert_string_equal(undone.text, original.text);
}

static void assert_edit_keeps(const char *before, size_t index)
{
    enum operation operation = operations[index].operation;
    const char *name = operations[index].name;
    bool is_removal = operation == REMOVE_VOLUME || operation == REMOVE_JOB;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;
    struct piece removed = {0, 0, false};
    struct error err = ERROR_INIT;

    if (is_removal)
        removed = entry_span(before, name);
    if (edit_text(before, operation, name, &after, &err))
        fail_msg("%s\nbefore:\n%s", err.message, before);
    assert_comments_kept(before, removed, after.text);
    if (!is_subsequence(is_removal ? after.text : before,
                        is_removal ? before : after.text))
        fail_msg("bytes changed\nbefore:\n%s\nafter:\n%s", before, after.text);
    expected_dump(before, operation, name, &expected);
    assert_means(after.text, expected.text, before);
    if (operation == ADD_VOLUME || operation == ADD_JOB)
        assert_can_be_undone(before, after.text, operation);
}

/* Each edit with one kind of comment in each gap, another in the next gap. */
static void comment_at_every_gap_survives_every_edit(void **state)
{
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        CLEANUP(pieces_free) struct piece_list list = {NULL, 0, 0};
        CLEANUP(strbuf_release) struct strbuf means = STRBUF_INIT;
        find_pieces(layouts[i], &list);
        dump_text(layouts[i], &means);
        for (size_t j = 0; j < list.count * COUNT_OF(comments); j++) {
            size_t gap = j / COUNT_OF(comments), kind = j % COUNT_OF(comments);
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
            strbuf_adds(&text, layouts[i]);
            strbuf_splice(&text, list.items[gap].begin, 0, comments[kind],
                          strlen(comments[kind]));
            assert_means(text.text, means.text, layouts[i]);
            for (size_t k = 0; k < COUNT_OF(operations); k++)
                if (is_possible(i, k) && (gap + k) % COUNT_OF(comments) == kind)
                    assert_edit_keeps(text.text, k);
        }
    }
}

static void everything_can_be_removed_and_added_again(void **state)
{
    static const struct {
        enum operation operation;
        const char *name;
    } steps[] = {
        {REMOVE_JOB, "j"},    {REMOVE_JOB, "k"},    {REMOVE_VOLUME, "a"},
        {REMOVE_VOLUME, "b"}, {REMOVE_VOLUME, "c"}, {ADD_VOLUME, NULL},
    };

    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf means = STRBUF_INIT;
        strbuf_adds(&text, layouts[i]);
        for (size_t j = 0; j < COUNT_OF(steps); j++) {
            struct strbuf edited = STRBUF_INIT;
            assert_int_equal(edit_text(text.text, steps[j].operation,
                                       steps[j].name, &edited, NULL),
                             ERR_OK);
            strbuf_release(&text);
            text = edited;
        }
        dump_text(text.text, &means);
        assert_string_equal(means.text,
                            "volume new " ID_D " backup mount=0 rate=0 "
                            "stale=864000000000000 folder=-\n");
    }
}

/* Every cut of a valid file is read or refused with its line, never worse. */
static void every_cut_of_a_file_is_refused_with_its_line(void **state)
{
    for (size_t i = 0; i < COUNT_OF(layouts); i++)
        for (size_t length = 0; length <= strlen(layouts[i]); length++) {
            CLEANUP(config_release) struct config config = CONFIG_INIT;
            struct error err = ERROR_INIT;
            err_code code = load_bytes(layouts[i], length, &config, &err);
            int line = 0;
            if (!code)
                continue;
            assert_int_equal(code, ERR_INVALID);
            if (sscanf(err.message, PATH ":%d: ", &line) != 1 || line < 1)
                fail_msg("without a line: %s", err.message);
            assert_null(strstr(err.message, "libconfig says"));
        }
}

struct files {
    char *directory, *path;
};

static int make_files(void **state)
{
    const char *parent = getenv("TMPDIR");
    struct files *files = xmalloc(sizeof *files);

    files->directory =
        xasprintf("%s/berth-config-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(files->directory))
        return -1;
    files->path = path_join(files->directory, "berth.conf");
    *state = files;
    return 0;
}

static int remove_files(void **state)
{
    static const char *const names[] = {
        "berth.conf", "real.conf", "new/dir/berth.conf", "new/dir", "new", ""};
    struct files *files = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CLEANUP_FREE char *path = path_join(files->directory, names[i]);
        if (remove(path) && !*names[i])
            rmdir(files->directory);
    }
    free(files->directory);
    free(files->path);
    free(files);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_replace(path, text, strlen(text), 0640, NULL),
                     ERR_OK);
}

static void assert_content(const char *path, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;

    assert_int_equal(file_read(path, 1 << 20, &seen, NULL), ERR_OK);
    assert_string_equal(seen.text, expected);
}

static void assert_load_fails(const char *path, err_code expected,
                              const char *words)
{
    struct config config = CONFIG_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(config_load(path, HOME, &config, &err), expected);
    if (!strstr(err.message, path) || !strstr(err.message, words))
        fail_msg("%s", err.message);
}

static void missing_file_is_an_empty_configuration(void **state)
{
    const struct files *files = *state;
    CLEANUP(config_release) struct config config = CONFIG_INIT;
    CLEANUP_FREE char *deeper = path_join(files->directory, "no/berth.conf");

    assert_int_equal(config_load(files->path, HOME, &config, NULL), ERR_OK);
    assert_string_equal(config.path, files->path);
    assert_int_equal(config.volume_count + config.job_count, 0);
    config_release(&config);
    assert_int_equal(config_load(deeper, HOME, &config, NULL), ERR_OK);
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
    const struct files *files = *state;

    assert_load_fails(files->directory, ERR_INVALID, "is a directory");
    assert_int_equal(mkfifo(files->path, 0600), 0);
    assert_load_fails(files->path, ERR_INVALID, "regular file");
    assert_load_fails("/dev/null", ERR_INVALID, "regular file");
}

static void huge_file_is_refused(void **state)
{
    const struct files *files = *state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < 10 << 10; i++) {
        strbuf_adds(&text, "#");
        for (int j = 0; j < 1022; j++)
            strbuf_addch(&text, 'x');
        strbuf_addch(&text, '\n');
    }
    write_text(files->path, text.text);
    assert_load_fails(files->path, ERR_INVALID, "is larger than 1048576 bytes");
}

static void unreadable_file_is_named_with_what_to_do(void **state)
{
    const struct files *files = *state;
    bool is_root = !geteuid();

    write_text(files->path, VOLUMES);
    assert_int_equal(chmod(files->path, 0), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    assert_load_fails(files->path, ERR_INVALID, "let this user read it");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

static void edit_makes_the_file_and_its_directories(void **state)
{
    const struct files *files = *state;
    CLEANUP_FREE char *path = path_join(files->directory, "new/dir/berth.conf");
    struct config_volume volume = config_volume_defaults();
    struct stat status;

    volume.name = new_name;
    volume.id = new_id;
    assert_int_equal(config_add_volume(path, HOME, &volume, NULL), ERR_OK);
    assert_content(path, "volumes = (\n  " NEW_VOLUME "\n);\n");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void edits_replace_the_file(void **state)
{
    const struct files *files = *state;
    struct config_volume volume = config_volume_defaults();
    struct config_job job = config_job_defaults();
    struct config_target target = {volume_a, new_directory};
    struct stat status;

    write_text(files->path, VOLUMES "# end");
    volume.name = new_name;
    volume.id = new_id;
    assert_int_equal(config_add_volume(files->path, HOME, &volume, NULL),
                     ERR_OK);
    assert_int_equal(config_remove_volume(files->path, HOME, "b", NULL),
                     ERR_OK);
    job.name = new_id;
    job.source = new_source;
    job.targets = &target;
    job.target_count = 1;
    assert_int_equal(config_add_job(files->path, HOME, &job, NULL), ERR_OK);
    assert_int_equal(
        config_add_exclude(files->path, HOME, new_id, "/x \"y\"", NULL),
        ERR_OK);
    assert_content(files->path,
                   "volumes = ( " VOLUME_A ", " NEW_VOLUME " );\n# end\n"
                   "jobs = (\n  { name = \"" ID_D "\"; source = \"~/n\"; "
                   "targets = [ \"a:/n\" ]; exclude = [ \"/x \\\"y\\\"\" ]; }\n"
                   ");\n");
    assert_int_equal(config_add_exclude(files->path, HOME, new_id, "*.b", NULL),
                     ERR_OK);
    assert_int_equal(
        config_remove_exclude(files->path, HOME, new_id, "/x \"y\"", NULL),
        ERR_OK);
    assert_content(files->path,
                   "volumes = ( " VOLUME_A ", " NEW_VOLUME " );\n# end\n"
                   "jobs = (\n  { name = \"" ID_D "\"; source = \"~/n\"; "
                   "targets = [ \"a:/n\" ]; exclude = [ \"*.b\" ]; }\n"
                   ");\n");
    assert_int_equal(
        config_remove_exclude(files->path, HOME, new_id, "*.b", NULL), ERR_OK);
    assert_int_equal(
        config_remove_exclude(files->path, HOME, new_id, "*.b", NULL),
        ERR_INVALID);
    assert_int_equal(config_remove_job(files->path, HOME, new_id, NULL),
                     ERR_OK);
    assert_content(files->path, "volumes = ( " VOLUME_A ", " NEW_VOLUME
                                " );\n# end\njobs = (\n);\n");
    assert_int_equal(stat(files->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void failed_edit_leaves_the_file_as_it_was(void **state)
{
    static const char broken[] = "volumes = ( " VOLUME_A " ";
    const struct files *files = *state;
    struct stat before, after;

    write_text(files->path, broken);
    assert_int_equal(stat(files->path, &before), 0);
    assert_int_equal(config_remove_volume(files->path, HOME, "a", NULL),
                     ERR_INVALID);
    assert_content(files->path, broken);
    write_text(files->path, VOLUMES);
    assert_int_equal(stat(files->path, &before), 0);
    assert_int_equal(config_remove_volume(files->path, HOME, "x", NULL),
                     ERR_INVALID);
    assert_int_equal(config_add_exclude(files->path, HOME, "x", "y", NULL),
                     ERR_INVALID);
    assert_int_equal(stat(files->path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_content(files->path, VOLUMES);
}

static void linked_configuration_stays_linked(void **state)
{
    const struct files *files = *state;
    CLEANUP_FREE char *real = path_join(files->directory, "real.conf");
    struct stat status;

    write_text(real, VOLUMES);
    assert_int_equal(symlink("real.conf", files->path), 0);
    assert_int_equal(config_remove_volume(files->path, HOME, "b", NULL),
                     ERR_OK);
    assert_int_equal(lstat(files->path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_content(real, "volumes = ( " VOLUME_A " );\n");
}

static void paths_longer_than_any_system_opens_are_refused(void **state)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP_FREE char *target = NULL;
    struct config_target parsed = {NULL, NULL};

    while (path.length < 4095)
        strbuf_adds(&path, "/abcd");
    char *fits = config_expand_path(path.text, HOME);
    assert_non_null(fits);
    free(fits);
    target = xasprintf("a:%s", path.text);
    assert_non_null(config_read_target(target, &parsed));
    strbuf_adds(&path, "e");
    assert_null(config_expand_path(path.text, HOME));
}

static void tilde_needs_a_home(void **state)
{
    static const char text[] = VOLUMES "jobs = ( " JOB("j", "~/x", "a:/") " );";
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config config = CONFIG_INIT;
    struct error err = ERROR_INIT;

    strbuf_adds(&bytes, text);
    assert_int_equal(config_load_bytes(PATH, NULL, &bytes, &config, &err),
                     ERR_INVALID);
    assert_int_equal(config_load_bytes(PATH, "", &bytes, &config, &err),
                     ERR_INVALID);
    assert_int_equal(config_load_bytes(PATH, "/", &bytes, &config, &err),
                     ERR_OK);
    assert_string_equal(config.jobs[0].source, "/x");
    config_release(&config);
}

static void things_are_found_by_name_and_id(void **state)
{
    CLEANUP(config_release) struct config config = CONFIG_INIT;

    load(manual, &config);
    assert_ptr_equal(config_find_volume(&config, "hdd_rotating"),
                     &config.volumes[1]);
    assert_null(config_find_volume(&config, "scrapes"));
    assert_ptr_equal(
        config_find_volume_id(&config, "0123456789ABCDEF0123456789ABCDEF"),
        &config.volumes[0]);
    assert_null(config_find_volume_id(&config, ID_D));
    assert_ptr_equal(config_find_job(&config, "scrapes"), &config.jobs[0]);
    assert_null(config_find_job(&config, "tools_usb"));
    assert_string_equal(job_mode_name(JOB_MOVE), "move");
    assert_string_equal(volume_role_name(VOLUME_READ_ONLY), "read-only");
}

#define FILE_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_files, remove_files)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_the_manual_is_read),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(layout_does_not_change_the_meaning),
        cmocka_unit_test(empty_files_and_lists_are_empty_configurations),
        cmocka_unit_test(none_can_be_written_out),
        cmocka_unit_test(escapes_in_text_are_read),
        cmocka_unit_test(names_may_be_in_any_script),
        cmocka_unit_test(paths_longer_than_any_system_opens_are_refused),
        cmocka_unit_test(tilde_needs_a_home),
        cmocka_unit_test(things_are_found_by_name_and_id),
        cmocka_unit_test(unknown_key_is_refused_with_its_line),
        cmocka_unit_test(wrong_value_is_refused_with_what_would_be_right),
        cmocka_unit_test(malformed_pattern_is_refused_with_its_line),
        cmocka_unit_test(wrong_type_is_refused_with_the_right_one),
        cmocka_unit_test(missing_and_repeated_keys_are_refused),
        cmocka_unit_test(names_and_ids_are_unique_together),
        cmocka_unit_test(bad_targets_are_refused),
        cmocka_unit_test(overlapping_targets_of_jobs_are_refused),
        cmocka_unit_test(a_mirror_of_what_is_moved_away_is_refused),
        cmocka_unit_test(disjoint_targets_are_accepted),
        cmocka_unit_test(sources_do_not_meet_the_folders_of_targets),
        cmocka_unit_test(syntax_errors_name_line_and_key),
        cmocka_unit_test(what_is_never_closed_is_refused_where_it_begins),
        cmocka_unit_test(what_libconfigs_versions_read_differently_is_refused),
        cmocka_unit_test(include_directive_is_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(long_values_are_cut_in_messages),
        cmocka_unit_test(many_entries_are_read),
        cmocka_unit_test(durations_are_read_and_written),
        cmocka_unit_test(sizes_are_read_and_written),
        cmocka_unit_test(rules_for_versions_are_told_apart),
        cmocka_unit_test(delete_caps_are_a_share_and_a_number),
        cmocka_unit_test(schedules_are_times_or_words),
        cmocka_unit_test(target_is_a_volume_and_a_clean_directory),
        cmocka_unit_test(added_entry_imitates_its_neighbours),
        cmocka_unit_test(entry_on_a_line_of_others_is_not_broken_up),
        cmocka_unit_test(removed_entry_takes_only_its_comma_along),
        cmocka_unit_test(excluded_pattern_goes_into_the_array),
        cmocka_unit_test(added_job_has_only_what_differs_from_the_defaults),
        cmocka_unit_test(added_volume_has_only_what_differs_from_the_defaults),
        cmocka_unit_test(impossible_edits_say_why),
        cmocka_unit_test(values_that_would_not_load_are_not_added),
        cmocka_unit_test(volume_in_the_folder_of_another_is_not_added),
        cmocka_unit_test(
            edit_that_would_mean_something_else_is_an_internal_error),
        cmocka_unit_test(malformed_pattern_is_not_added),
        cmocka_unit_test(comment_at_every_gap_survives_every_edit),
        cmocka_unit_test(everything_can_be_removed_and_added_again),
        cmocka_unit_test(every_cut_of_a_file_is_refused_with_its_line),
        FILE_TEST(missing_file_is_an_empty_configuration),
        FILE_TEST(what_is_no_file_is_refused_without_waiting),
        FILE_TEST(huge_file_is_refused),
        FILE_TEST(unreadable_file_is_named_with_what_to_do),
        FILE_TEST(edit_makes_the_file_and_its_directories),
        FILE_TEST(edits_replace_the_file),
        FILE_TEST(failed_edit_leaves_the_file_as_it_was),
        FILE_TEST(linked_configuration_stays_linked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
