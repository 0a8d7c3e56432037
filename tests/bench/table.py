"""Medians, ratios and Markdown."""
import statistics


def median(rounds, measure):
    return statistics.median(r[measure] for r in rounds)


def worst(rounds, measure):
    return max(r[measure] for r in rounds)


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


def compare(results, measures, plain=()):
    """
    A table: a row for each of the results, with the median and the ratio to the
    first row of each (heading, measure), then what is only told, each (heading,
    measure, median or worst).
    """
    reference = next(iter(results.values()))
    head = ["", *(word for heading, _ in measures for word in (heading, "ratio")),
            *(heading for heading, _, _ in plain)]
    rows = []
    for name, rounds in results.items():
        row = [name]
        for _, measure in measures:
            row += [number(median(rounds, measure)),
                    f"{ratio(rounds, reference, measure):.2f}"]
        rows.append(row + [number(of(rounds, measure)) for _, measure, of in plain])
    return markdown(head, rows)
