"""What can go wrong with the state itself."""

from enigmacli.errors import EnigmaError, StorageError


class StateCorruptError(StorageError):
    """The stored state is not what its app hash says, or of another format."""

    code = "state-corrupt"


class SnapshotError(StorageError):
    """A snapshot has a gap, or does not have the root that it should."""

    code = "snapshot-refused"


class RequestOrderError(EnigmaError):
    """The engine asked for something that cannot come at this point."""

    code = "request-order"
