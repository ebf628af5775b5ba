#include "platform/macos/macos_cf.h"

#include "core/base/error.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void macos_release(CFTypeRef value)
{
    if (value)
        CFRelease(value);
}

void macos_release_dictionary(CFDictionaryRef *dictionary)
{
    macos_release(*dictionary);
}

/* NULL when it cannot be said in UTF-8. */
static char *utf8_of(CFStringRef text)
{
    CFIndex size = CFStringGetMaximumSizeForEncoding(CFStringGetLength(text),
                                                     kCFStringEncodingUTF8) +
                   1;
    char *buffer = xmalloc((size_t)size);

    if (CFStringGetCString(text, buffer, size, kCFStringEncodingUTF8))
        return buffer;
    free(buffer);
    return NULL;
}

/* "WD      ": SCSI's names are padded. */
static char *trimmed(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    return xstrndup(text, length);
}

char *macos_text(CFTypeRef value)
{
    if (!value || CFGetTypeID(value) != CFStringGetTypeID())
        return xstrdup("");
    CLEANUP_FREE char *text = utf8_of(value);
    return trimmed(text ? text : "");
}

int64_t macos_number(CFTypeRef value, int64_t otherwise)
{
    int64_t number;

    if (!value || CFGetTypeID(value) != CFNumberGetTypeID() ||
        !CFNumberGetValue(value, kCFNumberSInt64Type, &number))
        return otherwise;
    return number;
}

bool macos_flag(CFTypeRef value, bool otherwise)
{
    if (!value || CFGetTypeID(value) != CFBooleanGetTypeID())
        return otherwise;
    return CFBooleanGetValue(value);
}

char *macos_text_of(CFDictionaryRef dictionary, CFStringRef key)
{
    return macos_text(CFDictionaryGetValue(dictionary, key));
}

int64_t macos_number_of(CFDictionaryRef dictionary, CFStringRef key,
                        int64_t otherwise)
{
    return macos_number(CFDictionaryGetValue(dictionary, key), otherwise);
}

bool macos_flag_of(CFDictionaryRef dictionary, CFStringRef key, bool otherwise)
{
    return macos_flag(CFDictionaryGetValue(dictionary, key), otherwise);
}

char *macos_path_of(CFDictionaryRef dictionary, CFStringRef key)
{
    CFTypeRef value = CFDictionaryGetValue(dictionary, key);
    char path[PATH_MAX];

    if (!value || CFGetTypeID(value) != CFURLGetTypeID() ||
        !CFURLGetFileSystemRepresentation(value, true, (UInt8 *)path,
                                          sizeof path))
        return xstrdup("");
    /* A volume's URL ends with a slash, its mount point does not. */
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    return xstrdup(path);
}

char *macos_uuid_of(CFDictionaryRef dictionary, CFStringRef key)
{
    CFTypeRef value = CFDictionaryGetValue(dictionary, key);

    if (!value || CFGetTypeID(value) != CFUUIDGetTypeID())
        return xstrdup("");
    CFStringRef words = CFUUIDCreateString(NULL, value);
    char *text = macos_text(words), *to = text;
    macos_release(words);
    for (const char *from = text; *from; from++)
        if (isxdigit((unsigned char)*from))
            *to++ = (char)tolower((unsigned char)*from);
    *to = '\0';
    return text;
}

static bool is_ascii(const char *name)
{
    while (*name && (unsigned char)*name < 0x80)
        name++;
    return !*name;
}

char *macos_composed(const char *name)
{
    if (is_ascii(name))
        return NULL;
    CFStringRef given =
        CFStringCreateWithCString(NULL, name, kCFStringEncodingUTF8);
    if (!given)
        return NULL;
    CFMutableStringRef changed = CFStringCreateMutableCopy(NULL, 0, given);
    CFRelease(given);
    if (!changed)
        return NULL;
    CFStringNormalize(changed, kCFStringNormalizationFormC);
    char *composed = utf8_of(changed);
    CFRelease(changed);
    return composed;
}
