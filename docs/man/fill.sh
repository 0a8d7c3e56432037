#!/bin/sh
# Prints a template with its directives carried out: fill.sh TABLES VERSION FILE
#   @version@           in any line, the version
#   @table WHAT         a line: what the program TABLES says of that
#   @text FILE NAME...  a line: these chapters of a page (its "## " headings, with
#                       _ for a blank; none: all of it), as scdoc
set -eu
tables=$1 version=$2
while IFS= read -r line; do
    case $line in
    '@table '*) "$tables" "${line#@table }" ;;
    '@text '*)
        # shellcheck disable=SC2086 # words are wanted
        set -- ${line#@text }
        page=$1
        shift
        awk -v chapters="$*" -f docs/man/scdoc.awk "$page" ;;
    *) printf '%s\n' "$line" | sed "s/@version@/$version/" ;;
    esac
done < "$3"
