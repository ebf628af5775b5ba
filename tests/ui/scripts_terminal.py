"""What a terminal does: sizes, colours, locales, signals, mice; and that it is
given back as it was."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import figures
from harness import HDD, SSD, STICK, Failure, Skip, test

UNPLUG = "PRACTICE: SAFE TO UNPLUG"


def colours_of(screen):
    """Every colour that is on the screen."""
    return {
        value
        for row in screen.terminal.cells
        for _, style in row
        for key, value in style
        if key in ("f", "b")
    }


def check_frame(t, screen, title):
    """Each row of the frame ends in the last column: nothing has shifted it."""
    lines = screen.terminal.cells
    top = next(y for y, row in enumerate(screen.terminal.lines()) if title in row)
    for y in range(top + 1, screen.terminal.height - 2):
        last = lines[y][screen.terminal.width - 1][0]
        t.check(last in "│|█", f"row {y} ends in {last!r}:\n{screen.text()}")


def busy_screen(t, size=(100, 30)):
    """In the middle of a run that takes its time."""
    box = t.homelab(synced=False)
    for i in range(40):
        box.write(f"home/media/clips/clip-{i:02}.mp4", b"c" * 100000)
    screen = box.open(size)
    screen.ready()
    box.control("set seagate slow=500kB")
    screen.keys("s")
    screen.wait("copying")
    return box, screen


@test
def a_window_too_small_says_so_and_takes_no_key_but_quit(t):
    box = t.homelab()
    screen = box.open((40, 10))
    screen.wait("too small: 40x10", "80x24")
    t.snapshot(screen, "tiny-40x10")
    screen.press("e", "E", "s", "Enter", "?", "x")
    t.snapshot(screen, "tiny-40x10")
    screen.resize(80, 24)
    screen.wait("pending as of", "┌ Drives")
    t.check("Eject" not in screen.text(), "a key was taken")
    screen.resize(20, 3)
    screen.wait("too")
    screen.resize(1, 1)
    screen.settle()
    screen.resize(79, 24)
    screen.wait("too small")
    screen.keys("q")
    screen.end()
    t.check(not os.path.exists(box.path("shelf/hdd")), "it was ejected")


@test
def every_size_is_drawn_whole(t):
    screen = t.homelab().open((80, 24))
    screen.ready()
    for keys in ((), ("Enter",), ("?",)):
        screen.press(*keys)
        for size in ((200, 60), (81, 25), (100, 30), (99, 24), (160, 50), (80, 24)):
            screen.resize(*size)
            screen.settle()
            lines = screen.terminal.lines()
            t.check(lines[0].startswith(" berth"), f"no header at {size}")
            footer = "? more" in lines[-1] or "Esc close" in lines[-1]
            t.check(footer, f"no footer at {size}:\n{screen.text()}")
            t.check(lines[-2].endswith("┘"), f"no frame at {size}:\n{screen.text()}")
    screen.press("Esc", "q")
    screen.keys("q")
    screen.end()


@test
def no_color_means_none(t):
    screen = t.homelab().open((100, 30), NO_COLOR="1")
    screen.ready()
    screen.press("Enter")
    screen.wait("Biggest first")
    screen.keys("E")
    screen.wait(UNPLUG)
    screen.settle()
    t.check(not colours_of(screen), f"colours: {colours_of(screen)}")
    t.check(dict(screen.terminal.styles_of("SAFE")[0]).get(7), "not even reversed")
    screen.press("Enter")
    screen.keys("q")
    screen.end()


@test
def the_C_locale_gets_ASCII(t):
    screen = t.homelab().open((80, 24), LANG="C")
    screen.ready()
    t.snapshot(screen, "drives-ascii-80x24")
    screen.press("Enter")
    screen.wait("Biggest first")
    t.snapshot(screen, "diff-ascii-80x24")
    t.check(screen.text().isascii(), "not ASCII")
    screen.keys("E")
    screen.wait(UNPLUG)
    t.check(screen.text().isascii(), "not ASCII")
    screen.press("Enter")
    screen.keys("q")
    screen.end()


@test
def a_light_ground_and_sixteen_colours_have_themes_of_their_own(t):
    box = t.homelab()
    seen = {}
    for name, term, ground in (
        ("dark", "xterm-256color", "15;0"),
        ("light", "xterm-256color", "0;15"),
        ("dark 16", "xterm", "15;0"),
        ("light 16", "xterm", "0;15"),
        ("linux", "linux", ""),
    ):
        # On a Linux console curses loads gpm's library, which leaks.
        screen = box.open(
            (100, 30), term, COLORFGBG=ground, ASAN_OPTIONS="detect_leaks=0"
        )
        screen.ready()
        screen.settle()
        seen[name] = colours_of(screen)
        screen.keys("q")
        screen.end()
    t.check(max(seen["dark 16"] | seen["light 16"] | seen["linux"]) < 16, str(seen))
    t.check(seen["dark"] != seen["light"], "light and dark look alike")
    t.check(3 not in seen["light 16"], "yellow on a light ground")


@test
def a_terminal_is_asked_for_its_ground(t):
    box = t.homelab()
    seen = {}
    for ground in ("1414/1616/1b1b", "ffff/ffff/ffff", "", None):
        screen = box.open(ground=ground)
        screen.ready()
        seen[ground] = colours_of(screen)
        screen.keys("q")
        screen.end()
    t.check(seen["ffff/ffff/ffff"] != seen["1414/1616/1b1b"], "alike on white")
    t.check(seen[""] == seen[None] == seen["1414/1616/1b1b"], "not dark when not told")


@test
def what_is_typed_before_the_first_picture_is_not_lost(t):
    screen = t.homelab().open(typed="?")
    screen.wait("┌ Help")
    screen.keys("?", "q")
    screen.end()


@test
def a_terminal_without_colours_or_unknown_is_coped_with(t):
    box = t.homelab()
    screen = box.open((80, 24), "vt100")
    screen.wait("pending as of", "Seagate Expansion")
    screen.keys("q")
    screen.end()
    for name in ("no-such-terminal", "dumb"):
        # Where newterm fails it leaks.
        screen = box.open((80, 24), name, ASAN_OPTIONS="detect_leaks=0")
        screen.wait(f"TERM={name}", "berth --help")
        screen.end(expected=2)


@test
def in_tmux_it_is_drawn_as_anywhere(t):
    if not shutil.which("tmux"):
        raise Skip("needs tmux")
    box = t.homelab()
    socket = box.path("tmux")
    tmux = ["tmux", "-u", "-S", socket, "-f", "/dev/null"]
    environment = {**box.environment, "TERM": "xterm-256color"}

    def call(*arguments):
        return subprocess.run(
            [*tmux, *arguments], env=environment, stdout=subprocess.PIPE, check=True
        ).stdout.decode()

    def wait(words):
        end = time.monotonic() + 20
        while words not in (shown := call("capture-pane", "-p")):
            if time.monotonic() > end:
                raise Failure(f"{words} is not shown:\n{shown}")
            time.sleep(0.1)
        return shown

    call("new-session", "-d", "-x", "100", "-y", "31", f"{box.build}/berth-practice")
    try:
        shown = wait("5 pending as of").splitlines()
        t.check(shown[2].startswith("┌ Drives ─"), f"no frame: {shown[2]}")
        t.check(all(row[99:] in ("│", "┐", "┘") for row in shown[2:29]), "\n".join(shown))
        call("send-keys", "Enter")
        wait("Biggest first")
        call("resize-window", "-x", "80", "-y", "25")
        wait("? more")
        call("send-keys", "q")
        wait("┌ Drives")
    finally:
        call("kill-server")


@test
def names_of_every_kind_keep_their_columns(t):
    box = t.homelab()
    names = (
        "日本語のとても長い題名のファイル.txt",
        "e\u0301te\u0301 a\u0300 la mer.txt",
        "עברית וערבית العربية.txt",
        "tab\there and\x1b[31mred.txt",
        "family 👨‍👩‍👧‍👦 emoji.txt",
        "rtl \u202eoverride.txt",
        "zero\u200bwidth.txt",
        "ｆｕｌｌｗｉｄｔｈ.txt",
        "한국어 " * 20 + ".txt",
        "x" * 200 + ".txt",
        "new\nline.txt",
    )
    for i, name in enumerate(names):
        box.write(f"home/notes/names/{name}", "n" * (9000 - i))
    raw = os.fsencode(box.path("home/notes/names")) + b"/not\xff\xfeutf8.txt"
    with open(raw, "wb") as file:
        file.write(b"n" * 8000)
    os.utime(raw, (time.time() - 4e6,) * 2)
    for size in ((80, 24), (160, 50)):
        screen = box.open(size)
        screen.ready()
        screen.press("Enter")
        screen.wait("names/")
        screen.press("t")
        screen.wait("flat")
        t.snapshot(screen, f"names-{size[0]}x{size[1]}")
        check_frame(t, screen, "flat")
        for _ in range(14):
            screen.press("j", "Enter")
            check_frame(t, screen, "flat")
            screen.press("Esc")
            if "flat" not in screen.text():
                screen.press("Enter")
        screen.press("q")
        screen.keys("q")
        screen.end()


@test
def more_drives_than_fit_are_scrolled(t):
    box = t.sandbox()
    lines = [HDD]
    for i in range(12):
        lines.append(
            f'drive d{i} vendor="Fabricant" model="日本語ドライブ {i:02}" bus=usb '
            f"size={i + 1}TB link=480 smart=hidden\n"
            f"volume v{i} drive=d{i} family=exfat uuid=11ab77{i:02} size={i + 1}TB "
            f"used=1GB locked={'yes' if i == 1 else 'no'} "
            f"automount={'no' if i == 2 else 'yes'}\n"
        )
    box.script(*lines)
    box.write("home/notes/note.md", "n")
    box.add_volume("hdd")
    box.add_job("notes", "hdd:/notes")
    screen = box.open((80, 24))
    screen.ready()
    t.snapshot(screen, "many-drives-80x24")
    screen.press("g")
    screen.wait("> ● Fabricant 日本語ドライブ 00")
    for _ in range(12):
        screen.press("j")
        t.check("> ●" in screen.text(), "the marked drive is not visible")
    screen.wait("> ● Seagate Expansion")
    check_frame(t, screen, "Drives")
    screen.keys("q")
    screen.end()


@test
def ten_thousand_rows_scroll_like_ten(t):
    box = t.sandbox()
    box.script(HDD)
    box.add_volume("hdd")
    box.add_job("notes", "hdd:/notes")
    for i in range(10000):
        box.write(f"home/notes/note-{i:05}.md", "n")
    screen = box.open()
    screen.wait("10,000 pending")
    screen.press("Enter")
    screen.wait("note-00000.md")
    start = time.monotonic()
    screen.keys("G")
    screen.wait("note-09999.md")
    screen.keys("g")
    screen.wait("note-00000.md")
    for _ in range(100):
        screen.keys("PageDown")
    screen.wait("note-02299.md")
    took = time.monotonic() - start
    t.check(took < 2.0, f"scrolling took {took:.1f} s")
    screen.keys("t", "o")
    screen.wait("By path, flat")
    screen.press("/", *"9999", "Enter")
    screen.wait("note-09999.md")
    screen.wait("note-00000.md", gone=True)
    screen.press("Esc", "q")
    screen.keys("q")
    screen.end()


@test
def an_idle_screen_sends_nothing_and_a_key_little(t):
    screen = t.homelab().open((160, 50))
    screen.ready()
    screen.settle(0.5)
    while time.localtime().tm_sec > 55:  # the clock of the screen
        time.sleep(0.5)
    screen.settle()
    before = screen.terminal.received
    time.sleep(1.5)
    screen.read(0)
    t.check(screen.terminal.received == before, "it draws without need")
    screen.press("Enter")
    screen.settle()
    before = screen.terminal.received
    screen.press("j")
    sent = screen.terminal.received - before
    t.check(0 < sent < 2500, f"one row down: {sent} bytes")
    screen.press("q")
    screen.keys("q")
    screen.end()


@test
def an_idle_screen_wakes_nobody(t):
    if not os.path.isdir("/proc/self/task"):
        raise Skip("needs /proc to count wake-ups")
    woken = figures.idle(t)
    if woken is None:
        raise Skip("drives come and go on this machine all the time")
    t.check(woken == 0, f"{woken} wake-ups a second")


@test
def a_run_draws_little_and_not_too_often(t):
    _, screen = busy_screen(t)
    before, start = screen.terminal.received, time.monotonic()
    while time.monotonic() - start < 2:
        screen.read(0.05)
    rate = (screen.terminal.received - before) / 2
    t.check(rate < 8000, f"{rate:.0f} bytes a second")
    t.check(rate > 0, "no progress is drawn")
    screen.keys("c")
    screen.wait("Stopped at a clean boundary")
    screen.press("q")
    screen.keys("q")
    screen.end()


@test
def quitting_in_a_run_asks_and_keeps_or_stops(t):
    _, screen = busy_screen(t)
    screen.keys("q")
    screen.wait("k keep watching", "c stop and quit")
    screen.keys("k")
    screen.wait("keep watching", gone=True)
    screen.keys("q")
    screen.wait("k keep watching")
    screen.keys("c")
    screen.end(expected=8)


@test
def an_interrupt_stops_at_a_boundary_and_says_so_in_its_code(t):
    for number in (signal.SIGINT, signal.SIGTERM):
        _, screen = busy_screen(t)
        screen.signal(number)
        screen.end(expected=8)
    _, screen = busy_screen(t)
    screen.keys("Ctrl-C")
    screen.end(expected=8)


@test
def a_second_interrupt_leaves_at_once(t):
    box, screen = busy_screen(t)
    box.control("set seagate slow=20kB")
    time.sleep(0.5)
    screen.signal(signal.SIGTERM)
    time.sleep(0.2)
    start = time.monotonic()
    screen.signal(signal.SIGTERM)
    screen.end(expected=8)
    took = time.monotonic() - start
    t.check(took < 10.0, f"it took {took:.1f} s") # minutes at this pace


@test
def a_window_that_is_closed_ends_the_run_cleanly(t):
    box, screen = busy_screen(t)
    screen.hang_up()
    screen.end(expected=8)
    box.berth("sync")
    t.check(
        len(os.listdir(box.path("drives/hdd/media/clips"))) == 40,
        "the next run did not bring the rest",
    )


@test
def without_a_run_a_signal_just_ends_it(t):
    box = t.homelab()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        screen = box.open()
        screen.ready()
        screen.signal(number)
        screen.end(expected=None)
        t.check(screen.process.returncode in (0, 8), str(screen.process.returncode))


@test
def a_crash_gives_the_terminal_back(t):
    box = t.homelab()
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
        own = "handle_segv=0:handle_abort=0"  # not a sanitizer's
        screen = box.open(ASAN_OPTIONS=own, TSAN_OPTIONS=own)
        screen.ready()
        screen.settle()
        screen.signal(number)
        screen.end(expected=-number)


def wait_stopped(screen):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        screen.read(0.05)
        with open(f"/proc/{screen.pid}/stat", encoding="ascii") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "T":
                while screen.read(0.1):
                    pass
                return
    raise Failure("it was not stopped")


@test
def ctrl_z_pauses_the_run_and_fg_goes_on(t):
    if not os.path.isdir("/proc/self"):
        raise Skip("needs /proc to see that a process is stopped")
    box, screen = busy_screen(t)
    screen.keys("Ctrl-Z")
    wait_stopped(screen)
    t.check("alternate" not in screen.terminal.modes, "the screen is still there")
    screen.check_restored()
    time.sleep(0.5)
    screen.signal(signal.SIGCONT)
    screen.wait("copying", "Seagate Expansion")
    box.control("set seagate slow=1GB")
    screen.wait("✓ Done", patience=40)
    screen.press("q")
    screen.signal(signal.SIGTSTP)
    wait_stopped(screen)
    screen.signal(signal.SIGCONT)
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()


@test
def a_mouse_selects_opens_and_can_be_switched_off(t):
    screen = t.homelab().open()
    screen.ready()
    screen.settle()
    t.check("mouse" in screen.terminal.modes, "the mouse is off")
    screen.click("Samsung SSD")
    screen.wait("┬ Samsung SSD 970")
    screen.click("Seagate Expansion")
    screen.wait("┬ Seagate Expansion")
    screen.click("e eject")
    screen.wait("S sync first")
    screen.click("Esc")
    screen.wait("S sync first", gone=True)
    screen.press("M")
    screen.wait("mouse off")
    t.check("mouse" not in screen.terminal.modes, "the mouse is still on")
    screen.keys("q")
    screen.end()


@test
def another_programs_output_is_wiped_away(t):
    screen = t.homelab().open()
    screen.ready()
    screen.settle()
    before = screen.text()
    os.write(screen.slave, b"\x1b[5;5HRUBBISH")
    screen.wait("RUBBISH")
    screen.press("Ctrl-L")
    t.check(screen.text() == before, f"not as before:\n{screen.text()}")
    screen.keys("q")
    screen.end()


# Keys that a cat on the keyboard would find; "q" and signals end it too soon.
KEYS = (
    *"jkhlgGsEeRwtoDx/?mypckfrS uai,XvdHC.~",
    *("Enter", "Esc", "Up", "Down", "Left", "Right", "PageUp", "PageDown"),
    *("Backspace", "Home", "End", "Tab", "Ctrl-L", "\x1b[<0;9;6M", "\x1b[<64;9;6M"),
    *("é", "日", "\x1b[200~", "\x1b["),
)
PLAYS = (
    "unplug seagate",
    "plug seagate",
    "unplug sandisk",
    "plug sandisk",
    "busy hdd 4242 vlc media",
    "free hdd",
    "fail flush seagate",
    "full hdd",
    "mend hdd",
    "mend seagate",
    "set hdd read-only=yes",
    "set hdd read-only=no",
    "set hdd dirty=yes",
    "set hdd dirty=no",
    "set seagate io-errors=3",
    "set seagate slow=300kB",
    "set seagate slow=1GB",
)


def check_no_rubbish(t, screen):
    """What is shown is what a redraw of all of it shows."""
    for _ in range(5):
        screen.settle(0.3)
        before = screen.text()
        screen.keys("Ctrl-L")
        screen.settle(0.3)
        if screen.text() == before:
            return
    raise Failure(f"a redraw shows something else than\n{before}")


@test
def random_keys_and_sizes_never_break_it(t):
    seed = int(os.environ.get("UI_SEED", "0")) or random.randrange(1 << 30)
    dice = random.Random(seed)
    box = t.homelab(drives=(HDD, STICK, SSD))
    screen = box.open()
    screen.ready()
    end = time.monotonic() + float(os.environ.get("UI_SOAK", "4"))
    typed = []
    try:
        while time.monotonic() < end:
            what = dice.random()
            if what < 0.06:
                typed.append((dice.randint(1, 200), dice.randint(1, 60)))
                screen.resize(*typed[-1])
            elif what < 0.1:
                typed.append(dice.choice(PLAYS))
                with open(box.path("control"), "a", encoding="utf-8") as file:
                    file.write(typed[-1] + "\n")
            else:
                typed.append(dice.choice(KEYS))
                screen.keys(typed[-1])
            screen.read(dice.choice((0, 0, 0.005, 0.05)))
            if screen.process.poll() is not None:  # "c", asked about quitting
                screen.end(expected=None)
                t.check(screen.process.returncode == 8, "it ended")
                screen = box.open()
        screen.resize(101, 31)  # another size than any before
        for _ in range(60):
            screen.settle()
            if re.search(r"^ berth", screen.text(), re.M):
                break
        else:
            raise Failure("nothing is drawn any more")
        with open(box.path("control"), "a", encoding="utf-8") as file:
            file.write("set seagate slow=1GB\nmend seagate\n")
        check_no_rubbish(t, screen)
        screen.signal(signal.SIGTERM)
        time.sleep(0.5)
        if screen.process.poll() is None:
            screen.signal(signal.SIGTERM)
        screen.end(expected=None)
        t.check(screen.process.returncode in (0, 8), str(screen.process.returncode))
    except Exception as error:
        while screen.read(0.2):
            pass
        raise Failure(
            f"UI_SEED={seed}: {error!r}, ended {screen.process.poll()} after "
            f"{len(typed)} inputs, the last {typed[-40:]}\n{screen.text()}"
        ) from error
