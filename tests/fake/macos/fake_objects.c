/*
 * CoreFoundation's double: counted objects.
 */
#include "fake_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { MAGIC = 0x43463432 };

_Atomic long fake_alive;

void fake_abort(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("fake macOS: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void *fake_new(size_t size, enum fake_type type,
               void (*finish)(struct fake_object *))
{
    struct fake_object *object = calloc(1, size);

    if (!object)
        fake_abort("out of memory");
    *object =
        (struct fake_object){.magic = MAGIC, .type = type, .finish = finish};
    atomic_init(&object->references, 1);
    atomic_fetch_add(&fake_alive, 1);
    return object;
}

static struct fake_object *head_of(CFTypeRef value)
{
    struct fake_object *object = (struct fake_object *)(uintptr_t)value;

    if (!object)
        fake_abort("NULL where an object is wanted");
    if (object->magic != MAGIC || atomic_load(&object->references) < 1)
        fake_abort("an object that was released");
    return object;
}

void *fake_check(CFTypeRef value, enum fake_type type)
{
    struct fake_object *object = head_of(value);

    if (object->type != type)
        fake_abort("an object of type %d where %d is wanted", object->type,
                   type);
    return object;
}

CFTypeRef CFRetain(CFTypeRef cf)
{
    atomic_fetch_add(&head_of(cf)->references, 1);
    return cf;
}

void CFRelease(CFTypeRef cf)
{
    struct fake_object *object = head_of(cf);

    if (object->is_constant || atomic_fetch_sub(&object->references, 1) != 1)
        return;
    if (object->finish)
        object->finish(object);
    object->magic = 0;
    atomic_fetch_sub(&fake_alive, 1);
    free(object);
}

CFTypeID CFGetTypeID(CFTypeRef cf)
{
    return head_of(cf)->type;
}

/* --- strings --- */

struct __CFString {
    struct fake_object head;
    char *text;
};

static void finish_string(struct fake_object *object)
{
    free(((struct __CFString *)object)->text);
}

static char *copy(const char *text)
{
    char *copied = strdup(text);

    if (!copied)
        fake_abort("out of memory");
    return copied;
}

CFStringRef fake_string(const char *text)
{
    struct __CFString *string =
        fake_new(sizeof *string, FAKE_STRING, finish_string);

    string->text = copy(text);
    return string;
}

const char *fake_text(CFStringRef string)
{
    return ((struct __CFString *)fake_check(string, FAKE_STRING))->text;
}

CFTypeID CFStringGetTypeID(void)
{
    return FAKE_STRING;
}

/* Constants live for ever, one for each text. */
CFStringRef __CFStringMakeConstantString(const char *cStr)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct __CFString constants[64];
    static size_t count;
    size_t i = 0;

    pthread_mutex_lock(&mutex);
    while (i < count && strcmp(constants[i].text, cStr) != 0)
        i++;
    if (i == sizeof constants / sizeof constants[0])
        fake_abort("too many constant strings");
    if (i == count) {
        constants[i].head = (struct fake_object){
            .magic = MAGIC, .type = FAKE_STRING, .is_constant = true};
        atomic_init(&constants[i].head.references, 1);
        constants[i].text = (char *)(uintptr_t)cStr;
        count++;
    }
    pthread_mutex_unlock(&mutex);
    return &constants[i];
}

static bool is_utf8(const char *text)
{
    utf8proc_int32_t character;
    utf8proc_ssize_t taken;

    for (; *text; text += taken) {
        taken =
            utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &character);
        if (taken < 1)
            return false;
    }
    return true;
}

CFStringRef CFStringCreateWithCString(CFAllocatorRef alloc, const char *cStr,
                                      CFStringEncoding encoding)
{
    if (encoding != kCFStringEncodingUTF8)
        fake_abort("a string in another encoding than UTF-8");
    return is_utf8(cStr) ? fake_string(cStr) : NULL;
}

CFMutableStringRef CFStringCreateMutableCopy(CFAllocatorRef alloc,
                                             CFIndex maxLength,
                                             CFStringRef theString)
{
    return (CFMutableStringRef)(uintptr_t)fake_string(fake_text(theString));
}

/* In UTF-16 units, which are at most as many as the bytes. */
CFIndex CFStringGetLength(CFStringRef theString)
{
    return (CFIndex)strlen(fake_text(theString));
}

