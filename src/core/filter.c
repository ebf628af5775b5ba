/*
 * A matcher of our own, because fnmatch(3) depends on the locale, has no
 * "**", and on some systems takes exponential time on "*a*a*a*b".
 *
 * A pattern is split at '/' into segments, and so is the path. Both levels
 * are matched the same way: go on as long as it fits; where it does not, go
 * back to the *last* star (or "**") only and let it take one more. An
 * earlier star never has to take more than it did, because what stands
 * between two stars is best matched as early as possible. So a segment is
 * compared with a name in at most the product of their lengths, and each pair
 * of segment and name is compared at most once.
 */
#include "core/filter.h"

#include "core/base/arena.h"
#include "core/base/array.h"
#include "core/base/strbuf.h"
#include "core/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

struct segment {
    enum { SEGMENT_LITERAL, SEGMENT_SUFFIX, SEGMENT_GLOB, SEGMENT_ANY } kind;
    const char *text; /* of a suffix without the '*'; unquoted unless a glob */
    size_t length;
};

struct pattern {
    struct segment *segments; /* the last one is never SEGMENT_ANY ("**") */
    size_t segment_count;
    bool is_directory_only;
};

struct pattern_list {
    struct pattern *items;
    size_t count, capacity;
};

/* Patterns without '/' are tried on every name, the others on the path. */
struct pattern_set {
    struct pattern_list names;
    struct pattern_list paths;
};

struct filter {
    struct arena arena; /* texts and segments */
    struct pattern_set include;
    struct pattern_set exclude;
    bool has_include; /* even if all of them are malformed */
    bool keep_junk;
};

/*
 * --- one segment against one name ---
 */

/* Bytes of the next character; a byte that is not UTF-8 is one of its own. */
static size_t next_character(const char *text, const char *end, int32_t *out)
{
    unsigned char byte = (unsigned char)*text;

    if (byte < 0x80) {
        *out = byte;
        return 1;
    }
    utf8proc_ssize_t size =
        utf8proc_iterate((const utf8proc_uint8_t *)text, end - text, out);
    if (size > 0)
        return (size_t)size;
    *out = 0x110000 + byte;
    return 1;
}

/* One that may be quoted by a backslash. */
static const char *pattern_character(const char *text, const char *end,
                                     int32_t *out)
{
    if (*text == '\\')
        text++;
    return text + next_character(text, end, out);
}

/*
 * Matches what follows '[' and returns where the set ends. The pattern was
 * checked: the set is closed.
 */
static const char *match_set(const char *text, const char *end,
                             int32_t character, bool *out_matches)
{
    bool is_negated = *text == '!' || *text == '^';
    bool is_inside = false;

    text += is_negated;
    do {
        int32_t first, last;
        text = pattern_character(text, end, &first);
        last = first;
        if (text[0] == '-' && text[1] != ']')
            text = pattern_character(text + 1, end, &last);
        if (first <= character && character <= last)
            is_inside = true;
    } while (*text != ']');
    *out_matches = is_inside != is_negated;
    return text + 1;
}

/* Where the pattern goes on if what is at `text` matches, else NULL. */
static const char *match_one(const char *text, const char *end,
                             int32_t character)
{
    int32_t wanted;
    bool matches;

    switch (*text) {
    case '?':
        return text + 1;
    case '[':
        text = match_set(text + 1, end, character, &matches);
        return matches ? text : NULL;
    default:
        text = pattern_character(text, end, &wanted);
        return wanted == character ? text : NULL;
    }
}

static bool glob_matches(const struct segment *segment, const char *name,
                         size_t length)
{
    const char *text = segment->text;
    const char *text_end = text + segment->length;
    const char *end = name + length;
    const char *after_star = NULL; /* in the pattern … */
    const char *taken = NULL;      /* … and where what it took ends */
    int32_t character;

    while (name < end) {
        if (text < text_end && *text == '*') {
            after_star = ++text;
            taken = name;
            continue;
        }
        size_t size = next_character(name, end, &character);
        const char *next =
            text < text_end ? match_one(text, text_end, character) : NULL;
        if (next) {
            text = next;
            name += size;
        } else if (after_star) {
            text = after_star;
            taken += next_character(taken, end, &character);
            name = taken;
        } else {
            return false;
        }
    }
    while (text < text_end && *text == '*')
        text++;
    return text == text_end;
}

