/*
 * DiskArbitration's double. Requests go to a daemon, a queue of its own, and
 * their answers come back on the session's queue.
 */
#include "fake_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct __DASession {
    struct fake_object head;
    long daemon;
    dispatch_queue_t queue; /* under fake_mutex, as all below */
    struct __DASession *next;
    DADiskAppearedCallback appeared;
    DADiskDisappearedCallback disappeared;
    DADiskDescriptionChangedCallback changed;
    void *contexts[3];
    DADiskUnmountApprovalCallback approve;
    void *approve_context;
};

struct __DADisk {
    struct fake_object head;
    DASessionRef session;
    char *bsd_name;
};

struct __DADissenter {
    struct fake_object head;
    DAReturn status;
    CFStringRef words;
};

static struct __DASession *scheduled; /* those with a queue */
static dispatch_queue_t daemon_queue;

/* --- sessions --- */

static _Atomic bool is_refusing;

void fake_daemon_refuses(bool refuses)
{
    atomic_store(&is_refusing, refuses);
}

static void finish_session(struct fake_object *object)
{
    if (((DASessionRef)object)->queue)
        fake_abort("a session is released that is still on its queue");
}

DASessionRef DASessionCreate(CFAllocatorRef allocator)
{
    if (atomic_load(&is_refusing))
        return NULL;
    DASessionRef session =
        fake_new(sizeof *session, FAKE_SESSION, finish_session);
    pthread_mutex_lock(&fake_mutex);
    session->daemon = fake_daemon;
    pthread_mutex_unlock(&fake_mutex);
    return session;
}

struct news {
    DASessionRef session; /* retained */
    enum fake_news news;
    char bsd_name[32];
};

static DADiskRef new_disk(DASessionRef session, const char *bsd_name);

static void deliver(void *context)
{
    struct news *news = context;
    DASessionRef session = news->session;
    DADiskRef disk = new_disk(session, news->bsd_name);

    pthread_mutex_lock(&fake_mutex);
    bool is_on = session->queue != NULL;
    void *to = session->contexts[news->news];
    pthread_mutex_unlock(&fake_mutex);
    if (is_on && news->news == FAKE_APPEARED && session->appeared)
        session->appeared(disk, to);
    if (is_on && news->news == FAKE_DISAPPEARED && session->disappeared)
        session->disappeared(disk, to);
    if (is_on && news->news == FAKE_CHANGED && session->changed)
        session->changed(disk, NULL, to);
    CFRelease(disk);
    CFRelease(session);
    free(news);
}

/* With the mutex held. */
static void send(DASessionRef session, enum fake_news kind,
                 const char *bsd_name)
{
    struct news *news = calloc(1, sizeof *news);

    if (session->daemon != fake_daemon || !news) {
        free(news);
        return;
    }
    news->session = (DASessionRef)(uintptr_t)CFRetain(session);
    news->news = kind;
    strncpy(news->bsd_name, bsd_name, sizeof news->bsd_name - 1);
    dispatch_async_f(session->queue, news, deliver);
}

void fake_tell(enum fake_news news, const char *bsd_name)
{
    pthread_mutex_lock(&fake_mutex);
    for (DASessionRef session = scheduled; session; session = session->next)
        send(session, news, bsd_name);
    pthread_mutex_unlock(&fake_mutex);
}

static void unschedule(DASessionRef session)
{
    struct __DASession **at = &scheduled;

    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    dispatch_release(session->queue);
    session->queue = NULL;
}

void DASessionSetDispatchQueue(DASessionRef session, dispatch_queue_t queue)
{
    fake_check(session, FAKE_SESSION);
    pthread_mutex_lock(&fake_mutex);
    if (session->queue)
        unschedule(session);
    if (queue) {
        dispatch_retain(queue);
        session->queue = queue;
        session->next = scheduled;
        scheduled = session;
        for (const struct fake_part *part = fake_parts; part; part = part->next)
            send(session, FAKE_APPEARED, part->is.bsd_name);
    }
    pthread_mutex_unlock(&fake_mutex);
}

