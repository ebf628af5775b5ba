#!/usr/bin/env bash
# quick
# What is written about berth and what it does are the same: manual pages and
# completions against --help, berth.conf(5) against the table of keys, the
# example against the parser, the version in one place.
. "$(dirname "$0")/lib.sh"

need_command python3
built=$(dirname "$BERTH")/packaging
[ -e "$built/berth.1" ] || skip "needs \`make manual\`"

# What a command and its options are called, as the program itself says.
"$BERTH" --help >"$TMP/help"
check "--help lists commands" grep -q '^  sync ' "$TMP/help"
python3 - "$BERTH" >"$TMP/options" <<'PYTHON'
import re, subprocess, sys
def says(*words):
    return subprocess.run([sys.argv[1], *words, "--help"], check=True,
                          capture_output=True, text=True).stdout
overview = says().split("\n\n")
for line in overview[2].splitlines():
    name = re.match(r"  ([a-z]+(?: [a-z]+)?)  ", line).group(1)
    print(name)
    for option in re.findall(r"^  (--[a-z-]+)", says(*name.split()), re.M):
        print(name, option)
PYTHON
check "there are thirty of them, or so" test "$(grep -cv -- -- "$TMP/options")" -ge 25

# berth(1): each command has its part, with each of its options.
sed 's/\\-/-/g; s/\\e/\\/g' "$built/berth.1" >"$TMP/berth.1"
python3 - "$TMP/berth.1" "$TMP/options" <<'PYTHON' || fail "berth(1) differs from --help"
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
commands = page.split(".SH COMMANDS\n")[1].split(".SH COMMON OPTIONS")[0]
common = set(re.findall(r"^\\fB(--[a-z-]+)", page.split(".SH COMMON OPTIONS")[1], re.M))
parts, name = {}, None
for line in commands.splitlines():
    head = re.match(r'\.SS "berth ([a-z]+(?: [a-z]+)?)(?: .*)?"', line)
    if head:
        name = head.group(1)
        parts[name] = set()
    option = re.match(r"\\fB(--[a-z-]+)", line)
    if option:
        parts[name].add(option.group(1))
wanted = {}
for line in open(sys.argv[2], encoding="utf-8"):
    words = line.split()
    options = [w for w in words if w.startswith("--")]
    wanted.setdefault(" ".join(w for w in words if not w.startswith("--")),
                      set()).update(options)
assert set(parts) == set(wanted), set(parts) ^ set(wanted)
for name, options in wanted.items():
    assert parts[name] | common == options, (name, parts[name], options)
for code in range(10):
    assert f"\n.B {code}\n" in page, code
PYTHON
echo "ok: berth(1) is what --help says" >&2

# berth.conf(5): the keys of both tables, in their order.
awk '/^static const struct config_key (volume|job)_keys/ { inside = 1 }
    /^};/ { inside = 0 }
    inside && match($0, /\{"[a-z_]+"/) { print substr($0, RSTART + 2, RLENGTH - 3) }' \
    "$REPO/src/core/config_keys.c" >"$TMP/keys"
sed -n '/^\.SH KEYS OF A VOLUME/,/^\.SH FILES/s/^\.B \([a-z_]*\)$/\1/p' \
    "$REPO/packaging/berth.conf.5" | grep -v '^berth' >"$TMP/documented"
check "berth.conf(5) has every key" diff "$TMP/keys" "$TMP/documented"

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$built/berth.1" "$REPO/packaging/berth.conf.5" \
        >"$TMP/lint" || fail "mandoc: $(cat "$TMP/lint")"
    check "a reader of manuals shows it" \
        test "$(mandoc -T utf8 "$built/berth.1" | grep -c 'berth sync')" -gt 1
fi

# Completions: what a shell offers.
mkdir "$TMP/drive" "$TMP/source"
export BERTH_CONFIG=$TMP/berth.conf BERTH_STATE_DIR=$TMP/state
"$BERTH" volume add "$TMP/drive" --name usb --folder
"$BERTH" job add docs --source "$TMP/source" --target usb:/docs
mkdir "$TMP/bin"
ln -s "$BERTH" "$TMP/bin/berth"
export PATH=$TMP/bin:$PATH

offers_bash() { # WORDS…: the last is being typed
    bash -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        compopt() { :; }
        _berth
        printf "%s\n" "${COMPREPLY[@]}"' bash "$built/berth.bash" "$@"
}
offers_fish() {
    # shellcheck disable=SC2016 # for fish
    fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
        "$built/berth.fish" "$*" | cut -f 1
}
offered() { # SHELL EXPECTED WORDS…
    local shell=$1 expected=$2
    shift 2
    "offers_$shell" "$@" | sort -u >"$TMP/offered"
    grep -qxF -e "$expected" "$TMP/offered" ||
        fail "$shell does not offer $expected for \"$*\": $(cat "$TMP/offered")"
}
for shell in bash fish; do
    command -v "$shell" >/dev/null || continue
    offered "$shell" sync berth sy
    offered "$shell" schedule berth sch
    offered "$shell" add berth volume ''
    offered "$shell" install berth schedule in
    offered "$shell" --eject berth sync --e
    offered "$shell" docs berth sync ''
    offered "$shell" usb berth sync ''
    offered "$shell" usb berth verify ''
    offered "$shell" docs berth job remove ''
    while read -r name option; do
        case $name in volume | job | schedule) continue ;; esac
        [[ $option == --* ]] || continue
        [ "$shell" = bash ] || [ "$option" = --heal ] || [ "$name" = sync ] ||
            continue # each takes a process
        offered "$shell" "$option" berth "$name" "$option"
    done <"$TMP/options"
    echo "ok: $shell offers commands, options and names" >&2
done
if command -v zsh >/dev/null; then
    check "zsh can read its completion" zsh -n "$built/berth.zsh"
    while read -r line; do
        name=${line%% --*} option=${line#"${line%% --*}"}
        option=${option# }
        if [ "$option" ]; then
            grep -qF -e "'$option" "$built/berth.zsh" ||
                fail "zsh does not know $name $option"
        else
            grep -qF -e "'$name:" "$built/berth.zsh" || fail "zsh does not know $name"
        fi
    done <"$TMP/options"
    echo "ok: zsh knows commands and options" >&2
fi

check "berth reads its example" test \
    "$("$BERTH" --config "$REPO/packaging/berth.conf.example" job list | wc -l)" -eq 5
version=$(make -s -C "$REPO" --no-print-directory version)
check "--version is the one of the Makefile" \
    test "$("$BERTH" --version)" = "berth $version"
check "no other place knows it" \
    test -z "$(grep -rlF "$version" "$REPO/src" "$REPO/packaging" | head -n 1)"
