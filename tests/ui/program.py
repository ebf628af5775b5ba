"""berth on a terminal of its own, and the sandbox of paper drives it plays in."""

import fcntl
import os
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from terminal import Terminal

PATIENCE = float(os.environ.get("UI_PATIENCE", "20"))
KEYS = {
    "Enter": "\r",
    "Esc": "\x1b",
    "Space": " ",
    "Tab": "\t",
    "Backspace": "\x7f",
    "Up": "\x1bOA",
    "Down": "\x1bOB",
    "Right": "\x1bOC",
    "Left": "\x1bOD",
    "PageUp": "\x1b[5~",
    "PageDown": "\x1b[6~",
    "Home": "\x1bOH",
    "End": "\x1bOF",
    "Ctrl-C": "\x03",
    "Ctrl-L": "\x0c",
    "Ctrl-Z": "\x1a",
}


class Failure(Exception):
    """What a test found wrong."""


class Program:
    """A command in the foreground of a terminal; keys go in, a grid comes out."""

    def __init__(
        self,
        command,
        environment,
        size=(100, 30),
        term="xterm-256color",
        user=None,
        ground="1414/1616/1b1b",
        typed="",
    ):
        self.terminal = Terminal(*size)
        self.terminal.ground = ground
        self.master, slave = os.openpty()
        os.write(self.master, typed.encode())
        self.set_size(size)
        self.modes_before = termios.tcgetattr(slave)
        self.slave = slave
        self.user = user
        pid_read, self.pid_write = os.pipe()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environment, TERM=term),
            preexec_fn=self.take_terminal,
        )
        os.close(self.pid_write)
        with os.fdopen(pid_read) as pipe:
            self.pid = int(pipe.readline())

    def take_terminal(self):
        """As a shell does: a job of its own in the foreground of the terminal,
        which would not be stopped if it had no parent in its session."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        child = os.fork()
        if child:
            self.wait_as_shell(child)
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(self.slave, os.getpid())
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.write(self.pid_write, b"%d\n" % os.getpid())
        if self.user is not None:
            os.fchown(self.slave, self.user, -1)
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)

    @staticmethod
    def wait_as_shell(child):
        signal.signal(signal.SIGHUP, lambda *_: os.kill(child, signal.SIGHUP))
        os.closerange(0, 256)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status < 0:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        os._exit(status)

    def set_size(self, size):
        fcntl.ioctl(
            self.master,
            termios.TIOCSWINSZ,
            struct.pack("HHHH", size[1], size[0], 0, 0),
        )

    def resize(self, width, height):
        self.read(0)
        if (width, height) == (self.terminal.width, self.terminal.height):
            return  # nobody is told, so nothing is drawn
        self.terminal.resize(width, height)
        self.set_size((width, height))

    # --- what it shows ------------------------------------------------------

    def read(self, timeout):
        """Takes what is there, waiting so long for the first of it."""
        if self.master < 0 or not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        self.terminal.feed(data)
        if self.terminal.answers and data:
            os.write(self.master, self.terminal.answers)
            self.terminal.answers = b""
        return bool(data)

    def text(self):
        return self.terminal.text()

    def settle(self, quiet=0.12):
        """Until it has drawn nothing for a while."""
        end = time.monotonic() + PATIENCE
        while self.read(quiet) and time.monotonic() < end:
            pass

    def wait(self, *words, patience=PATIENCE, gone=False):
        """Until all the words are shown (or, `gone`, none)."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            shown = self.text()
            found = [word in shown for word in words]
            if (not any(found)) if gone else all(found):
                return
            if not self.read(0.05) and self.process.poll() is not None:
                while self.read(0.05):
                    pass
                if all(word in self.text() for word in words) and not gone:
                    return
                raise Failure(
                    f"it ended with {self.process.returncode} "
                    f"before {words} was shown:\n{self.text()}"
                )
        raise Failure(
            f"{words} {'did not go' if gone else 'was not shown'} "
            f"in {patience} s:\n{self.text()}"
        )

    def ready(self):
        """Until every job has been compared, and the health been read."""
        self.wait("pending", "good")
        self.settle(0.3)
        self.wait("scanning", gone=True)

    # --- what is done to it -------------------------------------------------

    def keys(self, *names, pause=0.0):
        for name in names:
            os.write(self.master, KEYS.get(name, name).encode())
            self.read(pause)

    def press(self, *names):
        """Keys one by one, the screen settled after each: as a person would."""
        for name in names:
            self.keys(name)
            self.settle()

    def click(self, words, button=0):
        for y, line in enumerate(self.terminal.lines()):
            x = line.find(words)
            if x >= 0:
                for end in "Mm":  # pressed, released
                    self.keys(f"\x1b[<{button};{x + 1};{y + 1}{end}")
                self.settle()
                return
        raise Failure(f"nothing to click on: {words}\n{self.text()}")

    def signal(self, number):
        os.kill(self.pid, number)

    def hang_up(self):
        """The terminal goes away, as when a window is closed."""
        os.close(self.slave)
        os.close(self.master)
        self.master = -1

    def end(self, expected=0, patience=PATIENCE):
        """Waits for its end; the terminal must be as it was before."""
        end = time.monotonic() + patience
        while self.process.poll() is None:
            self.read(0.05)
            if time.monotonic() > end:
                raise Failure(f"it did not end in {patience} s:\n{self.text()}")
        while self.read(0.05):
            pass
        if expected is not None and self.process.returncode != expected:
            raise Failure(
                f"it ended with {self.process.returncode}, not {expected}:\n"
                f"{self.text()}"
            )
        if self.master >= 0:
            self.check_restored()

    def check_restored(self):
        left = self.terminal.modes & {"alternate", "mouse", "keypad", "keys"}
        if left or "cursor" not in self.terminal.modes:
            raise Failure(f"the terminal was left with {self.terminal.modes}")
        if termios.tcgetattr(self.slave) != self.modes_before:
            raise Failure("the modes of the terminal were not put back")

    def close(self):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        if self.master >= 0:
            os.close(self.slave)
            os.close(self.master)
            self.master = -1


