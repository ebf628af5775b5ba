/* Stand-in; see DATypes.h. */
#include <DiskArbitration/DATypes.h>

#include <DiskArbitration/DAProtos.h>
