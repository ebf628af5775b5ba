#include "core/demo_internal.h"

#include "core/base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the practice platform has what lies on a mounted volume. */
#define ON_DRIVE "drives/hdd_homelab/"

/* --- words --- */

static const char *const words[] = {
    "archive", "harbour",  "ledger",  "minutes", "tide",   "crane",
    "cargo",   "manifest", "berth",   "vessel",  "signal", "lantern",
    "survey",  "chart",    "channel", "pilot",   "anchor", "current",
    "report",  "customs",  "quay",    "weather", "north",  "evening",
};

static const char *word(struct demo *demo)
{
    return words[demo_chance(demo, COUNT_OF(words))];
}

static void add_sentences(struct demo *demo, struct strbuf *out, size_t count)
{
    while (count-- > 0) {
        strbuf_addf(out, "The %s of the %s", word(demo), word(demo));
        for (size_t i = demo_chance(demo, 12) + 3; i > 0; i--)
            strbuf_addf(out, " %s", word(demo));
        strbuf_adds(out, ".\n");
    }
}

/* --- kinds of files --- */

static err_code write_page(struct demo *demo, const char *directory, int number,
                           double days, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf page = STRBUF_INIT;
    CLEANUP_FREE char *path =
        xasprintf("%s/%s-%04d.html", directory, word(demo), number);

    strbuf_addf(&page,
                "<!doctype html>\n<html lang=\"en\"><head><meta "
                "charset=\"utf-8\"><title>%s %d</title></head>\n<body>\n",
                word(demo), number);
    for (size_t i = demo_chance(demo, 9) + 2; i > 0; i--) {
        strbuf_adds(&page, "<p>");
        add_sentences(demo, &page, demo_chance(demo, 12) + 2);
        strbuf_adds(&page, "</p>\n");
    }
    strbuf_adds(&page, "</body></html>\n");
    return demo_write(demo, path, page.text, page.length, days, err);
}

static err_code write_pages(struct demo *demo, const char *site, int first,
                            int count, double days, struct error *err)
{
    CLEANUP_FREE char *directory =
        xasprintf("home/lab/tmp/scrapes/%s/batch-%02d", site, first / 20);
    err_code code = ERR_OK;

    for (int i = 0; !code && i < count; i++)
        code = write_page(demo, directory, first + i, days, err);
    return code;
}

static err_code write_answer(struct demo *demo, int number, double days,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    CLEANUP_FREE char *path =
        xasprintf("home/lab/out/summaries/%04d.json", number);

    add_sentences(demo, &body, demo_chance(demo, 6) + 2);
    for (size_t i = 0; i < body.length; i++)
        if (body.text[i] == '\n')
            body.text[i] = ' ';
    strbuf_addf(&text,
                "{\n  \"id\": %d,\n  \"model\": \"local-7b\",\n"
                "  \"topic\": \"%s\",\n  \"tokens\": %zu,\n"
                "  \"summary\": \"%s\"\n}\n",
                number, word(demo), demo_chance(demo, 4000), body.text);
    return demo_write(demo, path, text.text, text.length, days, err);
}

static err_code write_answers(struct demo *demo, int first, int count,
                              double days, struct error *err)
{
    err_code code = ERR_OK;

    for (int i = 0; !code && i < count; i++)
        code = write_answer(demo, first + i, days, err);
    return code;
}

static err_code write_note(struct demo *demo, const char *name, double days,
                           struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *path = xasprintf("home/notes/%s.md", name);

    strbuf_addf(&text, "# %s\n\n", path_name(name));
    add_sentences(demo, &text, demo_chance(demo, 15) + 4);
    return demo_write(demo, path, text.text, text.length, days, err);
}

static err_code write_notes(struct demo *demo, const char *const *names,
                            size_t count, double days, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < count; i++)
        code = write_note(demo, names[i], days, err);
    return code;
}

static err_code write_numbered(struct demo *demo, const char *format, int count,
                               double days, struct error *err)
{
    err_code code = ERR_OK;

    for (int i = 1; !code && i <= count; i++) {
        CLEANUP_FREE char *name = xasprintf("%s %02d", format, i);
        code = write_note(demo, name, days, err);
    }
    return code;
}

/* --- at first --- */

static const char *const first_notes[] = {
    "projects/berth",
    "projects/Raspberry Pi",
    "projects/Hafenkran – Übersicht",
    "projects/港の歴史",
    "projects/заметки о маяках",
    "projects/σημειώσεις λιμένα",
    "projects/ملاحظات الميناء",
    "projects/항구 노트",
    "reading/À la recherche du temps perdu",
    "reading/Moby-Dick",
    "reading/What is 2:1?",
    "recipes/Käsespätzle",
    "recipes/Crème brûlée",
    "recipes/Bún chả",
};

static const struct {
    const char *name;
    size_t bytes;
} first_films[] = {
    {"Nosferatu (1922).mkv", 3400000},
    {"Le Voyage dans la Lune (1902).mp4", 1200000},
    {"Броненосец Потёмкин (1925).mkv", 2600000},
    {"The General (1926).mkv", 2900000},
    {"Metropolis (1927).mkv", 4100000},
};

