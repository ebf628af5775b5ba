"""From plug to eject, and what a drive can do on the way."""

import os
import time

from harness import HDD, SSD, STICK, Failure, Program, test

SIZES = ((80, 24), (100, 30), (160, 50))
VERDICT = "PRACTICE: "


def sync_and_eject(screen):
    """`E`; where the drive is still being read, when that is over."""
    screen.press("E")
    if "Still reading" in screen.text():
        screen.keys("w")


def leave(screen):
    """From anywhere at rest."""
    screen.keys("q")
    screen.settle()
    if screen.process.poll() is None:
        screen.keys("q")
    screen.end()


@test
def the_whole_job_is_three_keys_at_every_size(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        box = t.homelab()
        screen = box.open(size)
        screen.ready()
        t.snapshot(screen, f"drives-{name}")
        screen.press("Enter")
        screen.wait("Biggest first")
        t.snapshot(screen, f"diff-{name}")
        screen.press("?")
        t.snapshot(screen, f"help-{name}")
        screen.press("?")
        screen.keys("E")
        screen.wait(VERDICT + "SAFE TO UNPLUG")
        t.snapshot(screen, f"verdict-green-{name}")
        green = screen.terminal.styles_of("SAFE TO UNPLUG")
        t.check(dict(green[0]).get("b") == 28, f"not green: {green[0]}")
        screen.press("Enter")
        screen.wait("away since")
        t.snapshot(screen, f"drives-away-{name}")
        leave(screen)
        copied = box.path("shelf/hdd/media/films/film-9.mkv")
        t.check(os.path.getsize(copied) == 2000000, "the new film is not on it")
        t.check(
            not os.path.exists(box.path("shelf/hdd/notes/c/note-02.md")),
            "the deleted note is still on it",
        )


@test
def a_sync_alone_ends_with_what_it_did(t):
    for size in SIZES:
        box = t.homelab(drives=(HDD, SSD))
        screen = box.open(size)
        screen.ready()
        screen.keys("s")
        screen.wait("✓ Done")
        screen.settle()
        t.snapshot(screen, f"sync-done-{size[0]}x{size[1]}")
        screen.press("q")
        screen.wait("nothing pending")
        t.snapshot(screen, f"drives-synced-{size[0]}x{size[1]}")
        screen.press("s")
        screen.wait("nothing to sync: Seagate Expansion has all of it")
        leave(screen)


@test
def the_detail_of_a_drive_opens_over_the_list_in_a_narrow_window(t):
    screen = t.homelab().open((80, 24))
    screen.ready()
    screen.press("l")
    t.snapshot(screen, "detail-80x24")
    screen.press("h")
    screen.wait("┌ Drives")
    leave(screen)


@test
def a_drive_that_is_plugged_in_appears_and_one_that_leaves_goes(t):
    box = t.homelab(drives=(HDD, SSD))
    screen = box.open()
    screen.wait("1 drive ·", "Seagate Expansion")
    box.control(*STICK.strip().split("\n"))
    screen.wait("2 drives ·", "SanDisk Ultra")
    box.control("unplug sandisk")
    screen.wait("SanDisk Ultra", gone=True)
    box.control("unplug seagate")
    screen.wait("away since", "▲ 5 pending")
    box.control("plug seagate")
    screen.wait("1 drive ·", "● Seagate Expansion")
    leave(screen)


@test
def what_is_left_out_stays_behind_and_the_verdict_says_so(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    screen.press("Enter")
    screen.wait("Biggest first")
    screen.press("/", *"film-9", "Enter")
    screen.wait("film-9.mkv")
    screen.press("G", "Space")
    screen.wait("×")
    t.snapshot(screen, "diff-left-out-100x30")
    screen.keys("E")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "NOT on it: 1 left out")
    leave(screen)
    t.check(
        not os.path.exists(box.path("shelf/hdd/media/films/film-9.mkv")),
        "what was left out was copied",
    )
    t.check(
        os.path.exists(box.path("shelf/hdd/media/films/Nosferatu (1922).mkv")),
        "the renamed film was not renamed",
    )


@test
def the_diff_can_be_flat_filtered_by_path_and_folded(t):
    screen = t.homelab().open()
    screen.ready()
    screen.press("Enter")
    screen.wait("Biggest first, as a tree")
    screen.press("o")
    screen.wait("By path, as a tree")
    screen.press("t")
    screen.wait("By path, flat", "films/Nosferatu (1922).mkv")
    t.snapshot(screen, "diff-flat-100x30")
    screen.press("/", *"NOTE")
    screen.wait('Containing "NOTE"', "b/note-01.md")
    screen.wait("film-9", gone=True)
    screen.press("Esc")
    screen.wait("film-9")
    screen.press("t", "G", "Enter")
    screen.press("G", "Enter")
    screen.wait("Both sides")
    t.snapshot(screen, "diff-entry-100x30")
    screen.press("Esc")
    screen.wait("Both sides", gone=True)
    leave(screen)


@test
def ejecting_with_work_pending_asks_in_numbers(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    screen.press("e")
    screen.wait("S sync first", "x eject anyway")
    t.snapshot(screen, "eject-asks-100x30")
    screen.press("e")
    screen.wait("S sync first")  # the key that asked does not confirm
    screen.press("Esc")
    screen.wait("S sync first", gone=True)
    screen.press("e", "x")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "NOT on it: 5 pending")
    leave(screen)


@test
def sync_first_syncs_and_ejects(t):
    screen = t.homelab().open()
    screen.ready()
    screen.press("e")
    screen.keys("S")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "everything is on it")
    leave(screen)


