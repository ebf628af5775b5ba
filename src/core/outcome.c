#include "core/outcome.h"

static const enum outcome by_weight[] = {
    OUTCOME_USAGE,       OUTCOME_REFUSED,      OUTCOME_DEVICE,
    OUTCOME_NO_SPACE,    OUTCOME_ABSENT,       OUTCOME_BUSY,
    OUTCOME_INTERRUPTED, OUTCOME_FAILED_FILES, OUTCOME_DIFFERENCES,
};

enum outcome outcome_worse(enum outcome one, enum outcome other)
{
    for (size_t i = 0; i < COUNT_OF(by_weight); i++)
        if (one == by_weight[i] || other == by_weight[i])
            return by_weight[i];
    return OUTCOME_DONE;
}

enum outcome outcome_of(err_code code)
{
    switch (code) {
    case ERR_OK:
        return OUTCOME_DONE;
    case ERR_INVALID:
    case ERR_EXISTS:
        return OUTCOME_USAGE;
    case ERR_NOT_FOUND:
        return OUTCOME_ABSENT;
    case ERR_BUSY:
        return OUTCOME_BUSY;
    case ERR_NO_SPACE:
        return OUTCOME_NO_SPACE;
    case ERR_IO:
    case ERR_DEVICE_GONE:
        return OUTCOME_DEVICE;
    case ERR_REFUSED:
    case ERR_TOO_NEW:
    case ERR_READ_ONLY:
    case ERR_CORRUPT:
        return OUTCOME_REFUSED;
    case ERR_CANCELLED:
        return OUTCOME_INTERRUPTED;
    case ERR_DENIED:
    case ERR_CHANGED:
    case ERR_UNSUPPORTED:
    case ERR_INTERNAL:
        break;
    }
    return OUTCOME_FAILED_FILES;
}
