/*
 * The bytes of an edit: where something is added or taken out, and how that
 * looks among its neighbours. Comments are not touched, wherever they stand.
 */
#include "core/config_internal.h"

#include <stdlib.h>
#include <string.h>

#define LINE_WIDTH 100 /* an entry on one line breaks where it gets longer */
#define WIDEST_STEP 8

/* How what is added looks, learnt from what stands around it. */
struct layout {
    size_t from, at;      /* the gap behind the last one; behind its comments */
    bool is_own_line;     /* it begins a line */
    bool is_expanded;     /* each of its settings does */
    const char *eol;      /* "\n", or "\r\n" where the file has that */
    char *indent;         /* of its line */
    char *setting_indent; /* of the lines within */
    char *close_indent;   /* of its last line, if it is expanded */
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static size_t line_begin(const char *bytes, size_t at)
{
    while (at && bytes[at - 1] != '\n')
        at--;
    return at;
}

static bool begins_line(const char *bytes, size_t at)
{
    while (at && is_blank(bytes[at - 1]))
        at--;
    return !at || bytes[at - 1] == '\n';
}

/* Whether nothing but blanks stands between here and the line's end. */
static bool ends_line(const char *bytes, size_t at)
{
    const char *rest = bytes + at + strspn(bytes + at, " \t\r");

    return !*rest || *rest == '\n';
}

static bool has_line_break(const char *bytes, size_t from, size_t to)
{
    return memchr(bytes + from, '\n', to - from) != NULL;
}

/* The key of a setting, the value of an element. */
static size_t node_begin(const struct config_node *node)
{
    return node->key_length ? node->key : node->begin;
}

/* The blanks that the line of this byte begins with. free() them. */
static char *indent_of(const char *bytes, size_t at)
{
    const char *line = bytes + line_begin(bytes, at);

    return xstrndup(line, strspn(line, " \t"));
}

/* As the file's first entry that begins a line, unless that is aligned. */
static char *indent_step(const struct config_text *text)
{
    for (size_t i = 1; i < text->count; i++) {
        size_t begin = node_begin(&text->items[i]);
        if (!text->items[i].parent || !begins_line(text->bytes, begin))
            continue;
        size_t width = begin - line_begin(text->bytes, begin);
        if (width && width <= WIDEST_STEP)
            return indent_of(text->bytes, begin);
    }
    return xstrdup("  ");
}

static void layout_release(struct layout *layout)
{
    free(layout->indent);
    free(layout->setting_indent);
    free(layout->close_indent);
}

/* That of the next line break, or of the last one. */
static const char *eol_at(const struct config_text *text, size_t at)
{
    const char *line_break = strchr(text->bytes + at, '\n');

    while (!line_break && at--)
        if (text->bytes[at] == '\n')
            line_break = text->bytes + at;
    return line_break && line_break > text->bytes && line_break[-1] == '\r'
               ? "\r\n"
               : "\n";
}

static void find_gap(const struct config_text *text, size_t container,
                     struct layout *out)
{
    const struct config_node *node = &text->items[container];
    const struct config_node *last = &text->items[node->last];
    bool is_line_comment; /* there is a line break behind that, anyway */

    if (!node->last)
        out->from = node->begin + 1;
    else
        out->from =
            last->separator == NOWHERE ? last->end : last->separator + 1;
    out->at = config_text_comments_end(text, out->from, node->end - 1,
                                       &is_line_comment);
    out->eol = eol_at(text, out->at);
}

/* Like the last entry; without one, on a line of its own within a list. */
static void find_indents(const struct config_text *text, size_t container,
                         struct layout *out)
{
    CLEANUP_FREE char *step = indent_step(text);
    const struct config_node *node = &text->items[container];
    const struct config_node *last = &text->items[node->last];

