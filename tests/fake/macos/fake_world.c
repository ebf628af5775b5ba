/*
 * What is plugged in, and what is to be answered.
 */
#include "fake_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pthread_mutex_t fake_mutex = PTHREAD_MUTEX_INITIALIZER;
struct fake_part *fake_parts;
long fake_daemon = 1;

static uint64_t next_number = 1;

enum { ANSWERS = 32 };
static struct fake_answer answers[ANSWERS];
static size_t answer_count;
static struct {
    enum fake_deed deed;
    char bsd_name[32];
} asked[256];
static size_t asked_count;

/* --- media --- */

static const char *copied(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void drop(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void copy_strings(struct fake_medium *medium)
{
    const char **strings[] = {
        &medium->bsd_name, &medium->on,          &medium->also_on,
        &medium->protocol, &medium->vendor,      &medium->model,
        &medium->serial,   &medium->kind,        &medium->label,
        &medium->source,   &medium->mount_point, &medium->type,
    };

    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = copied(*strings[i]);
}

static void part_free(struct fake_part *part)
{
    const char *strings[] = {
        part->is.bsd_name, part->is.on,          part->is.also_on,
        part->is.protocol, part->is.vendor,      part->is.model,
        part->is.serial,   part->is.kind,        part->is.label,
        part->is.source,   part->is.mount_point, part->is.type,
    };

    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        drop(strings[i]);
    free(part);
}

struct fake_part *fake_find(const char *bsd_name)
{
    for (struct fake_part *part = fake_parts; part; part = part->next)
        if (!strcmp(part->is.bsd_name, bsd_name))
            return part;
    return NULL;
}

struct fake_part *fake_find_number(uint64_t number)
{
    for (struct fake_part *part = fake_parts; part; part = part->next)
        if (part->number == number)
            return part;
    return NULL;
}

void fake_set_mount_point(struct fake_part *part, const char *mount_point)
{
    drop(part->is.mount_point);
    part->is.mount_point = copied(mount_point);
}

void fake_plug(const struct fake_medium *medium)
{
    struct fake_part *part = calloc(1, sizeof *part), **at = &fake_parts;

    if (!part)
        fake_abort("out of memory");
    part->is = *medium;
    copy_strings(&part->is);
    pthread_mutex_lock(&fake_mutex);
    part->number = next_number++;
    while (*at)
        at = &(*at)->next;
    *at = part;
    pthread_mutex_unlock(&fake_mutex);
    fake_tell(FAKE_APPEARED, medium->bsd_name);
}

/* What lies on it first. */
static char *take_uppermost(const char *bsd_name)
{
    for (struct fake_part *part = fake_parts; part; part = part->next)
        if ((part->is.on && !strcmp(part->is.on, bsd_name)) ||
            (part->is.also_on && !strcmp(part->is.also_on, bsd_name)))
            return take_uppermost(part->is.bsd_name);
    for (struct fake_part **at = &fake_parts; *at; at = &(*at)->next) {
        struct fake_part *part = *at;
        if (strcmp(part->is.bsd_name, bsd_name) != 0)
            continue;
        char *name = strdup(bsd_name);
        *at = part->next;
        part_free(part);
        return name;
    }
    return NULL;
}

void fake_unplug(const char *bsd_name)
{
    char *wanted = strdup(bsd_name);
    bool is_done = false;

    while (!is_done) {
        pthread_mutex_lock(&fake_mutex);
        char *name = take_uppermost(wanted);
        pthread_mutex_unlock(&fake_mutex);
        if (name)
            fake_tell(FAKE_DISAPPEARED, name);
        is_done = !name || !strcmp(name, wanted);
        free(name);
    }
    free(wanted);
}

/* diskarbitrationd answers before the medium goes. */
bool fake_is_plugged(const char *bsd_name)
{
    fake_daemon_settle();
    pthread_mutex_lock(&fake_mutex);
    bool is_plugged = fake_find(bsd_name) != NULL;
    pthread_mutex_unlock(&fake_mutex);
    return is_plugged;
}

bool fake_is_mounted(const char *bsd_name)
{
    fake_daemon_settle();
    pthread_mutex_lock(&fake_mutex);
    const struct fake_part *part = fake_find(bsd_name);
    bool is_mounted = part && part->is.mount_point;
    pthread_mutex_unlock(&fake_mutex);
    return is_mounted;
}

/* --- answers --- */

static struct fake_answer *find_answer(enum fake_deed deed,
                                       const char *bsd_name)
{
    for (size_t i = 0; i < answer_count; i++)
        if (answers[i].deed == deed && !strcmp(answers[i].bsd_name, bsd_name))
            return &answers[i];
    return NULL;
}

void fake_answer(const struct fake_answer *answer)
{
    pthread_mutex_lock(&fake_mutex);
    struct fake_answer *entry = find_answer(answer->deed, answer->bsd_name);
    if (!entry && answer_count == ANSWERS)
        fake_abort("too many answers");
    if (!entry)
        entry = &answers[answer_count++];
    *entry = *answer;
    pthread_mutex_unlock(&fake_mutex);
}

struct fake_answer fake_answer_to(enum fake_deed deed, const char *bsd_name)
{
    const struct fake_answer *found = find_answer(deed, bsd_name);

    if (asked_count < sizeof asked / sizeof asked[0]) {
        asked[asked_count].deed = deed;
        strncpy(asked[asked_count].bsd_name, bsd_name,
                sizeof asked[asked_count].bsd_name - 1);
        asked_count++;
    }
    return found ? *found : (struct fake_answer){.deed = deed};
}

int fake_asked(enum fake_deed deed, const char *bsd_name)
{
    int count = 0;

    pthread_mutex_lock(&fake_mutex);
    for (size_t i = 0; i < asked_count; i++)
        count += asked[i].deed == deed && !strcmp(asked[i].bsd_name, bsd_name);
    pthread_mutex_unlock(&fake_mutex);
    return count;
}

void fake_daemon_restart(void)
{
    pthread_mutex_lock(&fake_mutex);
    fake_daemon++;
    pthread_mutex_unlock(&fake_mutex);
}

/* --- the end --- */

long fake_live_objects(void)
{
    fake_timers_expire();
    fake_daemon_settle();
    /* A queue's thread ends a little after its last release. */
    for (int i = 0; i < 500 && atomic_load(&fake_alive); i++)
        usleep(10000);
    return atomic_load(&fake_alive);
}

void fake_reset(void)
{
    fake_daemon_settle();
    pthread_mutex_lock(&fake_mutex);
    while (fake_parts) {
        struct fake_part *part = fake_parts;
        fake_parts = part->next;
        part_free(part);
    }
    answer_count = 0;
    asked_count = 0;
    memset(asked, 0, sizeof asked);
    pthread_mutex_unlock(&fake_mutex);
    fake_forget_processes();
    fake_daemon_refuses(false);
    fake_power_refuses(false);
    fake_flush_errors(0, 0, 0);
    fake_rename_error(0);
    fake_filesystem("apfs");
    fake_keeps_private("");
}
