"""What is in the way of `E`: each has a picture of its own, at each size."""

import os
import threading
import time

from harness import HDD, test

SIZES = ((80, 24), (100, 30), (160, 50))
VERDICT = "PRACTICE: SAFE TO UNPLUG"


GRAPH = "▁▂▃▄▅▆▇█"


def pictures(t, screen, name, without=""):
    """At each size: what is asked stays while the window changes."""
    for size in SIZES:
        screen.resize(*size)
        screen.wait("Esc")
        t.snapshot(screen, "obstacle-%s-%dx%d" % (name, *size), without)


def opened(t, box=None):
    box = box or t.homelab()
    screen = box.open((80, 24))
    screen.wait("pending", "good")
    screen.wait("scanning", gone=True)
    screen.settle(0.3)
    return box, screen


def asked(t, screen, name, *words, without="", patience=20):
    """What `E` asks then, at each size."""
    screen.keys("E")
    screen.wait(*words, patience=patience)
    pictures(t, screen, name, without)


def leave(screen):
    screen.press("Enter")
    screen.keys("q")
    screen.end()


@test
def a_drive_mounted_read_only_says_so_and_copies_nothing(t):
    box, screen = opened(t)
    box.control("set hdd read-only=yes")
    screen.wait("read-only")
    asked(t, screen, "read-only", "hdd is mounted read-only", "x eject without a sync")
    screen.press("Esc")
    screen.wait("eject without a sync", gone=True)
    screen.keys("q")
    screen.end()


@test
def a_volume_that_is_not_mounted_is_known_and_has_its_counts(t):
    box, screen = opened(t)
    box.control("unmount hdd")
    screen.wait("exFAT  not mounted", "m mount", "▲ 5 pending", "5 pending as of")
    t.check("away" not in screen.text(), "it is told a second time, as away")
    t.check("E sync" not in screen.text(), "what cannot be synced is offered")
    screen.press("m")
    screen.wait("not mounted", gone=True)
    screen.wait("E sync, eject", "▲ 5 pending")
    screen.keys("q")
    screen.end()


@test
def a_click_marks_the_program_that_it_is_on(t):
    box, screen = opened(t)
    box.control("busy hdd 4242 vlc media", "busy hdd 4243 bash notes")
    screen.keys("E")
    screen.wait("hdd is held by", "bash")
    screen.click("bash")
    screen.wait("> 5004243", patience=5)
    screen.click("vlc")
    screen.wait("> 5004242", patience=5)
    screen.press("Esc")
    screen.wait("it stays mounted")
    screen.press("q")
    screen.end()


@test
def what_was_just_read_back_is_told_at_once(t):
    box = t.homelab(drives=(HDD,))
    box.berth("sync")
    screen = box.open((100, 24))
    screen.wait("nothing pending", "good")
    box.control("unmount hdd", "unplug seagate")
    screen.wait("away since")
    box.control("plug seagate")
    screen.wait("Verified never")
    screen.keys("v")
    screen.wait("y all of it")
    screen.keys("y")
    screen.wait("read from the device, as recorded")
    screen.press("q")
    screen.wait("Verified just now")
    screen.keys("q")
    screen.end()


@test
def a_drive_that_was_unplugged_without_eject_asks_first(t):
    box, screen = opened(t)
    box.control("set hdd dirty=yes")
    screen.press("R")
    screen.settle(0.3)
    asked(t, screen, "dirty", "hdd was unplugged without eject", "fsck.exfat")
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
    _, screen = opened(t, box)
    screen.wait("36 held")
    asked(t, screen, "held", "36 deletes held", "g go without them")
    screen.press("Enter")
    screen.wait("Biggest first")
    screen.press("E")
    screen.keys("g")
    screen.wait(VERDICT, "NOT on it: 36 deletes held")
    leave(screen)


@test
def a_full_drive_says_what_is_missing_before_the_first_byte(t):
    box, screen = opened(t)
    box.control("full hdd")
    screen.wait("0 B free")
    asked(t, screen, "full", "hdd is too full", "Needs 2.0 MB, free 0 B")
    box.control("mend hdd")
    screen.settle(0.5)
    screen.press("Esc", "E")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)


@test
def a_drive_that_fills_up_in_the_middle_says_full(t):
    box = t.homelab(synced=False)
    _, screen = opened(t, box)
    box.control("on files 20 hdd full hdd")
    asked(t, screen, "filled", "Full: 4 files did not arrive", "r retry")
    box.control("mend hdd")
    screen.settle(0.5)
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)


@test
def a_file_that_keeps_changing_is_named_and_not_half_copied(t):
    box = t.homelab()
    box.write("home/media/films/live.mkv", b"l" * 12000000)
    _, screen = opened(t, box)
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
        asked(t, screen, "changing", "1 file still changing: not copied", patience=60)
    finally:
        over.set()
        writer.join()
    box.control("set seagate slow=1GB")
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it", patience=40)
    leave(screen)


@test
def a_flush_that_fails_in_a_sync_is_no_reason_to_unplug(t):
    box, screen = opened(t)
    box.control("fail flush seagate")
    asked(t, screen, "failed", "DO NOT UNPLUG: the drive failed", "r retry", without=GRAPH)
    screen.keys("r")
    screen.wait(VERDICT, "everything is on it")
    leave(screen)
