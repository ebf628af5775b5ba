# Prints the includes that tests/style/rooms.txt does not allow.
#     awk -f includes.awk rooms.txt src/FILE…

function as_regex(glob)
{
    gsub(/[.+]/, "\\\\&", glob)
    gsub(/\*/, "[^/]*", glob)
    return "^" glob "$"
}

function is_in(name, globs, count, i, words)
{
    count = split(globs, words, " ")
    for (i = 1; i <= count; i++)
        if (words[i] == "*" || name ~ as_regex(words[i]))
            return 1
    return 0
}

# The HEADERS of the longest FILES that matches; "?" where there is none.
function allowed_for(file, i, best)
{
    best = ""
    for (i in ours)
        if (file ~ as_regex(i) && length(i) > length(best))
            best = i
    return best == "" ? "?" : ours[best]
}

FNR == NR {
    if ($1 == "ours" || $1 == "theirs") {
        list = $0
        sub(/^[a-z]+[ ]+[^ ]+[ ]*/, "", list)
    }
    if ($1 == "ours")
        ours[$2] = list
    if ($1 == "theirs")
        theirs[$2] = list
    next
}

FNR == 1 {
    file = FILENAME
    sub(/^src\//, "", file)
    may = allowed_for(file)
    if (may == "?")
        print FILENAME ":1: no line \"ours\" in rooms.txt is for this file"
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    if (may != "?" && !is_in(part[2], may))
        print FILENAME ":" FNR ": may not include \"" part[2] "\""
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, part, /[<>]/)
    files = ""
    for (header in theirs)
        if (part[2] ~ as_regex(header))
            files = files " " theirs[header]
    if (files == "")
        print FILENAME ":" FNR ": <" part[2] "> is not in rooms.txt"
    else if (!is_in(file, files))
        print FILENAME ":" FNR ": may not include <" part[2] ">"
}
