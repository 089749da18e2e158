"""CometBFT on this machine, and whether this home wants it."""

from enigmacli.doctor.facts import Engine
from enigmacli.doctor.subject import Subject
from enigmacli.engine.cometbft_process import find_program
from enigmacli.errors import EnigmaError
from enigmacli.home import Home


def probe(subject: Subject) -> Engine:
    """Look where ``start --engine cometbft`` does."""
    settings = subject.config.cometbft
    wanted = not settings.external and (
        bool(settings.path) or Home(subject.home).cometbft_dir.is_dir()
    )
    try:
        return Engine(wanted, str(find_program(settings.path)), "")
    except EnigmaError as error:
        return Engine(wanted, "", error.message)
