/*
 * CoreFoundation's values as ours. Whatever DiskArbitration or IOKit says may
 * be absent or of another type than documented: then it is unknown.
 */
#ifndef BERTH_MACOS_CF_H
#define BERTH_MACOS_CF_H

#include <CoreFoundation/CoreFoundation.h>
#include <stdbool.h>
#include <stdint.h>

/* NULL is fine. */
void macos_release(CFTypeRef value);
void macos_release_dictionary(CFDictionaryRef *dictionary);

/* In fresh memory, without blanks around it; "" unless `value` (which may be
 * NULL) is a string. free() it. */
char *macos_text(CFTypeRef value);
int64_t macos_number(CFTypeRef value, int64_t otherwise);
bool macos_flag(CFTypeRef value, bool otherwise);

/* The same of a key of a dictionary. */
char *macos_text_of(CFDictionaryRef dictionary, CFStringRef key);
int64_t macos_number_of(CFDictionaryRef dictionary, CFStringRef key,
                        int64_t otherwise);
bool macos_flag_of(CFDictionaryRef dictionary, CFStringRef key, bool otherwise);
/* Of a CFURL: the absolute path; "" where there is none. free() it. */
char *macos_path_of(CFDictionaryRef dictionary, CFStringRef key);
/* Of a CFUUID: lower case, no dashes; "" where there is none. free() it. */
char *macos_uuid_of(CFDictionaryRef dictionary, CFStringRef key);

/* A name in composed form (NFC), in fresh memory; NULL when it is so already
 * or is no UTF-8. */
char *macos_composed(const char *name);

#endif
