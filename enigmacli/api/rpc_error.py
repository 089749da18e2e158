"""JSON-RPC errors as CometBFT words them (``rpc/jsonrpc/types/types.go``)."""

from typing import Any, Self


class RpcError(Exception):
    """A failure that the client reads: number, general text, particular text."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    @classmethod
    def parse(cls, reason: str) -> Self:
        """The body is not a request."""
        return cls(-32700, "Parse error. Invalid JSON", f"error unmarshaling request: {reason}")

    @classmethod
    def invalid_request(cls, reason: str) -> Self:
        """The body is a request that is not served."""
        return cls(-32600, "Invalid Request", reason)

    @classmethod
    def method_not_found(cls) -> Self:
        """No such method."""
        return cls(-32601, "Method not found")

    @classmethod
    def invalid_params(cls, reason: str) -> Self:
        """A parameter is missing, of the wrong form, or too many."""
        return cls(-32602, "Invalid params", reason)

    @classmethod
    def internal(cls, reason: str) -> Self:
        """The method answered with an error."""
        return cls(-32603, "Internal error", reason)

    def to_json(self) -> dict[str, Any]:
        """The ``error`` member of a response."""
        document: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data:
            document["data"] = self.data
        return document
