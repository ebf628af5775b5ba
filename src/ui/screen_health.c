#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct drive *drive = model_selected(model);

    strbuf_addf(left, "Health · %s", drive ? drive->title : "");
    if (drive)
        strbuf_adds(right, drive->is_attached ? "attached" : "away");
}

/* --- the drive -------------------------------------------------------------
 */

static void put_drive(struct flow *flow, const struct drive *drive)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char size[QUANTITY_SIZE];

    strbuf_adds(&words, drive->is_rotational ? "rotating" : "solid state");
    if (drive->size_bytes > 0)
        strbuf_addf(&words, " · %s", format_bytes(drive->size_bytes, size));
    if (*drive->serial)
        strbuf_addf(&words, " · serial %s", drive->serial);
    if (*drive->device)
        strbuf_addf(&words, " · %s", drive->device);
    flow_label(flow, "Drive", STYLE_NORMAL, words.text);
}

static void put_cache(struct flow *flow, const struct drive *drive)
{
    static const char *const words[] = {
        [PLATFORM_CACHE_UNKNOWN] = "not known: berth flushes all the same",
        [PLATFORM_CACHE_WRITE_BACK] = "write back: an eject flushes it",
        [PLATFORM_CACHE_WRITE_THROUGH] =
            ("write through, as the drive says: green needs a flush that "
             "berth saw"),
    };

    flow_label(flow, "Cache", STYLE_NORMAL, words[drive->write_cache]);
}

/* "0 I/O errors"; nothing where it is not counted */
static void add_counter(struct strbuf *out, int64_t count, const char *thing)
{
    char words[WORDS_SIZE];

    if (count >= 0)
        strbuf_addf(out, "%s%s", out->length ? " · " : "",
                    words_count(count, thing, words));
}

static void put_counters(struct flow *flow, const struct drive *drive)
{
    const struct platform_health *now = &drive->readings;
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    bool is_bad = now->io_errors > 0 || now->fs_errors > 0 ||
                  now->link_resets > 0 || now->has_under_voltage > 0;

    add_counter(&words, now->io_errors, "I/O error");
    add_counter(&words, now->link_resets, "link reset");
    add_counter(&words, now->fs_errors, "filesystem error");
    if (now->has_under_voltage >= 0)
        strbuf_addf(&words, "%spower supply %s", words.length ? " · " : "",
                    now->has_under_voltage ? "too weak" : "fine");
    if (!words.length)
        strbuf_adds(&words, "nobody counts errors of this one");
    flow_label(flow, "Counters", is_bad ? STYLE_WATCH : STYLE_NORMAL,
               words.text);
}

/* --- attributes ------------------------------------------------------------
 */

/* Columns from the right, so that the name has what is left. */
#define TREND_WIDTH 14
#define RAW_WIDTH 12
#define NUMBER_WIDTH 6

/* What it was at first sight; -1: not kept. */
static int64_t before_of(const struct drive *drive,
                         const struct platform_attribute *attribute)
{
    const struct health_baseline *baseline = &drive->baseline;

    if (!baseline->is_known)
        return -1;
    if (!attribute->id && !strcmp(attribute->name, "media_errors"))
        return baseline->media_errors;
    for (int i = 0; i < HEALTH_CRITICAL_COUNT; i++)
        if (attribute->id && health_critical_id(i) == attribute->id)
            return baseline->raw[i];
    return -1;
}

static enum style describe_trend(const struct drive *drive,
                                 const struct platform_attribute *attribute,
                                 struct strbuf *out)
{
    int64_t before = before_of(drive, attribute);

    if (attribute->is_failing_now) {
        strbuf_adds(out, "FAILING NOW");
        return STYLE_BAD;
    }
    if (before >= 0 && attribute->raw > before) {
        strbuf_addf(out, "+%" PRId64, attribute->raw - before);
        return STYLE_WATCH;
    }
    if (attribute->failed_before) {
        strbuf_adds(out, "failed once");
        return STYLE_WATCH;
    }
    strbuf_adds(out, before >= 0 ? "as it was" : "");
    return STYLE_DIM;
}

