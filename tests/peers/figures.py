"""What the cells say, beside what is aimed at: ratios of medians, of rounds in which all servers took turns."""

import statistics

from rate import BY_HAND, OURS

# The server by hand a second time.
AGAIN = f"{BY_HAND}@AGAIN=1"
# How much faster than these a query of one row, or of twenty, ought to be.
MULTIPLES = {BY_HAND: 1.0, "fastapi": 2.2, "postgrest": 5.0, "django": 5.0}


class Figures:
    def __init__(self, cells):
        self.cells, self.figures = cells, []

    def median(self, q, c, name, what):
        values = [cell[what] for cell in self.cells if (cell["q"], cell["c"], cell["peer"]) == (q, c, name)]
        return statistics.median(values) if values else None

    def connections(self, q):
        return sorted({cell["c"] for cell in self.cells if cell["q"] == q})

    def ratio(self, q, c, what, ours, theirs, told, **target):
        of_ours, of_theirs = self.median(q, c, ours, what), self.median(q, c, theirs, what)
        if of_ours is not None and of_theirs:
            figure = {"what": told, "value": of_ours / of_theirs, "unit": "×", "target": target or None}
            self.figures.append(figure)

    def all(self):
        for q, told in [("q1", "Q1, one row"), ("q2", "Q2, twenty rows")]:
            for c in self.connections(q):
                here = f"{told}, {c} connections"
                for name, least in MULTIPLES.items():
                    self.ratio(q, c, "rps", OURS, name, f"{here}: requests/s, of {name}'s", at_least=least)
                self.beside(q, c, here, "axum-json", "postgraphile")
        for q, told in [("q3", "Q3, funnel"), ("q4", "Q4, top three"), ("q6", "Q6, totals")]:
            for c in self.connections(q):
                here = f"{told}, {c} connections"
                self.ratio(q, c, "rps", OURS, BY_HAND, f"{here}: requests/s, of {BY_HAND}'s", at_least=0.95)
                self.beside(q, c, here)
        for c in self.connections("q5"):
            self.export(c)
        for q in ["q1", "q2"]:
            for c in self.connections(f"{q}-rate"):
                rate = next(cell["rate"] for cell in self.cells if cell["q"] == f"{q}-rate")
                told = f"{q.upper()} at {rate}/s: p99, of {BY_HAND}'s"
                self.ratio(f"{q}-rate", c, "p99_us", OURS, BY_HAND, told, at_most=1.5)
        for c in self.connections("q1-open"):
            told = f"Q1 planned for each call, {c} connections: requests/s, of {BY_HAND}'s"
            self.ratio("q1-open", c, "rps", OURS, BY_HAND, told, at_least=0.75)
        return self.figures

    def beside(self, q, c, here, *others):
        """For which there is no target. The server by hand beside itself is how far a ratio may be from the truth."""
        for name in others:
            self.ratio(q, c, "rps", OURS, name, f"{here}: requests/s, of {name}'s")
        self.ratio(q, c, "server_cpu_us", OURS, BY_HAND, f"{here}: CPU of the server, of {BY_HAND}'s")
        self.ratio(q, c, "rps", AGAIN, BY_HAND, f"{here}: {BY_HAND} of itself")

    def export(self, c):
        variants = [name for name in (BY_HAND, "axum-json") if self.median("q5", c, name, "rows_s")]
        if not variants:
            return
        fastest = max(variants, key=lambda name: self.median("q5", c, name, "rows_s"))
        here = f"Q5, 10,000 rows, {c} connections"
        self.ratio("q5", c, "rows_s", OURS, fastest, f"{here}: rows/s, of {fastest}'s", at_least=1.0)
        cpu = f"{here}: CPU of the server per row, of {fastest}'s"
        self.ratio("q5", c, "server_cpu_us", OURS, fastest, cpu, at_most=0.7)
        self.ratio("q5", c, "rps", AGAIN, BY_HAND, f"{here}: {BY_HAND} of itself")


def is_met(figure):
    target = figure["target"] or {}
    return figure["value"] >= target.get("at_least", 0) and figure["value"] <= target.get("at_most", float("inf"))


def show(figures):
    width = max(len(figure["what"]) for figure in figures)
    aimed = [figure for figure in figures if figure["target"]]
    print(f"\n{'measured':<{width}}  {'ratio':>7}  {'target':>7}")
    for figure in figures:
        target, met = "", ""
        for sign, key in ("≥", "at_least"), ("≤", "at_most"):
            if figure["target"] and key in figure["target"]:
                target, met = f"{sign} {figure['target'][key]:.2f}", "met" if is_met(figure) else "NOT MET"
        print(f"{figure['what']:<{width}}  {figure['value']:>6.2f}×  {target:>7}  {met}".rstrip())
    print(f"\n{sum(map(is_met, aimed))} of {len(aimed)} targets met")
