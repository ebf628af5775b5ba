"""Health in detail, settings, and which drive is marked at the start."""

from harness import HDD, SSD, STICK, test

SIZES = ((80, 24), (100, 30), (160, 50))
WORN = HDD.replace(
    "hours=4120",
    "hours=4120 attribute-5=Reallocated_Sector_Ct,100,100,10,8 "
    "attribute-187=Reported_Uncorrect,100,100,0,0 "
    "attribute-197=Current_Pending_Sector,100,100,0,0,failed "
    "attribute-9=Power_On_Hours,96,96,0,4120 io-errors=0 link-resets=0",
)


@test
def the_health_of_a_drive_tells_attributes_and_how_they_have_grown(t):
    box = t.homelab(drives=(WORN, STICK, SSD))
    for size in SIZES:
        name = "%dx%d" % size
        screen = box.open(size)
        screen.ready()
        screen.press("i")
        t.snapshot(screen, f"health-{name}")
        screen.keys("q")
        screen.press("q")
        screen.end()
    screen = box.open()
    screen.ready()
    box.control(
        "set seagate attribute-5=Reallocated_Sector_Ct,100,100,10,11",
        "set seagate link-resets=2",
    )
    screen.press("i")
    t.check("+3" not in screen.text(), "read without being asked")
    screen.press("R")
    screen.wait("watch · Reallocated_Sector_Ct grew from 8 to 11", "+3", "2 link resets")
    t.snapshot(screen, "health-grown-100x30")
    box.control("plug sandisk")  # another list: it has the new readings, too
    screen.settle(0.3)
    t.check("+3" in screen.text(), "an older reading came back")
    box.control("set seagate attribute-187=Reported_Uncorrect,2,2,4,9,failing")
    screen.press("R")
    screen.wait("failing · Reported_Uncorrect", "FAILING NOW", "replace it")
    t.snapshot(screen, "health-failing-100x30")
    screen.press("Left", "Right", "Right")
    screen.wait("Health · Samsung SSD 970")
    screen.press("Right")
    screen.wait("USB bridge does not pass SMART on")
    screen.press("Esc")
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()


@test
def a_drive_that_comes_back_is_asked_for_its_health_again(t):
    box = t.homelab(drives=(WORN, STICK, SSD))
    screen = box.open()
    screen.ready()
    box.control("unplug seagate", "set seagate io-errors=7", "plug seagate")
    screen.wait("7 I/O errors")
    screen.keys("q")
    screen.end()


@test
def settings_are_shown_changed_checked_and_put_back(t):
    box = t.homelab()
    config = box.path("config/berth.conf")
    with open(config, encoding="utf-8") as file:
        before = file.read()
    for size in SIZES:
        screen = box.open(size)
        screen.ready()
        screen.press(",")
        screen.wait("volume hdd")
        t.compare(
            screen.text().replace(before.split('id = "')[1][:32], "0123456789abcdef" * 2),
            "settings-%dx%d" % size,
        )
        screen.keys("q")
        screen.press("q")
        screen.end()
    screen = box.open()
    screen.ready()
    screen.press(",")
    screen.wait("volume hdd")
    screen.press("Up", "Enter")
    screen.wait("stays: the drive")
    screen.press(*("Down",) * 3, "Enter", *("Backspace",) * 4, "quick", "Enter")
    screen.wait('bandwidth = "quick"', "use an amount a second")
    t.check("quick" not in open(config, encoding="utf-8").read(), "it was written")
    screen.press("\x15", "20MB/s", "Enter")
    screen.wait("saved", "20MB/s")
    t.check("20MB/s" in open(config, encoding="utf-8").read(), "not written")
    screen.press("Backspace")
    screen.wait("20MB/s\n", gone=True)
    screen.settle()
    t.check(open(config, encoding="utf-8").read() == before, "not as before")
    screen.press("Enter", "9", "Esc", "q")
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()


@test
def the_same_drive_is_marked_at_every_start(t):
    box = t.sandbox()
    box.script(SSD, STICK)
    box.write("home/notes/a.md", "n")
    folder = box.path("home/nas")
    box.write("home/nas/other", "n")
    box.berth("volume", "add", folder, "--name", "nas", "--folder")
    box.add_job("notes", "nas:/notes")
    for _ in range(3):
        screen = box.open()
        screen.wait("2 drives", "1 pending as of", "folder")
        screen.settle()
        t.check("> ● nas" in screen.text(), f"another is:\n{screen.text()}")
        screen.keys("q")
        screen.end()


@test
def a_question_about_a_drive_goes_when_the_drive_does(t):
    box = t.homelab()
    screen = box.open((80, 24))
    screen.ready()
    for key, question in (("e", "Eject Seagate"), ("v", "Read Seagate")):
        screen.press(key)
        screen.wait(question)
        box.control("unplug seagate")
        screen.wait("is not plugged in any more")
        screen.wait(question, gone=True)
        box.control("plug seagate")
        screen.ready()
    t.check("DO NOT UNPLUG" not in screen.text(), "called unsafe, and it was away")
    screen.keys("q")
    screen.end()


@test
def a_job_that_went_from_the_configuration_goes_from_its_diff(t):
    box = t.homelab()
    screen = box.open((80, 24))
    screen.ready()
    screen.press("Enter")
    screen.wait("notes → hdd:/notes", "media → hdd:/media")
    box.berth("job", "remove", "notes")
    screen.press("R")
    screen.wait("notes → hdd:/notes", gone=True)
    screen.wait("media → hdd:/media")
    screen.keys("q")
    screen.wait("┌ Drives")
    screen.keys("q")
    screen.end()


@test
def a_configuration_that_cannot_be_read_stays_said_in_the_settings(t):
    box = t.homelab()
    config = box.path("config/berth.conf")
    screen = box.open((80, 24))
    screen.ready()
    with open(config, "w", encoding="utf-8") as file:
        file.write("jobs = ( {")
    screen.press(",")
    screen.wait("berth.conf:1:", "is not closed")
    screen.press("j", "Enter", "Backspace", "G")
    first_rows = screen.text().splitlines()[3:5]
    t.check("berth.conf:1:" in "".join(first_rows), "not at the top, where all fits")
    t.check("is not closed" in screen.text(), "the error went by itself")
    t.check("Nothing is configured" not in screen.text(), "it is, but for a mistake")
    screen.keys("q")
    screen.keys("q")
    screen.end()
