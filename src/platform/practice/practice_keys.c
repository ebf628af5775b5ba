#include "platform/practice/practice_keys.h"

#include <inttypes.h>
#include <string.h>

enum key_type { KEY_TEXT, KEY_AMOUNT, KEY_CHOICE };

#define YES_NO "yes no"

static const struct key {
    const char *name; /* one that ends in "-" goes on with a number */
    enum card_kind kind;
    enum key_type type;
    const char *choices;
} keys[] = {
    {"vendor", CARD_DRIVE, KEY_TEXT, NULL},
    {"model", CARD_DRIVE, KEY_TEXT, NULL},
    {"serial", CARD_DRIVE, KEY_TEXT, NULL},
    {"bus", CARD_DRIVE, KEY_CHOICE,
     "usb thunderbolt sata nvme sd scsi virtual practice"},
    {"size", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"link", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"external", CARD_DRIVE, KEY_CHOICE, YES_NO},
    {"rotational", CARD_DRIVE, KEY_CHOICE, YES_NO},
    {"away", CARD_DRIVE, KEY_CHOICE, YES_NO},
    {"write-cache", CARD_DRIVE, KEY_CHOICE, "back through unknown"},
    {"smart", CARD_DRIVE, KEY_CHOICE, "passed failing hidden asleep unknown"},
    {"temperature", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"hours", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"attribute-", CARD_DRIVE, KEY_TEXT, NULL},
    {"io-errors", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"fs-errors", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"link-resets", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"under-voltage", CARD_DRIVE, KEY_CHOICE, YES_NO},
    {"slow", CARD_DRIVE, KEY_AMOUNT, NULL},
    {"fail-flush", CARD_DRIVE, KEY_CHOICE, "once no"},
    {"fail-writes", CARD_DRIVE, KEY_CHOICE, YES_NO},
    {"power-off", CARD_DRIVE, KEY_CHOICE, "yes refused unsupported stays"},
    {"proof", CARD_DRIVE, KEY_CHOICE, "seen hidden flush-failed stop-failed"},
    {"no-eject", CARD_DRIVE, KEY_TEXT, NULL},
    {"drive", CARD_VOLUME, KEY_TEXT, NULL},
    {"family", CARD_VOLUME, KEY_TEXT, NULL},
    {"label", CARD_VOLUME, KEY_TEXT, NULL},
    {"uuid", CARD_VOLUME, KEY_TEXT, NULL},
    {"size", CARD_VOLUME, KEY_AMOUNT, NULL},
    {"used", CARD_VOLUME, KEY_AMOUNT, NULL},
    {"full", CARD_VOLUME, KEY_CHOICE, YES_NO},
    {"fail-reads", CARD_VOLUME, KEY_TEXT, NULL},
    {"read-only", CARD_VOLUME, KEY_CHOICE, YES_NO},
    {"dirty", CARD_VOLUME, KEY_CHOICE, YES_NO},
    {"check", CARD_VOLUME, KEY_CHOICE, "unknown none needed"},
    {"locked", CARD_VOLUME, KEY_CHOICE, YES_NO},
    {"system", CARD_VOLUME, KEY_CHOICE, YES_NO},
    {"automount", CARD_VOLUME, KEY_CHOICE, YES_NO},
};

/*
 * Thousandths of a decimal number. Not strtod, which asks the locale what a
 * decimal point is.
 */
static bool read_thousandths(const char *text, int64_t *out, const char **end)
{
    int64_t value = 0;
    int digits = 0, decimals = -1;

    for (; (*text >= '0' && *text <= '9') || (*text == '.' && decimals < 0);
         text++) {
        if (*text == '.') {
            decimals = 0;
            continue;
        }
        if (decimals == 3 || ++digits > 15)
            return false;
        value = value * 10 + (*text - '0');
        decimals += decimals >= 0;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 3; i++)
        value *= 10;
    *out = value;
    *end = text;
    return digits > 0;
}

bool practice_read_amount(const char *text, int64_t *out)
{
    static const char units[] = "kMGTP";
    int64_t thousandths, factor = 1;
    const char *end;

    if (!read_thousandths(text, &thousandths, &end))
        return false;
    const char *unit = *end ? strchr(units, *end) : NULL;
    for (ptrdiff_t i = unit ? unit - units + 1 : 0; i > 0; i--)
        factor *= 1000;
    end += unit != NULL;
    end += *end == 'B';
    if (*end || thousandths / 1000 > INT64_MAX / factor - 1)
        return false;
    *out = thousandths / 1000 * factor + thousandths % 1000 * factor / 1000;
    return true;
}

bool practice_read_seconds(const char *text, int64_t *out_ms)
{
    const char *end;

    return read_thousandths(text, out_ms, &end) && !*end;
}

static bool is_key(const struct key *key, const char *name)
{
    size_t length = strlen(key->name);

    if (key->name[length - 1] != '-')
        return !strcmp(key->name, name);
    return !strncmp(key->name, name, length) && name[length] &&
           name[length + strspn(name + length, "0123456789")] == '\0';
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *choice = choices; choice;
         choice = strchr(choice, ' ') ? strchr(choice, ' ') + 1 : NULL)
        if (length && !strncmp(choice, value, length) &&
            (choice[length] == ' ' || !choice[length]))
            return true;
    return false;
}

static err_code read_value(const struct key *key, const char *value,
                           char **out_value, struct error *err)
{
    int64_t amount;

    switch (key->type) {
    case KEY_TEXT:
        *out_value = xstrdup(value);
        return ERR_OK;
    case KEY_CHOICE:
        if (!is_choice(key->choices, value))
            return error_set(err, ERR_INVALID, "%s=%s: use one of %s",
                             key->name, value, key->choices);
        *out_value = xstrdup(value);
        return ERR_OK;
    case KEY_AMOUNT:
        break;
    }
    if (!practice_read_amount(value, &amount))
        return error_set(err, ERR_INVALID,
                         "%s=%s: use a number as 512, 4MB or 5TB", key->name,
                         value);
    *out_value = xasprintf("%" PRId64, amount);
    return ERR_OK;
}

err_code practice_read_key(const char *key, const char *value,
                           enum card_kind *kind, char **out_value,
                           struct error *err)
{
    const struct key *found = NULL;

    /* "size" is a key of both: `*kind` says whose is meant. */
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (is_key(&keys[i], key) && (!found || keys[i].kind == *kind))
            found = &keys[i];
    if (!found)
        return error_set(err, ERR_INVALID,
                         "%s is not a key of practice drives (practice.h)",
                         key);
    *kind = found->kind;
    return read_value(found, value, out_value, err);
}
