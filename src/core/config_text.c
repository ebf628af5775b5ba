/*
 * libconfig's grammar, less three kinds of things. Refused, because they
 * would hide a mistake or have no use here: @include (edits could not keep
 * it), a comment or string that is never closed (libconfig takes the end of
 * the file for its end), a line break in a string, numbers with a fraction,
 * exponent or suffix, hexadecimal. Refused, because libconfig 1.5 to 1.8 read
 * them differently: "\a", "\b", "\v", "\x00", numbers of more than 9 digits
 * (1.5 takes 4294967298 for 2) or with leading zeros (1.6 and 1.7: octal).
 * Accepted though 1.5 does not: a comma behind the last entry, a comment that
 * ends the file without a line break; libconfig gets to see a copy without
 * them.
 */
#include "core/base/array.h"
#include "core/config_internal.h"
#include "core/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries go three deep; libconfig's parser and destructor are recursive. */
#define DEEPEST 8

#define EXCERPT_BYTES 60

/* libconfig 1.5 takes what follows for an int, modulo 2^32. */
#define LONGEST_NUMBER 9

static const char blanks[] = " \t\r\n\f";
static const char marks[] = "=:,;{}[]()";
static const char byte_order_mark[] = "\xef\xbb\xbf";

/* Marks stand for themselves. */
enum token_kind {
    TOKEN_END = 0,
    TOKEN_KEY = 'k',
    TOKEN_TEXT = '"',
    TOKEN_NUMBER = '0',
    TOKEN_BOOLEAN = 'b',
    TOKEN_OTHER = '?', /* a run of characters that is none of these */
};

struct token {
    int kind;
    size_t begin, end;
};

struct parser {
    struct config_text *text;
    size_t at; /* behind the token */
    struct token token;
    size_t key;    /* the last one met, for messages; 0: none yet */
    size_t inside; /* the group, array or list whose end is still to come */
    int depth;
    int line; /* of line_at: lines are counted once, forward */
    size_t line_at;
    struct error *err;
};

err_code config_fail(const struct config_text *text, int line, err_code code,
                     struct error *err, const char *format, ...)
{
    CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;
    char words[ERROR_MESSAGE_SIZE];
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    strbuf_adds(&message, text->path);
    if (line && !text->has_no_lines)
        strbuf_addf(&message, ":%d", line);
    return error_set(err, code, "%s: %s", message.text, words);
}

void config_excerpt(const char *bytes, size_t length, struct strbuf *out)
{
    size_t shown = 0;

    while (shown < length && shown < EXCERPT_BYTES && bytes[shown] &&
           !strchr("\r\n", bytes[shown]))
        shown++;
    /* Not within a UTF-8 sequence. */
    while (shown && shown < length && ((unsigned char)bytes[shown] >> 6) == 2)
        shown--;
    CLEANUP_FREE char *raw = xstrndup(bytes, shown);
    name_display(raw, out);
    if (shown < length)
        strbuf_adds(out, "...");
}

static int line_at(struct parser *parser, size_t offset)
{
    const char *bytes = parser->text->bytes;

    if (offset < parser->line_at) {
        parser->line_at = 0;
        parser->line = 1;
    }
    while (parser->line_at < offset)
        parser->line += bytes[parser->line_at++] == '\n';
    return parser->line;
}

/* "source: …" where that is the key that was read last. */
static err_code fail_at(struct parser *parser, size_t offset, const char *words)
{
    const struct config_text *text = parser->text;
    const struct config_node *node = &text->items[parser->key];
    int line = line_at(parser, offset);

    if (!parser->key)
        return config_fail(text, line, ERR_INVALID, parser->err, "%s", words);
    return config_fail(text, line, ERR_INVALID, parser->err, "%.*s: %s",
                       (int)node->key_length, text->bytes + node->key, words);
}

static err_code fail_unexpected(struct parser *parser, const char *wanted)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const struct token *token = &parser->token;
    const char *bytes = parser->text->bytes;

    strbuf_addf(&words, "expected %s, not ", wanted);
    if (token->kind == TOKEN_TEXT) {
        config_excerpt(bytes + token->begin, token->end - token->begin, &words);
    } else if (token->kind != TOKEN_END) {
        strbuf_addch(&words, '\'');
        config_excerpt(bytes + token->begin, token->end - token->begin, &words);
        strbuf_addch(&words, '\'');
    } else {
        strbuf_adds(&words, "the end of the file");
        if (parser->inside) {
            size_t open = parser->text->items[parser->inside].begin;
            strbuf_addf(&words, ": '%c' of line %d is not closed", bytes[open],
                        line_at(parser, open));
        }
    }
    return fail_at(parser, token->begin, words.text);
}

