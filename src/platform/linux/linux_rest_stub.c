#include "platform/platform.h"
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
