#include "core/task.h"

#include "core/base/array.h"
#include "core/catalogue.h"
#include "core/session.h"
#include "core/volume.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 200

err_code task_await(struct platform_request *request, struct error *err)
{
    bool is_done = false;
    err_code code = ERR_OK;

    while (!code && !is_done)
        code = platform_wait(request, LOOK_MS, &is_done, err);
    return code;
}

static err_code mount_device(struct task *task, const char *device,
                             struct error *err)
{
    struct platform_request *request =
        platform_mount(task->context->platform, device);
    err_code code = task_await(request, err);

    platform_request_free(request);
    return code;
}

static void unmount_device(struct task *task, const char *device)
{
    struct platform_request *request =
        platform_unmount(task->context->platform, device);
    struct error err = ERROR_INIT;

    if (task_await(request, &err))
        task_say(task, "%s stays mounted: %s", device, err.message);
    platform_request_free(request);
}

/* --- which one --- */

static bool is_called(const struct platform_volume *volume, const char *name)
{
    return !strcmp(volume->device, name) || !strcmp(volume->fs_label, name);
}

static bool has_uuid(const struct platform_volume *volume, const char *uuid)
{
    return *volume->fs_uuid && !strcmp(volume->fs_uuid, uuid);
}

/* Two that match are not told apart by guessing. */
static err_code find_only(const struct platform_devices *devices,
                          bool (*matches)(const struct platform_volume *,
                                          const char *),
                          const char *word, const char **out_device,
                          struct error *err)
{
    *out_device = NULL;
    for (size_t i = 0; i < devices->volumes.count; i++) {
        const struct platform_volume *volume = &devices->volumes.items[i];
        if (!matches(volume, word))
            continue;
        if (*out_device)
            return error_set(err, ERR_REFUSED,
                             "%s and %s are both %s: name the device, or "
                             "unplug one",
                             *out_device, volume->device, word);
        *out_device = volume->device;
    }
    return *out_device ? ERR_OK
                       : error_set(err, ERR_NOT_FOUND,
                                   "there is no volume %s to mount: is the "
                                   "drive plugged in?",
                                   word);
}

void task_known_uuid(struct task *task, const struct config_volume *config,
                     struct strbuf *out)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP_FREE char *path = NULL;

    if (task_open_reader(task, config, &catalogue, &path, NULL) ||
        session_known_filesystem(catalogue, out, NULL))
        strbuf_reset(out);
}

static err_code find_configured(struct task *task,
                                const struct config_volume *config,
                                const struct platform_devices *devices,
                                const char **out_device, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf uuid = STRBUF_INIT;
    err_code code = ERR_NOT_FOUND;

    task_known_uuid(task, config, &uuid);
    if (uuid.length)
        code = find_only(devices, has_uuid, uuid.text, out_device, err);
    else
        code = find_only(devices, is_called, config->name, out_device, err);
    if (code)
        error_prefix(err, "volume %s", config->name);
    return code;
}

/* --- mounting --- */

/* The marker decides: what is not the volume is left as it was. */
static err_code check_mounted(struct task *task,
                              const struct config_volume *config,
                              const char *device, struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code =
        volume_locate(task->context->platform, config, &volume, err);

    if (code)
        unmount_device(task, device);
    if (code == ERR_NOT_FOUND)
        return error_set(err, ERR_NOT_FOUND,
                         "%s does not carry the marker of volume %s: it was "
                         "unmounted again",
                         device, config->name);
    return code;
}

err_code task_mount_volume(struct task *task,
                           const struct config_volume *config,
                           struct error *err)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    const char *device = NULL;
    err_code code =
        platform_list_devices(task->context->platform, &devices, err);

    if (!code)
        code = find_configured(task, config, &devices, &device, err);
    if (!code)
        code = mount_device(task, device, err);
    if (!code)
        code = check_mounted(task, config, device, err);
    return code;
}

static err_code mount_named(struct task *task, const char *name,
                            struct error *err)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    const char *device = NULL;
    err_code code =
        platform_list_devices(task->context->platform, &devices, err);

    if (!code)
        code = find_only(&devices, is_called, name, &device, err);
    return code ? code : mount_device(task, device, err);
}

err_code task_mount(struct task *task, enum outcome *outcome, struct error *err)
{
    const char *name = task->command->names[0];
    const struct config_volume *config =
        config_find_volume(&task->config, name);
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;

    if (!config)
        return mount_named(task, name, err);
    err_code code =
        volume_locate(task->context->platform, config, &volume, err);
    return code == ERR_NOT_FOUND && !config->folder
               ? task_mount_volume(task, config, err)
               : code;
}
