/* Stand-in; see IOCFPlugInTypes.h. */
#include <IOKit/IOCFPlugInTypes.h>

#include <IOKit/IOCFPlugInProtos.h>
