/*
 * Between the files of the doubles.
 */
#ifndef FAKE_MACOS_INTERNAL_H
#define FAKE_MACOS_INTERNAL_H

#include "fake.h"

#include <DiskArbitration/DiskArbitration.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

extern _Atomic long fake_alive;

/* Says what the backend did wrong, and aborts. */
_Noreturn void fake_abort(const char *format, ...);

/* What was to run later runs now. */
void fake_timers_expire(void);

/* --- CoreFoundation --- */

enum fake_type {
    FAKE_STRING = 1,
    FAKE_NUMBER,
    FAKE_BOOLEAN,
    FAKE_URL,
    FAKE_UUID,
    FAKE_DICTIONARY,
    FAKE_SESSION,
    FAKE_DISK,
    FAKE_DISSENTER,
};

/* The head of every object. */
struct fake_object {
    uint32_t magic;
    enum fake_type type;
    atomic_int references;
    bool is_constant;
    void (*finish)(struct fake_object *);
};

void *fake_new(size_t size, enum fake_type type,
               void (*finish)(struct fake_object *));
/* Aborts unless it is a living object of that type. */
void *fake_check(CFTypeRef object, enum fake_type type);

/* All keys of descriptions, ended by NULL. */
extern const CFStringRef *const fake_keys[];

CFStringRef fake_string(const char *text);
const char *fake_text(CFStringRef string);
CFTypeRef fake_number(int64_t number);
CFTypeRef fake_boolean(bool flag);
CFTypeRef fake_url(const char *path);
CFTypeRef fake_uuid(void);
CFMutableDictionaryRef fake_dictionary(void);
/* Takes the value over; NULL: nothing is set. */
void fake_set(CFMutableDictionaryRef dictionary, CFStringRef key,
              CFTypeRef value);

/* --- the world, under its mutex --- */

struct fake_part {
    struct fake_medium is; /* strings owned */
    uint64_t number;       /* of this plugging */
    struct fake_part *next;
};

extern pthread_mutex_t fake_mutex;
extern struct fake_part *fake_parts;
extern long fake_daemon; /* which one is running */

struct fake_part *fake_find(const char *bsd_name);
struct fake_part *fake_find_number(uint64_t number);
/* The answer prepared for it; one that does it where there is none. */
struct fake_answer fake_answer_to(enum fake_deed deed, const char *bsd_name);
void fake_set_mount_point(struct fake_part *part, const char *mount_point);

/* --- news, without the mutex --- */

enum fake_news { FAKE_APPEARED, FAKE_DISAPPEARED, FAKE_CHANGED };
void fake_tell(enum fake_news news, const char *bsd_name);
void fake_daemon_settle(void);
void fake_forget_processes(void);

/* Of an open file, MAXPATHLEN. 0, or -1 with errno. */
int fake_path_of(int fd, char *out);

/* Of the medium's device. */
bool fake_smart_fails(io_service_t service);

/* The number in the registry of an IOMedia; 0: none such. */
uint64_t fake_media_number(io_service_t media);

#endif
