# Makes scdoc of the Markdown that our pages use: headings, paragraphs, lists,
# tables, indented examples, links, `code`, **bold** and *slanted*. `chapters`: the ones that
# are wanted, with _ for a blank; "": all of them.
BEGIN {
    count = split(chapters, names, " ")
    for (i = 1; i <= count; i++) { gsub("_", " ", names[i]); wanted[names[i]] = 1 }
    on = count == 0
}

function escape(text) { gsub(/[\\_*`]/, "\\\\&", text); return text }

# A link is its words, and its address where it leads out of this folder.
function links(text,    at, words, to) {
    while (match(text, /!?\[[^]]*\]\([^)]*\)/)) {
        at = substr(text, RSTART, RLENGTH)
        words = at; sub(/^!?\[/, "", words); sub(/\]\(.*/, "", words)
        to = at; sub(/.*\]\(/, "", to); sub(/\)$/, "", to)
        if (at ~ /^!/) words = ""
        else if (to ~ /^http/) words = words " (" to ")"
        text = substr(text, 1, RSTART - 1) words substr(text, RSTART + RLENGTH)
    }
    return text
}

function inline(text,    parts, i, n, out, bold) {
    n = split(links(text), parts, "`")
    for (i = 1; i <= n; i++)
        if (i % 2 == 0)
            out = out "*" escape(parts[i]) "*"
        else {
            gsub(/\*\*/, "\001", parts[i])
            gsub(/\*/, "\002", parts[i])
            parts[i] = escape(parts[i])
            gsub("\001", "*", parts[i])
            gsub("\002", "_", parts[i])
            out = out parts[i]
        }
    return out
}

# scdoc reads some marks at the start of a line.
function paragraph(    text) {
    if (held == "") return
    text = inline(held)
    held = ""
    if (text !~ /[^ ]/) return
    if (listed) print "- " text
    else { if (text ~ /^[.#|<\[\]-]/) text = "\\" text; print text "\n" }
}
function end_list() { paragraph(); if (listed) print ""; listed = 0 }
function end_example() { if (example) print "```\n"; example = 0 }

/^<!--/ { next }
/^# / { next }
/^## / {
    end_list(); end_example()
    if (count) on = ($0 = substr($0, 4)) in wanted
    else $0 = substr($0, 4)
    if (on) { found[$0] = 1; print "# " toupper(escape($0)) "\n" }
    next
}
!on { next }
/^###+ / { end_list(); end_example(); sub(/^#+ /, ""); print "## " escape($0) "\n"; next }
/^ *$/ { blank = 1; if (!example) paragraph(); else pending = pending "\n"; next }
/^(    |      )/ && (example || (held == "" && (blank || !listed))) {
    if (!example) { end_list(); print "```"; example = 1; pending = "" }
    sub(/^    /, "")
    print pending $0; pending = ""; blank = 0
    next
}
{ end_example() }
/^\| *-/ { next }
/^\|/ { # a row: its first cell, and the others below it
    end_list()
    n = split($0, cells, / *\| */)
    if (!row++) { blank = 0; next }
    first = cells[2]; gsub(/[`*]/, "", first)
    rest = ""
    for (i = 3; i < n; i++) if (cells[i] != "") rest = rest (rest == "" ? "" : "; ") cells[i]
    print "*" escape(links(first)) "*\n\t" inline(rest) "\n"
    blank = 0
    next
}
{ row = 0 }
/^- / { paragraph(); listed = 1; held = substr($0, 3); blank = 0; next }
/^  +[^ ]/ && listed { sub(/^ +/, ""); held = held == "" ? $0 : held " " $0; blank = 0; next }
{
    if (listed && blank) end_list()
    held = held == "" ? $0 : held " " $0
    blank = 0
}
END {
    end_list(); end_example()
    for (name in wanted) if (!(name in found)) {
        print "scdoc.awk: no chapter " name " in " FILENAME > "/dev/stderr"; exit 1 }
}
