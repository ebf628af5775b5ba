#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/quantity.h"

#include <stdlib.h>
#include <string.h>

/* --- keys ------------------------------------------------------------------
 */

char *drive_key(const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name)
            return xasprintf("volume %s", drive->volumes.items[i].name);
    if (*drive->id)
        return xasprintf("drive %s", drive->id);
    return xasprintf("title %s", drive->title);
}

bool drive_has_key(const struct drive *drive, const char *key)
{
    CLEANUP_FREE char *own = drive_key(drive);

    return key && !strcmp(own, key);
}

const struct drive *model_find_drive(const struct model *model, const char *key)
{
    for (size_t i = 0; i < model->drives.count; i++)
        if (drive_has_key(&model->drives.items[i], key))
            return &model->drives.items[i];
    return NULL;
}

size_t model_selected_index(const struct model *model)
{
    for (size_t i = 0; i < model->drives.count; i++)
        if (drive_has_key(&model->drives.items[i], model->selected))
            return i;
    return 0;
}

const struct drive *model_selected(const struct model *model)
{
    if (!model->drives.count)
        return NULL;
    return &model->drives.items[model_selected_index(model)];
}

static void select_drive(struct model *model, size_t index)
{
    if (!model->drives.count)
        return;
    if (index >= model->drives.count)
        index = model->drives.count - 1;
    free(model->selected);
    model->selected = drive_key(&model->drives.items[index]);
    model->detail_scroll = 0;
}

void model_choose(struct model *model, size_t index)
{
    model->has_chosen = true;
    select_drive(model, index);
}

/* How likely a drive is meant before anybody said so: one that a job writes
 * to and that can be unplugged; one that a job writes to; one that can be. */
static int likelihood(const struct model *model, const struct drive *drive)
{
    if (!drive->is_attached)
        return 0;
    return 1 + (drive->is_external ? 1 : 0) +
           (model_count(model, drive).has_jobs ? 2 : 0);
}

/*
 * The first of the likeliest, so that `E` is one key. Drives are told as they
 * become known: until the jobs are, one that is likely now may not be in a
 * moment, so nothing that was chosen by a key is ever moved.
 */
void model_preselect(struct model *model)
{
    size_t best = 0;
    int most = -1;

    if (model->has_chosen || model->screen != SCREEN_DRIVES)
        return;
    for (size_t i = 0; i < model->drives.count; i++) {
        int now = likelihood(model, &model->drives.items[i]);
        if (now > most) {
            most = now;
            best = i;
        }
    }
    select_drive(model, best);
}

/* --- volumes ---------------------------------------------------------------
 */

const struct drive_volume *model_find_volume(const struct model *model,
                                             const char *name)
{
    for (size_t d = 0; d < model->drives.count; d++) {
        const struct drive *drive = &model->drives.items[d];
        for (size_t v = 0; v < drive->volumes.count; v++)
            if (!strcmp(drive->volumes.items[v].name, name))
                return &drive->volumes.items[v];
    }
    return NULL;
}

const struct drive_volume *drive_volume_to_mount(const struct drive *drive)
{
    const struct drive_volume *first = NULL;

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        if (!drive->is_attached || volume->is_mounted || !*volume->device ||
            (!drive->is_external && !*volume->name))
            continue;
        if (*volume->name)
            return volume;
        if (!first)
            first = volume;
    }
    return first;
}

void model_mount(struct model *model, const struct drive *drive)
{
    const struct drive_volume *volume = drive_volume_to_mount(drive);
    struct command *command;

    if (!volume || model_is_under_way(model, ROLE_MOUNT))
        return;
    command = command_new(COMMAND_MOUNT);
    command_add_name(command, *volume->name ? volume->name : volume->device);
    model_post(model, ROLE_MOUNT, command);
    model_say(model, "mounting %s", volume_title(volume));
}

bool volume_is_ready(const struct drive_volume *volume)
{
    return *volume->name && volume->is_mounted && !volume->is_read_only &&
           volume->role == VOLUME_BACKUP && !*volume->problem;
}

const char *volume_title(const struct drive_volume *volume)
{
    if (*volume->name)
        return volume->name;
    if (*volume->label)
        return volume->label;
    return *volume->mount_point ? volume->mount_point : volume->device;
}

const struct drive_volume *drive_foreign_run(const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (drive->volumes.items[i].run.pid)
            return &drive->volumes.items[i];
    return NULL;
}

const char *drive_short_title(const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name)
            return drive->volumes.items[i].name;
    return drive->title;
}

bool target_is_of(const struct target *target, const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name &&
            !strcmp(drive->volumes.items[i].name, target->volume))
            return true;
    return false;
}

/* --- what is pending -------------------------------------------------------
 */

