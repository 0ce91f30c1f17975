"""Measures the plugin `tests/guests/peers` beside the peers: servers of others with the same six endpoints on the same data.

`make bench-peers PEERS=FOLDER` runs it; ARGS='--rounds 1 --seconds 2' is a short run. The peers are copied, since they are built where
they are. They are all up at once, and take turns; the answers of all have to be equal first.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from figures import AGAIN, Figures, show
from folder import Folder, free_port, stop
from rate import BY_HAND, SHARE, Rate
from server import Server

PEERS = [BY_HAND, AGAIN, "axum-json", "fastapi", "postgrest", "postgraphile", "django"]
# What is compared with the server by hand alone: the database's own time is most of it.
BY_HAND_ALONE = [BY_HAND, AGAIN, "axum-json"]
# What each program is for, and where Debian has it.
PROGRAMS = {
    "wrk": "the load generator of the peers (apt-get install wrk)",
    "initdb": "PostgreSQL's server programs (make setup; they have to be in PATH)",
    "psql": "PostgreSQL's client (apt-get install postgresql-client)",
    "cargo": "Rust",
}
RESULT = "results/callslip.jsonl"


def arguments():
    parser = argparse.ArgumentParser(description="Measures our plugin beside servers of others.")
    parser.add_argument("peers", type=Path, help="the folder of the peers")
    parser.add_argument("--callslip", required=True, help="the command, optimised")
    parser.add_argument("--rate", required=True, help="the load generator, optimised")
    parser.add_argument("--plugin", type=Path, required=True, help="the component of tests/guests/peers")
    parser.add_argument("--target", type=Path, required=True, help="the folder for what was measured")
    parser.add_argument("--scratch", type=Path, help="the folder for the copy of the peers (default: in --target)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="the seconds of a cell")
    parser.add_argument("--quiet", type=float, default=0.25, help="the cores that others may use meanwhile")
    parser.add_argument("--tries", type=int, default=4, help="how often a cell is measured when they use more")
    parser.add_argument("--scale", type=int, default=1, help="the scale of the data, where it is not there yet")
    parser.add_argument("--connections", default="1,16,64")
    parser.add_argument("--endpoints", default="q1,q2,q3,q4,q5,q6,rate,open")
    parser.add_argument("--only", help="the peers to be beside, as the peers' own program names them")
    return parser.parse_args()


class Run:
    def __init__(self, options):
        self.options = options
        self.endpoints = options.endpoints.split(",")
        self.cells = []
        self.folder = Folder(options.peers, options.scratch or options.target / "bench-peers")
        self.folder.load(options.scale)
        self.peers = self.folder.those_that_run(options.only.split(",") if options.only else PEERS)

    def bench(self, *given, **options):
        return self.folder.run(sys.executable, "bench.py", *map(str, given), **options)

    def verify(self, ours):
        """Ends, unless every server gives the same answers."""
        print("comparing the answers", flush=True)
        # The first one says what is right, and is the server by hand.
        told = self.bench("--verify-only", *self.peers[:1], ours, *self.peers[1:], stdout=subprocess.PIPE).stdout
        if "ANSWERS DIFFER" in told:
            sys.exit(f"{told}\nthe answers differ: nothing is measured")
        print(f"{told.count(' equal')} lists of answers are equal", flush=True)

    def closed_loop(self, ours, endpoints, connections, peers):
        wanted = [q for q in self.endpoints if q in endpoints]
        if not wanted:
            return
        options = self.options
        peers = [ours, *(peer for peer in self.peers if peer in peers)]
        ended = self.bench(
            *("--no-verify", "-e", ",".join(wanted), "-c", connections, "-r", options.rounds, "-s", options.seconds),
            *("-q", options.quiet, "--tries", options.tries, "-o", RESULT, *peers),
            check=False,
        )
        lines = (self.folder.path / RESULT).read_text().splitlines()
        cells = [cell for cell in map(json.loads, lines) if cell["kind"] == "cell"]
        # Its table, which comes last, fails where a peer has answered nothing within a cell.
        if len(cells) != options.rounds * len(wanted) * len(connections.split(",")) * len(peers):
            sys.exit(f"the peers' own program ended with {ended.returncode}, and has not measured all")
        self.cells += cells

    def own_load(self, server):
        """At a fixed rate, and planned for each call."""
        port, options = free_port(), self.options
        by_hand = self.folder.start(BY_HAND, port)
        try:
            rate = Rate(options.rate, self.folder, server.port, port, options.rounds, options.seconds)
            for q in ["q1", "q2"]:
                fastest = Figures(self.cells).median(q, 16, BY_HAND, "rps")
                if "rate" in self.endpoints and fastest:
                    # Of two digits, as people choose it.
                    wanted = fastest * SHARE
                    self.cells += rate.at_a_fixed_rate(q, int(round(wanted, 2 - len(str(int(wanted))))))
            if "open" in self.endpoints:
                self.cells += rate.planned_each_time([int(c) for c in options.connections.split(",")])
        finally:
            stop(by_hand)

    def measure(self):
        options = self.options
        server = Server(options.callslip, options.plugin, self.folder)
        try:
            self.verify(server.peer)
            self.closed_loop(server.peer, ["q1", "q2", "q5"], options.connections, self.peers)
            self.closed_loop(server.peer, ["q3", "q4", "q6"], "16", BY_HAND_ALONE)
            self.own_load(server)
        finally:
            server.stop()


def main():
    missing = [f"{name}: {what}" for name, what in PROGRAMS.items() if not shutil.which(name)]
    if missing:
        sys.exit("\n".join(["missing:", *missing]))
    options = arguments()
    run = Run(options)
    try:
        run.measure()
    finally:
        run.folder.run("./pg.sh", "stop", stdout=subprocess.DEVNULL)
    figures = Figures(run.cells).all()
    kept = options.target / "figures" / "peers.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    told = {"bench": "peers", "figures": figures, "cells": run.cells, "processors": os.cpu_count()}
    kept.write_text(json.dumps(told, indent=1))
    show(figures)
    print(f"{kept} has all that was measured")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        # What it has to say it has said itself.
        sys.exit(f"{failed.cmd[0]} ended with {failed.returncode}")
