/*
 * UDisks2, which does for an ordinary user what takes rights. Every function
 * waits for it: workers only.
 *
 * ERR_NOT_FOUND: it is not there, or does not know the device; whoever has
 * rights may do it himself then. ERR_DENIED says in its words what helps.
 * ERR_CANCELLED: the platform ended.
 */
#ifndef BERTH_LINUX_UDISKS_H
#define BERTH_LINUX_UDISKS_H

#include "platform/linux/linux_bus.h"

/* `name` is the kernel's ("sda1"), `device` what the user knows it by. */
err_code linux_udisks_mount(struct linux_bus *bus, const char *name,
                            const char *device, struct error *err) MUST_CHECK;
/* One of its mounts. ERR_OK also when there was none any more. */
err_code linux_udisks_unmount(struct linux_bus *bus, const char *name,
                              const char *device, struct error *err) MUST_CHECK;
/* `name` is that of the container. */
err_code linux_udisks_lock(struct linux_bus *bus, const char *name,
                           const char *device, struct error *err) MUST_CHECK;
err_code linux_udisks_power_off(struct linux_bus *bus, const char *name,
                                const char *device, struct error *err)
    MUST_CHECK;

/*
 * For what is read: the object of a disk's drive (free() it), and one call on
 * it whose name and words are in *out when it failed.
 */
err_code linux_udisks_drive(struct linux_bus *bus, const char *name,
                            char **out_path, struct error *err) MUST_CHECK;
void linux_udisks_call(struct linux_bus *bus, const char *path,
                       const char *interface, const char *member,
                       int (*write)(sd_bus_message *, void *),
                       int (*read)(sd_bus_message *, void *), void *context,
                       struct linux_answer *out);

/*
 * The code for an error's name, for tests: "org.freedesktop.UDisks2.Error.…".
 */
err_code linux_udisks_code(const char *name, const char *words);

#endif