static err_code write_films(struct demo *demo, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < COUNT_OF(first_films); i++) {
        CLEANUP_FREE char *path =
            xasprintf("home/media/films/%s", first_films[i].name);
        code = demo_write_film(demo, path, first_films[i].bytes, 300, err);
    }
    if (!code)
        code = demo_write_text(demo, "home/media/.DS_Store", "Bud1", 40, err);
    return code;
}

/* What lies on the stick and the disk inside, put there by others. */
static err_code write_static_files(struct demo *demo, struct error *err)
{
    static const char *const tools[] = {"rescue.img", "memtest.efi",
                                        "drivers/README.txt",
                                        "firmware/bridge-1.4.bin"};
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < COUNT_OF(tools); i++) {
        CLEANUP_FREE char *path = path_join("drives/tools_usb", tools[i]);
        code = demo_write_film(demo, path, 20000 + demo_chance(demo, 200000),
                               200, err);
    }
    if (!code)
        code = demo_write_text(demo, "drives/system/etc/hostname", "desk\n",
                               400, err);
    return code;
}

err_code demo_make_sources(struct demo *demo, struct error *err)
{
    err_code code = write_pages(demo, "harbour.example", 0, 60, 30, err);

    if (!code)
        code = write_pages(demo, "gazette.example", 0, 60, 28, err);
    if (!code)
        code = write_answers(demo, 1, 60, 20, err);
    if (!code)
        code = write_notes(demo, first_notes, COUNT_OF(first_notes), 60, err);
    if (!code)
        code = write_numbered(demo, "meetings/Protokoll", 18, 50, err);
    if (!code)
        code = write_films(demo, err);
    if (!code)
        code = write_static_files(demo, err);
    return code;
}

/* --- and since --- */

err_code demo_add_week(struct demo *demo, struct error *err)
{
    err_code code = write_pages(demo, "harbour.example", 60, 40, 6, err);

    if (!code)
        code = write_pages(demo, "gazette.example", 60, 30, 4, err);
    if (!code)
        code = write_answers(demo, 61, 25, 3, err);
    if (!code)
        code = write_note(demo, "projects/berth", 2, err);
    if (!code)
        code = demo_write_film(
            demo, "home/media/films/Das Cabinet des Dr. Caligari (1920).mkv",
            2200000, 5, err);
    return code;
}

/* Held for review: more than a quarter of the notes. */
static err_code delete_meetings(struct demo *demo, struct error *err)
{
    err_code code = ERR_OK;

    for (int i = 1; !code && i <= 14; i++) {
        CLEANUP_FREE char *path =
            xasprintf("home/notes/meetings/Protokoll %02d.md", i);
        code = fsops_unlink(&demo->ops, path, err);
    }
    return code;
}

static err_code change_media(struct demo *demo, struct error *err)
{
    err_code code =
        fsops_rename(&demo->ops, "home/media/films/Metropolis (1927).mkv",
                     "home/media/films/Metropolis (1927, restored).mkv", err);

    if (!code)
        code = fsops_unlink(
            &demo->ops, "home/media/films/Le Voyage dans la Lune (1902).mp4",
            err);
    if (!code)
        code = demo_write_film(demo, "home/media/films/羅生門 (1950).mkv",
                               41000000, 0.2, err);
    if (!code)
        code = demo_write_film(demo, "home/media/films/Safety Last! (1923).mkv",
                               23000000, 0.2, err);
    if (!code)
        code = demo_write_film(demo,
                               "home/media/films/Sherlock Jr (1924).mkv.part",
                               400000, 0.1, err);
    return code;
}

/* Another machine wrote to the drive: drift, and a conflict. */
static err_code change_drive(struct demo *demo, struct error *err)
{
    err_code code = demo_write_text(
        demo, ON_DRIVE "llm_outputs/summaries/0007.json",
        "{ \"id\": 7, \"summary\": \"edited on the television\" }\n", 0.3, err);

    if (!code)
        code =
            demo_write_text(demo, ON_DRIVE "notes/reading/Moby-Dick.md",
                            "# Moby-Dick\n\nread up to chapter 42\n", 0.3, err);
    return code;
}

err_code demo_add_today(struct demo *demo, struct error *err)
{
    err_code code = write_pages(demo, "harbour.example", 100, 80, 0.4, err);

    if (!code)
        code = write_pages(demo, "weather.example", 0, 45, 0.3, err);
    if (!code)
        code = write_answers(demo, 86, 20, 0.2, err);
    if (!code)
        code = write_answer(demo, 12, 0.2, err); /* done again */
    if (!code)
        code = write_note(demo, "projects/港の歴史", 0.1, err);
    if (!code)
        code = write_note(demo, "recipes/Käsespätzle", 0.1, err);
    if (!code)
        code = write_note(demo, "reading/Les Misérables", 0, err);
    if (!code)
        code = delete_meetings(demo, err);
    if (!code)
        code = change_media(demo, err);
    if (!code)
        code = change_drive(demo, err);
    return code;
}