@test
def a_busy_drive_names_its_holders_and_goes_on_when_it_is_free(t):
    for size in SIZES:
        box = t.homelab()
        screen = box.open(size)
        screen.ready()
        box.control(
            'busy hdd 4242 vlc "media/films/film-2.mkv" user=mira',
            "busy hdd 4243 bash notes user=mira kind=directory ancestor=yes",
        )
        screen.keys("E")
        screen.wait("hdd is held by", "vlc", "bash")
        t.snapshot(screen, f"eject-busy-{size[0]}x{size[1]}")
        t.check("cd out of it" in screen.text(), "the shell is not explained")
        box.control("free hdd")
        screen.wait(VERDICT + "SAFE TO UNPLUG")
        leave(screen)


@test
def a_holder_of_yours_can_be_asked_to_quit(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    box.control('busy hdd - vlc "media/films/film-2.mkv"')
    screen.keys("E")
    screen.wait("hdd is held by", "vlc")
    screen.press("t")
    screen.wait("Ask vlc to quit?")
    screen.press("t")
    screen.wait("Ask vlc to quit?")
    screen.keys("y")
    screen.wait(VERDICT + "SAFE TO UNPLUG")
    leave(screen)


@test
def giving_up_leaves_the_drive_mounted(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    box.control("busy hdd 4242 vlc media")
    screen.keys("E")
    screen.wait("hdd is held by")
    screen.press("Esc")
    screen.wait("was not ejected: it stays mounted", "● Seagate Expansion")
    t.check(os.path.isdir(box.path("drives/hdd/media")), "it is not mounted")
    leave(screen)


@test
def too_little_space_is_told_before_the_first_byte(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    box.control("full hdd")
    screen.wait("0 B free")
    screen.press("E")
    screen.wait("hdd is too full", "Needs 2.0 MB, free 0 B")
    t.snapshot(screen, "full-100x30")
    screen.press("Esc")
    screen.wait("too full", gone=True)
    screen.press("E")
    screen.wait("hdd is too full")
    screen.keys("f")
    screen.wait("did not arrive", "x eject without them")
    t.snapshot(screen, "full-what-fits-100x30")
    screen.press("Enter")
    screen.wait("no space for it on the volume")
    box.control("mend hdd")
    screen.press("q")
    screen.wait("not enough space")  # the news
    screen.press("w")
    screen.wait("┌ Why")
    screen.press("Esc", "Backspace")
    screen.wait("not enough space", gone=True)
    leave(screen)


@test
def a_pulled_drive_says_what_was_in_flight_and_is_repaired(t):
    for size in SIZES:
        name = f"{size[0]}x{size[1]}"
        box = t.homelab(synced=False)
        screen = box.open(size)
        screen.ready()
        box.control("on files 20 hdd unplug seagate")
        screen.keys("E")
        screen.wait("PULLED ", "files in flight, plug in to repair")
        screen.wait("ended")
        t.check("UNPLUG ·" not in screen.text(), "a verdict for a pulled drive")
        screen.settle(0.3)
        if "did not end well" in screen.text() or "did not arrive" in screen.text():
            raise Failure(f"asks about ejecting what is gone:\n{screen.text()}")
        t.snapshot(screen, f"pulled-{name}")
        screen.press("q")
        screen.wait("hdd: PULLED", "away since")
        t.snapshot(screen, f"pulled-drives-{name}")
        screen.press("w")
        screen.wait("┌ Why", "Plug it in")
        screen.press("Esc")
        box.control("plug seagate")
        screen.wait("hdd: a run was interrupted")
        screen.ready()
        screen.press("E")
        screen.wait("was unplugged without eject", "repaired either way")
        screen.keys("g")
        screen.wait(VERDICT + "SAFE TO UNPLUG", "everything is on it")
        screen.press("Enter")
        screen.wait("PULLED", gone=True)
        leave(screen)
        t.check(
            len(os.listdir(box.path("shelf/hdd/media/films"))) == 4,
            "not every film arrived",
        )


@test
def held_deletes_wait_for_another_key(t):
    box = t.homelab(synced=False)
    box.berth("sync")
    for i in range(48):
        if i % 4:
            os.remove(box.path(f"home/notes/{'abcd'[i % 4]}/note-{i:02}.md"))
    screen = box.open()
    screen.wait("36 held")
    t.snapshot(screen, "held-drives-100x30")
    screen.press("s")
    screen.wait("36 held deletes")
    screen.press("Enter", "D")
    screen.wait("36 changes are held", "y approve exactly these")
    t.snapshot(screen, "held-asks-100x30")
    screen.press("D")
    screen.wait("36 changes are held")
    screen.press("y")
    screen.wait("approved")
    screen.press("D")
    screen.wait("held again")
    screen.press("D", "y")
    screen.wait("approved")
    screen.keys("E")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "everything is on it")
    leave(screen)
    left = sum(len(files) for _, _, files in os.walk(box.path("shelf/hdd/notes")))
    t.check(left == 12, f"{left} notes are left, not 12")


@test
def files_that_fail_stop_an_ejection_and_can_be_retried(t):
    box = t.homelab()
    film = box.path("home/media/films/film-9.mkv")
    if os.geteuid() == 0:
        box.become(65534)
    screen = box.open()
    screen.ready()
    screen.settle(0.3)
    os.chmod(film, 0)
    screen.keys("E")
    screen.wait("1 file did not arrive", "Enter list", "r retry")
    t.snapshot(screen, "failed-asks-100x30")
    screen.press("Enter")
    screen.wait("media: films/film-9.mkv")
    t.snapshot(screen, "failed-list-100x30")
    screen.press("q")
    sync_and_eject(screen)
    screen.wait("did not arrive", "r retry")
    os.chmod(film, 0o644)
    screen.keys("r")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "everything is on it")
    leave(screen)


@test
def ejecting_without_what_failed_names_it(t):
    box = t.homelab()
    film = box.path("home/media/films/film-9.mkv")
    if os.geteuid() == 0:
        box.become(65534)
    screen = box.open()
    screen.ready()
    screen.settle(0.3)
    os.chmod(film, 0)
    screen.keys("E")
    screen.wait("1 file did not arrive")
    screen.keys("x")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "NOT on it: 1 failed")
    leave(screen)


