"""Figures of an acceptance run: percentiles, and one line each with its target, sample size and verdict."""
import math
import sys


def percentile(values, share):
    """The smallest value that `share` (0..1) of the values do not exceed; None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))] if ordered else None


class Report:
    """Prints each figure as it is known; `missed` counts targets that do not hold."""

    def __init__(self):
        self.missed = 0
        self.held = 0

    def line(self, what, value, unit, limit, count, least_count=0, at_least=False):
        """`value` against `limit` (a ceiling, or a floor with at_least); too small a sample is a miss."""
        good = value is not None and count >= least_count and (value >= limit if at_least else value <= limit)
        self.held += good
        self.missed += not good
        sign = "≥" if at_least else "≤"
        shown = "none" if value is None else f"{value:.1f}".rstrip("0").rstrip(".")
        small = f" (at least {least_count} wanted)" if count < least_count else ""
        print(f"{'PASS' if good else 'MISS'}  {what}: {shown} {unit}, target {sign} {limit} {unit}, n = {count}{small}", flush=True)

    def note(self, text):
        print(f"      {text}", flush=True)

    def close(self):
        print(f"{self.held} passed, {self.missed} failed", flush=True)
        sys.exit(1 if self.missed else 0)