static bool segment_matches(const struct segment *segment, const char *name,
                            size_t length)
{
    switch (segment->kind) {
    case SEGMENT_LITERAL:
        return length == segment->length &&
               !memcmp(name, segment->text, length);
    case SEGMENT_SUFFIX:
        return length >= segment->length &&
               !memcmp(name + length - segment->length, segment->text,
                       segment->length);
    case SEGMENT_GLOB:
        return glob_matches(segment, name, length);
    case SEGMENT_ANY:
        break;
    }
    return true;
}

/*
 * --- patterns against a path ---
 */

static size_t component_length(const char *path)
{
    return strcspn(path, "/");
}

/* The component after the one of `length` bytes, or the end. */
static const char *next_component(const char *component, size_t length)
{
    return component + length + (component[length] == '/');
}

/*
 * Whether the pattern matches the path or a directory above it. The match
 * found ends as early as any does, so if it ends at the path itself there is
 * none above.
 */
static bool path_matches(const struct pattern *pattern, const char *path,
                         bool is_directory)
{
    const struct segment *segment = pattern->segments;
    const struct segment *end = segment + pattern->segment_count;
    const struct segment *after_any = NULL;
    const char *taken = NULL;

    while (*path) {
        if (segment->kind == SEGMENT_ANY) {
            after_any = ++segment;
            taken = path;
            continue;
        }
        size_t length = component_length(path);
        if (segment_matches(segment, path, length)) {
            segment++;
            path = next_component(path, length);
            if (segment == end)
                return *path || is_directory || !pattern->is_directory_only;
        } else if (after_any) {
            segment = after_any;
            taken = next_component(taken, component_length(taken));
            path = taken;
        } else {
            return false;
        }
    }
    return false;
}

static bool any_name_matches(const struct pattern_list *names, const char *path,
                             bool is_directory)
{
    if (!names->count)
        return false;
    for (size_t length; *path; path = next_component(path, length)) {
        length = component_length(path);
        for (size_t i = 0; i < names->count; i++) {
            const struct pattern *pattern = &names->items[i];
            if (pattern->is_directory_only && !path[length] && !is_directory)
                continue;
            if (segment_matches(pattern->segments, path, length))
                return true;
        }
    }
    return false;
}

static bool set_matches(const struct pattern_set *set, const char *path,
                        bool is_directory)
{
    if (any_name_matches(&set->names, path, is_directory))
        return true;
    for (size_t i = 0; i < set->paths.count; i++)
        if (path_matches(&set->paths.items[i], path, is_directory))
            return true;
    return false;
}

/*
 * --- litter ---
 */

static bool has_prefix(const char *name, size_t length, const char *prefix)
{
    size_t prefix_length = strlen(prefix);

    return length >= prefix_length && !memcmp(name, prefix, prefix_length);
}

static bool is_one_of(const char *name, size_t length, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == length && !memcmp(name, *list, length))
            return true;
    return false;
}

/*
 * Directories that systems and tools keep their own things in. Windows spells
 * its bin both ways (FAT and exFAT, NTFS). An ext4's lost+found is root's: for
 * anybody else it would be unreadable each night.
 */
static enum filter_verdict judge_directory_name(const char *name, size_t length)
{
    static const char *const junk[] = {
        ".Spotlight-V100", ".fseventsd",   ".Trashes",
        "$RECYCLE.BIN",    "$Recycle.Bin", "System Volume Information",
        "lost+found",      NULL,
    };
    static const char *const partial[] = {".rsync-partial", ".~tmp~", NULL};

    if (*name != '.' && *name != '$' && *name != 'S' && *name != 'l')
        return FILTER_TAKE;
    if (is_one_of(name, length, junk) || has_prefix(name, length, ".Trash-"))
        return FILTER_JUNK;
    return is_one_of(name, length, partial) ? FILTER_PARTIAL : FILTER_TAKE;
}