/* Behind the comment that begins here; `at` if none does, NOWHERE if open. */
static size_t comment_end(const struct config_text *text, size_t at)
{
    const char *here = text->bytes + at;
    const char *end;

    if (here[0] == '/' && here[1] == '*') {
        end = strstr(here + 2, "*/");
        return end ? (size_t)(end - text->bytes) + 2 : NOWHERE;
    }
    if (here[0] == '#' || (here[0] == '/' && here[1] == '/'))
        return at + strcspn(here, "\n");
    return at;
}

static err_code skip_blanks(struct parser *parser)
{
    for (;;) {
        size_t at =
            parser->at + strspn(parser->text->bytes + parser->at, blanks);
        size_t end = comment_end(parser->text, at);

        if (end == NOWHERE)
            return fail_at(parser, at, "this comment is not closed: add */");
        parser->at = end;
        if (end == at)
            return ERR_OK;
    }
}

/* NULL if libconfig reads what follows the backslash alike everywhere. */
static const char *escape_problem(const char *escaped)
{
    if (!*escaped)
        return NULL;
    if (strchr("abv", *escaped))
        return "\\a, \\b and \\v depend on libconfig's version: use \\\\ for a "
               "backslash";
    if (strchr("xX", *escaped) && escaped[1] == '0' && escaped[2] == '0')
        return "\\x00 cannot be part of a text: leave it out";
    return NULL;
}

static err_code scan_text(struct parser *parser)
{
    const char *bytes = parser->text->bytes;
    size_t at = parser->token.begin + 1;

    for (;;) {
        at += strcspn(bytes + at, "\"\\\r\n");
        if (bytes[at] == '"')
            break;
        if (bytes[at] != '\\')
            return fail_at(parser, parser->token.begin,
                           "this text has no closing '\"' on its line "
                           "(write \\n for a line break)");
        const char *problem = escape_problem(bytes + at + 1);
        if (problem)
            return fail_at(parser, at, problem);
        at += bytes[at + 1] && strchr("\"\\", bytes[at + 1]) ? 2 : 1;
    }
    parser->token.kind = TOKEN_TEXT;
    parser->token.end = at + 1;
    return ERR_OK;
}

static bool is_key(const char *word, size_t length)
{
    static const char letters[] = "*ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz";
    static const char others[] = "-_0123456789*ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz";

    return strchr(letters, word[0]) && strspn(word, others) >= length;
}

static bool is_number(const char *word, size_t length)
{
    size_t sign = word[0] == '-';
    size_t digits = length - sign;

    return digits && digits <= LONGEST_NUMBER &&
           strspn(word + sign, "0123456789") >= digits &&
           (word[sign] != '0' || digits == 1);
}

static bool is_word(const char *word, size_t length, const char *lower)
{
    if (strlen(lower) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((word[i] | 0x20) != lower[i])
            return false;
    return true;
}

/*
 * Takes more characters into one word than libconfig does, so that what
 * passes as a key, number or boolean is one for libconfig, too.
 */
static void scan_word(struct parser *parser)
{
    struct token *token = &parser->token;
    const char *word = parser->text->bytes + token->begin;
    size_t length = 0;

    while (word[length] && !strchr(blanks, word[length]) &&
           !strchr(marks, word[length]) && !strchr("\"#", word[length]) &&
           comment_end(parser->text, token->begin + length) ==
               token->begin + length)
        length++;
    token->end = token->begin + length;
    if (is_word(word, length, "true") || is_word(word, length, "false"))
        token->kind = TOKEN_BOOLEAN;
    else if (is_key(word, length))
        token->kind = TOKEN_KEY;
    else if (is_number(word, length))
        token->kind = TOKEN_NUMBER;
    else
        token->kind = TOKEN_OTHER;
}

static err_code advance(struct parser *parser)
{
    struct token *token = &parser->token;
    err_code code = skip_blanks(parser);

    if (code)
        return code;
    char first = parser->text->bytes[parser->at];
    token->begin = token->end = parser->at;
    token->kind = TOKEN_END;
    if (first == '"') {
        code = scan_text(parser);
    } else if (first && strchr(marks, first)) {
        token->kind = first == ':' ? '=' : first;
        token->end++;
    } else if (first) {
        scan_word(parser);
    }
    parser->at = token->end;
    return code;
}

static size_t add_node(struct parser *parser, size_t parent)
{
    struct config_text *text = parser->text;
    size_t index = text->count;
    struct config_node node = {.separator = NOWHERE,
                               .begin = parser->token.begin,
                               .line = line_at(parser, parser->token.begin),
                               .parent = parent};

    ARRAY_PUSH(text, node);
    if (!index)
        return index;
    if (text->items[parent].last)
        text->items[text->items[parent].last].next = index;
    else
        text->items[parent].first = index;
    text->items[parent].last = index;
    return index;
}

static err_code take_separator(struct parser *parser, size_t index)
{
    parser->text->items[index].separator = parser->token.begin;
    return advance(parser);
}

static err_code parse_value(struct parser *parser, size_t index);

static err_code parse_setting(struct parser *parser, size_t parent)
{
    static const char wanted[] = "a key and its value (key = ...)";
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_OTHER && parser->text->bytes[token->begin] == '@')
        return fail_at(parser, token->begin,
                       "@include is not supported, because edits could not "
                       "keep it: put everything into this file");
    if (token->kind != TOKEN_KEY)
        return fail_unexpected(parser, wanted);
    size_t index = add_node(parser, parent);
    parser->text->items[index].key = token->begin;
    parser->text->items[index].key_length = token->end - token->begin;
    parser->key = index;
    err_code code = advance(parser);
    if (code)
        return code;
    if (token->kind != '=')
        return fail_unexpected(parser, "'=' behind the key");
    code = advance(parser);
    if (!code)
        code = parse_value(parser, index);
    if (!code && (token->kind == ';' || token->kind == ','))
        code = take_separator(parser, index);
    return code;
}