void DARegisterDiskAppearedCallback(DASessionRef session, CFDictionaryRef match,
                                    DADiskAppearedCallback callback,
                                    void *context)
{
    session->appeared = callback;
    session->contexts[FAKE_APPEARED] = context;
}

void DARegisterDiskDisappearedCallback(DASessionRef session,
                                       CFDictionaryRef match,
                                       DADiskDisappearedCallback callback,
                                       void *context)
{
    session->disappeared = callback;
    session->contexts[FAKE_DISAPPEARED] = context;
}

void DARegisterDiskDescriptionChangedCallback(
    DASessionRef session, CFDictionaryRef match, CFArrayRef watch,
    DADiskDescriptionChangedCallback callback, void *context)
{
    session->changed = callback;
    session->contexts[FAKE_CHANGED] = context;
}

void DARegisterDiskUnmountApprovalCallback(
    DASessionRef session, CFDictionaryRef match,
    DADiskUnmountApprovalCallback callback, void *context)
{
    pthread_mutex_lock(&fake_mutex);
    session->approve = callback;
    session->approve_context = context;
    pthread_mutex_unlock(&fake_mutex);
}

void DAUnregisterCallback(DASessionRef session, void *callback, void *context)
{
    pthread_mutex_lock(&fake_mutex);
    if ((void *)(uintptr_t)session->approve != callback ||
        session->approve_context != context)
        fake_abort("a callback that was not registered");
    session->approve = NULL;
    pthread_mutex_unlock(&fake_mutex);
}

/* --- disks --- */

static void finish_disk(struct fake_object *object)
{
    CFRelease(((DADiskRef)object)->session);
    free(((DADiskRef)object)->bsd_name);
}

static DADiskRef new_disk(DASessionRef session, const char *bsd_name)
{
    DADiskRef disk = fake_new(sizeof *disk, FAKE_DISK, finish_disk);

    fake_check(session, FAKE_SESSION);
    disk->session = (DASessionRef)(uintptr_t)CFRetain(session);
    disk->bsd_name = strdup(bsd_name);
    return disk;
}

DADiskRef DADiskCreateFromBSDName(CFAllocatorRef allocator,
                                  DASessionRef session, const char *name)
{
    return new_disk(session, name);
}

DADiskRef DADiskCreateFromIOMedia(CFAllocatorRef allocator,
                                  DASessionRef session, io_service_t media)
{
    uint64_t number = fake_media_number(media);
    DADiskRef disk = NULL;

    pthread_mutex_lock(&fake_mutex);
    const struct fake_part *part = fake_find_number(number);
    if (part)
        disk = new_disk(session, part->is.bsd_name);
    pthread_mutex_unlock(&fake_mutex);
    return disk;
}

static CFTypeRef text_or_not(const char *text)
{
    return text ? fake_string(text) : NULL;
}

static void describe_volume(const struct fake_medium *is,
                            CFMutableDictionaryRef to)
{
    fake_set(to, kDADiskDescriptionVolumeKindKey, text_or_not(is->kind));
    fake_set(to, kDADiskDescriptionVolumeNameKey, text_or_not(is->label));
    if (is->mount_point)
        fake_set(to, kDADiskDescriptionVolumePathKey,
                 fake_url(is->mount_point));
    if (is->has_uuid)
        fake_set(to, kDADiskDescriptionVolumeUUIDKey, fake_uuid());
    fake_set(to, kDADiskDescriptionVolumeNetworkKey, fake_boolean(false));
}

static void describe(const struct fake_medium *is, CFMutableDictionaryRef to)
{
    describe_volume(is, to);
    fake_set(to, kDADiskDescriptionMediaSizeKey, fake_number(is->size_bytes));
    fake_set(to, kDADiskDescriptionMediaWritableKey,
             fake_boolean(!is->is_read_only));
    fake_set(to, kDADiskDescriptionMediaEncryptedKey,
             fake_boolean(is->is_encrypted));
    if (is->is_internal || is->says_not_internal)
        fake_set(to, kDADiskDescriptionDeviceInternalKey,
                 fake_boolean(is->is_internal));
    fake_set(to, kDADiskDescriptionDeviceProtocolKey,
             text_or_not(is->protocol));
    fake_set(to, kDADiskDescriptionDeviceVendorKey, text_or_not(is->vendor));
    fake_set(to, kDADiskDescriptionDeviceModelKey, text_or_not(is->model));
}

