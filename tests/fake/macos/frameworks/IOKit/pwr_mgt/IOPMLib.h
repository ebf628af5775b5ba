/* Stand-in; see IOPMTypes.h. */
#include <IOKit/pwr_mgt/IOPMTypes.h>

#include <IOKit/pwr_mgt/IOPMProtos.h>