CFIndex CFStringGetMaximumSizeForEncoding(CFIndex length,
                                          CFStringEncoding encoding)
{
    return 3 * length;
}

Boolean CFStringGetCString(CFStringRef theString, char *buffer,
                           CFIndex bufferSize, CFStringEncoding encoding)
{
    const char *text = fake_text(theString);

    if ((CFIndex)strlen(text) >= bufferSize)
        return false;
    memcpy(buffer, text, strlen(text) + 1);
    return true;
}

void CFStringNormalize(CFMutableStringRef theString,
                       CFStringNormalizationForm theForm)
{
    struct __CFString *string = fake_check(theString, FAKE_STRING);
    utf8proc_uint8_t *composed =
        utf8proc_NFC((const utf8proc_uint8_t *)string->text);

    if (!composed || theForm != kCFStringNormalizationFormC)
        fake_abort("CFStringNormalize");
    free(string->text);
    string->text = (char *)composed;
}

/* --- the keys of DiskArbitration's descriptions --- */

#define CONSTANT(name, words)                                                  \
    static struct __CFString name##_object = {.head = {.magic = MAGIC,         \
                                                       .type = FAKE_STRING,    \
                                                       .references = 1,        \
                                                       .is_constant = true},   \
                                              .text =                          \
                                                  (char *)(uintptr_t)(words)}; \
    const CFStringRef name = &name##_object

CONSTANT(kDADiskDescriptionVolumeKindKey, "DAVolumeKind");
CONSTANT(kDADiskDescriptionVolumeNameKey, "DAVolumeName");
CONSTANT(kDADiskDescriptionVolumeNetworkKey, "DAVolumeNetwork");
CONSTANT(kDADiskDescriptionVolumePathKey, "DAVolumePath");
CONSTANT(kDADiskDescriptionVolumeUUIDKey, "DAVolumeUUID");
CONSTANT(kDADiskDescriptionMediaEncryptedKey, "DAMediaEncrypted");
CONSTANT(kDADiskDescriptionMediaSizeKey, "DAMediaSize");
CONSTANT(kDADiskDescriptionMediaWritableKey, "DAMediaWritable");
CONSTANT(kDADiskDescriptionDeviceInternalKey, "DADeviceInternal");
CONSTANT(kDADiskDescriptionDeviceModelKey, "DADeviceModel");
CONSTANT(kDADiskDescriptionDeviceProtocolKey, "DADeviceProtocol");
CONSTANT(kDADiskDescriptionDeviceVendorKey, "DADeviceVendor");

const CFStringRef *const fake_keys[] = {
    &kDADiskDescriptionVolumeKindKey,
    &kDADiskDescriptionVolumeNameKey,
    &kDADiskDescriptionVolumeNetworkKey,
    &kDADiskDescriptionVolumePathKey,
    &kDADiskDescriptionVolumeUUIDKey,
    &kDADiskDescriptionMediaEncryptedKey,
    &kDADiskDescriptionMediaSizeKey,
    &kDADiskDescriptionMediaWritableKey,
    &kDADiskDescriptionDeviceInternalKey,
    &kDADiskDescriptionDeviceModelKey,
    &kDADiskDescriptionDeviceProtocolKey,
    &kDADiskDescriptionDeviceVendorKey,
    NULL,
};

/* --- numbers --- */

struct __CFNumber {
    struct fake_object head;
    int64_t value;
};

CFTypeRef fake_number(int64_t value)
{
    struct __CFNumber *number = fake_new(sizeof *number, FAKE_NUMBER, NULL);

    number->value = value;
    return number;
}

CFTypeRef fake_boolean(bool flag)
{
    struct __CFNumber *boolean = fake_new(sizeof *boolean, FAKE_BOOLEAN, NULL);

    boolean->value = flag;
    return boolean;
}

CFTypeID CFNumberGetTypeID(void)
{
    return FAKE_NUMBER;
}

Boolean CFNumberGetValue(CFNumberRef number, CFNumberType theType,
                         void *valuePtr)
{
    const struct __CFNumber *found = fake_check(number, FAKE_NUMBER);

    if (theType != kCFNumberSInt64Type)
        fake_abort("a number of type %ld", theType);
    memcpy(valuePtr, &found->value, sizeof found->value);
    return true;
}