static void describe_wrongly(CFMutableDictionaryRef to)
{
    for (size_t i = 0; fake_keys[i]; i++)
        fake_set(to, *fake_keys[i], i % 2 ? fake_number(7) : fake_dictionary());
}

const char *DADiskGetBSDName(DADiskRef disk)
{
    fake_check(disk, FAKE_DISK);
    return disk->bsd_name;
}

CFDictionaryRef DADiskCopyDescription(DADiskRef disk)
{
    CFMutableDictionaryRef description = NULL;

    fake_check(disk, FAKE_DISK);
    pthread_mutex_lock(&fake_mutex);
    const struct fake_part *part = fake_find(disk->bsd_name);
    if (part && disk->session->daemon == fake_daemon &&
        part->is.description != FAKE_NULL) {
        description = fake_dictionary();
        if (part->is.description == FAKE_SAID)
            describe(&part->is, description);
        if (part->is.description == FAKE_WRONG_TYPES)
            describe_wrongly(description);
    }
    pthread_mutex_unlock(&fake_mutex);
    return description;
}

/* --- requests --- */

struct operation {
    DADiskRef disk; /* retained, and with it the session */
    enum fake_deed deed;
    DADiskUnmountCallback callback; /* all three are of this type */
    void *context;
    struct fake_answer answer;
    DAReturn status;
    char words[128]; /* of who did not approve */
};

static void finish_dissenter(struct fake_object *object)
{
    DADissenterRef dissenter = (DADissenterRef)(const void *)object;

    if (dissenter->words)
        CFRelease(dissenter->words);
}

DAReturn DADissenterGetStatus(DADissenterRef dissenter)
{
    fake_check(dissenter, FAKE_DISSENTER);
    return dissenter->status;
}

CFStringRef DADissenterGetStatusString(DADissenterRef dissenter)
{
    return dissenter->words;
}

DADissenterRef DADissenterCreate(CFAllocatorRef allocator, DAReturn status,
                                 CFStringRef string)
{
    struct __DADissenter *dissenter =
        fake_new(sizeof *dissenter, FAKE_DISSENTER, finish_dissenter);

    dissenter->status = status;
    dissenter->words = string ? CFRetain(string) : NULL;
    return dissenter;
}

/* --- approval --- */

struct asking {
    DASessionRef session; /* retained */
    const char *bsd_name;
    struct fake_answer *answer;
    char *words;
    size_t size;
};

/* On the session's queue. The first no counts. */
static void ask_one(void *context)
{
    const struct asking *asking = context;
    DADiskRef disk = new_disk(asking->session, asking->bsd_name);

    pthread_mutex_lock(&fake_mutex);
    DADiskUnmountApprovalCallback approve =
        asking->session->queue ? asking->session->approve : NULL;
    void *to = asking->session->approve_context;
    pthread_mutex_unlock(&fake_mutex);
    DADissenterRef no = approve ? approve(disk, to) : NULL;
    if (no && !asking->answer->status) {
        asking->answer->status = no->status;
        snprintf(asking->words, asking->size, "%s",
                 no->words ? fake_text(no->words) : "");
    }
    if (no)
        CFRelease(no);
    CFRelease(disk);
}

/* Those who want to be asked, retained. */
static size_t find_approvers(DASessionRef *out, size_t size)
{
    size_t count = 0;

    pthread_mutex_lock(&fake_mutex);
    for (DASessionRef at = scheduled; at && count < size; at = at->next)
        if (at->approve && at->daemon == fake_daemon)
            out[count++] = (DASessionRef)(uintptr_t)CFRetain(at);
    pthread_mutex_unlock(&fake_mutex);
    return count;
}