static err_code parse_settings(struct parser *parser, size_t parent, int closer)
{
    while (parser->token.kind != closer) {
        err_code code = parse_setting(parser, parent);
        if (code)
            return code;
    }
    return ERR_OK;
}

/* Arrays hold values of one kind; lists hold anything. */
static err_code check_element(struct parser *parser, size_t parent)
{
    const struct config_node *nodes = parser->text->items;
    const struct config_node *array = &nodes[parent];

    if (array->kind != NODE_ARRAY ||
        (nodes[array->last].kind <= NODE_BOOLEAN &&
         nodes[array->last].kind == nodes[array->first].kind))
        return ERR_OK;
    return fail_at(parser, nodes[array->last].begin,
                   "all that is in [ ] must be of one kind, as in "
                   "[ \"one\", \"two\" ]");
}

static err_code parse_elements(struct parser *parser, size_t parent, int closer)
{
    const char *wanted = closer == ')' ? "',' or ')'" : "',' or ']'";
    const struct token *token = &parser->token;

    while (token->kind != closer) {
        size_t index = add_node(parser, parent);
        err_code code = parse_value(parser, index);
        if (!code)
            code = check_element(parser, parent);
        if (code)
            return code;
        if (token->kind != ',' && token->kind != closer)
            return fail_unexpected(parser, wanted);
        if (token->kind == ',')
            code = take_separator(parser, index);
        if (code)
            return code;
    }
    return ERR_OK;
}

static err_code parse_between(struct parser *parser, size_t index, int closer)
{
    struct config_text *text = parser->text;
    size_t outside = parser->inside;
    size_t key = parser->key;

    if (++parser->depth > DEEPEST)
        return fail_at(parser, parser->token.begin,
                       "brackets within brackets, deeper than anything here");
    parser->inside = index;
    err_code code = advance(parser);
    if (!code)
        code = closer == '}' ? parse_settings(parser, index, closer)
                             : parse_elements(parser, index, closer);
    if (code)
        return code;
    text->items[index].end = parser->token.end;
    parser->depth--;
    parser->inside = outside;
    parser->key = key;
    return advance(parser);
}

/* Adjacent strings are one. */
static err_code parse_strings(struct parser *parser, size_t index)
{
    err_code code = ERR_OK;

    while (!code && parser->token.kind == TOKEN_TEXT) {
        parser->text->items[index].end = parser->token.end;
        code = advance(parser);
    }
    return code;
}

static err_code fail_value(struct parser *parser)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    const struct token *token = &parser->token;

    if (token->kind != TOKEN_KEY && token->kind != TOKEN_OTHER)
        return fail_unexpected(parser, "a value");
    config_excerpt(parser->text->bytes + token->begin,
                   token->end - token->begin, &words);
    strbuf_addf(&words,
                " is no value: use text in straight double quotes, a whole "
                "number of at most %d digits, true or false",
                LONGEST_NUMBER);
    return fail_at(parser, token->begin, words.text);
}

