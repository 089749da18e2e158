"""What the program's own arguments ask for, before anything that reads them is loaded."""

from collections.abc import Sequence


def asks_json(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for JSON.

    An interruption or a usage error may come before the option was read, and is to be JSON all
    the same.
    """
    for at, argument in enumerate(arguments):
        if argument == "--":
            return False
        if argument in ("-ojson", "--output=json"):
            return True
        if argument in ("-o", "--output") and arguments[at + 1 : at + 2] == ["json"]:
            return True
    return False