struct drive_count model_count_target(const struct model *model,
                                      const struct target *target)
{
    struct drive_count count = {
        .has_jobs = true,
        .is_scanning = target->wish != WISH_NOTHING || target->incoming,
        .is_sharp = target->is_sharp,
        .percent = -1,
        .error = target->error,
    };

    if (model->scanned_volume &&
        !strcmp(model->scanned_volume, target->volume)) {
        count.is_scanning = true;
        count.percent = model_scan_percent(model);
    }
    if (!target->review || target->error)
        return count;
    struct review_sum sum = review_included(target->review);
    count.is_known = true;
    count.pending = sum.pending;
    count.files = sum.files;
    count.bytes = sum.copy_bytes;
    count.conflicts = target->review->total.conflicts;
    count.left_out = target->review->left_out_total.pending;
    count.held = target->review->held_are_approved ? 0 : target->review->held;
    count.as_of_ns = target->review->plan.made_ns;
    return count;
}

static void add_count(struct drive_count *to, const struct drive_count *from)
{
    to->is_known &= from->is_known || from->error;
    to->is_scanning |= from->is_scanning;
    to->is_sharp &= from->is_sharp || from->error;
    to->pending += from->pending;
    to->files += from->files;
    to->bytes = sum_of_bytes(to->bytes, from->bytes);
    to->conflicts += from->conflicts;
    to->held += from->held;
    to->left_out += from->left_out;
    if (from->percent >= 0)
        to->percent = from->percent;
    if (from->is_known && (!to->as_of_ns || from->as_of_ns < to->as_of_ns))
        to->as_of_ns = from->as_of_ns;
    if (from->error)
        to->error = from->error;
}

struct drive_count model_count(const struct model *model,
                               const struct drive *drive)
{
    struct drive_count sum = {
        .is_known = true, .is_sharp = true, .percent = -1};

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!target_is_of(target, drive))
            continue;
        struct drive_count count = model_count_target(model, target);
        add_count(&sum, &count);
        sum.has_jobs = true;
    }
    return sum;
}

/* --- a new list ------------------------------------------------------------
 */

static const struct drive_volume *find_in(const struct drives *drives,
                                          const char *name)
{
    for (size_t d = 0; d < drives->count; d++)
        for (size_t v = 0; v < drives->items[d].volumes.count; v++)
            if (!strcmp(drives->items[d].volumes.items[v].name, name))
                return &drives->items[d].volumes.items[v];
    return NULL;
}

/* What came, and what another process has just finished with, is compared. */
static void wish_for_changes(struct model *model, const struct drives *before)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        const struct drive_volume *was = find_in(before, target->volume);
        const struct drive_volume *is =
            model_find_volume(model, target->volume);
        bool was_ready = was && volume_is_ready(was) && !was->run.pid;
        bool is_ready = is && volume_is_ready(is) && !is->run.pid;
        if (is_ready && !was_ready)
            model_wish(model, target->volume,
                       target->review ? WISH_AUTO : WISH_QUICK);
        if (!is_ready)
            target->is_sharp = false;
    }
}

static bool has_attached_id(const struct drives *drives, const char *id)
{
    for (size_t i = 0; i < drives->count; i++)
        if (drives->items[i].is_attached && !strcmp(drives->items[i].id, id))
            return true;
    return false;
}

/* A verdict stays until a key or the next plug. */
static bool was_plugged(const struct model *model, const struct drives *before)
{
    for (size_t i = 0; i < model->drives.count; i++) {
        const struct drive *drive = &model->drives.items[i];
        if (drive->is_attached && drive->is_external && *drive->id &&
            !has_attached_id(before, drive->id))
            return true;
    }
    return false;
}

static bool is_attached(const struct model *model, const char *key)
{
    const struct drive *drive = key ? model_find_drive(model, key) : NULL;

    return drive && drive->is_attached;
}

static void keep_selection(struct model *model, size_t index)
{
    if (!model->selected || !model_find_drive(model, model->selected))
        select_drive(model, index);
}

/* While it is mounted nobody can tell: what was seen before holds. */
static void keep_dirty(struct model *model, const struct drives *before)
{
    for (size_t d = 0; d < before->count; d++) {
        const struct drive *was = &before->items[d];
        for (size_t i = 0; i < model->drives.count; i++) {
            struct drive *is = &model->drives.items[i];
            bool is_same = *is->id && !strcmp(is->id, was->id) &&
                           is->volumes.count == was->volumes.count;
            for (size_t v = 0; is_same && v < is->volumes.count; v++)
                if (is->volumes.items[v].is_dirty < 0)
                    is->volumes.items[v].is_dirty =
                        was->volumes.items[v].is_dirty;
        }
    }
}

void model_apply_drives(struct model *model, struct event *event)
{
    struct drives before = model->drives;
    size_t index = model_selected_index(model);

    /* Else what has left would be plugged in once more. */
    if (event->drives.number < before.number)
        return;
    model->drives = event->drives;
    event->drives = (struct drives){.items = NULL};
    set_text(&model->trouble, NULL);
    keep_dirty(model, &before);
    keep_selection(model, index);
    /* Rotated: the mark does not stay with what has left. */
    if (was_plugged(model, &before) && !is_attached(model, model->selected))
        model->has_chosen = false;
    model_preselect(model);
    wish_for_changes(model, &before);
    if (model->has_drives && model->screen == SCREEN_EJECT &&
        !model->eject.is_active && was_plugged(model, &before))
        model_leave_eject(model);
    model->has_drives = true;
    drives_release(&before);
}
