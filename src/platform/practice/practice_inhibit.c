#include "platform/platform.h"

/* A machine of paper does not fall asleep. */
err_code platform_inhibit(struct platform *platform, const char *device,
                          const char *why, struct platform_inhibitor **out,
                          struct error *err)
{
    *out = NULL;
    return error_set(err, ERR_UNSUPPORTED, "there is nothing to keep awake");
}

void platform_inhibitor_release(struct platform_inhibitor *inhibitor)
{
}
