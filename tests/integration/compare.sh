#!/usr/bin/env bash
# quick
# The table beside other programs: each cell that says yes names tests that are
# there, and each of these would be run.
. "$(dirname "$0")/lib.sh"

need_command python3
python3 - "$REPO" <<'PYTHON' || fail "docs/compare.md"
import os, re, sys
root = sys.argv[1]
rows = said = 0
for line in open(f"{root}/docs/compare.md", encoding="utf-8"):
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if not line.startswith("| ") or cells[0] in ("Users ask", "---"):
        continue
    rows += 1
    assert len(cells) == 8, f"{len(cells)} cells: {line}"
    for cell in cells[1:7]:
        assert cell in ("Y", "P", "N", "–"), f"{cell!r} in: {line}"
    tests = re.findall(r"`([^`]+)`", cells[7])
    assert bool(tests) == (cells[6] in "YP"), f"berth {cells[6]}: {tests}: {line}"
    for test in tests:
        file, _, name = test.partition(": ")
        path = f"{root}/tests/{file}"
        assert os.path.isfile(path), f"no {path}"
        text = open(path, encoding="utf-8").read()
        assert name in text, f"{name!r} is not in {path}"
        if file.startswith("unit/") and name:  # listed, not only written
            assert text.count(name) >= 2, f"{name} is not run by {path}"
        if file.endswith(".sh"):
            assert os.access(path, os.X_OK), f"{path} cannot be run"
        said += 1
assert rows > 35, rows
print(f"ok: {rows} rows, {said} tests that are there", file=sys.stderr)
PYTHON
