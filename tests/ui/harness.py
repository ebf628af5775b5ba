"""What the tests of the screen share: a case, its sandbox, snapshots."""

import difflib
import fcntl
import os
import re
import string

from program import HDD, SSD, STICK, Failure, Program, Sandbox  # noqa: F401

tests = []


def test(function):
    tests.append(function)
    return function


class Skip(Exception):
    """Why a test cannot be made here."""


# What differs from run to run, made equal; columns stay where they are.
VARYING = [
    (re.compile(r"\b\d\d:\d\d\b"), lambda m: "hh:mm"),
    (
        re.compile(
            r"\b\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b( \d{4}\b)?"
        ),
        lambda m: "DD Mon",
    ),
    (re.compile(r"(?<=[-…])[0-9a-z](?=/drives)|(?<=berth-ui-)[0-9a-z]"), lambda m: "N"),
    (re.compile(r"\d[\d.]* [kMGT]?B/s"), lambda m: "N MB/s"),
    (re.compile(r"\d[\d.]* s\b"), lambda m: "N s"),
    (re.compile(r"\d+ m \d\d s\b"), lambda m: "N s"),
    # Which of many files a pulled drive fails first.
    (re.compile(r"(?<=cannot examine )[\w./-]+(?=:)"), lambda m: "FILE"),
]


def put_equal(line):
    for pattern, words in VARYING:
        at = 0
        while match := pattern.search(line, at):
            before, after = match.group(), words(match)
            rest = line[match.end() :]
            missing = len(before) - len(after)
            blank = re.search(r"  +", rest)
            if missing and blank:
                width = max(1, len(blank.group()) + missing)
                rest = rest[: blank.start()] + " " * width + rest[blank.end() :]
            line = line[: match.start()] + after + rest
            at = match.start() + len(after)
    return line


def normalise(text):
    return "".join(put_equal(line).rstrip() + "\n" for line in text.splitlines())


class Case:
    def __init__(self, name, options):
        self.name = name
        self.options = options
        self.sandboxes = []
        self.locks = []
        self.wrong = []

    def sandbox(self):
        """A private one; its number keeps paths as long as ever."""
        for slot in string.digits + string.ascii_lowercase:
            lock = open(f"/tmp/.berth-ui-{slot}.lock", "w", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            self.locks.append(lock)
            self.sandboxes.append(Sandbox(self.options.build, slot))
            return self.sandboxes[-1]
        raise Failure("36 sandboxes are in use")

    def homelab(self, synced=True, drives=(HDD, STICK, SSD)):
        """A drive with two jobs; a past, and what has changed since."""
        box = self.sandbox()
        box.script(*drives)
        for i in range(48):
            box.write(f"home/notes/{'abcd'[i % 4]}/note-{i:02}.md", "n" * (200 + i * 53))
        for i in range(4):
            box.write(f"home/media/films/film-{i}.mkv", b"f" * (400000 * (i + 1)))
        box.add_volume("hdd")
        box.add_job("notes", "hdd:/notes")
        box.add_job("media", "hdd:/media")
        if synced:
            box.berth("sync")
            self.change(box)
        return box

    @staticmethod
    def change(box):
        box.write("home/notes/a/new.md", "n" * 5000)
        box.write("home/notes/b/note-01.md", "changed " * 60, age_days=3)
        os.remove(box.path("home/notes/c/note-02.md"))
        films = box.path("home/media/films")
        os.rename(f"{films}/film-1.mkv", f"{films}/Nosferatu (1922).mkv")
        box.write("home/media/films/film-9.mkv", b"z" * 2000000)

    def snapshot(self, program, name, without=""):
        """The screen as it stands is what the file says, `without` letters."""
        program.settle()
        text = program.text()
        for letter in without:
            text = text.replace(letter, " ")
        self.compare(text, name)

    def compare(self, text, name):
        path = os.path.join(self.options.snapshots, name + ".screen")
        text = normalise(text)
        if not text.strip():
            self.wrong.append(f"{name}: nothing is shown")
            return
        if self.options.accept:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return
        try:
            with open(path, encoding="utf-8") as file:
                expected = file.read()
        except FileNotFoundError:
            self.wrong.append(f"{name}: no such snapshot; tests/run-ui --accept")
            return
        if text != expected:
            difference = difflib.unified_diff(
                expected.splitlines(), text.splitlines(), name, "seen", lineterm=""
            )
            self.wrong.append("\n".join(difference))

    def check(self, is_true, words):
        if not is_true:
            raise Failure(words)

    def finish(self):
        if self.wrong:
            raise Failure("\n".join(self.wrong))

    def close(self):
        for box in self.sandboxes:
            box.close()
        for lock in self.locks:
            lock.close()