static err_code parse_value(struct parser *parser, size_t index)
{
    struct config_node *node = &parser->text->items[index];
    int kind = parser->token.kind;

    node->begin = parser->token.begin;
    node->end = parser->token.end;
    switch (kind) {
    case TOKEN_TEXT:
        node->kind = NODE_TEXT;
        return parse_strings(parser, index);
    case TOKEN_NUMBER:
    case TOKEN_BOOLEAN:
        node->kind = kind == TOKEN_NUMBER ? NODE_NUMBER : NODE_BOOLEAN;
        return advance(parser);
    case '{':
        node->kind = NODE_GROUP;
        return parse_between(parser, index, '}');
    case '[':
        node->kind = NODE_ARRAY;
        return parse_between(parser, index, ']');
    case '(':
        node->kind = NODE_LIST;
        return parse_between(parser, index, ')');
    default:
        return fail_value(parser);
    }
}

/* What no token can be blamed for: not a text file, or not for Unix. */
static err_code check_bytes(struct parser *parser)
{
    const struct config_text *text = parser->text;
    size_t nul = strlen(text->bytes);

    if (nul < text->length)
        return config_fail(text, line_at(parser, nul), ERR_INVALID, parser->err,
                           "there is a NUL byte: this must be UTF-8 text");
    for (const char *cr = strchr(text->bytes, '\r'); cr;
         cr = strchr(cr + 1, '\r'))
        if (cr[1] != '\n')
            return config_fail(
                text, line_at(parser, (size_t)(cr - text->bytes)), ERR_INVALID,
                parser->err,
                "a carriage return without a line feed: end lines with LF");
    return ERR_OK;
}

err_code config_text_parse(struct config_text *text, struct error *err)
{
    struct parser parser = {.text = text, .line = 1, .err = err};
    err_code code = check_bytes(&parser);

    if (code)
        return code;
    add_node(&parser, 0);
    text->items[0].kind = NODE_GROUP;
    text->items[0].end = text->length;
    if (!strncmp(text->bytes, byte_order_mark, strlen(byte_order_mark)))
        parser.at = strlen(byte_order_mark);
    code = advance(&parser);
    return code ? code : parse_settings(&parser, 0, TOKEN_END);
}

void config_text_release(struct config_text *text)
{
    free(text->items);
    *text = (struct config_text)CONFIG_TEXT_INIT;
}

size_t config_text_child(const struct config_text *text, size_t parent,
                         const char *key)
{
    size_t length = strlen(key);
    size_t child = text->items[parent].first;

    while (child && (text->items[child].key_length != length ||
                     memcmp(text->bytes + text->items[child].key, key, length)))
        child = text->items[child].next;
    return child;
}

size_t config_text_element(const struct config_text *text, size_t parent,
                           size_t position)
{
    size_t child = text->items[parent].first;

    while (child && position--)
        child = text->items[child].next;
    return child;
}

int config_text_line_of(const struct config_text *text, const char *list,
                        size_t position, const char *key)
{
    size_t parent = config_text_child(text, 0, list);
    size_t entry = parent ? config_text_element(text, parent, position) : 0;
    size_t found = entry ? config_text_child(text, entry, key) : 0;

    return text->items[found ? found : entry].line * (entry != 0);
}

size_t config_text_comments_end(const struct config_text *text, size_t from,
                                size_t to, bool *out_is_line)
{
    size_t last = from;

    *out_is_line = false;
    for (size_t at = from; at < to; at++) {
        size_t end = comment_end(text, at);
        if (end == at)
            continue;
        *out_is_line = text->bytes[at] == '#' || text->bytes[at + 1] == '/';
        last = end;
        at = end - 1;
        /* CRLF: the '\r' belongs to the line break, not to the comment. */
        if (text->bytes[end] == '\n' && text->bytes[end - 1] == '\r')
            last--;
    }
    return last;
}

void config_text_for_libconfig(const struct config_text *text,
                               struct strbuf *out)
{
    size_t base = out->length;

    strbuf_add(out, text->bytes, text->length);
    strbuf_adds(out, "\n");
    if (!strncmp(text->bytes, byte_order_mark, strlen(byte_order_mark)))
        memset(out->text + base, ' ', strlen(byte_order_mark));
    for (size_t i = 0; i < text->count; i++) {
        const struct config_node *node = &text->items[i];
        size_t comma = text->items[node->last].separator;

        if (node->kind > NODE_GROUP && node->last && comma != NOWHERE)
            out->text[base + comma] = ' ';
    }
}
