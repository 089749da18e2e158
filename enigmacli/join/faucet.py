"""The new node's side of a simulated network's faucet: ask once, and believe nothing."""

from enclave import canonical_json
from enigmacli.attestation.service_client import ServiceClient
from enigmacli.errors import ConfigError, MalformedError, ServiceRefusedError

_MAX_BYTES = 4096
_OK = 200
_PATH = "/simulation/v1/coins"


def ask(client: ServiceClient, address: str) -> str:
    """Ask for coins; what the faucet says that it did, for people.

    Whether coins came only the chain tells.

    Raises:
        ServiceUnavailableError: the faucet did not answer, or asked to come back later.
        ServiceRefusedError: it gives nothing to this address.
        MalformedError: what it said is no answer.
    """
    answer = client.send("POST", _PATH, json_body={"address": address}, max_bytes=_MAX_BYTES)
    try:
        told = canonical_json.loads(answer.body, max_bytes=_MAX_BYTES)
    except ValueError as error:
        raise MalformedError("the faucet's answer is not strict JSON") from error
    if not isinstance(told, dict):
        raise MalformedError("the faucet's answer is no document")
    if answer.status != _OK:
        raise ServiceRefusedError(
            f"the faucet refused with HTTP status {answer.status}: {str(told.get('reason'))[:200]}",
            hint=f"let somebody send coins: enigmacli tx bank send FROM {address} AMOUNT",
        )
    verb = "sent" if told.get("given") is True else "sent nothing of"
    return f"the faucet {verb} {str(told.get('amount'))[:60]}"


def check_allowed(url: str, *, simulation: bool) -> None:
    """Refuse a faucet on a network whose coins may be worth something.

    Raises:
        ConfigError: a faucet is configured, and the policy is not a simulated one.
    """
    if url and not simulation:
        raise ConfigError(
            "a faucet is for simulated networks only, and this network's policy is none",
            hint="leave --faucet and chain.faucet out; send the account coins",
            details={"faucet": url},
        )
