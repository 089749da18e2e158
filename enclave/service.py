"""The role with keys: one short method per call; the only service that holds secrets.

Chain id and policy come once, with the first of keygen and bootstrap, and are sealed with
the keys. No later call takes a policy, trust root, chain id or network id, and no call takes
report_data, a private key, a seed or a shared secret; no reply contains one.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from enclave import backup, binding, calls, codec, exchange, judge, keys
from enclave.appraise import registration
from enclave.backends import Backend, check_policy
from enclave.binding import NO_OWNER
from enclave.configuration import Configuration
from enclave.contents import Contents
from enclave.errors import (
    CallError,
    ClockBackwardsError,
    EvidenceFormatError,
    InstallError,
    NoSeedError,
    PolicyError,
    PublicKeyError,
    SeedExistsError,
    UnsupportedEvidenceError,
    VerificationError,
)
from enclave.evidence.dcap_quote import DCAP_SGX, DCAP_TDX
from enclave.keys import Secret
from enclave.state import SealedState
from enclave.verify.dcap import load_for

_EPID: Final = "epid"
_KINDS: Final = (_EPID, DCAP_SGX, DCAP_TDX)

# What evidence itself can be refused for; anything else says something about this enclave.
_REFUSED: Final = (EvidenceFormatError, VerificationError, PolicyError, PublicKeyError)


class KeysService:
    """The calls of one home's enclave.

    Args:
        backend: what the hardware gives.
        state: the home's sealed files.
    """

    def __init__(self, backend: Backend, state: SealedState) -> None:
        self._backend = backend
        self._state = state

    def offered(self) -> Mapping[type, Callable[[Any], object]]:
        """The calls of this role."""
        return {
            calls.Status: self.status,
            calls.Keygen: self.keygen,
            calls.Evidence: self.evidence,
            calls.Bootstrap: self.bootstrap,
            calls.PublicKeys: self.public_keys,
            calls.Judge: self.judge,
            calls.JudgeBootstrap: self.judge_bootstrap,
            calls.Admit: self.admit,
            calls.Recheck: self.recheck,
            calls.Install: self.install,
            calls.Advance: self.advance,
            calls.Seal: self.seal,
            calls.Backup: self.backup,
            calls.VerifyBackup: self.verify_backup,
            calls.Restore: self.restore,
        }

    def status(self, _request: calls.Status) -> calls.StatusReply:
        """Which code this is on which platform, and what it holds."""
        with self._state.open() as held:
            known = held.configuration
            if known:  # the greeting of a process that may have to judge next
                load_for(known.policy.evidence_kinds)
            return calls.StatusReply(
                role="keys",
                backend=self._backend.name,
                simulation=self._backend.simulation,
                measurement=self._backend.measurement,
                platform_key=self._backend.quoting_public_key,
                epid_group_id=self._backend.epid_group_id,
                chain_id=known.chain_id if known else "",
                network_id=known.network_id if known else b"",
                node_id=keys.derive_public_key(held.registration) if held.registration else b"",
                seeds=len(held.seeds),
                exchange_pk=keys.derive_exchange_pk(held.seeds[0]) if held.seeds else b"",
                clock_us=held.clock_us,
                pck_key=self._backend.pck_key,
            )

    # --- keys -------------------------------------------------------------------------------

    def keygen(self, request: calls.Keygen) -> calls.KeygenReply:
        """Make and seal the registration key, or find the one that exists."""
        given = Configuration.parse(request.chain_id, request.policy)
        with self._state.changing() as held:
            self._check_given(given, held)
            if held.registration is not None:
                return calls.KeygenReply(keys.derive_public_key(held.registration), created=False)
            with Secret.generate() as key:
                self._state.add_registration(given, key)
                return calls.KeygenReply(keys.derive_public_key(key), created=True)

    def bootstrap(self, request: calls.Bootstrap) -> calls.PublicKeysReply:
        """Make and seal the first seed, or find the one that exists, however it came."""
        given = Configuration.parse(request.chain_id, request.policy)
        with self._state.changing() as held:
            self._check_given(given, held)
            if held.seeds:
                return _public_keys(held.seeds)
            with Secret.generate() as seed:
                self._state.save_seeds(given, (seed,), held)
                return _public_keys((seed,))

    def public_keys(self, _request: calls.PublicKeys) -> calls.PublicKeysReply:
        """The network's public keys, of epoch 0 and of the last."""
        with self._state.open() as held:
            return _public_keys(held.require_seeds())

    def install(self, request: calls.Install) -> calls.PublicKeysReply:
        """Open, check and seal the encrypted seeds: all of them or nothing."""
        with self._state.changing() as held:
            rules = held.require_configuration()
            private_key = held.require_registration()
            registration.judge_bootstrap(
                request.bootstrap_certificate,
                request.genesis_exchange_pk,
                request.genesis_io_pk,
                rules.policy,
                rules.network_id,
                request.bootstrap_at_us,
            )
            seeds = exchange.decrypt_seeds(
                private_key, request.exchange_pk, rules.network_id, request.encrypted_seed
            )
            with Contents(seeds=seeds):
                exchange.check_seeds(
                    seeds, request.genesis_exchange_pk, request.genesis_io_pk, request.exchange_pk
                )
                _check_held(seeds, held.seeds)
                if len(seeds) > len(held.seeds):
                    self._state.save_seeds(rules, seeds, held)
                return _public_keys(seeds)

    def _check_given(self, given: Configuration, held: Contents) -> None:
        check_policy(self._backend, given.policy)
        if held.configuration is not None:
            held.configuration.check_same(given)

    # --- evidence ---------------------------------------------------------------------------

    def evidence(self, request: calls.Evidence) -> calls.EvidenceReply:
        """Quote report_data that is built here, from keys that are held here."""
        if request.kind not in _KINDS:
            raise UnsupportedEvidenceError(
                "there is no evidence of that kind",
                expected=", ".join(_KINDS),
                seen=ascii(request.kind),
            )
        with self._state.open() as held:
            report_data = _report_data(request, held)
        return calls.EvidenceReply(self._quote(request, report_data), report_data)

    def _quote(self, request: calls.Evidence, report_data: bytes) -> bytes:
        if request.kind == _EPID:
            return self._backend.quote_epid(report_data, request.sig_rl)
        return self._backend.quote_dcap(request.kind, report_data, request.certification_data)

    def judge(self, request: calls.Judge) -> calls.JudgeReply:
        """Judge a newcomer's evidence by the sealed policy."""
        with self._state.open() as held:
            return judge.judge(held.require_configuration(), request)

    def judge_bootstrap(self, request: calls.JudgeBootstrap) -> calls.JudgeReply:
        """Judge the evidence of the network's first keys by the sealed policy."""
        with self._state.open() as held:
            return judge.judge_bootstrap(held.require_configuration(), request)

    def admit(self, request: calls.Admit) -> calls.AdmitReply:
        """Judge, and encrypt every seed to the newcomer; the clock bound stays where it is."""
        with self._state.open() as held:
            seeds = held.require_seeds()
            if request.at_us < held.clock_us:
                raise ClockBackwardsError(
                    "that time is before the last block this enclave was told of",
                    expected=f"at least {held.clock_us}",
                    seen=str(request.at_us),
                )
            return _admit(held.require_configuration(), seeds, request)

    def recheck(self, request: calls.Recheck) -> calls.RecheckReply:
        """Whether ``admit`` would have answered that, at any time and at that confirm's epoch."""
        with self._state.open() as held:
            seeds = held.require_seeds()
            if request.confirm.epoch >= len(seeds):
                raise NoSeedError(
                    "this enclave does not hold that epoch's seed",
                    expected=f"at most {len(seeds) - 1}",
                    seen=str(request.confirm.epoch),
                )
            rules = held.require_configuration()
            admit = calls.Admit(request.certificate, request.owner, request.at_us)
            try:
                answer = _admit(rules, seeds[: request.confirm.epoch + 1], admit)
            except _REFUSED:
                return calls.RecheckReply(equal=False)
        equal = hmac.compare_digest(codec.encode(answer), codec.encode(request.confirm))
        return calls.RecheckReply(equal=equal)

    def advance(self, request: calls.Advance) -> calls.Done:
        """Move the clock bound forwards."""
        with self._state.changing() as held:
            rules = held.require_configuration()
            if request.at_us > held.clock_us:
                self._state.save_clock(rules, request.at_us, held)
        return calls.Done()

    # --- sealed files -----------------------------------------------------------------------

    def seal(self, _request: calls.Seal) -> calls.SealReply:
        """Open every sealed file and say what it is."""
        with self._state.open() as held:
            return calls.SealReply(held.files)

    def backup(self, _request: calls.Backup) -> calls.BackupBundle:
        """Copy the sealed files, each opened first."""
        with self._state.changing():
            return backup.make_bundle(self._state.read())

    def verify_backup(self, request: calls.VerifyBackup) -> calls.SealReply:
        """Open every file of a backup and say what it is."""
        _, opened = backup.open_bundle(request.bundle, self._backend)
        with opened:
            return calls.SealReply(opened.files)

    def restore(self, request: calls.Restore) -> calls.RestoreReply:
        """Write what is missing here; every conflict is found before the first write."""
        blobs, opened = backup.open_bundle(request.bundle, self._backend)
        with opened, self._state.changing() as held:
            chosen = backup.choose(opened, held)
            for purpose in chosen:
                if held.generation(purpose):
                    self._state.replace(purpose, blobs[purpose])
                else:
                    self._state.add(purpose, blobs[purpose])
            names = {file.purpose: file.name for file in opened.files}
            return calls.RestoreReply(tuple(names[purpose] for purpose in chosen))


