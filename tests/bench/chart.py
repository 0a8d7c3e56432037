"""The picture of the README: throughput, and what a message costs, by gnuplot."""
import subprocess

from bars import THROUGHPUT
from table import median, number

SCRIPT = """
set terminal {terminal}
set output "{picture}"
set datafile separator "\\t"
unset key
set border 2
set style fill solid
set yrange [{rows} - 0.4 : -0.6]
set ytics nomirror scale 0
unset xtics
set tmargin 2
set bmargin 1
set multiplot
set lmargin at screen 0.31
set rmargin at screen 0.60
set title "thousand messages a second"
plot "{data}" using (0):0:(0):2:($0-0.35):($0+0.35):6:ytic(1) with boxxyerror lc rgb variable, \\
     "" using 2:0:3 with labels left offset 0.5,0
set format y ""
set lmargin at screen 0.68
set rmargin at screen 0.93
set title "microseconds of CPU a message"
set xrange [0:{cut}]
plot "{data}" using (0):0:(0):($4>{cut}?{cut}:$4):($0-0.35):($0+0.35):6 with boxxyerror lc rgb variable, \\
     "" using ($4>{cut}?{cut}:$4):0:5 with labels left offset 0.5,0
unset multiplot
"""
SVG = 'svg size 860,300 font "sans-serif,12" background "white"'
# Longer bars are cut; their figure stands beside them.
CUT_MICROSECONDS = 12
OURS, OTHERS = 0x3465A4, 0xBBBBBB


def draw(kept, folder, terminal=SVG):
    """Writes throughput.svg of what the part throughput has kept."""
    lines = []
    for name, rounds in kept[THROUGHPUT[256]].items():
        speed, cost = median(rounds, "per_second") / 1000, median(rounds, "cpu_us")
        colour = OURS if name.startswith("fxwire") else OTHERS
        lines.append(f"{name}\t{speed:.3f}\t{number(speed)}\t{cost:.3f}\t{number(cost)}\t{colour}")
    data = folder / "throughput.tsv"
    data.write_text("\n".join(lines) + "\n")
    picture = folder / "throughput.svg"
    # By their names alone: the picture has them in it.
    subprocess.run(["gnuplot"], cwd=folder, text=True, check=True, input=SCRIPT.format(
        terminal=terminal, picture=picture.name, data=data.name, rows=len(lines),
        cut=CUT_MICROSECONDS))
    return picture
