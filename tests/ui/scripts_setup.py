"""A first run: a drive and a job are made known in the screen."""

import os

from harness import HDD, SSD, STICK, test

SIZES = ((80, 24), (100, 30), (160, 50))


def new_laptop(t, drives=(STICK, SSD)):
    """Nothing is configured; the stick was filled by an rsync once."""
    box = t.sandbox()
    box.script(*drives)
    for i in range(5):
        box.write(f"home/media/films/film-{i}.mkv", "f" * 1000 * (i + 1))
    box.write("home/notes/note.md", "n")
    box.write("home/Ärger/alt.md", "n")
    box.write("home/.cache/junk", "n")
    for i in range(3):
        box.write(f"drives/stick/old/films/film-{i}.mkv", "f" * 1000 * (i + 1))
    return box


def written(box):
    config = box.path("config/berth.conf")
    return os.path.exists(config), os.path.exists(box.path("drives/stick/.berth"))


@test
def a_new_laptop_is_set_up_in_the_screen_and_nothing_is_written_before_yes(t):
    for size in SIZES:
        name = "%dx%d" % size
        box = new_laptop(t)
        screen = box.open(size)
        screen.wait("No job yet: a", "good")
        t.snapshot(screen, f"setup-welcome-{name}")
        screen.press("a")
        t.snapshot(screen, f"setup-drive-{name}")
        screen.press("Enter")
        screen.wait("media/")
        t.snapshot(screen, f"setup-folder-{name}")
        screen.press("m", "Enter")
        screen.wait("take ~/media")
        screen.press("Enter")
        screen.wait("old/")
        t.snapshot(screen, f"setup-place-{name}")
        screen.press("Down", "Enter")
        screen.wait("take stick:/old")
        screen.press("Down", "Enter")
        t.snapshot(screen, f"setup-mode-{name}")
        screen.press("Down", "Enter", "Down", *("Backspace",) * 5, "films")
        t.snapshot(screen, f"setup-names-{name}")
        screen.press("Enter")
        t.snapshot(screen, f"setup-asks-{name}")
        t.check(written(box) == (False, False), "written before yes")
        screen.keys("y")
        screen.wait("films → stick:/old", "what the first sync would copy")
        screen.wait("2 pending")  # three of five were there: adopted
        screen.keys("s")
        screen.wait("✓ Done")
        screen.press("q")
        screen.keys("q")
        screen.end()
        t.check(written(box) == (True, True), "not written after yes")
        t.check('"update"' in box.berth("job", "list", "--json"), "another mode")


@test
def esc_goes_back_a_step_and_the_folder_above_is_one_key(t):
    box = new_laptop(t)
    screen = box.open()
    screen.wait("No job yet: a", "good")
    screen.press("a", "Enter")
    screen.wait("media/")
    t.check(".cache" not in screen.text(), "hidden folders are listed")
    screen.press(".")
    screen.wait(".cache/")
    screen.press("Backspace", "m", "Enter")
    screen.wait("films/")
    screen.press("Left")
    screen.wait("notes/")
    screen.press("Left")
    screen.wait("take /")
    screen.press("Esc")
    screen.wait("Which drive?")
    screen.press("Esc")
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()
    t.check(written(box) == (False, False), "something was written")


@test
def a_drive_that_another_machine_knows_is_joined(t):
    box = new_laptop(t)
    box.berth("volume", "add", box.path("drives/stick"), "--name", "travel")
    for name in ("config", "state"):
        os.rename(box.path(name), box.path("other-" + name))
    screen = box.open()
    screen.wait("No job yet: a", "joins it here")
    screen.press("a")
    screen.wait("known to another machine as travel: join")
    screen.press("Enter", "n", "Enter", "Enter", "Enter", "Enter")
    screen.wait("name of the drive   travel")
    screen.press("Enter", "y")
    screen.wait("notes → travel:/notes")
    screen.press("q")
    screen.keys("q")
    screen.end()


@test
def what_cannot_be_written_is_told_and_can_be_tried_again(t):
    box = new_laptop(t)
    box.add_volume("stick")
    box.add_job("notes", "stick:/notes")
    screen = box.open()
    screen.wait("pending")
    screen.press("a")
    screen.wait("known: give it a job")
    screen.press("Enter", "m", "Enter", "Enter", "Enter", "Enter")
    screen.wait("name of the job")
    screen.press(*("Backspace",) * 5, "notes", "Enter")
    screen.keys("y")
    screen.wait("notes already")
    t.snapshot(screen, "setup-refused-100x30")
    screen.press("_2", "Enter")
    screen.keys("y")
    screen.wait("notes_2 → stick:/media")
    screen.press("q")
    screen.keys("q")
    screen.end()


@test
def two_drives_can_be_told_apart_when_one_is_chosen(t):
    box = new_laptop(t, drives=(HDD, STICK, SSD))
    screen = box.open((80, 24))
    screen.wait("No job yet: a", "good")
    screen.press("a")
    screen.wait("hdd", "stick")
    screen.press("Down", "Up", "Down", "Enter", "Esc", "Esc")
    screen.keys("q")
    screen.end()


@test
def without_a_drive_it_waits_for_one(t):
    box = t.sandbox()
    box.script(SSD)
    screen = box.open((80, 24))
    screen.wait("Samsung SSD 970", "good")
    screen.press("a", "Enter")
    screen.wait("Which drive?", "No drive is mounted")
    t.snapshot(screen, "setup-no-drive-80x24")
    screen.press("Esc")
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()


@test
def folders_of_any_name_keep_their_columns(t):
    box = new_laptop(t)
    for name in ("日本語の写真", "Cafe\u0301", "\x1b[31mred\x07", "שלום", "a\nb", "x" * 200):
        os.makedirs(box.path("home", name))
    os.makedirs(os.path.join(box.path("home").encode(), b"raw-\xff\xfe"))
    screen = box.open((80, 24))
    screen.wait("No job yet: a", "good")
    screen.press("a", "Enter")
    screen.wait("raw-")
    t.snapshot(screen, "setup-odd-folders-80x24")
    for y in range(3, 22):
        last = screen.terminal.cells[y][79][0]
        t.check(last == "│", f"row {y} ends in {last!r}:\n{screen.text()}")
    screen.press("日")
    screen.wait("日本語の写真")
    screen.press("Enter")
    screen.wait("take ~/日本語の写真")
    screen.press("Enter", "Enter", "Enter", "Enter", "y")
    screen.wait("日本語の写真 → stick:/日本語の写真")
    screen.press("q")
    screen.keys("q")
    screen.end()