CFTypeID CFBooleanGetTypeID(void)
{
    return FAKE_BOOLEAN;
}

Boolean CFBooleanGetValue(CFBooleanRef boolean)
{
    return ((struct __CFNumber *)fake_check(boolean, FAKE_BOOLEAN))->value != 0;
}

/* --- places and identifiers --- */

CFTypeRef fake_url(const char *path)
{
    struct __CFString *url = fake_new(sizeof *url, FAKE_URL, finish_string);

    url->text = malloc(strlen(path) + 2);
    if (!url->text)
        fake_abort("out of memory");
    strcpy(url->text, path);
    if (path[strlen(path) - 1] != '/')
        strcat(url->text, "/");
    return url;
}

CFTypeID CFURLGetTypeID(void)
{
    return FAKE_URL;
}

Boolean CFURLGetFileSystemRepresentation(CFURLRef url,
                                         Boolean resolveAgainstBase,
                                         UInt8 *buffer, CFIndex maxBufLen)
{
    const struct __CFString *found = fake_check(url, FAKE_URL);

    if ((CFIndex)strlen(found->text) >= maxBufLen)
        return false;
    memcpy(buffer, found->text, strlen(found->text) + 1);
    return true;
}

/* There is one UUID, and it is enough. */
CFTypeRef fake_uuid(void)
{
    return fake_new(sizeof(struct fake_object), FAKE_UUID, NULL);
}

CFTypeID CFUUIDGetTypeID(void)
{
    return FAKE_UUID;
}

CFStringRef CFUUIDCreateString(CFAllocatorRef alloc, CFUUIDRef uuid)
{
    fake_check(uuid, FAKE_UUID);
    return fake_string("01234567-89AB-CDEF-0123-456789ABCDEF");
}

CFUUIDRef CFUUIDGetConstantUUIDWithBytes(CFAllocatorRef alloc, UInt8 byte0,
                                         UInt8 byte1, UInt8 byte2, UInt8 byte3,
                                         UInt8 byte4, UInt8 byte5, UInt8 byte6,
                                         UInt8 byte7, UInt8 byte8, UInt8 byte9,
                                         UInt8 byte10, UInt8 byte11,
                                         UInt8 byte12, UInt8 byte13,
                                         UInt8 byte14, UInt8 byte15)
{
    static struct fake_object constant = {.magic = MAGIC,
                                          .type = FAKE_UUID,
                                          .references = 1,
                                          .is_constant = true};

    return (CFUUIDRef)(const void *)&constant;
}

CFUUIDBytes CFUUIDGetUUIDBytes(CFUUIDRef uuid)
{
    fake_check(uuid, FAKE_UUID);
    return (CFUUIDBytes){.byte0 = 0x08};
}

/* --- dictionaries --- */

enum { KEYS = 32 };

struct __CFDictionary {
    struct fake_object head;
    size_t count;
    CFStringRef keys[KEYS];
    CFTypeRef values[KEYS];
};

static void finish_dictionary(struct fake_object *object)
{
    struct __CFDictionary *dictionary = (struct __CFDictionary *)object;

    for (size_t i = 0; i < dictionary->count; i++) {
        CFRelease(dictionary->keys[i]);
        CFRelease(dictionary->values[i]);
    }
}

CFMutableDictionaryRef fake_dictionary(void)
{
    return fake_new(sizeof(struct __CFDictionary), FAKE_DICTIONARY,
                    finish_dictionary);
}

void fake_set(CFMutableDictionaryRef dictionary, CFStringRef key,
              CFTypeRef value)
{
    if (!value)
        return;
    if (dictionary->count == KEYS)
        fake_abort("a dictionary with too many keys");
    dictionary->keys[dictionary->count] = CFRetain(key);
    dictionary->values[dictionary->count++] = value;
}

CFTypeID CFDictionaryGetTypeID(void)
{
    return FAKE_DICTIONARY;
}

const void *CFDictionaryGetValue(CFDictionaryRef theDict, const void *key)
{
    const struct __CFDictionary *dictionary =
        fake_check(theDict, FAKE_DICTIONARY);
    const char *wanted = fake_text(key);

    for (size_t i = 0; i < dictionary->count; i++)
        if (!strcmp(fake_text(dictionary->keys[i]), wanted))
            return dictionary->values[i];
    return NULL;
}
