"""The trusted program: choose role and backend, harden the process, serve.

``--role keys --backend simulation --state DIR``, or ``--role judge``; standard input and
output carry the frames of :mod:`enclave.calls`. :mod:`enclave.client` starts it.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Final

from enclave import durable, hardening, server
from enclave.errors import CallError, EnclaveError, StateWriteError

_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2
_USAGE: Final = 2
_FLAGS: Final = ("--role", "--backend", "--state")


def main(arguments: list[str] | None = None) -> int:
    """Serve until standard input ends; the status of the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    die_with_parent = "--die-with-parent" in words
    options = _parse([word for word in words if word != "--die-with-parent"])
    if options is None:
        sys.stderr.write(f"usage: {__doc__}")
        return _USAGE
    hardening.harden(die_with_parent=die_with_parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host decides; end of input ends us
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sink = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)  # a stray print must not look like a frame
    try:
        offered = _compose(options)
    except EnclaveError as error:
        offered = server.refuse(error)
    server.serve(offered, _STDIN, sink)
    return 0


def _parse(words: list[str]) -> dict[str, str] | None:
    options = dict(zip(words[::2], words[1::2], strict=False))
    given = set(options)
    if len(words) != 2 * len(given) or not given <= set(_FLAGS):
        return None
    wanted = {"keys": set(_FLAGS), "judge": {"--role"}}.get(options.get("--role", ""))
    return options if given == wanted else None


def _compose(options: dict[str, str]) -> server.Offered:
    package = Path(__file__).parent
    if options["--role"] == "judge":
        from enclave.judge import JudgeService  # noqa: PLC0415 -- this role never loads keys

        return JudgeService(package).offered()
    return _compose_keys(options["--backend"], Path(options["--state"]), package)


def _compose_keys(backend: str, folder: Path, package: Path) -> server.Offered:
    from enclave.backends.simulation import NAME, SimulatedPlatform  # noqa: PLC0415 -- as above
    from enclave.measurement import measure  # noqa: PLC0415
    from enclave.service import KeysService  # noqa: PLC0415
    from enclave.state import SealedState  # noqa: PLC0415

    if backend != NAME:
        raise CallError("there is no such backend", expected=NAME, seen=ascii(backend))
    try:
        durable.make_folder(folder)
    except OSError as error:
        raise StateWriteError(f"the state folder cannot be made: {error.strerror}") from error
    platform = SimulatedPlatform.open(folder, measure(package))
    return KeysService(platform, SealedState(folder, platform)).offered()


if __name__ == "__main__":
    sys.exit(main())
