/*
 * IOKit's registry: what a medium hangs on. Any thread; asks the kernel only,
 * not DiskArbitration.
 */
#ifndef BERTH_MACOS_REGISTRY_H
#define BERTH_MACOS_REGISTRY_H

#include <IOKit/IOKitLib.h>
#include <stdbool.h>
#include <stdint.h>

/* Never given to anything else while the machine runs; 0: unknown. */
uint64_t macos_registry_id(io_registry_entry_t entry);

/*
 * The whole medium at the bottom of everything that `media` lies on: the
 * stick, not the disk that APFS makes up for its container. `media` itself
 * where nothing is below it. To be released; *out_spans: it lies on several.
 */
io_service_t macos_registry_physical(io_service_t media, bool *out_spans);

/* A property of the entry or of the nearest thing that it hangs on; "" and
 * `otherwise` where there is none. free() the text. */
char *macos_registry_text(io_registry_entry_t entry, const char *key);
/* … of a dictionary that is such a property. */
char *macos_registry_inner_text(io_registry_entry_t entry,
                                const char *dictionary, const char *key);
int64_t macos_registry_number(io_registry_entry_t entry, const char *key,
                              int64_t otherwise);
int64_t macos_registry_inner_number(io_registry_entry_t entry,
                                    const char *dictionary, const char *key,
                                    int64_t otherwise);

/* Every medium there is; to be released. 0 where the kernel does not say. */
io_iterator_t macos_registry_media(void);
/* "disk4s1": to be released; 0: it is not plugged in. */
io_service_t macos_registry_find(const char *bsd_name);

#endif