/*
 * Endings count in names of files only, and not in a name that is nothing
 * else: "chapter.part/" and ".temp" are somebody's.
 */
static enum filter_verdict judge_file_name(const char *name, size_t length)
{
    static const char *const files[] = {".DS_Store", ".Trashes", NULL};
    static const char *const partial[] = {".temp", ".partial", ".crdownload",
                                          ".part", NULL};

    if (*name == '.' && is_one_of(name, length, files))
        return FILTER_JUNK;
    if (has_prefix(name, length, "._"))
        return FILTER_MAYBE_JUNK;
    size_t stem = length;
    while (stem && name[stem] != '.')
        stem--;
    return stem && is_one_of(name + stem, length - stem, partial)
               ? FILTER_PARTIAL
               : FILTER_TAKE;
}

static enum filter_verdict judge_litter(const char *path, bool is_directory)
{
    for (size_t length; *path; path = next_component(path, length)) {
        length = component_length(path);
        enum filter_verdict verdict = path[length] || is_directory
                                          ? judge_directory_name(path, length)
                                          : judge_file_name(path, length);
        if (verdict != FILTER_TAKE)
            return verdict;
    }
    return FILTER_TAKE;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool filter_is_volume_litter(const char *name)
{
    /* Android keeps app data and lost files there, chkdsk FOUND.nnn; macOS the
     * rest, with an AppleDouble of its own bin. */
    static const char *const litter[] = {
        "LOST.DIR",
        "Android",
        ".TemporaryItems",
        ".DS_Store",
        ".DocumentRevisions-V100",
        "._.Trashes",
        ".apdisk",
        NULL,
    };
    size_t length = strlen(name);

    if (is_one_of(name, length, litter) ||
        judge_directory_name(name, length) == FILTER_JUNK)
        return true;
    return length == 9 && has_prefix(name, length, "FOUND.") &&
           is_digit(name[6]) && is_digit(name[7]) && is_digit(name[8]);
}

bool filter_is_apple_double(const unsigned char *bytes, size_t length)
{
    static const unsigned char magic[] = {0x00, 0x05, 0x16, 0x07};

    return length >= sizeof magic && !memcmp(bytes, magic, sizeof magic);
}

enum filter_verdict filter_judge(const struct filter *filter, const char *path,
                                 bool is_directory)
{
    if (set_matches(&filter->exclude, path, is_directory))
        return FILTER_EXCLUDED;
    if (filter->has_include && !is_directory &&
        !set_matches(&filter->include, path, is_directory))
        return FILTER_EXCLUDED;
    return filter->keep_junk ? FILTER_TAKE : judge_litter(path, is_directory);
}

/*
 * --- compiling ---
 */

/* What is wrong with the set that begins after '[', else NULL. */
static const char *find_fault_of_set(const char *text, const char *end,
                                     const char **out_after)
{
    text += text < end && (*text == '!' || *text == '^');
    do {
        int32_t first, last;
        if (text == end || (*text == '\\' && text + 1 == end))
            return "has a '[' without ']'";
        text = pattern_character(text, end, &first);
        last = first;
        if (end - text >= 2 && text[0] == '-' && text[1] != ']') {
            text++;
            if (*text == '\\' && text + 1 == end)
                return "has a '[' without ']'";
            text = pattern_character(text, end, &last);
        }
        if (first > last)
            return "has a range that runs backwards";
    } while (text == end || *text != ']');
    *out_after = text + 1;
    return NULL;
}

static const char *find_fault_of_segment(const char *text, size_t length)
{
    const char *end = text + length;
    const char *fault;
    int32_t ignored;

    if (*text == '.' && (length == 1 || (length == 2 && text[1] == '.')))
        return "has a \".\" or \"..\", which no path below a source has";
    while (text < end) {
        if (*text == '[') {
            fault = find_fault_of_set(text + 1, end, &text);
            if (fault)
                return fault;
        } else if (*text == '\\' && text + 1 == end) {
            return "has a '\\' with nothing after it to quote";
        } else {
            text = pattern_character(text, end, &ignored);
        }
    }
    return NULL;
}

static const char *find_fault(const char *pattern)
{
    bool is_empty = true;

    if (strlen(pattern) > FILTER_PATTERN_MAX)
        return "is longer than any path";
    for (size_t length; *pattern; pattern = next_component(pattern, length)) {
        length = component_length(pattern);
        if (!length)
            continue;
        is_empty = false;
        const char *fault = find_fault_of_segment(pattern, length);
        if (fault)
            return fault;
    }
    return is_empty ? "is empty" : NULL;
}

err_code filter_check(const char *pattern, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    name_key(pattern, &text);
    const char *fault = find_fault(text.text);
    if (!fault)
        return ERR_OK;
    return error_set(err, ERR_INVALID, "pattern \"%.200s\" %s", pattern, fault);
}

static bool is_literal(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("*?[", text[i]))
            return false;
        else if (text[i] == '\\')
            i++;
    return true;
}

