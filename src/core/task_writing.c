#include "core/task_writing.h"

#include "core/base/clock.h"

void writing_release(struct writing *writing)
{
    if (writing->is_open)
        session_release(&writing->session);
    platform_inhibitor_release(writing->inhibitor);
    catalogue_close(writing->catalogue);
    volume_release(&writing->volume);
}

err_code writing_open(struct writing *writing, const char *command,
                      struct error *err)
{
    struct task *task = writing->task;
    err_code code = volume_locate(task->context->platform, writing->config,
                                  &writing->volume, err);

    if (!code)
        code = task_open_catalogue(task, writing->config, &writing->catalogue,
                                   err);
    if (code)
        return code;
    const struct session_options options = {
        .volume = &writing->volume,
        .catalogue = writing->catalogue,
        .host = task->host,
        .command = command,
    };
    code = session_open(&options, &writing->session, err);
    writing->is_open = code == ERR_OK;
    if (!code)
        writing->inhibitor = task_inhibit(task, &writing->volume, command);
    if (!code && writing->session.check == PLATFORM_CHECK_NEEDED)
        code = error_set(err, ERR_REFUSED,
                         "volume %s: its filesystem says that it was not "
                         "unmounted cleanly: %s",
                         writing->config->name, writing->session.remedy);
    if (!code && writing->session.is_unclean)
        code = error_set(err, ERR_REFUSED,
                         "volume %s was left in the middle of a run: `berth "
                         "sync` looks at it first",
                         writing->config->name);
    return code;
}

err_code writing_begin(struct writing *writing, const char *deed,
                       struct error *err)
{
    err_code code =
        history_begin(writing->catalogue, deed, &writing->session.run, err);

    if (!code)
        code = session_begin(&writing->session, err);
    return code;
}

err_code writing_close(struct writing *writing, err_code code,
                       struct error *err)
{
    const struct run run = {
        .id = writing->session.run,
        .ended_ns = clock_now_ns(),
        .exit_code = (int)outcome_of(code),
        .counts = writing->counts,
    };

    if (!error_is_device_failure(code)) {
        err_code closed = session_close(&writing->session, code ? NULL : err);
        code = code ? code : closed;
    }
    err_code ended = history_end(writing->catalogue, &run, code ? NULL : err);
    return code ? code : ended;
}
