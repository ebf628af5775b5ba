/* Stand-in; see IOKitTypes.h. */
#include <IOKit/IOKitTypes.h>

#include <IOKit/IOKitProtos.h>
