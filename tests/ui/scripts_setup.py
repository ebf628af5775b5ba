"""A first run: a drive and a job are made known in the screen."""

import os

from harness import HDD, SSD, STICK, Failure, test

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
    screen.wait("known elsewhere as travel: join")
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


def crontab(t):
    """What a person has today: rsync at night, and a script that runs it."""
    box = new_laptop(t)
    source, stick = box.path("home/media"), box.path("drives/stick")
    box.write(
        "crontab",
        "# m h dom mon dow\n"
        f"30 3 * * * rsync -a --delete --exclude '*.tmp' {source}/ {stick}/old/\n"
        f"0 4 * * 0 {box.path('home/weekly.sh')}\n"
        "0 5 * * * rsync -a /etc/ /somewhere/else/\n",
    )
    box.write("home/weekly.sh", f"#!/bin/sh\nrsync -a ~/notes {stick}\n")
    return box


@test
def what_rsync_does_by_cron_is_offered_first_and_becomes_a_job(t):
    for size in SIZES:
        name = "%dx%d" % size
        box = crontab(t)
        screen = box.open(size)
        screen.wait("No job yet: a", "good")
        screen.press("a")
        screen.wait("rsync fills it: adopt")
        screen.press("Enter")
        screen.wait("as rsync does ~/media → stick:/old", "as rsync does ~/notes")
        t.check("somewhere" not in screen.text(), "another place's line is offered")
        t.snapshot(screen, f"setup-rsync-{name}")
        screen.press("Enter")
        screen.wait("~/media → stick:/old · mirror", "name of the job     media")
        screen.press("Enter")
        screen.wait("What rsync leaves")
        screen.keys("y")
        screen.wait("media → stick:/old", "what the first sync would copy")
        t.check('"*.tmp"' in open(box.path("config/berth.conf")).read(), "not left out")
        screen.press("E")
        screen.wait("SAFE TO UNPLUG")
        screen.press("Enter")
        screen.wait("rsync still does this by cron", "y make it a comment")
        t.snapshot(screen, f"setup-silence-{name}")
        screen.press("y")
        screen.wait("rsync is a comment")
        with open(box.path("crontab"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        t.check(lines[1].startswith("# berth does this now: 30 3"), lines[1])
        t.check(lines[2].startswith("0 4") and lines[3].startswith("0 5"), "others")
        screen.keys("q")
        screen.end()


@test
def a_drive_that_is_not_mounted_is_mounted_by_a_key(t):
    for known in (True, False):
        box = new_laptop(t)
        if known:
            box.add_volume("stick")
        screen = box.open((80, 24))
        screen.wait("SanDisk Ultra", "good")
        box.control("unmount stick")
        screen.wait("not mounted", "m mount")
        screen.press("m")
        screen.wait("not mounted", gone=True)
        screen.wait("free")
        screen.keys("q")
        screen.end()


@test
def a_second_drive_for_the_same_folder_joins_its_job(t):
    box = t.homelab(drives=(HDD, STICK, SSD))
    screen = box.open((80, 24))
    screen.ready()
    screen.press("g")
    screen.wait("Enter set up", "a add")
    screen.press("Enter", "Enter", "Down", "Enter")
    screen.wait("take ~/notes")
    screen.press("Enter")
    screen.wait("~/notes → stick:/… · one more drive for job notes")
    screen.press("Enter")
    screen.wait("name of the drive   stick")
    screen.press("Enter")
    screen.wait("One more drive for this job?", "more target of job notes")
    t.snapshot(screen, "setup-joins-80x24")
    screen.press("y")
    screen.wait("Diff · SanDisk Ultra", "notes → stick:/notes")
    with open(find_config(box), encoding="utf-8") as file:
        t.check(
            'targets = [ "hdd:/notes", "stick:/notes" ]' in file.read(),
            "the job has not both drives",
        )
    screen.press("q", "q")
    screen.end()


def find_config(box):
    for parent, _, files in os.walk(box.directory):
        if "berth.conf" in files:
            return os.path.join(parent, "berth.conf")
    raise Failure("there is no configuration")


@test
def what_is_typed_in_the_setup_is_what_its_last_line_says(t):
    box = new_laptop(t)
    screen = box.open((80, 24))
    screen.wait("No job yet: a", "good")
    screen.press("a", "Enter", "n", "Enter")
    screen.wait("take ~/notes")
    screen.press("Enter")
    screen.wait("Where on the drive?", "old/")
    screen.press("M", "y", "Space", "notes")
    screen.wait("make stick:/My notes")
    screen.press("Enter", "Enter")
    screen.wait("What are they called?", "~/notes → stick:/My notes")
    screen.press("XY")
    screen.wait("~/notes → stickXY:/My notes")
    for _ in range(5):
        screen.press("Esc")
    screen.wait("No job yet: a")
    box.control("unplug sandisk")
    screen.wait("1 drive", gone=True)
    screen.press("a")
    screen.wait("No drive is mounted", "Esc back")
    t.check("Enter next" not in screen.text(), "there is nothing to take")
    screen.press("Esc", "q")
    screen.end()
