# Blanks the comments and literals of C, keeping the lines, as "FILE:LINE:code".
#     awk -f strip.awk FILE…

FNR == 1 { in_comment = 0 }

{
    rest = $0
    code = ""
    while (rest != "") {
        if (in_comment) {
            at = index(rest, "*/")
            if (!at)
                break
            in_comment = 0
            rest = substr(rest, at + 2)
        } else if (!match(rest, /\/\*|\/\/|"|'/)) {
            code = code rest
            break
        } else {
            mark = substr(rest, RSTART, RLENGTH)
            code = code substr(rest, 1, RSTART - 1)
            rest = substr(rest, RSTART + RLENGTH)
            if (mark == "//")
                break
            if (mark == "/*") {
                in_comment = 1
                code = code " "
            } else {
                quoted = mark == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : \
                    "^([^'\\\\]|\\\\.)*'"
                code = code mark mark
                rest = match(rest, quoted) ? substr(rest, RLENGTH + 1) : ""
            }
        }
    }
    print FILENAME ":" FNR ":" code
}
