"""A copy of the folder of the peers, which nothing is ever written into, and the database and servers that are run in it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

# How long a peer may take to install what it needs, in seconds. Its run.sh does that the first time.
INSTALLATION = 900
# What a folder has been used for leaves these behind.
NOT_COPIED = shutil.ignore_patterns("pg", "results", "target", ".venv", "node_modules", "__pycache__")


class Folder:
    def __init__(self, peers, scratch):
        self.path = scratch.resolve()
        entered_by_postgres(self.path.parent)
        shutil.copytree(peers, self.path, ignore=NOT_COPIED, dirs_exist_ok=True, copy_function=copy)
        for folder, _, _ in os.walk(self.path):
            if not writable(folder):
                os.chmod(folder, 0o755)
        # Its own servers build in their own folders.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_")}
        sys.path.insert(0, str(self.path))
        import peers as module

        self.servers, self.port = module.PEERS, module.PGPORT

    def run(self, *command, **options):
        options = {"cwd": self.path, "env": self.environment, "text": True, "check": True} | options
        return subprocess.run(command, **options)

    def psql(self, sql):
        return self.run("./pg.sh", "psql", "-Atc", sql, stdout=subprocess.PIPE).stdout.strip()

    def load(self, scale):
        """Starts the database, and fills it where that has not been done."""
        self.run("./pg.sh", "start")
        # The last that is made.
        if self.psql("select to_regproc('api.q6') is null") == "t":
            print(f"filling the database, at scale {scale}", flush=True)
            self.run("./pg.sh", "load", str(scale), stdout=subprocess.DEVNULL)

    def url(self, user):
        return f"postgres://{user}@127.0.0.1:{self.port}/hiring"

    def start(self, peer, port):
        """A peer that listens on this port; None where it can't be run here."""
        name, _, changed = peer.partition("@")
        folder, _, environment = self.servers[name]
        environment = self.environment | environment | dict(one.split("=", 1) for one in changed.split("+") if one)
        log = self.path / "results" / f"{name}.start.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as output:
            process = subprocess.Popen(
                [f"./{folder}/run.sh"],
                cwd=self.path,
                env=environment | {"PORT": str(port)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        for _ in range(INSTALLATION * 10):
            if process.poll() is not None:
                print(f"{name} does not run here; {log} says why", flush=True)
                return None
            if is_answered(port):
                return process
            time.sleep(0.1)
        stop(process)
        print(f"{name} did not listen within {INSTALLATION} s; {log} says why", flush=True)
        return None

    def those_that_run(self, peers):
        """Those of the peers that can be run here. What one needs is installed the first time."""
        running, seen = [], {}
        for peer in peers:
            folder = self.servers[peer.partition("@")[0]][0]
            if folder and folder not in seen:
                print(f"trying {peer}", flush=True)
                process = self.start(peer, free_port())
                seen[folder] = process is not None
                stop(process)
            if not folder or seen[folder]:
                running.append(peer)
        return running


def copy(source, target):
    """Leaves what is there already alone: a program that runs can't be written over."""
    target = Path(target)
    if not target.exists() or target.read_bytes() != Path(source).read_bytes():
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    return target


def writable(path):
    return os.stat(path).st_mode & 0o200


def entered_by_postgres(path):
    """Who is root has its server run as another user, who has to get there."""
    path.mkdir(parents=True, exist_ok=True)
    closed = [str(each) for each in [path, *path.parents] if not each.stat().st_mode & 0o001]
    if os.getuid() == 0 and closed:
        sys.exit(f"PostgreSQL's user can't enter {closed[0]}: say with --scratch where the peers can be copied to")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_answered(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def stop(process):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        # A session of its own, which was made above.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