static void put_number(struct area area, int x, int y, int width,
                       enum style style, int64_t number)
{
    char text[QUANTITY_SIZE];

    if (number >= 0)
        area_put_right(area_columns(area, x, width), y, style,
                       format_count(number, text));
}

static void put_attribute(struct flow *flow, const struct drive *drive,
                          const struct platform_attribute *attribute)
{
    CLEANUP(strbuf_release) struct strbuf trend = STRBUF_INIT;
    struct area area = flow->area;
    int row = flow->row++;
    int width = area.width < 110 ? area.width : 110;
    int x = width - TREND_WIDTH - RAW_WIDTH - 3 * NUMBER_WIDTH;
    enum style style = describe_trend(drive, attribute, &trend);

    if (attribute->id)
        put_number(area, 0, row, 3, STYLE_DIM, attribute->id);
    area_put_name(area_columns(area, 4, x - 4), 0, row, STYLE_NORMAL,
                  attribute->name);
    put_number(area, x, row, NUMBER_WIDTH, STYLE_NORMAL, attribute->value);
    put_number(area, x + NUMBER_WIDTH, row, NUMBER_WIDTH, STYLE_DIM,
               attribute->worst);
    put_number(area, x + 2 * NUMBER_WIDTH, row, NUMBER_WIDTH, STYLE_DIM,
               attribute->threshold);
    put_number(area, x + 3 * NUMBER_WIDTH, row, RAW_WIDTH, STYLE_NORMAL,
               attribute->raw);
    area_put(area_columns(area, width - TREND_WIDTH + 2, TREND_WIDTH - 2), 0,
             row, style, trend.text);
}

static void put_heads(const struct model *model, struct flow *flow,
                      const struct drive *drive)
{
    static const char *const heads[] = {"now", "worst", "limit"};
    struct area area = flow->area;
    int row = flow->row++;
    int width = area.width < 110 ? area.width : 110;
    int x = width - TREND_WIDTH - RAW_WIDTH - 3 * NUMBER_WIDTH;
    char when[WORDS_SIZE];

    area_put(area, 0, row, STYLE_TITLE, "Attributes");
    for (int i = 0; i < 3; i++)
        area_put_right(area_columns(area, x + i * NUMBER_WIDTH, NUMBER_WIDTH),
                       row, STYLE_DIM, heads[i]);
    area_put_right(area_columns(area, x + 3 * NUMBER_WIDTH, RAW_WIDTH), row,
                   STYLE_DIM, "raw");
    struct area trend =
        area_columns(area, width - TREND_WIDTH + 2, TREND_WIDTH);
    if (drive->baseline.is_known && drive->baseline.since_ns)
        area_putf(trend, 0, row, STYLE_DIM, "since %s",
                  words_since(model->now_ns, drive->baseline.since_ns, when));
    else
        area_put(trend, 0, row, STYLE_DIM, "since first");
}

static void put_attributes(const struct model *model, struct flow *flow,
                           const struct drive *drive)
{
    const struct platform_health *now = &drive->readings;

    if (!now->attribute_count)
        return;
    put_heads(model, flow, drive);
    for (size_t i = 0; i < now->attribute_count; i++)
        put_attribute(flow, drive, &now->attributes[i]);
    flow->row++;
}

static const char *smart_words(const struct drive *drive)
{
    if (!drive->is_attached)
        return "It is away: what it tells can be read when it is plugged in.";
    if (!drive->has_readings)
        return "Its health is being read.";
    if (drive->health.state == HEALTH_FAILING)
        return "Copy what is only on it, and replace it.";
    switch (drive->readings.smart) {
    case PLATFORM_SMART_HIDDEN:
        return "The USB bridge does not pass SMART on. berth judges the drive "
               "by what it sees: errors, resets, and files that read back "
               "other than written.";
    case PLATFORM_SMART_ASLEEP:
        return "The drive sleeps, and is not woken to be asked. R asks again.";
    case PLATFORM_SMART_UNKNOWN:
        return "Nobody could be asked for SMART: that needs UDisks2 or "
               "smartctl, and the rights to use it.";
    default:
        return "Old counts do not alarm: growth does. A verdict can recover.";
    }
}

