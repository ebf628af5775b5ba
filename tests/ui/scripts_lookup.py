"""What was and what is where: history and undo, versions and restore, find,
copies, drift."""

import os

from harness import HDD, SSD, test

SIZES = ((80, 24), (100, 30), (160, 50))


def a_past(t, drives=(HDD, SSD)):
    """Two runs: all that there is, then what has changed since."""
    box = t.homelab(drives=drives)
    box.berth("sync")
    return box


def opened(box, size):
    screen = box.open(size)
    screen.wait("nothing pending", "good")
    screen.settle(0.3)
    screen.wait("scanning", gone=True)
    return screen


def leave(screen):
    for _ in range(5):
        screen.keys("q")
        screen.settle()
        if screen.process.poll() is not None:
            break
    screen.end()


def listed(t, size=(100, 30), key="H", shows=("2 runs",)):
    """A past, and the list that the key opens."""
    box = a_past(t)
    screen = opened(box, size)
    screen.keys(key)
    screen.wait(*shows)
    return box, screen


def versions_of(screen, words, *shows):
    """What is found under these words, and the versions of the first of it."""
    screen.keys("/", *words, pause=0.05)
    screen.wait(*shows)
    screen.press("Down", "Enter")


@test
def history_lists_runs_and_what_each_did(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        _, screen = listed(t, size, shows=("2 runs", "+2 ~1 »1 -1"))
        t.snapshot(screen, f"history-{name}")
        screen.keys("Enter")
        screen.wait("media: films/Nosferatu (1922).mkv", "was films/film-1.mkv")
        t.snapshot(screen, f"history-run-{name}")
        screen.keys("/")
        screen.keys(*"note-0")
        screen.wait("2 of 5 changes")
        screen.press("Enter", "Down")
        screen.keys("Enter")
        screen.wait("Versions", "notes/c/note-02.md", "- deleted")
        screen.press("q")
        screen.wait("What it did", "2 of 5 changes")
        screen.press("q")
        screen.wait("5 changes")
        leave(screen)


@test
def a_run_is_taken_back_after_another_key(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        box, screen = listed(t, size)
        screen.press("u")
        screen.wait("Take back run 2 on hdd", "y take it back")
        t.snapshot(screen, f"undo-asks-{name}")
        screen.press("u")
        t.check(not os.path.exists(box.path("drives/hdd/notes/c/note-02.md")), "undone")
        screen.keys("y")
        screen.wait("run 2 on hdd taken back", "3 runs")
        t.snapshot(screen, f"undone-{name}")
        t.check(os.path.exists(box.path("drives/hdd/notes/c/note-02.md")), "not back")
        t.check(os.path.exists(box.path("drives/hdd/media/films/film-1.mkv")), "no name")
        screen.press("q")
        screen.wait("pending")
        leave(screen)


@test
def an_undo_that_is_refused_says_why(t):
    _, screen = listed(t)
    screen.press("Down", "u")
    screen.keys("y")
    screen.wait("✗ ", "run 1")
    t.snapshot(screen, "undo-refused-100x30")
    leave(screen)


@test
def a_deleted_file_is_found_and_given_back(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        box = a_past(t)
        screen = opened(box, size)
        screen.keys("/")
        screen.wait("Type two letters")
        screen.keys(*"NOTE-02", pause=0.05)
        screen.wait("~ version", "1 place")
        t.snapshot(screen, f"find-{name}")
        screen.press("Down")
        screen.keys("Enter")
        screen.wait("- deleted", "There until")
        t.snapshot(screen, f"versions-{name}")
        screen.keys("Enter")
        screen.wait("Get back note-02.md?", "b beside what is there")
        t.snapshot(screen, f"restore-asks-{name}")
        screen.keys("b")
        screen.wait("✓ ", "note-02.md is back")
        t.snapshot(screen, f"restored-{name}")
        path = box.path("home/notes/c/note-02.md")
        t.check(os.path.getsize(path) == 200 + 2 * 53, "it is not back as it was")
        leave(screen)


@test
def an_older_version_comes_beside_what_is_there_or_in_its_place(t):
    box = a_past(t)
    path = box.path("home/notes/b/note-01.md")
    screen = opened(box, (100, 30))
    versions_of(screen, "b/note-01", "2 places")
    screen.wait("~ replaced", "● on it now")
    screen.press("Down", "Enter")
    screen.keys("b")
    screen.wait("is beside what is there")
    beside = [n for n in os.listdir(os.path.dirname(path)) if ".restored-" in n]
    t.check(len(beside) == 1, f"beside it: {beside}")
    t.check(os.path.getsize(path) == 480, "it was overwritten")
    screen.press("Enter")
    screen.keys("i")
    screen.wait("what was there is kept beside it")
    t.check(os.path.getsize(path) == 200 + 53, "it is not back in its place")
    kept = [n for n in os.listdir(os.path.dirname(path)) if ".replaced-" in n]
    t.check(len(kept) == 1, f"kept: {kept}")
    leave(screen)


@test
def a_version_is_given_back_to_another_folder_that_may_be_new(t):
    for size in SIZES:
        box = a_past(t)
        os.makedirs(box.path("home/papers"))
        screen = opened(box, size)
        versions_of(screen, "note-02", "~ version")
        screen.press("Enter")
        screen.wait("t to another folder")
        screen.keys("t")
        screen.wait("Where to?", "into ~", "papers/")
        t.snapshot(screen, "restore-to-%dx%d" % size)
        screen.press("p", "a", "Enter")
        screen.wait("into ~/papers")
        screen.press(*"old")
        screen.wait("make ~/papers/old")
        screen.press("Esc")
        screen.wait("- deleted")
        screen.press("Enter", "t", "p", "a", "Enter", *"old", "Enter")
        screen.wait("✓ ", "papers/old/note-02.md is back")
        path = box.path("home/papers/old/note-02.md")
        t.check(os.path.getsize(path) == 200 + 2 * 53, "it is not there as it was")
        t.check(not os.path.exists(box.path("home/notes/c/note-02.md")), "also there")
        leave(screen)


@test
def a_restore_to_the_drive_itself_is_refused(t):
    box = a_past(t)
    screen = opened(box, (100, 30))
    versions_of(screen, "note-02", "~ version")
    screen.press("Enter", "t", "Left", "d", "r", "Enter")
    screen.wait("hdd/")
    screen.press("h", "Enter")
    screen.wait("notes/")
    screen.press("Enter")
    screen.wait("✗ ", "restore to another disk")
    leave(screen)


def opened_versions(t, size, texts):
    """The versions of notes/list.md, which was each of these once."""
    box = t.homelab(drives=(HDD, SSD), synced=False)
    for i, text in enumerate(texts):
        box.write("home/notes/list.md", text, age_days=40 - i)
        if text is not texts[-1]:
            box.berth("sync")
    screen = box.open(size)
    screen.wait("pending", "good")
    screen.settle(0.3)
    screen.wait("scanning", gone=True)
    versions_of(screen, "list.md", "● on it")
    screen.wait("● on it now")
    return screen


LIST = [f"{i:02}. something to do\n" for i in range(40)]


@test
def two_copies_of_a_text_are_compared_line_by_line(t):
    texts = (
        "".join(LIST),
        "".join(LIST[:10] + ["a new thing\n"] + LIST[12:]),
        "".join(LIST[:10] + ["a new thing\n"] + LIST[12:39])
        + "\tÄrger \x1b[31mred\x07 日本 שלום\n",
    )
    for size in SIZES:
        screen = opened_versions(t, size, texts)
        screen.press("d")
        screen.wait("Lines", "- on hdd now", "+ here now", "39. something to do")
        t.snapshot(screen, "lines-%dx%d" % size)
        screen.press("q")
        screen.wait("~ replaced")
        screen.press("Space", "Down", "d")
        screen.wait("+ on hdd now", "a new thing")
        screen.wait("-2 +1", "… 7 equal lines", "… 25 equal lines")
        screen.press("/", *"new")
        screen.press("Enter")
        screen.wait("something", gone=True)
        screen.press("q", "q")
        screen.wait("*● on it now")
        leave(screen)


@test
def what_is_no_text_or_away_is_not_compared_and_says_so(t):
    screen = opened_versions(t, (100, 30), ("a\n", b"\0binary" * 9))
    screen.press("d")
    screen.wait("is no text")
    screen.press("q")
    screen.wait("● on it now")
    leave(screen)


@test
def a_version_on_a_drive_that_is_away_says_what_to_plug_in(t):
    box = a_past(t)
    screen = opened(box, (100, 30))
    box.control("unplug seagate")
    screen.wait("away since")
    versions_of(screen, "note-02", "~ version")
    screen.press("Enter")
    screen.wait("plug hdd in first")
    screen.press("q", "q", "H")
    screen.wait("2 runs")
    screen.press("u")
    screen.wait("plug hdd in first")
    leave(screen)


@test
def copies_counts_them_and_lists_the_fewest_first(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        _, screen = listed(t, size, "C", ("2 jobs", "1 copy"))
        t.snapshot(screen, f"copies-{name}")
        screen.press("Down")
        screen.keys("Enter")
        screen.wait("Copies · media", "5 copies", "never read back")
        t.snapshot(screen, f"copies-files-{name}")
        screen.press("q")
        screen.wait("2 jobs")
        leave(screen)


@test
def what_changed_on_the_drive_is_reported_and_reading_back_finds_the_rest(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        box = a_past(t)
        os.remove(box.path("drives/hdd/notes/a/note-00.md"))
        box.write("drives/hdd/notes/d/note-03.md", "somebody else was here", 1)
        box.write("drives/hdd/notes/d/theirs.md", "somebody else's", 1)
        screen = box.open(size)
        screen.wait("pending", "good")
        screen.settle(0.3)
        screen.wait("scanning", gone=True)
        screen.press("Enter", "R")
        screen.wait("reading", gone=True)
        screen.press("q")
        screen.wait("hdd: 2 not as berth left them")
        screen.press("w")
        screen.wait("Enter or d lists it")
        screen.keys("d")
        screen.wait("gone from the drive", "changed on the drive", "theirs.md")
        t.snapshot(screen, f"drift-{name}")
        screen.keys("v")
        screen.wait("Read Seagate Expansion back?", "y all of it")
        t.snapshot(screen, f"verify-asks-{name}")
        screen.keys("y")
        screen.wait("✗ 2 of 53 files not as recorded", "3 findings")
        t.snapshot(screen, f"verified-{name}")
        leave(screen)


@test
def a_night_that_failed_leads_to_what_failed(t):
    box = t.homelab(drives=(HDD, SSD))
    box.write("home/media/films/Nosferatu (1922).mkv", b"n" * 900000)
    screen = box.open()
    screen.ready()
    box.control("full hdd")
    screen.wait("0 B free")
    leave(screen)
    box.berth("sync", expected=(9,))
    screen = box.open()
    screen.wait("hdd: last run,", "not enough space")
    screen.settle(0.3)
    screen.wait("scanning", gone=True)
    screen.press("w")
    screen.wait("which versions may go", "Enter look")
    t.snapshot(screen, "night-why-100x30")
    screen.keys("Enter")
    screen.wait("2 runs", "full")
    screen.keys("Enter")
    screen.wait("no space for it on the volume")
    t.snapshot(screen, "night-run-100x30")
    leave(screen)


@test
def a_full_drive_gives_up_old_versions_and_takes_the_rest(t):
    small = HDD.replace("size=5TB used=3.1TB", "size=28MB used=1MB")
    box = t.homelab(drives=(small, SSD), synced=False)
    for i in range(2):
        box.write("home/media/films/big.mkv", bytes([i]) * 6000000, 3 - i)
        box.berth("sync")
    box.write("home/media/films/big.mkv", b"z" * 7000000, 0.5)
    screen = box.open()
    screen.ready()
    screen.keys("E")
    screen.wait("hdd is too full", "6.0 MB of versions may go, in 1 file")
    screen.press("X")
    screen.wait("Prune 1 version of hdd?")
    t.snapshot(screen, "full-prune-100x30")
    screen.keys("y")
    screen.wait("SAFE TO UNPLUG", "everything is on it")
    leave(screen)


@test
def a_rotating_drive_is_marked_when_the_other_has_left(t):
    other = HDD.replace("seagate", "toshiba").replace("Seagate", "Toshiba")
    other = other.replace("Expansion", "Canvio").replace("NA8F", "TT01")
    other = other.replace("volume hdd", "volume rot").replace("6a3b19c2", "77aa19c2")
    box = t.homelab(drives=(HDD, other, SSD), synced=False)
    box.add_volume("rot")
    box.berth("job", "remove", "notes")
    box.add_job("notes", "hdd:/notes", "--target", "rot:/notes")
    box.berth("sync")
    box.write("home/notes/a/new.md", "n" * 5000)
    screen = box.open()
    screen.wait("pending", "good")
    screen.settle(0.3)
    box.control("unplug toshiba")
    screen.wait("away since")
    screen.press("G", "E")
    screen.wait("rot is not plugged in")
    screen.press("k", "k", "k")
    screen.keys("E")
    screen.wait("SAFE TO UNPLUG")
    screen.press("Enter")
    screen.wait("> ○ hdd")
    box.control("plug toshiba")
    screen.wait("> ● Toshiba Canvio")
    leave(screen)
