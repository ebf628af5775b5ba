"""A pattern from the diff into a job, and out of it again."""

import os

from harness import HDD, SSD, test

SIZES = ((80, 24), (100, 30), (160, 50))


def configuration(box):
    with open(box.path("config/berth.conf"), encoding="utf-8") as file:
        return file.read()


def at_the_film(box, size):
    screen = box.open(size)
    screen.ready()
    screen.keys("Enter")
    screen.wait("Biggest first")
    screen.press("/", *"film-9")
    screen.press("Enter", "Down", "Down")
    return screen


def leave(screen):
    screen.press("Esc", "q")
    screen.keys("q")
    screen.end()


@test
def an_exclusion_is_shown_written_and_taken_back(t):
    for size in SIZES:
        box = t.homelab(drives=(HDD, SSD))
        before = configuration(box)
        screen = at_the_film(box, size)
        screen.press("x")
        screen.wait("Keep it out of job media?", "/films/film-9.mkv", "*.mkv")
        t.snapshot(screen, f"exclude-asks-{size[0]}x{size[1]}")
        screen.press("x")
        t.check(configuration(box) == before, "the key that asked wrote it")
        screen.keys("y")
        screen.wait("job media excludes /films/film-9.mkv now; u takes it back")
        t.check('exclude = [ "/films/film-9.mkv" ]' in configuration(box), "not written")
        screen.wait("4 pending")
        screen.keys("u")
        screen.wait("job media does not exclude /films/film-9.mkv any more")
        t.check("film-9" not in configuration(box), "not taken back")
        screen.wait("5 pending")
        leave(screen)


@test
def all_files_of_a_kind_can_be_excluded_and_a_sync_leaves_them(t):
    box = t.homelab(drives=(HDD, SSD))
    screen = at_the_film(box, (100, 30))
    screen.press("x")
    screen.keys("a")
    screen.wait("job media excludes *.mkv now")
    screen.wait("3 pending")  # the renamed film is one of the kind
    screen.press("s")
    screen.wait("✓ Done")
    copied = box.path("drives/hdd/media/films/film-9.mkv")
    t.check(not os.path.exists(copied), "an excluded file was copied")
    screen.press("q", "v")
    screen.press("Esc")
    screen.keys("q")
    screen.end()
