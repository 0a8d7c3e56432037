#!/bin/sh
# Prints the size of the product in figures, and judges nothing. `measure.sh
# ways` prints only how long the ways are that docs/architecture.md tells, and
# a line "missing: ..." for each name on that page that is not in the tree.
set -u
cd "$(dirname "$0")/../.." || exit 1

# shellcheck disable=SC2016 # backquotes are meant
quoted='`[^`]*`'
page=docs/architecture.md
sources() { # PATTERN...: the product's files of these names
    for pattern in "$@"; do
        find common supervisor wsclient ratefetcher -name "$pattern"
    done | sort
}

# A way stands between the lines "<!-- way of X -->" and "<!-- end -->": in
# backquotes are its files, and words that are types of callbacks; names of
# functions have their parentheses, and count for nothing.
way() { # NAME: FILE or TYPE and the name, one a line, each once
    sed -n "/^<!-- way of $1 -->/,/^<!-- end -->/p" "$page" |
        grep -o "$quoted" | tr -d '`' | sort -u |
        awk '/\/.*\.c$/ {print "FILE", $0} /^[a-z_]+$/ {print "TYPE", $0}'
}

ways() {
    for name in "a request" "a look-up on a cold day"; do
        way "$name" | awk -v name="$name" '
            {n[$1]++}
            END {printf "way of %s: %d files, %d callback types\n",
                        name, n["FILE"], n["TYPE"]
                 if (!n["FILE"]) print "missing: the way of " name}'
        for type in $(way "$name" | sed -n 's/^TYPE //p'); do
            # shellcheck disable=SC2046
            grep -qE "^typedef .*\b$type\(" $(sources '*.h') ||
                echo "missing: the callback type $type"
        done
    done
    # Names in capital letters stand for many.
    for file in $(grep -o "$quoted" "$page" | tr -d '`' |
                  grep -E '^[a-z_0-9.]+/[a-z_0-9./]+$' | sort -u); do
        [ -e "$file" ] || echo "missing: $file"
    done
}

tags() { # KIND: name, file, line, last line, "file:" if static
    # shellcheck disable=SC2046
    ctags -f - --languages=C --langmap=C:.c.h --kinds-C="$1" \
        --fields=nef --excmd=number $(sources '*.[ch]')
}

if [ "${1-}" = ways ]; then ways; exit 0; fi

# shellcheck disable=SC2046
wc -l $(sources '*.[ch]' '*.def') | awk '
    $2 == "total" {next}
    {folder = $2; sub("/[^/]*$", "", folder); files[folder]++
     lines[folder] += $1; all += $1; count++
     if ($2 ~ /\.h$/) headers++
     if ($1 > 500) long = long " " $2 ":" $1
     if (files[folder] > most) {most = files[folder]; where = folder}}
    END {for (folder in files)
             printf "%-24s %6d lines %4d files\n", folder, lines[folder],
                    files[folder] | "sort"
         close("sort")
         printf "%-24s %6d lines %4d files\n", "in all", all, count
         printf "most files in a folder: %d, in %s\n", most, where
         printf "public headers: %d\n", headers
         print "files over 500 lines:" (long ? long : " none")}'

tags f | awk '
    {match($0, /line:[0-9]+/); first = substr($0, RSTART + 5, RLENGTH - 5)
     match($0, /end:[0-9]+/); last = substr($0, RSTART + 4, RLENGTH - 4)
     print last - first + 1, $1, $2}' | sort -n | awk '
    {length_of[NR] = $1; if ($1 > 50) over++; longest = $2 " in " $3}
    END {printf "functions: %d; lines: median %d, 90 %% at most %d, ", NR,
                length_of[int((NR + 1) / 2)], length_of[int(NR * 0.9 + 0.999)]
         printf "longest %d (%s), over 50: %d\n", length_of[NR], longest, over}'

# Each word of the product, less comments and declarations that come before
# their definition, behind its file's name.
words() {
    for file in $(sources '*.[ch]'); do
        sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$file" |
            gcc -fpreprocessed -E -P -x c - | sed '/^static [^{]*);$/d' |
            tr -cs '[:alnum:]_' '\n' | sed "s|^|$file |"
    done
}
{ tags f | awk '/\tfile:/ {print "is", $2, $1}'; words; } | awk '
    $1 == "is" {static[$2 " " $3]; next}
    $0 in static {named[$0]++}
    END {for (name in static) {all++; if (named[name] == 2) once++}
         printf "static functions named once besides their definition: "
         printf "%d of %d\n", once, all}'

twice=$(tags s | cut -f 1 | sort | uniq -d | paste -sd ' ')
echo "struct tags defined twice or more: ${twice:-none}"
ways
