/*
 * Trees to measure with, the same each time.
 *
 *     tree names DIR COUNT   files in directories of 200, one in 20 not empty
 *     tree small DIR COUNT   files of 1-4 KiB in directories of 50
 *     tree mixed DIR MIB     JSON and HTML, databases, media, as in a homelab
 *     tree large DIR MIB     four files
 *     tree touch DIR EVERY SEED   adds a line to one file in EVERY
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define MIB ((uint64_t)1 << 20)

static uint64_t state = 88172645463325252U;
static char piece[PIECE + 64];
static uint64_t touch_every, touch_seed, touched, seen;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static uint64_t between(uint64_t least, uint64_t most)
{
    return least + next_random() % (most - least + 1);
}

static void make_directory(const char *path)
{
    if (mkdir(path, 0755) && errno != EEXIST)
        fail(path);
}

/* Records as scrapers write them, or bytes that nothing can compress. */
static void fill_piece(int is_text)
{
    size_t at = 0;

    while (is_text && at < PIECE)
        at += (size_t)snprintf(piece + at, 64, "{\"id\":%u,\"v\":\"%08x\"},\n",
                               (unsigned)between(0, 99999),
                               (unsigned)next_random());
    for (; at + 8 <= PIECE; at += 8) {
        uint64_t word = next_random();
        memcpy(piece + at, &word, 8);
    }
}

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0)
            fail("write");
        bytes += done;
        size -= (size_t)done;
    }
}

static void make_file(const char *path, uint64_t size, int is_text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    struct timespec times[2];

    if (fd < 0)
        fail(path);
    for (uint64_t left = size; left;) {
        size_t now = left < PIECE ? (size_t)left : PIECE;
        if (is_text && size < PIECE) {
            /* Filling a piece for each small file would take the time. */
            if (!piece[0])
                fill_piece(1);
            write_all(fd, piece + between(0, PIECE - now), now);
        } else {
            fill_piece(is_text);
            write_all(fd, piece, now);
            piece[0] = '\0';
        }
        left -= now;
    }
    times[0].tv_sec = times[1].tv_sec = (time_t)(1600000000 + between(0, 1e8));
    times[0].tv_nsec = times[1].tv_nsec = (long)between(0, 999999999);
    futimens(fd, times);
    close(fd);
}

static void make_many(uint64_t count, uint64_t in_each, int mostly_empty)
{
    char path[96];

    for (uint64_t i = 0; i < count; i++) {
        uint64_t directory = i / in_each;
        snprintf(path, sizeof path, "d%03u", (unsigned)(directory / 100));
        if (i % in_each == 0 && directory % 100 == 0)
            make_directory(path);
        snprintf(path, sizeof path, "d%03u/s%02u", (unsigned)(directory / 100),
                 (unsigned)(directory % 100));
        if (i % in_each == 0)
            make_directory(path);
        size_t length = strlen(path);
        snprintf(path + length, sizeof path - length, "/file_%05u_%03u.json",
                 (unsigned)between(0, 99999), (unsigned)(i % in_each));
        make_file(path,
                  !mostly_empty ? between(1024, 4096)
                  : i % 20 == 7 ? 100
                                : 0,
                  1);
    }
}

static void make_group(const char *name, uint64_t bytes, uint64_t least,
                       uint64_t most, int is_text)
{
    char path[96];

    make_directory(name);
    for (unsigned i = 0; bytes; i++) {
        uint64_t size = between(least, most);
        if (size > bytes)
            size = bytes;
        if (i % 100 == 0) {
            snprintf(path, sizeof path, "%s/%03u", name, i / 100);
            make_directory(path);
        }
        snprintf(path, sizeof path, "%s/%03u/%05u", name, i / 100, i);
        make_file(path, size, is_text);
        bytes -= size;
    }
}

/* Shares of a scraper's home: 10 % JSON, 5 % HTML, 25 % databases, media. */
static void make_mixed(uint64_t bytes)
{
    make_group("json", bytes / 10, 2048, 40960, 1);
    make_group("html", bytes / 20, 20480, 204800, 1);
    make_group("databases", bytes / 4, MIB, bytes / 40 + MIB, 0);
    make_group("media", bytes / 5 * 3, 4 * MIB, bytes / 10 + 4 * MIB, 0);
}

static int touch(const char *path, const struct stat *stat, int type,
                 struct FTW *place)
{
    uint64_t hash = 1469598103934665603U ^ touch_seed;

    (void)stat;
    (void)place;
    if (type != FTW_F)
        return 0;
    seen++;
    for (const char *at = path; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9U;
    if ((hash ^ hash >> 32) % touch_every)
        return 0;
    int fd = open(path, O_WRONLY | O_APPEND);
    if (fd < 0)
        fail(path);
    write_all(fd, "changed\n", 8);
    close(fd);
    touched++;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: tree names|small|mixed|large|touch DIR N\n");
        return 2;
    }
    uint64_t number = strtoull(argv[3], NULL, 10);
    make_directory(argv[2]);
    if (chdir(argv[2]))
        fail(argv[2]);
    if (!strcmp(argv[1], "names")) {
        make_many(number, 200, 1);
    } else if (!strcmp(argv[1], "small")) {
        make_many(number, 50, 0);
    } else if (!strcmp(argv[1], "mixed")) {
        make_mixed(number * MIB);
    } else if (!strcmp(argv[1], "large")) {
        make_group("large", number * MIB, number * MIB / 4, number * MIB / 4,
                   0);
    } else if (!strcmp(argv[1], "touch") && number) {
        touch_every = number;
        touch_seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
        nftw(".", touch, 64, FTW_PHYS);
        printf("%llu of %llu files changed\n", (unsigned long long)touched,
               (unsigned long long)seen);
    } else {
        return 2;
    }
    return 0;
}
