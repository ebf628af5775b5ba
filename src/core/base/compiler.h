/*
 * What the compiler can check for us. gcc and clang only.
 *
 * CLEANUP binds a cleanup function to the scope of a variable:
 *
 *     CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
 *     CLEANUP_FD int fd = -1;
 *     CLEANUP_FREE char *name = NULL;
 *
 * The variable must be initialised where it is declared. To hand the thing
 * to somebody else, take it out: `*out = TAKE_FD(fd)`, `TAKE_PTR(name)`.
 */
#ifndef BERTH_BASE_COMPILER_H
#define BERTH_BASE_COMPILER_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(format_index, first_arg)                                   \
    __attribute__((format(printf, format_index, first_arg)))
#define UNUSED __attribute__((unused))

#define CLEANUP(function) __attribute__((cleanup(function)))
#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)

#define TAKE_FD(fd) take_fd(&(fd))
#define TAKE_PTR(pointer)                                                      \
    __extension__({                                                            \
        __typeof__(pointer) taken_ = (pointer);                                \
        (pointer) = NULL;                                                      \
        taken_;                                                                \
    })

/* Defines `cleanup_NAME(TYPE **)` for CLEANUP from `NAME(TYPE *)`. */
#define DEFINE_CLEANUP(type, free_function)                                    \
    static inline void cleanup_##free_function(type **thing)                   \
    {                                                                          \
        free_function(*thing);                                                 \
    }                                                                          \
    typedef int cleanup_##free_function##_defined

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A system call that a signal may interrupt: again, until it says something
 * else. FUSE servers answer EINTR to calls that never return it elsewhere.
 */
#define RETRY_ON_EINTR(call)                                                   \
    __extension__({                                                            \
        __typeof__(call) result_;                                              \
        do                                                                     \
            result_ = (call);                                                  \
        while (result_ < 0 && errno == EINTR);                                 \
        result_;                                                               \
    })

void cleanup_free(void *pointer_to_pointer);
void cleanup_fd(int *fd);
int take_fd(int *fd);

#endif