enum { APPROVERS = 8 };

int fake_approvers(void)
{
    DASessionRef sessions[APPROVERS];
    size_t count = find_approvers(sessions, APPROVERS);

    for (size_t i = 0; i < count; i++)
        CFRelease(sessions[i]);
    return (int)count;
}

static void ask_for_approval(const char *bsd_name, struct fake_answer *answer,
                             char *words, size_t size)
{
    DASessionRef sessions[APPROVERS];
    size_t count = find_approvers(sessions, APPROVERS);

    for (size_t i = 0; i < count; i++) {
        struct asking asking = {sessions[i], bsd_name, answer, words, size};
        pthread_mutex_lock(&fake_mutex);
        dispatch_queue_t queue = sessions[i]->queue;
        if (queue)
            dispatch_retain(queue);
        pthread_mutex_unlock(&fake_mutex);
        if (queue) {
            dispatch_sync_f(queue, &asking, ask_one);
            dispatch_release(queue);
        }
        CFRelease(sessions[i]);
    }
}

static void call_back(const struct operation *operation)
{
    const char *words =
        *operation->words ? operation->words : operation->answer.words;
    CFStringRef string = words ? fake_string(words) : NULL;
    DADissenterRef dissenter =
        operation->status ? DADissenterCreate(NULL, operation->status, string)
                          : NULL;

    operation->callback(operation->disk, dissenter, operation->context);
    if (dissenter)
        CFRelease(dissenter);
    if (string)
        CFRelease(string);
}

static void operation_free(struct operation *operation)
{
    CFRelease(operation->disk);
    free(operation);
}

/* On the session's queue, if it is still on it. */
static void answer(void *context)
{
    struct operation *operation = context;

    pthread_mutex_lock(&fake_mutex);
    bool is_on = operation->disk->session->queue != NULL;
    pthread_mutex_unlock(&fake_mutex);
    if (is_on)
        call_back(operation);
    operation_free(operation);
}

static bool same_unit(const char *one, const char *other)
{
    size_t unit = 4 + strspn(one + 4, "0123456789");

    return unit == 4 + strspn(other + 4, "0123456789") &&
           !strncmp(one, other, unit);
}

/* With the mutex held: what the daemon itself has to say. */
static DAReturn perform(enum fake_deed deed, struct fake_part *part)
{
    char mount_point[256] = "/Volumes/";

    if (!part)
        return kDAReturnNotFound;
    switch (deed) {
    case FAKE_UNMOUNT:
        if (!part->is.mount_point)
            return kDAReturnNotMounted;
        fake_set_mount_point(part, NULL);
        return 0;
    case FAKE_MOUNT:
        if (part->is.mount_point || !part->is.kind)
            return part->is.mount_point ? kDAReturnBusy : kDAReturnUnsupported;
        strncat(mount_point, part->is.label ? part->is.label : "Untitled", 200);
        fake_set_mount_point(part, mount_point);
        return 0;
    default:
        break;
    }
    if (!part->is.is_whole)
        return kDAReturnUnsupported;
    for (const struct fake_part *at = fake_parts; at; at = at->next)
        if (same_unit(at->is.bsd_name, part->is.bsd_name) && at->is.mount_point)
            return kDAReturnBusy;
    return 0;
}

static void wait_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000,
                            .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&time, NULL);
}

/* The lowest medium that it lies on, as its BSD name: of the device. */
static void device_of(const char *bsd_name, char *out, size_t size)
{
    pthread_mutex_lock(&fake_mutex);
    const struct fake_part *part = fake_find(bsd_name);
    while (part && part->is.on)
        part = fake_find(part->is.on);
    snprintf(out, size, "%s", part ? part->is.bsd_name : bsd_name);
    pthread_mutex_unlock(&fake_mutex);
}

