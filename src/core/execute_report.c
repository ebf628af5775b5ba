#include "core/execute_report.h"

#include "core/base/array.h"
#include "core/db.h"

#include <stdlib.h>

void execute_report_failure(struct execute_report *report,
                            const struct execute_options *options,
                            const char *path, err_code code,
                            const char *message)
{
    const struct run_listener *listener = options->listener;
    struct execute_failure failure = {xstrdup(path), xstrdup(message)};

    ARRAY_PUSH(report, failure);
    if (code == ERR_NO_SPACE)
        report->without_space++;
    atomic_fetch_add(&options->progress->files_failed, 1);
    if (listener)
        listener->failed(listener->context, options->job->name, path, code,
                         message);
}

static err_code write_history(const struct execute_report *report,
                              const struct execute_options *options,
                              struct error *err)
{
    struct catalogue *catalogue = options->session->catalogue;
    struct db *db = catalogue_db(catalogue);
    err_code code = db_begin(db, err);

    for (size_t i = 0; !code && i < report->count; i++) {
        const struct run_item item = {.deed = DEED_FAILED,
                                      .job = options->job->name,
                                      .path = report->items[i].path,
                                      .detail = report->items[i].message};
        code = history_add_item(catalogue, options->session->run, &item, err);
    }
    return db_end(db, code, err);
}

err_code execute_report_end(struct execute_report *report,
                            const struct execute_options *options,
                            struct error *err)
{
    err_code code = ERR_OK;

    if (report->count)
        code = write_history(report, options, err);
    for (size_t i = 0; i < report->count; i++) {
        free(report->items[i].path);
        free(report->items[i].message);
    }
    free(report->items);
    *report = (struct execute_report){.items = NULL};
    return code;
}
