"""`callslip serve` of the peers' plugin, under the login that `callslip catalog login-sql` makes."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from folder import stop

CONFIG = Path(__file__).with_name("callslip.toml")
# Where the plugin stands in the configuration.
PREFIX = "/q/peers"
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


class Server:
    def __init__(self, command, plugin, folder):
        self.here = folder.path / "callslip"
        self.here.mkdir(exist_ok=True)
        config = shutil.copy(CONFIG, self.here)
        shutil.copy(plugin, self.here / "peers.wasm")
        administrator = folder.url("hiring")
        login = [command, "catalog", "login-sql", "--config", config, "--admin-url", administrator]
        subprocess.run(login, check=True)
        # Not beside the configuration: a host looks at its folder whenever something is written there.
        self.log = folder.path / "results" / "callslip.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [command, "serve", "--config", config, "--listen", "127.0.0.1:0", "--strict"],
                env=os.environ | {"DATABASE_URL": folder.url("callslip")},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.port = self.listening()
        self.peer = f"callslip=http://127.0.0.1:{self.port}{PREFIX}#{self.process.pid}"

    def listening(self):
        for _ in range(300):
            found = LISTENING.search(self.log.read_text())
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        stop(self.process)
        sys.exit(f"callslip does not serve; {self.log} says why")

    def stop(self):
        stop(self.process)
