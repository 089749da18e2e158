"""Messages are of one class for one name, whoever asks first."""

import subprocess
import sys

_FIRST_USE_BY_MANY: str = """
import sys, threading
from enigmacli import protobuf

sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
failures = []

def build():
    start.wait()
    try:
        info = protobuf.new("tendermint.abci.ResponseInfo", version="1")
        protobuf.new("tendermint.abci.Response", info=info)
    except Exception as error:
        failures.append(error)

threads = [threading.Thread(target=build) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(f"{len(failures)} failed: {failures[0]}" if failures else 0)
"""


def test_threads_that_need_the_first_message_at_once_build_it_of_one_class() -> None:
    for _ in range(3):
        ran = subprocess.run(
            (sys.executable, "-c", _FIRST_USE_BY_MANY), capture_output=True, text=True, check=False
        )

        assert ran.returncode == 0, ran.stderr
