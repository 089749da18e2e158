"""One home's enclave as the flows call it, without a process."""

from enclave import calls
from tests.simulators.enclave_home import EnclaveHome


class InMemoryAttester:
    """Stands where :class:`enclave.client.EnclaveClient` stands."""

    def __init__(self, home: EnclaveHome) -> None:
        self._home = home

    def status(self) -> calls.StatusReply:
        return self._home.status()

    def evidence(
        self,
        purpose: str,
        kind: str,
        owner: bytes,
        sig_rl: bytes = b"",
        certification_data: bytes = b"",
    ) -> calls.EvidenceReply:
        request = calls.Evidence(purpose, kind, owner, sig_rl, certification_data)
        return self._home.service.evidence(request)
