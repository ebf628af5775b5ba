# Prints symbols that an archive needs and only archives define that it may
# not know.
#     nm -A -g lib*.a | awk -f symbols.awk rooms.txt -

FNR == NR {
    if ($1 == "needs")
        for (i = 2; i <= NF; i++)
            may[$2, $i] = 1
    next
}

# "build/release/libcore.a:engine.o:                 U ui_new"
NF >= 3 {
    archive = $1
    sub(/:.*/, "", archive)
    sub(/.*\//, "", archive)
    symbol = $NF
    kind = $(NF - 1)
    if (kind == "U")
        needed[archive, symbol] = $1
    else if (kind ~ /^[TDBRSC]$/)
        definers[symbol] = definers[symbol] " " archive
}

END {
    for (key in needed) {
        split(key, part, SUBSEP)
        count = split(definers[part[2]], definer, " ")
        fine = count == 0
        for (i = 1; i <= count; i++)
            if (definer[i] == part[1] || (part[1], definer[i]) in may)
                fine = 1
        if (!fine)
            print needed[key] " needs " part[2] ", defined in" \
                definers[part[2]]
    }
}
