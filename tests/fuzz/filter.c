/*
 * Patterns from a configuration against paths from a source: three lines, an
 * include pattern (may be empty: none), an exclude pattern and a path. What
 * is compiled must not go wrong, and what is excluded stays so further down.
 */
#include "core/filter.h"

#include "core/base/error.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static char *next_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

static void check_message(const char *pattern)
{
    struct error err = ERROR_INIT;
    err_code code = filter_check(pattern, &err);

    require(code == ERR_OK || code == ERR_INVALID);
    require(code == ERR_OK || *err.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *copy = xstrndup((const char *)data, size);
    CLEANUP(strbuf_release) struct strbuf below = STRBUF_INIT;
    char *rest = copy;
    const char *include = next_line(&rest);
    const char *exclude = next_line(&rest);
    const char *path = next_line(&rest);

    check_message(include);
    check_message(exclude);
    filter_is_volume_litter(path);
    if (!path_is_plain_relative(path))
        return 0;
    struct filter *filter =
        filter_new(&include, *include != '\0', &exclude, 1, size & 1);
    filter_judge(filter, path, false);
    enum filter_verdict verdict = filter_judge(filter, path, true);
    strbuf_adds(&below, path);
    path_append(&below, "x");
    enum filter_verdict of_file = filter_judge(filter, below.text, false);
    require(verdict == FILTER_TAKE || of_file != FILTER_TAKE);
    require(verdict != FILTER_EXCLUDED || of_file == FILTER_EXCLUDED);
    filter_free(filter);
    return 0;
}
