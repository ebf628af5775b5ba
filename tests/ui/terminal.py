"""A terminal for tests: what a program sends is drawn into a grid of cells.

Understands what ncurses sends to TERM=xterm-256color, linux and vt100; what
it does not understand is an error, so that nothing is silently misdrawn.
"""

import re
import unicodedata

ESCAPE = re.compile(
    rb"\x1b(?:\[([0-9;?>]*)([@-~])"  # CSI
    rb"|\]([^\x07\x1b]*)(?:\x07|\x1b\\)"  # OSC
    rb"|[()]([A-Z0-9])|([=>78MDEHc]))",
    re.S,
)
# Bold, dim, reverse … as SGR numbers them.
ATTRIBUTES = {1, 2, 3, 4, 5, 7, 8}
LINES = dict(zip("jklmnqtuvwx`a~", "┘┐┌└┼─├┤┴┬│◆▒·"))


def columns(character):
    if unicodedata.combining(character) or unicodedata.category(character) in (
        "Mn",
        "Me",
        "Cf",
    ):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Terminal:
    """The grid; `modes` holds what was switched on: "alternate", "mouse"…"""

    def __init__(self, width, height):
        self.pending = b""
        self.ground = "1414/1616/1b1b"  # "": not told; None: no answer at all
        self.answers = b""  # what a terminal would type by itself
        self.modes = {"cursor"}
        self.graphics = False
        self.style = ()
        self.x = self.y = 0
        self.saved = (0, 0)
        self.received = 0
        self.resize(width, height)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.cells = [self.blank_row() for _ in range(height)]
        self.x = self.y = 0
        self.top, self.bottom = 0, height - 1
        self.wraps = False

    def blank_row(self):
        return [(" ", ())] * self.width

    # --- what is on it ------------------------------------------------------

    def lines(self):
        return ["".join(c for c, _ in row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines()) + "\n"

    def styles_of(self, words):
        """The styles of the first place that shows these words."""
        for row in self.cells:
            # A wide letter's right half is an empty string.
            at = "".join(c or "\0" for c, _ in row).find(words)
            if at >= 0:
                return [style for _, style in row[at : at + len(words)]]
        return []

    # --- what comes in ------------------------------------------------------

    def feed(self, data):
        self.received += len(data)
        data = self.pending + data
        at = 0
        while at < len(data):
            if data[at] == 0x1B:
                match = ESCAPE.match(data, at)
                if not match:
                    if len(data) - at > 64:
                        raise ValueError(f"not understood: {data[at:at + 20]}")
                    break
                self.escape(match)
                at = match.end()
            elif data[at] < 0x20:
                self.control(data[at])
                at += 1
            else:
                length = 1
                if data[at] >= 0xC0:
                    length = 2 + (data[at] >= 0xE0) + (data[at] >= 0xF0)
                if at + length > len(data):
                    break
                self.put(data[at : at + length].decode("utf-8", "replace"))
                at += length
        self.pending = data[at:]

    def put(self, character):
        if self.graphics:
            character = LINES.get(character, character)
        width = columns(character)
        if width == 0:
            x = self.x - (0 if self.wraps else 1)
            while x > 0 and not self.cells[self.y][x][0]:
                x -= 1
            base, style = self.cells[self.y][x]
            self.cells[self.y][x] = (base + character, style)
            return
        if self.wraps or self.x + width > self.width:
            self.x = 0
            self.feed_line()
        row = self.cells[self.y]
        row[self.x] = (character, self.style)
        if width == 2:
            row[self.x + 1] = ("", self.style)
        self.last = character
        self.x += width
        self.wraps = self.x >= self.width
        if self.wraps:
            self.x = self.width - 1

    def feed_line(self):
        self.wraps = False
        if self.y == self.bottom:
            self.scroll(self.top, 1)
        elif self.y < self.height - 1:
            self.y += 1

    def scroll(self, top, count):
        """Moves the rows [top, bottom] up by count, down if negative."""
        for _ in range(abs(count)):
            if count > 0:
                del self.cells[top]
                self.cells.insert(self.bottom, self.blank_row())
            else:
                del self.cells[self.bottom]
                self.cells.insert(top, self.blank_row())

    def control(self, byte):
        if byte == 0x08:
            self.x = max(0, self.x - 1)
        elif byte == 0x0D:
            self.x = 0
        elif byte == 0x0A:
            self.feed_line()
        elif byte == 0x09:
            self.x = min(self.width - 1, self.x // 8 * 8 + 8)
        elif byte not in (0x00, 0x07, 0x0E, 0x0F):
            raise ValueError(f"not understood: control {byte}")
        if byte in (0x0E, 0x0F):
            self.graphics = byte == 0x0E
        self.wraps = False

    def escape(self, match):
        arguments, final, command, charset, single = match.groups()
        if command is not None:
            if command == b"11;?" and self.ground:
                self.answers += f"\x1b]11;rgb:{self.ground}\x1b\\".encode()
        elif final:
            self.csi(arguments.decode(), final.decode())
        elif charset:
            self.graphics = charset == b"0"
        elif single in (b"7", b"8"):
            if single == b"7":
                self.saved = (self.x, self.y)
            else:
                self.x, self.y = self.saved
        elif single == b"M":
            self.wraps = False
            if self.y == self.top:
                self.scroll(self.top, -1)
            else:
                self.y = max(0, self.y - 1)
        elif single in (b"=", b">"):
            self.mode("keypad", single == b"=")

    def mode(self, name, on):
        (self.modes.add if on else self.modes.discard)(name)

    def csi(self, arguments, final):
        if arguments.startswith(("?", ">")):
            return self.private(arguments[1:], final)
        if final == "c":
            if self.ground is not None:
                self.answers += b"\x1b[?62;22c"
            return
        numbers = [int(n or 0) for n in arguments.split(";")]
        first = max(1, numbers[0])
        row = self.cells[self.y]
        if final != "m":
            self.wraps = False
        if final == "m":
            self.sgr(numbers)
        elif final in "Hf":
            self.y = min(first, self.height) - 1
            column = max(1, numbers[1]) if len(numbers) > 1 else 1
            self.x = min(column, self.width) - 1
        elif final == "A":
            self.y = max(0, self.y - first)
        elif final == "B":
            self.y = min(self.height - 1, self.y + first)
        elif final == "C":
            self.x = min(self.width - 1, self.x + first)
        elif final == "D":
            self.x = max(0, self.x - first)
        elif final in "G`":
            self.x = min(first, self.width) - 1
        elif final == "d":
            self.y = min(first, self.height) - 1
        elif final == "K":
            self.erase_line(numbers[0])
        elif final == "J":
            self.erase_screen(numbers[0])
        elif final == "X":
            for x in range(self.x, min(self.width, self.x + first)):
                row[x] = (" ", self.style)
        elif final == "P":
            del row[self.x : self.x + first]
            row.extend([(" ", ())] * (self.width - len(row)))
        elif final == "@":
            row[self.x : self.x] = [(" ", ())] * first
            del row[self.width :]
        elif final == "L":
            self.scroll(self.y, -first)
        elif final == "M":
            self.scroll(self.y, first)
        elif final == "S":
            self.scroll(self.top, first)
        elif final == "T":
            self.scroll(self.top, -first)
        elif final == "b":
            for _ in range(first):
                self.put(self.last)
        elif final == "r":
            self.top = first - 1
            self.bottom = (numbers[1] if len(numbers) > 1 else 0) or self.height
            self.bottom -= 1
            self.x = self.y = 0
        elif final not in "lht":
            raise ValueError(f"not understood: CSI {arguments} {final}")

    def private(self, arguments, final):
        names = {"25": "cursor", "1049": "alternate", "1": "keys"}
        names.update({"1000": "mouse", "1002": "mouse", "1006": "mouse"})
        if final not in "hl":
            return
        for number in arguments.split(";"):
            if number in names:
                self.mode(names[number], final == "h")
            if number == "1049":
                self.resize(self.width, self.height)

    def erase_line(self, how):
        start = 0 if how else self.x
        end = self.x + 1 if how == 1 else self.width
        for x in range(start, end):
            self.cells[self.y][x] = (" ", self.style)

    def erase_screen(self, how):
        if how == 2:
            self.cells = [self.blank_row() for _ in range(self.height)]
            return
        self.erase_line(how)
        rows = range(0, self.y) if how == 1 else range(self.y + 1, self.height)
        for y in rows:
            self.cells[y] = self.blank_row()

    def sgr(self, numbers):
        style = {key: value for key, value in self.style}
        at = 0
        while at < len(numbers):
            number = numbers[at]
            if number == 0:
                style = {}
            elif number in ATTRIBUTES:
                style[number] = True
            elif 22 <= number <= 28:
                for off in (1, 2) if number == 22 else (number - 20,):
                    style.pop(off, None)
            elif number in (38, 48):
                style["f" if number == 38 else "b"] = numbers[at + 2]
                at += 2
            elif number in (39, 49):
                style.pop("f" if number == 39 else "b", None)
            elif 30 <= number <= 37 or 90 <= number <= 97:
                style["f"] = number % 10 + (8 if number >= 90 else 0)
            elif 40 <= number <= 47 or 100 <= number <= 107:
                style["b"] = number % 10 + (8 if number >= 100 else 0)
            elif number != 10:
                raise ValueError(f"not understood: SGR {number}")
            at += 1
        self.style = tuple(sorted(style.items(), key=str))