@test
def a_drive_that_cannot_be_powered_off_is_yellow(t):
    for size in SIZES:
        box = t.homelab()
        screen = box.open(size)
        screen.ready()
        box.control("set seagate power-off=refused")
        screen.keys("E")
        screen.wait(VERDICT + "UNMOUNTED AND FLUSHED", "light")
        t.snapshot(screen, f"verdict-yellow-{size[0]}x{size[1]}")
        style = dict(screen.terminal.styles_of("UNMOUNTED AND")[0])
        t.check(style.get("b") == 220, f"not yellow: {style}")
        leave(screen)


@test
def a_flush_that_fails_is_red_until_it_was_repaired(t):
    for size in SIZES:
        box = t.homelab(synced=False)
        box.berth("sync")
        screen = box.open(size)
        screen.wait("nothing pending")
        box.control("fail flush seagate")
        screen.keys("e")
        screen.wait(VERDICT + "DO NOT UNPLUG")
        t.snapshot(screen, f"verdict-red-{size[0]}x{size[1]}")
        style = dict(screen.terminal.styles_of("DO NOT UNPLUG")[0])
        t.check(style.get("b") == 124, f"not red: {style}")
        leave(screen)


@test
def a_verdict_stays_until_a_key_or_the_next_plug(t):
    box = t.homelab()
    screen = box.open()
    screen.ready()
    screen.keys("E")
    screen.wait(VERDICT + "SAFE TO UNPLUG")
    box.control("unplug sandisk")
    screen.settle(0.4)
    screen.wait(VERDICT + "SAFE TO UNPLUG")
    box.control("plug sandisk")
    screen.wait("┌ Drives", "SanDisk Ultra")
    leave(screen)


@test
def the_run_of_another_process_is_shown_and_can_be_stopped(t):
    box = t.homelab(synced=False)
    box.write("home/media/films/long.mkv", b"l" * 9000000)
    screen = box.open()
    screen.ready()
    box.control("set seagate slow=1MB")
    command = [f"{box.build}/berth-practice", "sync"]
    other = Program(command, box.environment)
    box.programs.append(other)
    other.wait("on the drive")
    screen.press("R")
    screen.wait("berth sync notes, media is at work", "s watch")
    screen.press("s")
    screen.wait("┌ Another process", "is writing to hdd", "c ask it to stop")
    screen.press("c")
    screen.wait("Ask it to stop?", "y ask it")
    screen.keys("y")
    other.end(expected=8)
    screen.wait("the other process has ended")
    leave(screen)


