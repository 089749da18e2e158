"""The role without keys: it judges evidence, seals nothing, and needs no hardware.

Evidence of CheckTx and previews comes here, so that hostile bytes never meet the node's own
process or the keys (protocol.md section 8.8).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from enclave import calls
from enclave.appraise import registration
from enclave.configuration import Configuration
from enclave.errors import NotConfiguredError
from enclave.measurement import measure
from enclave.verify.dcap import load_for


def judge(configuration: Configuration, request: calls.Judge) -> calls.JudgeReply:
    """Judge a newcomer's evidence by a network's rules.

    Raises:
        EnclaveError: what is wrong with it, by its own class.
    """
    configuration.check_owner(request.owner)
    return registration.judge_registration(
        request.certificate,
        request.owner,
        configuration.policy,
        configuration.network_id,
        request.at_us,
        catch_up=request.catch_up,
    )


def judge_bootstrap(
    configuration: Configuration, request: calls.JudgeBootstrap
) -> calls.JudgeReply:
    """Judge the evidence of a network's first keys by its rules.

    Raises:
        EnclaveError: what is wrong with it, by its own class.
    """
    return registration.judge_bootstrap(
        request.certificate,
        request.exchange_pk,
        request.io_pk,
        configuration.policy,
        configuration.network_id,
        request.at_us,
    )


class JudgeService:
    """One short method per call of this role.

    Args:
        package: the folder of the running ``enclave`` package.
    """

    def __init__(self, package: Path) -> None:
        self._package = package
        self._configuration: Configuration | None = None

    def offered(self) -> Mapping[type, Callable[[Any], object]]:
        """The calls of this role."""
        return {
            calls.Status: self.status,
            calls.Configure: self.configure,
            calls.Judge: self.judge,
            calls.JudgeBootstrap: self.judge_bootstrap,
        }

    def status(self, _request: calls.Status) -> calls.StatusReply:
        """Which code this is, and for which network it judges."""
        configured = self._configuration
        return calls.StatusReply(
            role="judge",
            backend="",
            simulation=False,
            measurement=measure(self._package),
            platform_key=b"",
            epid_group_id=0,
            chain_id=configured.chain_id if configured else "",
            network_id=configured.network_id if configured else b"",
            node_id=b"",
            seeds=0,
            exchange_pk=b"",
            clock_us=0,
        )

    def configure(self, request: calls.Configure) -> calls.Done:
        """Take chain id and policy, once; the same values again are welcome.

        Raises:
            AlreadyConfiguredError: others came before.
            CallError: the chain id is malformed.
            PolicyFormatError: the policy is malformed.
        """
        configuration = Configuration.parse(request.chain_id, request.policy)
        if self._configuration is not None:
            self._configuration.check_same(configuration)
        self._configuration = configuration
        load_for(configuration.policy.evidence_kinds)
        return calls.Done()

    def judge(self, request: calls.Judge) -> calls.JudgeReply:
        """See :func:`judge`."""
        return judge(self._require_configuration(), request)

    def judge_bootstrap(self, request: calls.JudgeBootstrap) -> calls.JudgeReply:
        """See :func:`judge_bootstrap`."""
        return judge_bootstrap(self._require_configuration(), request)

    def _require_configuration(self) -> Configuration:
        if self._configuration is None:
            raise NotConfiguredError("the judge was not told chain id and policy")
        return self._configuration
