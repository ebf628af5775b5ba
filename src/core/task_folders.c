#include "core/task.h"

#include "core/base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void post_folder(struct task *task, const char *path, const char *name)
{
    struct event *event = task_event(task, EVENT_FOLDER);

    event->path = xstrdup(path);
    if (name)
        event->text = xstrdup(name);
    task_post(task, event);
}

/* A link is none: jobs do not follow it either. */
static bool is_folder(DIR *directory, const struct dirent *entry)
{
    struct stat status;

    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
        return false;
    return !fstatat(dirfd(directory), entry->d_name, &status,
                    AT_SYMLINK_NOFOLLOW) &&
           S_ISDIR(status.st_mode);
}

err_code task_folders(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    const char *path =
        task->command->path ? task->command->path : task->context->home;
    const struct dirent *entry;
    DIR *directory = opendir(path);

    if (!directory)
        return error_set_errno(err, errno, "cannot open %s", path);
    post_folder(task, path, NULL);
    while ((entry = readdir(directory)) && !stop_flag_is_raised(&task->stop))
        if (is_folder(directory, entry))
            post_folder(task, path, entry->d_name);
    closedir(directory);
    return ERR_OK;
}
