#include "platform/platform.h"

#include <stdlib.h>

/* Nothing is known of drives yet: only mounts (platform_list_mounts). */

struct platform_request {
    int unused;
};

err_code platform_list_devices(struct platform *platform,
                               struct platform_devices *out, struct error *err)
{
    *out = (struct platform_devices){.drives = {.items = NULL}};
    return ERR_OK;
}

static struct platform_request *unsupported(void)
{
    return xcalloc(1, sizeof(struct platform_request));
}

struct platform_request *platform_mount(struct platform *platform,
                                        const char *device)
{
    return unsupported();
}

struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device)
{
    return unsupported();
}

struct platform_request *platform_lock(struct platform *platform,
                                       const char *device)
{
    return unsupported();
}

struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return unsupported();
}

err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err)
{
    *out_is_done = true;
    return error_set(err, ERR_UNSUPPORTED, "not possible on this system");
}

void platform_request_free(struct platform_request *request)
{
    free(request);
}

struct platform_power_proof platform_request_proof(
    const struct platform_request *request)
{
    return (struct platform_power_proof){.flush_seen = false};
}

err_code platform_list_holders(struct platform *platform, const char *device,
                               struct platform_holders *out, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, "holders cannot be listed here");
}

err_code platform_read_unwritten(struct platform *platform, const char *drive,
                                 struct platform_unwritten *out,
                                 struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, "not known on this system");
}

err_code platform_read_health(struct platform *platform, const char *drive,
                              struct platform_health *out, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, "health cannot be read here");
}