static void serve(void *context)
{
    struct operation *operation = context;
    DASessionRef session = operation->disk->session;
    const char *name = operation->disk->bsd_name;
    char device[32];

    wait_ms(operation->answer.delay_ms);
    if (operation->answer.vanishes) {
        device_of(name, device, sizeof device);
        fake_unplug(device);
    }
    if (operation->answer.daemon_dies)
        fake_daemon_restart();
    if (operation->deed == FAKE_UNMOUNT && !operation->answer.status)
        ask_for_approval(name, &operation->answer, operation->words,
                         sizeof operation->words);
    pthread_mutex_lock(&fake_mutex);
    operation->status = operation->answer.status
                            ? operation->answer.status
                            : perform(operation->deed, fake_find(name));
    bool is_silent = session->daemon != fake_daemon || !session->queue;
    bool is_ejected = !operation->status && operation->deed == FAKE_EJECT;
    if (!is_silent) {
        char changed[32];
        snprintf(changed, sizeof changed, "%s", name);
        bool is_done = !operation->status;
        dispatch_async_f(session->queue, operation, answer);
        pthread_mutex_unlock(&fake_mutex);
        if (is_done && is_ejected)
            fake_unplug(changed);
        else if (is_done)
            fake_tell(FAKE_CHANGED, changed);
        return;
    }
    pthread_mutex_unlock(&fake_mutex);
    operation_free(operation);
}

static void request(enum fake_deed deed, DADiskRef disk,
                    DADiskUnmountCallback callback, void *context)
{
    struct operation *operation = calloc(1, sizeof *operation);

    fake_check(disk, FAKE_DISK);
    if (!operation)
        fake_abort("out of memory");
    *operation = (struct operation){
        .disk = (DADiskRef)(uintptr_t)CFRetain(disk),
        .deed = deed,
        .callback = callback,
        .context = context,
    };
    pthread_mutex_lock(&fake_mutex);
    if (!disk->session->queue)
        fake_abort("a request on a session without a queue");
    operation->answer = fake_answer_to(deed, disk->bsd_name);
    bool is_refused =
        disk->session->daemon != fake_daemon || !fake_find(disk->bsd_name);
    operation->status =
        is_refused ? kDAReturnBadArgument : operation->answer.status;
    if (!daemon_queue)
        daemon_queue = dispatch_queue_create("diskarbitrationd", NULL);
    if (!is_refused && !operation->answer.at_once) {
        dispatch_async_f(daemon_queue, operation, serve);
        operation = NULL;
    }
    pthread_mutex_unlock(&fake_mutex);
    if (operation) {
        call_back(operation);
        operation_free(operation);
    }
}

void DADiskMount(DADiskRef disk, CFURLRef path, DADiskMountOptions options,
                 DADiskMountCallback callback, void *context)
{
    request(FAKE_MOUNT, disk, callback, context);
}

void DADiskUnmount(DADiskRef disk, DADiskUnmountOptions options,
                   DADiskUnmountCallback callback, void *context)
{
    if (options & kDADiskUnmountOptionForce)
        fake_abort("berth never unmounts by force");
    request(FAKE_UNMOUNT, disk, callback, context);
}

void DADiskEject(DADiskRef disk, DADiskEjectOptions options,
                 DADiskEjectCallback callback, void *context)
{
    request(FAKE_EJECT, disk, callback, context);
}

int fake_unmount(const char *bsd_name, char *words, size_t size)
{
    struct fake_answer answer = {.deed = FAKE_UNMOUNT};

    *words = '\0';
    ask_for_approval(bsd_name, &answer, words, size);
    if (!answer.status) {
        pthread_mutex_lock(&fake_mutex);
        answer.status = perform(FAKE_UNMOUNT, fake_find(bsd_name));
        pthread_mutex_unlock(&fake_mutex);
        fake_tell(FAKE_CHANGED, bsd_name);
    }
    return answer.status;
}

static void nothing(void *context)
{
    (void)context;
}

void fake_daemon_settle(void)
{
    pthread_mutex_lock(&fake_mutex);
    dispatch_queue_t queue = daemon_queue;
    daemon_queue = NULL;
    pthread_mutex_unlock(&fake_mutex);
    if (!queue)
        return;
    dispatch_sync_f(queue, NULL, nothing);
    dispatch_release(queue);
}
