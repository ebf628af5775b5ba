/* Stand-in for the one constant that the backend uses. */
#ifndef kIOBSDNameKey
#define kIOBSDNameKey "BSD Name"
#endif
