"""A simulated platform in memory: makes the quotes that a simulated enclave's backend makes."""

from dataclasses import dataclass, field

from nacl.signing import SigningKey

from enclave.evidence import simulated_quote

MR_ENCLAVE = bytes(range(32))
MR_SIGNER = bytes(range(32, 64))
REPORT_DATA = bytes(range(64, 128))


@dataclass(frozen=True)
class QuotingPlatform:
    """One quoting key."""

    key: SigningKey = field(default_factory=lambda: SigningKey(b"\x07" * 32))

    @property
    def platform_key(self) -> bytes:
        return bytes(self.key.verify_key)

    def body(self, report_data: bytes = REPORT_DATA) -> bytes:
        return simulated_quote.encode_body(MR_ENCLAVE, MR_SIGNER, 1, 2, report_data)

    def sign(self, body: bytes, sig_rl: bytes = b"") -> bytes:
        signature = self.key.sign(simulated_quote.signed_message(body, sig_rl)).signature
        return body + simulated_quote.encode_signature(self.platform_key, signature)

    def quote(self, report_data: bytes = REPORT_DATA, sig_rl: bytes = b"") -> bytes:
        return self.sign(self.body(report_data), sig_rl)


def linkable(body: bytes) -> bytes:
    """The same quote body with signature type 1."""
    return body[:2] + b"\x01\x00" + body[4:]
