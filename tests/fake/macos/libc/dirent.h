/* Names come as Darwin's drivers give them. */
#ifndef FAKE_DIRENT_H
#define FAKE_DIRENT_H

#include_next <dirent.h>

struct dirent *fake_readdir(DIR *stream);
#define readdir fake_readdir

#endif
