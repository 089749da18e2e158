"""``python -m bench``: every ratio, one line each."""

import sys

from bench import startup, state


def main() -> None:
    sys.stdout.write(f"{'ours / raw':<46} {'ours':>12} {'raw':>12} {'ratio':>6}\n")
    for family in (startup, state):
        for ratio in family.ratios():
            sys.stdout.write(ratio.line() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
