"""Compares a document with the tables of docs/json.md.

    json_tables.py docs/json.md COMMAND EXIT <document

Every list and key of the document must be in the tables of that command, every
key of the tables in the document, each with its type. Says which tables it has
seen values for, so that a caller can tell that none was left out.
"""
import json
import re
import sys

SYNC_ALSO = {
    "diffs": "diff: diffs",
    "findings": "verify: findings",
    "tidied": "tidy: tidied",
    "ejected": "eject: ejected",
}


def read_tables(path):
    tables, name = {}, None
    with open(path, encoding="utf-8") as text:
        for line in text:
            if line.startswith("### "):
                name = line[4:].strip()
                tables[name] = {}
            elif line.startswith("| ") and name:
                key, kind = [cell.strip() for cell in line.split("|")[1:3]]
                if key not in ("key", "---"):
                    tables[name][key] = kind
    return tables


def no_constants(word):
    raise ValueError(f"{word} is not JSON")


def no_twins(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a key twice: {names}"
    return dict(pairs)


def fits(value, kind):
    if value is None:
        return kind.endswith("or null") or kind == "time"
    kind = kind.removesuffix(" or null")
    if kind == "path":
        return isinstance(value, str) or (
            isinstance(value, dict)
            and list(value) == ["bytes"]
            and re.fullmatch("([0-9a-f]{2})+", value["bytes"]) is not None
        )
    if kind == "time":
        return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None
    if kind in ("integer", "number"):
        return isinstance(value, (int, float) if kind == "number" else int) and \
            not isinstance(value, bool)
    return isinstance(
        value, {"string": str, "boolean": bool, "list": list, "object": dict}[kind]
    )


def check(value, table, where):
    for key, item in value.items():
        assert key in table, f"{where}: {key} is not documented"
        kind = table[key].removesuffix(", optional")
        assert fits(item, kind), f"{where}: {key} is {item!r}, not a {kind}"
    for key, kind in table.items():
        assert key in value or kind.endswith("optional"), f"{where}: no {key}"


def main():
    tables = read_tables(sys.argv[1])
    command, code = sys.argv[2], int(sys.argv[3])
    document = json.load(
        sys.stdin, object_pairs_hook=no_twins, parse_constant=no_constants
    )
    every = tables["every document"]
    lists = {}
    for name, table in tables.items():
        words, _, item = name.partition(": ")
        if words.removesuffix(" RUN") == command:
            lists[item] = (name, table)
    if command == "sync":  # what it can do of other commands' work
        for item, name in SYNC_ALSO.items():
            lists[item] = (name, tables[name])
    if command in ("volume add", "volume refresh"):
        lists["contents"] = ("volume refresh: contents",
                             tables["volume refresh: contents"])
        lists["findings"] = ("verify: findings", tables["verify: findings"])
    if command == "schedule install":
        lists["schedule"] = ("schedule show: schedule", tables["schedule show: schedule"])
    check({k: v for k, v in document.items() if k not in lists}, every, command)
    assert document["exit"] == code, f"exit {document['exit']}, not {code}"
    for item, (name, table) in lists.items():
        for value in document.get(item, []):
            check(value, table, name)
        if document.get(item):
            print(name)


main()
