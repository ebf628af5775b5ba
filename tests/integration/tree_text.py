"""A small tree as text and back, for fixtures: names, modes, times, bytes.

    tree_text.py pack DIRECTORY >TEXT
    tree_text.py unpack DIRECTORY <TEXT
"""
import os
import stat
import sys


def pack(root):
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(files + [n for n in names]):
            path = os.path.join(directory, name)
            found = os.lstat(path)
            shown = os.path.relpath(path, root)
            if stat.S_ISLNK(found.st_mode):
                print("link", shown, os.readlink(path))
            elif stat.S_ISDIR(found.st_mode):
                print("directory", shown)
            else:
                data = open(path, "rb").read()
                print("file", shown, oct(found.st_mode & 0o7777)[2:],
                      found.st_mtime_ns, data.hex() or "-")


def unpack(root):
    for line in sys.stdin:
        kind, shown, *rest = line.split()
        path = os.path.join(root, shown)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if kind == "directory":
            os.makedirs(path, exist_ok=True)
        elif kind == "link":
            os.symlink(rest[0], path)
        else:
            with open(path, "wb") as file:
                file.write(bytes.fromhex(rest[2].replace("-", "")))
            os.chmod(path, int(rest[0], 8))
            os.utime(path, ns=(int(rest[1]), int(rest[1])))


{"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2])
