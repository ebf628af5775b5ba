/* Stand-in; see DispatchTypes.h. */
#include <dispatch/DispatchTypes.h>

#include <dispatch/DispatchProtos.h>