def _public_keys(seeds: tuple[Secret, ...]) -> calls.PublicKeysReply:
    return calls.PublicKeysReply(
        epoch=len(seeds) - 1,
        genesis_exchange_pk=keys.derive_exchange_pk(seeds[0]),
        genesis_io_pk=keys.derive_io_pk(seeds[0]),
        exchange_pk=keys.derive_exchange_pk(seeds[-1]),
        io_pk=keys.derive_io_pk(seeds[-1]),
    )


def _check_held(seeds: tuple[Secret, ...], held: tuple[Secret, ...]) -> None:
    if any(ours != theirs for ours, theirs in zip(held, seeds, strict=False)):
        raise SeedExistsError("this enclave holds another seed, which is never replaced")
    if len(seeds) < len(held):
        raise InstallError(
            "this enclave holds more epochs already",
            expected=f"at least {len(held)}",
            seen=str(len(seeds)),
        )


def _report_data(request: calls.Evidence, held: Contents) -> bytes:
    rules = held.require_configuration()
    if request.purpose == "registration":
        private_key = held.require_registration()
        rules.check_owner(request.owner)
        if rules.policy.require_owner and request.owner == NO_OWNER:
            raise CallError("this network's policy requires an owner", seen=NO_OWNER.hex())
        node_id = keys.derive_public_key(private_key)
        return binding.registration_report_data(node_id, rules.network_id, request.owner)
    if request.purpose == "bootstrap":
        seed = held.require_seeds()[0]
        if request.owner != NO_OWNER:
            raise CallError("bootstrap evidence has no owner", seen=request.owner.hex())
        return binding.bootstrap_report_data(
            keys.derive_exchange_pk(seed), rules.network_id, keys.derive_io_pk(seed)
        )
    raise CallError(
        "evidence has another purpose",
        expected="registration or bootstrap",
        seen=ascii(request.purpose),
    )


def _admit(
    rules: Configuration, seeds: tuple[Secret, ...], request: calls.Admit
) -> calls.AdmitReply:
    verdict = judge.judge(
        rules, calls.Judge(request.certificate, request.owner, request.at_us, catch_up=False)
    )
    return calls.AdmitReply(
        node_id=verdict.node_id,
        encrypted_seed=exchange.encrypt_seeds(seeds, rules.network_id, verdict.node_id),
        epoch=len(seeds) - 1,
        evidence_kind=verdict.evidence_kind,
        measurement=verdict.measurement,
        tcb_status=verdict.tcb_status,
    )