    if (node->last && begins_line(text->bytes, node_begin(last))) {
        out->is_own_line = true;
        out->indent = indent_of(text->bytes, node_begin(last));
    } else {
        CLEANUP_FREE char *outer = indent_of(text->bytes, node_begin(node));
        size_t from = node->last ? last->end : node->begin;
        out->is_own_line = has_line_break(text->bytes, from, node->end) ||
                           (!node->last && node->kind == NODE_LIST);
        out->indent = xasprintf("%s%s", outer, step);
    }
    out->setting_indent = xasprintf("%s%s", out->indent, step);
}

static void find_layout(const struct config_text *text, size_t container,
                        struct layout *out)
{
    const struct config_node *nodes = text->items;
    const struct config_node *last = &nodes[nodes[container].last];

    find_gap(text, container, out);
    find_indents(text, container, out);
    if (nodes[container].last && last->kind == NODE_GROUP && last->first &&
        begins_line(text->bytes, nodes[last->first].key)) {
        out->is_expanded = true;
        free(out->setting_indent);
        out->setting_indent = indent_of(text->bytes, nodes[last->first].key);
        out->close_indent = indent_of(text->bytes, last->end - 1);
    }
}

/* "{ name = "x"; … }", broken into lines as the layout says. */
static void format_entry(const struct config_pieces *pieces,
                         const struct layout *layout, struct strbuf *out)
{
    size_t width = strlen(layout->indent) + 1;

    strbuf_adds(out, "{");
    for (size_t i = 0; i < pieces->count; i++) {
        size_t length = strlen(pieces->items[i]);
        bool is_too_long = i && width + 1 + length > LINE_WIDTH;
        if (layout->is_expanded || (layout->is_own_line && is_too_long)) {
            strbuf_addf(out, "%s%s", layout->eol, layout->setting_indent);
            width = strlen(layout->setting_indent);
        } else {
            strbuf_adds(out, " ");
            width++;
        }
        strbuf_adds(out, pieces->items[i]);
        width += length;
    }
    if (layout->is_expanded)
        strbuf_addf(out, "%s%s}", layout->eol, layout->close_indent);
    else
        strbuf_adds(out, " }");
}

/* Puts `element` behind the last one of a group, array or list. */
static void append_to(const struct config_text *text, struct strbuf *bytes,
                      size_t container, const struct layout *layout,
                      const char *element)
{
    const struct config_node node = text->items[container];
    const struct config_node last = text->items[node.last];
    bool is_first = !node.last;
    bool has_separator = !is_first && last.separator != NOWHERE;
    size_t close = node.end - 1;
    size_t gap = 0; /* bytes that make place for the line break */
    CLEANUP(strbuf_release) struct strbuf insert = STRBUF_INIT;

    if (layout->is_own_line)
        strbuf_addf(&insert, "%s%s", layout->eol, layout->indent);
    else if (!is_first || close > layout->from)
        strbuf_addch(&insert, ' ');
    strbuf_adds(&insert, element);
    if (has_separator && node.kind != NODE_GROUP)
        strbuf_addch(&insert, ',');
    if (layout->is_own_line && is_first &&
        !has_line_break(text->bytes, layout->at, close)) {
        CLEANUP_FREE char *outer = indent_of(text->bytes, node_begin(&node));
        strbuf_addf(&insert, "%s%s", layout->eol, outer);
        gap = close - layout->at;
    }
    strbuf_splice(bytes, layout->at, gap, insert.text, insert.length);
    if (!is_first && !has_separator)
        strbuf_splice(bytes, last.end, 0, node.kind == NODE_GROUP ? ";" : ",",
                      1);
}

static void add_list(const struct config_text *text, struct strbuf *bytes,
                     const char *list, const struct config_pieces *pieces)
{
    CLEANUP(layout_release)
    struct layout layout = {.is_own_line = true,
                            .eol = eol_at(text, text->length)};

    layout.indent = indent_step(text);
    layout.setting_indent = xasprintf("%s%s", layout.indent, layout.indent);
    if (bytes->length && bytes->text[bytes->length - 1] != '\n')
        strbuf_adds(bytes, layout.eol);
    strbuf_addf(bytes, "%s = (%s%s", list, layout.eol, layout.indent);
    format_entry(pieces, &layout, bytes);
    strbuf_addf(bytes, "%s);%s", layout.eol, layout.eol);
}

void config_splice_entry(const struct config_text *text, struct strbuf *bytes,
                         const char *list, const struct config_pieces *pieces)
{
    size_t node = config_text_child(text, 0, list);
    CLEANUP(layout_release) struct layout layout = {.eol = NULL};
    CLEANUP(strbuf_release) struct strbuf entry = STRBUF_INIT;

    if (!node) {
        add_list(text, bytes, list, pieces);
        return;
    }
    find_layout(text, node, &layout);
    format_entry(pieces, &layout, &entry);
    append_to(text, bytes, node, &layout, entry.text);
}

void config_splice_element(const struct config_text *text, struct strbuf *bytes,
                           size_t container, const char *element)
{
    CLEANUP(layout_release) struct layout layout = {.eol = NULL};

    find_layout(text, container, &layout);
    append_to(text, bytes, container, &layout, element);
}

/* Takes bytes out, and the line or the blanks that only they needed. */
static void erase(struct strbuf *bytes, size_t begin, size_t end)
{
    const char *text = bytes->text;
    bool is_line = begins_line(text, begin);
    bool is_last = ends_line(text, end);

    if (is_line && is_last) {
        begin = line_begin(text, begin);
        end += strcspn(text + end, "\n");
        end += text[end] == '\n';
    } else if (is_last || (!is_line && !is_blank(text[end]))) {
        while (is_blank(text[begin - 1]))
            begin--;
    } else if (is_line || is_blank(text[begin - 1])) {
        end += strspn(text + end, " \t");
    }
    strbuf_splice(bytes, begin, end - begin, "", 0);
}

/* The ';' behind it is its own, wherever it stands. */
void config_splice_setting_out(const struct config_text *text,
                               struct strbuf *bytes, size_t setting)
{
    const struct config_node *node = &text->items[setting];
    size_t blanks = strspn(text->bytes + node->end, " \t");
    bool is_together =
        node->separator != NOWHERE && node->end + blanks == node->separator;

