#include "platform/posix_crontab.h"

#include <string.h>

bool posix_crontab_silence(struct strbuf *text, const char *line)
{
    static const char mark[] = "# berth does this now: ";
    size_t length = strlen(line);
    bool was_there = false;

    for (size_t at = 0; length && at < text->length;) {
        size_t end = at + strcspn(text->text + at, "\n");
        if (end - at == length && !memcmp(text->text + at, line, length)) {
            strbuf_splice(text, at, 0, mark, sizeof mark - 1);
            end += sizeof mark - 1;
            was_there = true;
        }
        at = end + 1;
    }
    return was_there;
}
