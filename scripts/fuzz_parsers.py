# ruff: noqa: INP001 -- a program, in no package
"""Fuzz every parser: ``scripts/fuzz_parsers.py [--seconds N] [--seed S] [PARSER...]``.

Where ``atheris`` is installed (``make fuzz-parsers`` sees to that), inputs are guided by
coverage, one process a parser; else they are only damaged genuine ones. A parser fails that
raises what it may not, takes longer than ten seconds, or grows by more than a gigabyte. What
broke it is left in ``build/fuzz/crashes``; docs/fuzzing.md has the last long result.
"""

import argparse
import contextlib
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CRASHES = ROOT / "build" / "fuzz" / "crashes"
CORPUS = ROOT / "build" / "fuzz" / "corpus"
LONGEST_S = 10
MOST_MB = 1024
MOST_BYTES = 100_000
GUIDED = importlib.util.find_spec("atheris") is not None
RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
COVERAGE = re.compile(r"cov: (\d+)")


def main() -> int:
    """Share the time evenly among the parsers, or be the process of one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="in all [default: 600]")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices [default: 1]")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help="all by default")
    given = parser.parse_args()
    if given.alone:
        return fuzz_guided(given.parsers[0], int(given.seconds), given.seed)
    names = load(instrument=False)
    unknown = set(given.parsers) - set(names)
    if unknown:
        parser.error(f"there is no parser {', '.join(sorted(unknown))}: {', '.join(names)}")
    chosen = given.parsers or list(names)
    share_s = max(given.seconds / len(chosen), 1)
    if not GUIDED:
        say("atheris is not installed: inputs are not guided by coverage")
    failed = [name for name in chosen if not fuzz(name, share_s, given.seed)]
    say(f"{len(chosen)} parsers, failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def load(*, instrument: bool) -> Any:
    """The parsers; with ``instrument`` their modules report which lines an input reached."""
    instrumented: Any = contextlib.nullcontext()
    if instrument:
        import atheris  # noqa: PLC0415 -- only there in its own environment

        instrumented = atheris.instrument_imports(include=["enclave", "enigmacli"])
    with instrumented:
        from tests.fuzz.parsers import PARSERS  # noqa: PLC0415 -- after the instrumentation began
    return PARSERS


def fuzz(name: str, seconds: float, seed: int) -> bool:
    """One parser for so long; whether nothing broke it."""
    if not GUIDED:
        return fuzz_unguided(name, seconds, seed)
    command = [sys.executable, __file__, "--alone", "--seconds", str(int(seconds)), name]
    command += ["--seed", str(seed)]
    done = subprocess.run(
        command, cwd=ROOT, check=False, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    runs, coverage = RUNS.search(done.stdout), COVERAGE.findall(done.stdout)
    say(
        f"{name:<24} {runs[1] if runs else '?':>10} inputs, coverage {coverage[-1:] or '?'},"
        f" {'ok' if done.returncode == 0 else 'FAILED'}"
    )
    if done.returncode:
        say(done.stdout[-4000:])
    return done.returncode == 0


def fuzz_guided(name: str, seconds: int, seed: int) -> int:
    """Be libFuzzer for one parser; returns or exits with its code."""
    import atheris  # noqa: PLC0415 -- only there in its own environment

    parser = load(instrument=True)[name]
    genuine = [bytes(one) for one in parser.genuine()]
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(genuine):
        (corpus / f"genuine-{number}").write_bytes(data)
    from tests.fuzz.mutation import make_input  # noqa: PLC0415 -- as above

    def change(data: bytes, most: int, choice: int) -> bytes:
        rng = Random(choice)  # noqa: S311 -- no secret
        if rng.random() < 0.5:  # noqa: PLR2004 -- half by libFuzzer, half by the format
            return bytes(atheris.Mutate(data, most))
        with contextlib.suppress(ValueError, RecursionError):  # no JSON after all
            return make_input(rng, [data, *genuine])[:most]
        return make_input(rng, genuine)[:most]

    options = {
        "max_total_time": seconds, "seed": seed, "timeout": LONGEST_S, "rss_limit_mb": MOST_MB,
        "max_len": MOST_BYTES, "print_final_stats": 1, "artifact_prefix": f"{CRASHES}/{name}-",
    }  # fmt: skip
    arguments = [f"-{key}={value}" for key, value in options.items()]
    if parser.dictionary:
        words = CORPUS / f"{name}.words"
        words.write_text("".join(f'"{_quoted(word)}"\n' for word in parser.dictionary))
        arguments.append(f"-dict={words}")
    atheris.Setup([name, *arguments, str(corpus)], parser.try_on, custom_mutator=change)
    atheris.Fuzz()
    return 0


def fuzz_unguided(name: str, seconds: float, seed: int) -> bool:
    """Damaged genuine inputs for so long."""
    parser = load(instrument=False)[name]
    inputs, ends_at = 0, time.monotonic() + seconds
    while time.monotonic() < ends_at:
        data = parser.damaged(seed + inputs)
        started = time.monotonic()
        try:
            parser.try_on(data)
            fault = "too slow" if time.monotonic() - started > LONGEST_S else ""
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what was looked for
            fault = f"{type(error).__name__}: {error}"
        if fault:
            CRASHES.mkdir(parents=True, exist_ok=True)
            (CRASHES / f"{name}-seed-{seed + inputs}").write_bytes(data)
            say(f"{name:<24} FAILED at seed {seed + inputs}: {fault}")
            return False
        inputs += 1
    say(f"{name:<24} {inputs:>10} inputs, ok")
    return True


def _quoted(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def say(line: str) -> None:
    """One line of the result, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
