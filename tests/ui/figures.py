"""Figures of the screen, as CONTRIBUTING.md and docs/design.md quote them:
what a key costs over a line, what a run sends, how often an idle one wakes."""

import os
import select
import subprocess
import time

from program import Program

WINDOW_SECONDS = 3
WINDOWS = 12


def wake_ups(pid):
    """Times that any thread of it has waited, so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
    return total


class News:
    """Whether anybody mounted, plugged or told of a run meanwhile: that wakes
    whoever lists drives, as it should."""

    def __init__(self):
        self.mounts = open("/proc/self/mountinfo", "rb")
        self.poll = select.poll()
        self.poll.register(self.mounts, select.POLLPRI | select.POLLERR)

    def take(self):
        """True when there was some since the last time."""
        has_mounted = bool(self.poll.poll(0))
        before, self.seen = getattr(self, "seen", None), self.look()
        return has_mounted or before != self.seen

    @staticmethod
    def look():
        with open("/sys/kernel/uevent_seqnum", encoding="ascii") as file:
            number = file.read()
        try:
            return number, os.stat("/run/lock/berth").st_mtime_ns
        except OSError:
            return number, 0


def idle(case, size=(100, 30)):
    """Wake-ups a second of the real program (drives of paper are looked at by
    a clock), in a window without news of drives; None: there was none."""
    box = case.sandbox()
    program = os.path.join(box.build, "berth")
    screen = Program([program], {**box.environment, "HOME": box.home}, size)
    box.programs.append(screen)
    screen.wait("Drives")
    screen.settle(1)
    news = News()
    result = None
    for _ in range(WINDOWS):
        while time.localtime().tm_sec > 59 - WINDOW_SECONDS:
            time.sleep(0.5)  # the clock of the screen: once a minute
        time.sleep(0.5)
        news.take()
        before = wake_ups(screen.pid)
        time.sleep(WINDOW_SECONDS)
        seen = (wake_ups(screen.pid) - before) / WINDOW_SECONDS
        screen.read(0)
        if not news.take():
            result = seen
            break
    screen.keys("q")
    screen.end()
    return result


def keys(case, size):
    """Bytes sent for the first picture, a row down, a page, another screen."""
    screen = case.homelab().open(size)
    screen.ready()
    screen.settle(0.3)
    result = {"first pictures": screen.terminal.received}
    for name, key in (
        ("a drive down", "j"),
        ("the diff opened", "Enter"),
        ("a row down", "j"),
        ("help opened", "?"),
        ("help closed", "Esc"),
        ("everything anew", "Ctrl-L"),
    ):
        if name == "the diff opened":
            screen.press("k")
        screen.settle(0.2)
        before = screen.terminal.received
        screen.press(key)
        screen.settle(0.2)
        result[name] = screen.terminal.received - before
    return result


def run(case, size=(100, 30)):
    """Bytes a second, while copying."""
    box = case.homelab(synced=False)
    for i in range(40):
        box.write(f"home/media/clips/clip-{i:02}.mp4", b"c" * 100000)
    screen = box.open(size)
    screen.ready()
    box.control("set seagate slow=500kB")
    screen.keys("s")
    screen.wait("copying")
    before, start = screen.terminal.received, time.monotonic()
    while time.monotonic() - start < 4:
        screen.read(0.05)
    return (screen.terminal.received - before) / 4


def show(case, build):
    """Prints them all."""
    frames = os.path.join(build, "tests", "ui", "frames")
    if os.path.exists(frames):
        done = subprocess.run(
            [frames],
            env=dict(os.environ, FIGURES="1"),
            stdout=subprocess.PIPE,
            check=True,
        )
        for line in done.stdout.decode().splitlines():
            if line.startswith(("frame", "memory")):
                print(line)
    for size in ((80, 24), (160, 50)):
        for name, sent in keys(case, size).items():
            print(f"bytes at {size[0]}x{size[1]}, {name}: {sent}")
    print(f"bytes a second while copying, 100x30: {run(case):.0f}")
    print(f"idle: {idle(case)} wake-ups a second")
