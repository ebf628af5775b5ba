/*
 * Any bytes as a configuration, and every edit of what loads. Aborts when
 * libconfig and our own tree disagree, when an edit does not mean what it
 * should (ERR_INTERNAL), or when it loses something of the file but blanks.
 */
#include "core/config_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool is_blank(char character)
{
    return character && strchr(" \t\r\n\f", character);
}

/* Whether `outer` has all of `inner` in this order, blanks aside. */
static bool is_subsequence(const char *inner, const char *outer)
{
    for (; *inner; outer++) {
        while (is_blank(*inner))
            inner++;
        if (!*inner)
            break;
        if (!*outer)
            return false;
        inner += *inner == *outer;
    }
    return true;
}

static err_code apply(struct config_edit *edit, int operation,
                      struct error *err)
{
    static char name[] = "fuzz", id[] = "fedcba9876543210fedcba9876543210",
                source[] = "~/fuzz source", directory[] = "fuzz target";
    struct config_volume volume = config_volume_defaults();
    struct config_job job = config_job_defaults();
    struct config_target target = {name, directory};
    const struct config *config = &edit->config;
    size_t last_volume = config->volume_count - 1;
    size_t last_job = config->job_count - 1;

    volume.name = job.name = name;
    volume.id = id;
    job.source = source;
    job.targets = &target;
    job.target_count = 1;
    if (config->volume_count)
        target.volume = config->volumes[last_volume].name;
    switch (operation) {
    case 0:
        return config_edit_add_volume(edit, &volume, err);
    case 1:
        return config_edit_add_job(edit, &job, err);
    case 2:
    case 3:
        if (!config->volume_count)
            return ERR_NOT_FOUND;
        return config_edit_remove_volume(
            edit, config->volumes[operation == 2 ? 0 : last_volume].name, err);
    case 4:
    case 5:
        if (!config->job_count)
            return ERR_NOT_FOUND;
        return config_edit_remove_job(
            edit, config->jobs[operation == 4 ? 0 : last_job].name, err);
    default:
        if (!config->job_count)
            return ERR_NOT_FOUND;
        return config_edit_add_exclude(
            edit, config->jobs[operation == 6 ? 0 : last_job].name,
            "/\\\"*.fuzz\"", err);
    }
}

static void edit_bytes(const struct strbuf *original, int operation)
{
    CLEANUP(config_edit_release) struct config_edit edit = CONFIG_EDIT_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error err = ERROR_INIT;
    bool is_removal = operation >= 2 && operation <= 5;

    strbuf_add(&bytes, original->text, original->length);
    check(!config_edit_begin(&edit, "f", "/home/me", &bytes, NULL));
    err_code code = apply(&edit, operation, &err);
    check(code != ERR_INTERNAL);
    if (code)
        return;
    check(is_removal ? is_subsequence(edit.bytes.text, original->text)
                     : is_subsequence(original->text, edit.bytes.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct config config = CONFIG_INIT;
    struct error err = ERROR_INIT;

    strbuf_add(&bytes, data, size);
    err_code code = config_load_bytes("f", "/home/me", &bytes, &config, &err);
    check(code == ERR_OK || code == ERR_INVALID);
    if (code) {
        const char *words = err.message + strspn(err.message, "f:0123456789 ");
        check(!strncmp(err.message, "f:", 2));
        check(strncmp(words, "libconfig s", 11) != 0);
        return 0;
    }
    config_release(&config);
    for (int operation = 0; operation < 8; operation++)
        edit_bytes(&bytes, operation);
    return 0;
}