/* --- its volumes -----------------------------------------------------------
 */

static void put_volumes(struct flow *flow, const struct drive *drive)
{
    for (size_t i = 0; drive->is_attached && i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        struct area area = flow->area;
        area_put_name(area_columns(area, 0, 30), 0, flow->row, STYLE_STRONG,
                      volume_title(volume));
        area_put(area, 32, flow->row++, STYLE_DIM,
                 family_words(volume->family));
        screen_put_state(flow, volume);
    }
}

static int put_all(const struct model *model, struct area area, int row)
{
    struct flow flow = {.area = area, .row = row};
    const struct drive *drive = model_selected(model);

    if (!drive)
        return 0;
    if (*drive->unsafe) {
        flow_label(&flow, "Unsafe", STYLE_BAD, drive->unsafe);
        flow.row++;
    }
    if (*drive->unrepaired) {
        flow_label(&flow, "Note", STYLE_BAD, drive->unrepaired);
        flow.row++;
    }
    screen_put_health(&flow, drive);
    flow_beside(&flow, 9, STYLE_DIM, smart_words(drive));
    flow.row++;
    if (drive->is_attached) {
        put_drive(&flow, drive);
        screen_put_link(&flow, drive);
        put_cache(&flow, drive);
    }
    if (drive->has_readings)
        put_counters(&flow, drive);
    flow.row++;
    put_attributes(model, &flow, drive);
    put_volumes(&flow, drive);
    return flow.row - row;
}

static void draw(const struct model *model, struct area area)
{
    const struct drive *drive = model_selected(model);
    struct area inside = area_inside(area);

    area_frame(area, drive ? drive->title : "Health");
    inside = area_columns(inside, 1, inside.width - 2);
    int rows = put_all(model, area_part(inside, 0, 0, inside.width, 0), 0);
    int most = rows > inside.height ? rows - inside.height : 0;
    int scroll = model->health_scroll < most ? model->health_scroll : most;
    put_all(model, inside, -scroll);
    widget_list_marks(inside, (size_t)scroll, (size_t)inside.height,
                      (size_t)rows);
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_more_drives(const struct model *model)
{
    return model->drives.count > 1;
}

static const struct binding bindings[] = {
    {{UI_KEY_RIGHT, 'l', UI_KEY_TAB},
     INTENT_RIGHT,
     "next drive",
     "the next drive of the list",
     has_more_drives},
    {{UI_KEY_LEFT, 'h'},
     INTENT_LEFT,
     NULL,
     "the drive before",
     has_more_drives},
    {{'R'},
     INTENT_RESCAN,
     "read again",
     "ask every drive for its health again",
     NULL},
    {{'q', UI_KEY_ESCAPE}, INTENT_BACK, "back", "back to the drives", NULL},
};

static void choose_beside(struct model *model, long step)
{
    size_t count = model->drives.count;

    if (!count)
        return;
    model_choose(model,
                 (model_selected_index(model) + count + (size_t)step) % count);
    model->health_scroll = 0;
}

static void handle(struct model *model, enum intent intent, int argument)
{
    int page = screen_height(model) - 4;

    switch (intent) {
    case INTENT_RIGHT:
        choose_beside(model, 1);
        break;
    case INTENT_LEFT:
        choose_beside(model, -1);
        break;
    case INTENT_UP:
        model->health_scroll--;
        break;
    case INTENT_DOWN:
        model->health_scroll++;
        break;
    case INTENT_PAGE_UP:
        model->health_scroll -= page;
        break;
    case INTENT_PAGE_DOWN:
        model->health_scroll += page;
        break;
    case INTENT_RESCAN:
        if (!model_is_under_way(model, ROLE_RESCAN))
            model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
        model_say(model, "asking the drives again");
        break;
    case INTENT_BACK:
    case INTENT_CANCEL:
        model_back(model);
        break;
    default:
        break;
    }
    if (model->health_scroll < 0)
        model->health_scroll = 0;
    if (model->health_scroll > 1000)
        model->health_scroll = 1000;
}

const struct screen screen_health = {
    .bindings = {"Health", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
