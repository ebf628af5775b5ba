#include "core/demo_internal.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/base/thread.h"
#include "core/db.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* As somebody's crawler writes: a row now and then, and then rests, so that
 * the drive can hold everything for a while. */
enum {
    FIRST_PAGES = 1500,
    WRITE_EVERY_MS = 700,
    ROWS_BEFORE_REST = 14,
    REST_MS = 60000,
};

struct demo_database {
    struct db *db;    /* the thread's, once it runs */
    int stop_pipe[2]; /* a byte ends the thread */
    pthread_t thread;
    bool has_thread;
};

static err_code add_page(struct db *db, int64_t number, struct error *err)
{
    struct statement *insert;
    err_code code = db_prepare(
        db, "INSERT INTO pages(url, fetched, body) VALUES(?1, ?2, ?3)", &insert,
        err);

    if (code)
        return code;
    CLEANUP_FREE char *url = xasprintf(
        "https://archive.example/issue/%lld/page.html", (long long)number);
    CLEANUP_FREE char *body =
        xasprintf("<title>Issue %lld</title><p>Minutes of the meeting, "
                  "corrected; see also issue %lld.",
                  (long long)number, (long long)(number / 2));
    bind_text(insert, 1, url);
    bind_int(insert, 2, clock_now_ns() / NS_PER_SECOND);
    bind_text(insert, 3, body);
    return statement_run(insert, err);
}

static err_code fill(struct db *db, struct error *err)
{
    err_code code = db_execute(db,
                               "CREATE TABLE pages(id INTEGER PRIMARY KEY, "
                               "url TEXT, fetched INTEGER, body TEXT)",
                               err);

    if (!code)
        code = db_begin(db, err);
    for (int i = 0; !code && i < FIRST_PAGES; i++)
        code = add_page(db, i, err);
    return db_end(db, code, err);
}

static void *keep_writing(void *argument)
{
    struct demo_database *database = argument;
    struct pollfd stop = {.fd = database->stop_pipe[0], .events = POLLIN};

    for (int64_t row = 1;; row++) {
        int wait_ms = row % ROWS_BEFORE_REST ? WRITE_EVERY_MS : REST_MS;
        if (poll(&stop, 1, wait_ms))
            return NULL;
        if (add_page(database->db, FIRST_PAGES + row, NULL))
            return NULL; /* no space left: it is a demo */
    }
}

void demo_database_stop(struct demo_database *database)
{
    if (!database)
        return;
    while (write(database->stop_pipe[1], "", 1) < 0 && errno == EINTR)
        continue;
    if (database->has_thread)
        thread_join(database->thread);
    cleanup_fd(&database->stop_pipe[0]);
    cleanup_fd(&database->stop_pipe[1]);
    db_close(database->db);
    free(database);
}

err_code demo_database_start(struct demo *demo, struct error *err)
{
    struct demo_database *database = xcalloc(1, sizeof *database);
    CLEANUP_FREE char *path =
        path_join(demo->directory, "home/data/archive.sqlite");

    demo->database = database;
    if (pipe(database->stop_pipe) ||
        fcntl(database->stop_pipe[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(database->stop_pipe[1], F_SETFD, FD_CLOEXEC))
        die("cannot make a pipe: errno %d", errno);
    err_code code = fsops_ensure_directory(&demo->ops, "home/data", err);
    if (!code)
        code = db_open(path, DB_WRITE, &database->db, err);
    if (!code && !demo->is_furnished)
        code = fill(database->db, err);
    if (code)
        return code;
    database->thread = thread_start(keep_writing, database);
    database->has_thread = true;
    return ERR_OK;
}
