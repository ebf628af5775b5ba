#include "ui/widget.h"

#include "ui/intent.h"
#include "ui/keys.h"

#include <string.h>

/* Around the text of a box: frame and a blank column. */
#define MARGIN 4
/* Columns of text: a longer line is wrapped, however wide the window. */
#define EASILY_READ 72

static int least(int one, int other)
{
    return one < other ? one : other;
}

struct area widget_box(struct area area, int width, int height,
                       const char *title)
{
    width = least(width, area.width);
    height = least(height, area.height);
    struct area box = area_part(area, (area.width - width) / 2,
                                (area.height - height) / 2, width, height);

    area_clear(box, STYLE_NORMAL);
    area_frame(box, title);
    return area_part(box, 2, 1, box.width - MARGIN, box.height - 2);
}

static int count_rows(const char *text, int width)
{
    int rows = 0;

    while (*text) {
        size_t next;
        text_wrap(text, width, &next);
        text += next;
        rows++;
    }
    return rows;
}

static int widest_line(const char *text)
{
    int widest = 0;

    while (*text) {
        CLEANUP_FREE char *line = xstrndup(text, strcspn(text, "\n"));
        int width = text_width(line);
        if (width > widest)
            widest = width;
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return widest;
}

static int put_key(struct area area, int x, int y, uint32_t key,
                   const char *words)
{
    char name[KEY_NAME_SIZE];

    x = area_put(area, x, y, STYLE_KEY,
                 keys_name(key, area.canvas->is_ascii, name));
    return area_put(area, x + 1, y, STYLE_NORMAL, words);
}

static int answers_width(const struct question *question)
{
    int width = text_width("Esc");
    char name[KEY_NAME_SIZE];

    for (size_t i = 0; i < question->answer_count; i++)
        width += text_width(keys_name(question->answers[i].key, false, name)) +
                 text_width(question->answers[i].words) + 4;
    return width;
}

static void put_answers(struct area area, int y,
                        const struct question *question)
{
    int x = 0;

    for (size_t i = 0; i < question->answer_count; i++) {
        int start = x;
        x = put_key(area, x, y, question->answers[i].key,
                    question->answers[i].words);
        area_hit(area_part(area, start, y, x - start, 1), INTENT_ANSWER,
                 (int)i);
        x += 3;
    }
    int start = x;
    x = area_put(area, x, y, STYLE_KEY, "Esc");
    area_hit(area_part(area, start, y, x - start, 1), INTENT_CANCEL, 0);
}

void widget_question(struct area area, const struct question *question)
{
    int width = answers_width(question);

    int widest = least(widest_line(question->text), EASILY_READ);
    if (widest > width)
        width = widest;
    if (text_width(question->title) + 2 > width)
        width = text_width(question->title) + 2;
    width = least(width + MARGIN, area.width - 2);
    int rows = count_rows(question->text, width - MARGIN);
    struct area box = widget_box(area, width, rows + 5, question->title);
    area_put_wrapped(box, 1, STYLE_NORMAL, question->text);
    put_answers(box, rows + 2, question);
}

void widget_story(struct area area, const char *title, const char *text,
                  const char *enter)
{
    int x = 0;

    int width = least(area.width - 4, 76);
    int rows = count_rows(text, width - MARGIN);
    struct area box = widget_box(area, width, rows + 5, title);

    area_put_wrapped(box, 1, STYLE_NORMAL, text);
    if (enter)
        x = put_key(box, 0, box.height - 1, UI_KEY_ENTER, enter) + 3;
    put_key(box, x, box.height - 1, UI_KEY_ESCAPE, "close");
}
