/*
 * Errors as values.
 *
 * A function that can fail returns an err_code, which must be checked, and
 * takes a nullable `struct error *` as its last argument for the words:
 *
 *     struct error err = ERROR_INIT;
 *     if (config_load(path, &config, &err))
 *         fprintf(stderr, "berth: %s\n", err.message);
 *
 * There is one code per *reaction* of the caller, not per cause; the cause is
 * in the message, which names what the user named: "cannot open /x:
 * permission denied". Out-parameters are set on success only.
 *
 * Threads: a struct error belongs to whoever declared it.
 */
#ifndef BERTH_BASE_ERROR_H
#define BERTH_BASE_ERROR_H

#include "core/base/compiler.h"

#include <stdarg.h>
#include <stdbool.h>

typedef enum err_code {
    ERR_OK = 0,
    ERR_INVALID,     /* wrong input or configuration: tell the user */
    ERR_NOT_FOUND,   /* no such thing */
    ERR_EXISTS,      /* something is there already */
    ERR_DENIED,      /* rights are missing */
    ERR_BUSY,        /* somebody else holds it: wait, or name the holder */
    ERR_NO_SPACE,    /* the volume or quota is full */
    ERR_READ_ONLY,   /* the volume cannot be written */
    ERR_IO,          /* the device or filesystem failed: do not trust it */
    ERR_DEVICE_GONE, /* the drive was pulled or fell off the bus */
    ERR_CHANGED,     /* it is no longer what was seen before: look again */
    ERR_CORRUPT,     /* content is not what its record or format says */
    ERR_UNSUPPORTED, /* this system or filesystem cannot do it */
    ERR_REFUSED,     /* could be done, but a guard says no */
    ERR_CANCELLED,   /* stopped on request */
    ERR_TOO_NEW,     /* written by a newer berth */
    ERR_INTERNAL,    /* a bug or an exhausted system resource */
} err_code;

/* Long enough for a path of PATH_MAX with words around it. */
#define ERROR_MESSAGE_SIZE 4608

struct error {
    err_code code;
    int os_errno; /* 0 when no system call was the cause */
    char message[ERROR_MESSAGE_SIZE];
};

#define ERROR_INIT                                                             \
    {                                                                          \
        .code = ERR_OK                                                         \
    }

/* Fills in *err (which may be NULL) and returns `code`. */
err_code error_set(struct error *err, err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
err_code error_setv(struct error *err, err_code code, const char *format,
                    va_list args) PRINTF_LIKE(3, 0);

/*
 * The same for a failed system call: the code is derived from `os_errno` and
 * ": " with the system's words for it is appended.
 */
err_code error_set_errno(struct error *err, int os_errno, const char *format,
                         ...) PRINTF_LIKE(3, 4);

#ifdef __clang_analyzer__ /* which cannot see that neither returns 0 */
#define error_set(err, code, ...)                                              \
    ((void)error_set(err, code, __VA_ARGS__), code)
#define error_set_errno(...) ((void)error_set_errno(__VA_ARGS__), ERR_INTERNAL)
#endif

/* Puts "words: " before the message that is already there. */
void error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

err_code error_code_of_errno(int os_errno);

/* A stable lower-case name for logs and JSON: "busy", "no-space" … */
const char *error_code_name(err_code code);

/*
 * Whether what happened says that the *device* cannot be trusted any more,
 * so that the volume's identity must be looked at again.
 */
bool error_is_device_failure(err_code code);

/*
 * For what cannot happen and for exhausted memory on small allocations.
 * Runs the hook set by die_set_hook (the terminal is restored there), prints
 * to stderr and aborts.
 */
NORETURN void die(const char *format, ...) PRINTF_LIKE(1, 2);
void die_set_hook(void (*hook)(void));

/* malloc and friends that call die() when memory is out: small sizes only. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
