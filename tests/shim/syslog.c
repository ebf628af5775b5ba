/*
 * Writes what a program gives to syslog(3) into the file BERTH_SYSLOG instead
 * (LD_PRELOAD): "<PRIORITY>text". A fortified program calls the second one.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

static void write_line(int priority, const char *format, va_list args)
{
    FILE *file = fopen(getenv("BERTH_SYSLOG"), "a");

    if (!file)
        abort();
    fprintf(file, "<%d>", priority);
    vfprintf(file, format, args);
    fputc('\n', file);
    fclose(file);
}

void syslog(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(priority, format, args);
    va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(priority, format, args);
    va_end(args);
}
