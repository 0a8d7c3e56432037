#!/usr/bin/python3
"""
Random conversions against Python's decimal: half of them stake / rate, half
stake * euro / rate.

    decimals.py [BUILD_FOLDER] [COUNT] [SEED]

Prints how many there were and how many differ; exit code 1 if any does. The
whole of it is 10,000,000; the test run does a tenth.
"""
import subprocess
import sys
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path

# Far from enough digits for a quotient to be exact, but no quotient of 36 by 18
# digits that is no tie is so near to one.
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
UNIT = Decimal("0.00001")


def wanted(stake, euro_rate, rate):
    product = EXACT.multiply(Decimal(stake), Decimal(euro_rate))
    rounded = EXACT.divide(product, Decimal(rate)).quantize(UNIT, context=EXACT)
    return f"{rounded:f}".rstrip("0").rstrip(".")


def main(build="build", count="10000000", seed="2026"):
    program = Path(build) / "bench" / "triples"
    done = differ = 0
    with subprocess.Popen([program, count, seed], stdout=subprocess.PIPE, text=True) as ran:
        for line in ran.stdout:
            *given, amount = line.split()
            done += 1
            if amount != wanted(*given):
                differ += 1
                if differ <= 10:
                    print(*given, "gives", amount, "and should", wanted(*given))
    print(f"{done} conversions, {differ} differ from Python's decimal")
    return int(ran.returncode != 0 or done != int(count) or differ > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