HDD = (
    "drive seagate vendor=Seagate model=Expansion serial=NA8F bus=usb size=5TB "
    "link=5000 rotational=yes smart=passed temperature=34 hours=4120\n"
    "volume hdd drive=seagate family=exfat uuid=6a3b19c2 size=5TB used=3.1TB\n"
)
STICK = (
    "drive sandisk vendor=SanDisk model=Ultra serial=4C53 bus=usb size=256GB "
    "link=480 smart=hidden\n"
    "volume stick drive=sandisk family=exfat uuid=11ab77e0 size=256GB "
    "used=171GB\n"
)
SSD = (
    'drive samsung vendor=Samsung model="SSD 970" serial=S4EW bus=nvme '
    "size=500GB smart=passed temperature=47 hours=18233\n"
    "volume root drive=samsung family=ext4 uuid=5f2c size=490GB used=459GB "
    "system=yes\n"
)


class Sandbox:
    """Drives of paper (src/platform/practice/practice.h) and sources."""

    def __init__(self, build, slot):
        self.build = build
        self.directory = f"/tmp/berth-ui-{slot}"
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory, 0o700)
        self.home = self.path("home")
        os.mkdir(self.home)
        self.programs = []
        self.user = None
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "TMPDIR": self.directory,
            "BERTH_PRACTICE": self.directory,
            "BERTH_PRACTICE_DELAY_MS": "50",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, path, content="", age_days=40.0):
        """A file below the sandbox, so old that nothing waits for it."""
        path = self.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        when = time.time() - age_days * 86400
        os.utime(path, (when, when))

    def become(self, user):
        """Programs run as this user from now on, who owns all of it."""
        self.user = user
        for parent, _, files in os.walk(self.directory):
            os.chown(parent, user, user)
            for name in files:
                os.chown(os.path.join(parent, name), user, user)

    def script(self, *lines):
        with open(self.path("script"), "w", encoding="utf-8") as file:
            file.write("".join(lines))
        for name in re.findall(r"^volume (\S+)", "".join(lines), re.M):
            os.makedirs(self.path("drives", name), exist_ok=True)

    def control(self, *lines):
        """Plays lines now; returns when they were carried out."""
        path, done = self.path("control"), self.path("control.done")
        with open(path, "a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        size = os.path.getsize(path)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with open(done, encoding="utf-8") as file:
                    if int(file.read() or 0) >= size:
                        return
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        raise Failure(f"{lines} was not carried out")

    def berth(self, *arguments, expected=(0,)):
        done = subprocess.run(
            [f"{self.build}/berth-practice", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode not in expected:
            raise Failure(
                f"berth {' '.join(arguments)}: {done.returncode}\n"
                f"{done.stdout.decode()}"
            )
        return done.stdout.decode()

    def add_volume(self, name):
        self.berth("volume", "add", self.path("drives", name), "--name", name)

    def add_job(self, name, target, *options):
        os.makedirs(self.path("home", name), exist_ok=True)
        source = self.path("home", name)
        self.berth("job", "add", name, "--source", source, "--target", target, *options)

    def open(self, size=(100, 30), term="xterm-256color", **environment):
        """The screen. `ground` is the terminal's, `typed` what is typed first."""
        asked = {key: environment.pop(key, None) for key in ("ground", "typed")}
        asked = {key: value for key, value in asked.items() if value is not None}
        program = Program(
            [f"{self.build}/berth-practice"],
            {**self.environment, **environment},
            size,
            term,
            self.user,
            **asked,
        )
        self.programs.append(program)
        return program

    def close(self):
        for program in self.programs:
            program.close()
        shutil.rmtree(self.directory, ignore_errors=True)
