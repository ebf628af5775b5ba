/* Stand-in for the constants that the backend uses. */
#ifndef kIOMediaClass
#define kIOMediaClass "IOMedia"
#define kIOMediaWholeKey "Whole"
#endif
