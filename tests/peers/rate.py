"""What the peers' own program does not measure: latency at a fixed rate, and a query that is planned for each call."""

import json
import subprocess

from server import PREFIX

OURS, BY_HAND = "callslip", "axum-rows"
# How many connections ask at a fixed rate: enough for requests that have to wait.
CONNECTIONS = 64
# How much of what the server by hand can do both are asked for: neither is overloaded.
SHARE = 0.5
# Shares no factor with a power of ten: so many steps of it through a table visit each row once.
STRIDE = 48271


class Rate:
    """Our load generator, on our server and the one by hand by turns."""

    def __init__(self, command, folder, ours, by_hand, rounds, seconds):
        self.command, self.folder, self.rounds, self.seconds = command, folder, rounds, seconds
        self.ports = {OURS: ours, BY_HAND: by_hand}
        self.asked = {OURS: 0, BY_HAND: 0}

    def at_a_fixed_rate(self, q, rate):
        import peers

        paths = [peers.DIALECTS["rest"](q, one)[1] for one in peers.inputs()[q]]
        files = {OURS: self.file(OURS, [PREFIX + path for path in paths]), BY_HAND: self.file(BY_HAND, paths)}
        cells = self.cells(f"{q}-rate", CONNECTIONS, files, "--rate", str(rate))
        return [cell | {"rate": rate} for cell in cells]

    def planned_each_time(self, connections):
        """The open query beside the same by hand. No value comes again as long as a host could remember its plan."""
        last = int(self.folder.psql("select max(id) from interview"))
        ids = [k * STRIDE % last + 1 for k in range(last)]
        files = {
            OURS: self.file(OURS, [f"{PREFIX}/q1_open?id={one}" for one in ids]),
            BY_HAND: self.file(BY_HAND, [f"/q1?id={one}" for one in ids]),
        }
        return [cell for c in connections for cell in self.cells("q1-open", c, files)]

    def file(self, name, paths):
        file = self.folder.path / "results" / f"paths-{name}"
        file.write_text("".join(f"{path}\n" for path in paths))
        return file

    def cells(self, q, c, files, *options):
        """A cell of each server for each round, who goes first by turns."""
        cells = []
        for turn in range(self.rounds):
            for name in [OURS, BY_HAND] if turn % 2 == 0 else [BY_HAND, OURS]:
                cell = self.measure(name, c, files[name], options)
                cell |= {"kind": "cell", "round": turn, "peer": name, "q": q, "c": c}
                print(
                    f"r{turn} {q} c={c:<3} {name:<28} {cell['rps']:>9.0f}/s p50 {cell['p50_us'] / 1e3:>8.2f} "
                    f"p99 {cell['p99_us'] / 1e3:>8.2f} ms  err {cell['errors']}",
                    flush=True,
                )
                cells.append(cell)
        return cells

    def measure(self, name, c, file, options):
        command = [
            self.command,
            f"127.0.0.1:{self.ports[name]}",
            str(file),
            *("--connections", str(c), "--seconds", str(self.seconds), "--skip", str(self.asked[name])),
            *options,
        ]
        measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        self.asked[name] += measured["asked"]
        return measured