/* Literal texts are kept without their backslashes. */
static const char *unquote(struct arena *arena, const char *text,
                           size_t *length)
{
    char *plain = arena_strndup(arena, text, *length);
    size_t kept = 0;

    for (size_t i = 0; i < *length; i++) {
        i += text[i] == '\\';
        plain[kept++] = text[i];
    }
    plain[kept] = '\0';
    *length = kept;
    return plain;
}

static struct segment compile_segment(struct arena *arena, const char *text,
                                      size_t length, bool is_last)
{
    struct segment segment = {.kind = SEGMENT_GLOB, .length = length};

    if (length == 2 && !memcmp(text, "**", 2) && !is_last) {
        segment.kind = SEGMENT_ANY;
    } else if (is_literal(text, length)) {
        segment.kind = SEGMENT_LITERAL;
    } else if (*text == '*' && is_literal(text + 1, length - 1)) {
        segment.kind = SEGMENT_SUFFIX;
        text++;
        segment.length--;
    }
    segment.text = segment.kind == SEGMENT_GLOB
                       ? arena_strndup(arena, text, length)
                       : unquote(arena, text, &segment.length);
    return segment;
}

/* Splits what filter_check found to be in order. */
static void compile(struct arena *arena, const char *text,
                    struct pattern_set *set)
{
    struct pattern pattern = {.segment_count = 0};
    size_t total = strlen(text);
    bool is_anchored = *text == '/';

    while (total && text[total - 1] == '/') {
        pattern.is_directory_only = true;
        total--;
    }
    const char *end = text + total;
    pattern.segments =
        arena_alloc(arena, (total / 2 + 1) * sizeof(struct segment));
    for (size_t length; text < end; text = next_component(text, length)) {
        length = component_length(text);
        if (!length)
            continue;
        bool is_last = text + length == end;
        struct segment segment = compile_segment(arena, text, length, is_last);
        is_anchored |= !is_last;
        bool is_repeated =
            segment.kind == SEGMENT_ANY && pattern.segment_count &&
            pattern.segments[pattern.segment_count - 1].kind == SEGMENT_ANY;
        if (!is_repeated)
            pattern.segments[pattern.segment_count++] = segment;
    }
    if (is_anchored)
        ARRAY_PUSH(&set->paths, pattern);
    else
        ARRAY_PUSH(&set->names, pattern);
}

static void compile_all(struct arena *arena, const char *const *patterns,
                        size_t count, struct pattern_set *set)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < count; i++) {
        strbuf_reset(&text);
        name_key(patterns[i], &text);
        if (!find_fault(text.text))
            compile(arena, text.text, set);
    }
}

struct filter *filter_new(const char *const *include, size_t include_count,
                          const char *const *exclude, size_t exclude_count,
                          bool keep_junk)
{
    struct filter *filter = xcalloc(1, sizeof *filter);

    compile_all(&filter->arena, include, include_count, &filter->include);
    compile_all(&filter->arena, exclude, exclude_count, &filter->exclude);
    filter->has_include = include_count > 0;
    filter->keep_junk = keep_junk;
    return filter;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    free(filter->include.names.items);
    free(filter->include.paths.items);
    free(filter->exclude.names.items);
    free(filter->exclude.paths.items);
    arena_release(&filter->arena);
    free(filter);
}
