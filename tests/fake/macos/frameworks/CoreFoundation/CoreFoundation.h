/* Stand-in; see CFTypes.h. */
#include <CoreFoundation/CFTypes.h>

#include <CoreFoundation/CFProtos.h>