@test
def an_ejection_waits_for_the_run_of_another_process(t):
    box = t.homelab(synced=False)
    screen = box.open()
    screen.ready()
    box.control("set seagate slow=2MB")
    other = Program([f"{box.build}/berth-practice", "sync"], box.environment)
    box.programs.append(other)
    other.wait("on the drive")
    screen.press("R")
    screen.wait("is at work")
    screen.press("E")
    screen.wait("when it is over: compare, sync what is left, eject")
    other.end()
    screen.wait(VERDICT + "SAFE TO UNPLUG", "everything is on it")
    leave(screen)


@test
def pausing_holds_the_run_and_going_on_ends_it(t):
    box = t.homelab(synced=False)
    for i in range(30):
        box.write(f"home/media/clips/clip-{i:02}.mp4", b"c" * 100000)
    screen = box.open()
    screen.ready()
    box.control("set seagate slow=800kB")
    screen.keys("s")
    screen.wait("copying")
    screen.keys("p")
    screen.wait("PAUSED")
    time.sleep(1.0)
    screen.settle(0.3)
    before = screen.text()
    time.sleep(1.0)
    screen.read(0.1)
    t.check(before == screen.text(), f"it went on:\n{before}\n{screen.text()}")
    box.control("set seagate slow=1GB")
    screen.keys("p")
    screen.wait("✓ Done")
    leave(screen)


@test
def a_limit_holds_a_run_back_until_it_is_lifted(t):
    box = t.homelab(drives=(HDD, SSD))
    for i in range(40):
        box.write(f"home/media/films/part-{i:02}.mkv", bytes([i]) * 1000000)
    screen = box.open()
    screen.ready()
    screen.keys("s", "b", "b", "b", "b")
    screen.wait("at most 5.0 MB/s")
    time.sleep(2)
    screen.settle(0.05)
    t.check("copying" in screen.text(), "40 MB at 5 MB/s took less than two seconds")
    screen.keys("b")
    screen.wait("✓ Done")
    leave(screen)


@test
def stopping_and_ejecting_says_what_stays_behind(t):
    box = t.homelab(synced=False)
    box.write("home/media/films/long.mkv", b"l" * 9000000)
    screen = box.open()
    screen.ready()
    box.control("set seagate slow=2MB")
    screen.keys("s")
    screen.wait("copying")
    screen.keys("e")
    screen.wait("Stop, and eject now?", "would stay behind", "x stop and eject")
    screen.keys("x")
    screen.wait(VERDICT + "SAFE TO UNPLUG")
    leave(screen)


@test
def nothing_blocks_the_screen_while_a_drive_is_slow(t):
    box = t.homelab(synced=False)
    screen = box.open()
    screen.ready()
    box.control("set seagate slow=700kB")
    screen.keys("s")
    screen.wait("copying")
    slowest = 0.0
    for _ in range(10):
        start = time.monotonic()
        screen.keys("?")
        screen.wait("┌ Help")
        slowest = max(slowest, time.monotonic() - start)
        screen.keys("?")
        screen.wait("┌ Help", gone=True)
    t.check(slowest < 0.5, f"a key took {slowest:.2f} s")
    screen.keys("c")
    screen.wait("Stopped at a clean boundary")
    leave(screen)


@test
def a_configuration_that_does_not_load_is_told_in_full(t):
    box = t.homelab()
    path = box.path("config/berth.conf")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("target", "tar get"))
    screen = box.open((80, 24))
    screen.wait("expected '='", "Nothing is listed or copied")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    screen.keys("R")
    screen.ready()
    leave(screen)


@test
def a_job_that_cannot_be_done_is_named_in_the_verdict(t):
    box = t.homelab()
    os.rename(box.path("home/notes"), box.path("home/elsewhere"))
    screen = box.open((80, 24))
    screen.wait("not all compared", "the source cannot be read")
    t.snapshot(screen, "source-gone-80x24")
    screen.press("e")
    screen.wait("Not all of its jobs could be compared")
    screen.keys("x")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "what a job that was not done has")
    leave(screen)


@test
def without_a_drive_it_says_what_to_do(t):
    box = t.sandbox()
    box.script("")
    screen = box.open((80, 24))
    screen.wait("Plug one in")
    t.snapshot(screen, "nothing-80x24")
    leave(screen)


@test
def a_drive_that_berth_does_not_know_can_be_ejected(t):
    box = t.sandbox()
    box.script(STICK, SSD)
    screen = box.open()
    screen.wait("SanDisk Ultra", "not known")
    t.snapshot(screen, "unknown-100x30")
    screen.press("e")
    screen.wait(VERDICT + "SAFE TO UNPLUG", "no job of berth writes to it")
    leave(screen)
