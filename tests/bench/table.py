"""Medians, ratios and Markdown."""
import statistics


def median(rounds, measure):
    return statistics.median(r[measure] for r in rounds)


def ratio(rounds, reference, measure):
    """The median of the ratios round by round: what drifts hits both."""
    return statistics.median(
        a[measure] / b[measure] if b[measure] else float("nan")
        for a, b in zip(rounds, reference))


def number(value):
    """Three digits that count, with blanks between thousands."""
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "| --- |" + " ---: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def compare(results, measures, reference):
    """
    A table: a row for each contender, and for each (heading, measure) its
    median and, behind it, its ratio to the reference.
    """
    head = ["", *(word for heading, _ in measures for word in (heading, "ratio"))]
    rows = []
    for name, rounds in results.items():
        row = [name]
        for _, measure in measures:
            row += [number(median(rounds, measure)),
                    f"{ratio(rounds, results[reference], measure):.2f}"]
        rows.append(row)
    return markdown(head, rows)
