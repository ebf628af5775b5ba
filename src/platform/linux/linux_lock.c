/*
 * Locking an encrypted container: by UDisks2, which also forgets the key that
 * it may keep; by the device mapper itself where UDisks2 is absent.
 */
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_request.h"
#include "platform/linux/linux_udisks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* An opened container. Strings are owned; NULL: the device is none. */
struct container {
    char *dm_name; /* of what it was opened as */
    char *name;    /* the kernel's, of what it lies in: "sda1" */
};

static void container_release(struct container *container)
{
    free(container->dm_name);
    free(container->name);
}

static err_code find_container(const char *device, struct container *out,
                               struct error *err)
{
    struct linux_snapshot snapshot;
    err_code code = linux_snapshot_read(NULL, &snapshot, err);

    if (code)
        return code;
    const struct linux_block *block =
        linux_snapshot_find_node(&snapshot, device);
    if (block && !strncmp(block->dm_uuid, "CRYPT-", strlen("CRYPT-")) &&
        block->slaves.count) {
        out->dm_name = xstrdup(block->dm_name);
        out->name = xstrdup(block->slaves.items[0]);
    }
    linux_snapshot_release(&snapshot);
    return ERR_OK;
}

/* The kernel wipes the key with it (drivers/md/dm-crypt.c, crypt_dtr). */
static err_code remove_mapping(const struct container *container,
                               const char *device, struct error *err)
{
    CLEANUP_FD int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    struct dm_ioctl request = {
        .version = {4, 0, 0}, /* of the interface, not of the kernel */
        .data_size = sizeof request,
    };

    snprintf(request.name, sizeof request.name, "%s", container->dm_name);
    if (fd >= 0 && !ioctl(fd, DM_DEV_REMOVE, &request))
        return ERR_OK;
    if (errno == EACCES || errno == EPERM)
        return error_set(err, ERR_DENIED,
                         "cannot lock %s: UDisks2 is not there or does not "
                         "know it, and without it only root may",
                         device);
    return error_set_errno(err, errno, "cannot lock %s", device);
}

err_code linux_lock(struct linux_bus *bus, const char *device,
                    struct error *err)
{
    CLEANUP(container_release) struct container container = {.name = NULL};
    err_code code = find_container(device, &container, err);

    if (code || !container.name)
        return code; /* it lies in none */
    code = linux_udisks_lock(bus, container.name, device, err);
    return code == ERR_NOT_FOUND ? remove_mapping(&container, device, err)
                                 : code;
}
