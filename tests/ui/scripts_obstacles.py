"""What is in the way of `E`: each has a picture of its own, at each size."""

import os
import threading
import time

from harness import test

SIZES = ((80, 24), (100, 30), (160, 50))
VERDICT = "PRACTICE: SAFE TO UNPLUG"


def pictures(t, screen, name):
    """At each size: what is asked stays while the window changes."""
    for size in SIZES:
        screen.resize(*size)
        screen.wait("Esc")
        t.snapshot(screen, "obstacle-%s-%dx%d" % (name, *size))


def open_screen(box, *words):
    screen = box.open((80, 24))
    screen.wait("pending", "good", *words)
    screen.wait("scanning", gone=True)
    screen.settle(0.3)
    return screen


def leave(screen):
    screen.press("Enter")
    screen.keys("q")
    screen.end()


@test
def a_drive_mounted_read_only_says_so_and_copies_nothing(t):
    box = t.homelab()
    screen = open_screen(box)
    box.control("set hdd read-only=yes")
    screen.wait("read-only")
    screen.press("E")
    screen.wait("hdd is mounted read-only", "x eject without a sync")
    pictures(t, screen, "read-only")
    screen.press("Esc")
    screen.wait("eject without a sync", gone=True)
    screen.keys("q")
    screen.end()


@test
def a_drive_that_was_unplugged_without_eject_asks_first(t):
    box = t.homelab()
    screen = open_screen(box)
    box.control("set hdd dirty=yes")
    screen.press("R")
    screen.settle(0.3)
    screen.press("E")
    screen.wait("hdd was unplugged without eject", "fsck.exfat")
    pictures(t, screen, "dirty")
    screen.keys("g")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)


@test
def leaving_with_held_deletes_asks_whether_to_look(t):
    box = t.homelab(synced=False)
    box.berth("sync")
    for i in range(48):
        if i % 4:
            os.remove(box.path(f"home/notes/{'abcd'[i % 4]}/note-{i:02}.md"))
    box.write("home/notes/new.md", "n" * 500)
    screen = open_screen(box)
    screen.wait("36 held")
    screen.press("E")
    screen.wait("36 deletes held", "g go without them")
    pictures(t, screen, "held")
    screen.press("Enter")
    screen.wait("biggest first")
    screen.press("E")
    screen.keys("g")
    screen.wait(VERDICT, "NOT on it: 36 deletes held")
    leave(screen)


@test
def a_full_drive_says_what_is_missing_before_the_first_byte(t):
    screen = open_screen(box := t.homelab())
    box.control("full hdd")
    screen.wait("0 B free")
    screen.press("E")
    screen.wait("hdd is too full", "needs 2.0 MB, free 0 B")
    pictures(t, screen, "full")
    box.control("mend hdd")
    screen.settle(0.5)
    screen.press("Esc", "E")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)


@test
def a_drive_that_fills_up_in_the_middle_says_full(t):
    box = t.homelab(synced=False)
    screen = open_screen(box)
    box.control("on files 20 hdd full hdd")
    screen.keys("E")
    screen.wait("Full: 4 files did not arrive", "r retry")
    pictures(t, screen, "filled")
    box.control("mend hdd")
    screen.settle(0.5)
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)


@test
def a_file_that_keeps_changing_is_named_and_not_half_copied(t):
    box = t.homelab()
    box.write("home/media/films/live.mkv", b"l" * 12000000)
    screen = open_screen(box)
    path = box.path("home/media/films/live.mkv")
    over = threading.Event()

    def write():
        while not over.is_set():
            with open(path, "r+b") as file:
                file.write(os.urandom(100))
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    box.control("set seagate slow=4MB")
    writer.start()
    try:
        screen.keys("E")
        screen.wait("1 file still changing: not copied", patience=60)
        pictures(t, screen, "changing")
    finally:
        over.set()
        writer.join()
    box.control("set seagate slow=1GB")
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it", patience=40)
    leave(screen)


@test
def a_flush_that_fails_in_a_sync_is_no_reason_to_unplug(t):
    box = t.homelab()
    screen = open_screen(box)
    box.control("fail flush seagate")
    screen.keys("E")
    screen.wait("DO NOT UNPLUG: the drive failed", "r retry")
    pictures(t, screen, "failed")
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)