    if (node->separator != NOWHERE && !is_together)
        erase(bytes, node->separator, node->separator + 1);
    erase(bytes, node->key, is_together ? node->separator + 1 : node->end);
}

/* Behind the ',' of an entry, its end, or the bracket that precedes it. */
static size_t end_of_previous(const struct config_text *text, size_t parent,
                              size_t position)
{
    const struct config_node *nodes = text->items;

    if (!position)
        return nodes[parent].begin + 1;
    const struct config_node *previous =
        &nodes[config_text_element(text, parent, position - 1)];
    return previous->separator == NOWHERE ? previous->end
                                          : previous->separator + 1;
}

/*
 * From where to take out the last entry: from its first byte; but if the list
 * ends on the same line, from the end of what precedes it, so that no line
 * with nothing but the bracket is left.
 */
static size_t begin_of_removal(const struct config_text *text, size_t parent,
                               size_t position, const struct config_node *node,
                               size_t end)
{
    size_t close = text->items[parent].end - 1;
    size_t from = end_of_previous(text, parent, position);
    bool is_line_comment;

    from = config_text_comments_end(text, from, node->begin, &is_line_comment);
    if (is_line_comment || !begins_line(text->bytes, node->begin) ||
        end + strspn(text->bytes + end, " \t") != close)
        return node->begin;
    return from;
}

/* From the back, so that offsets in front stay true. */
void config_splice_out(const struct config_text *text, struct strbuf *bytes,
                       size_t parent, size_t position)
{
    const struct config_node *nodes = text->items;
    const struct config_node *node =
        &nodes[config_text_element(text, parent, position)];
    size_t comma = node->separator;
    size_t blanks = strspn(text->bytes + node->end, " \t");
    bool is_together = comma != NOWHERE && node->end + blanks == comma;
    size_t end = is_together ? comma + 1 : node->end;
    size_t begin = begin_of_removal(text, parent, position, node, end);

    if (comma != NOWHERE && !is_together)
        erase(bytes, comma, comma + 1);
    if (begin < node->begin)
        strbuf_splice(bytes, begin, end - begin, "", 0);
    else
        erase(bytes, begin, end);
    if (comma != NOWHERE || !position)
        return;
    comma = nodes[config_text_element(text, parent, position - 1)].separator;
    erase(bytes, comma, comma + 1);
}
