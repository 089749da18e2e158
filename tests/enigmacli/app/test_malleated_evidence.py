"""One quote has many signatures that verify: nothing may hang on the evidence's bytes.

ECDSA accepts s and n - s alike, and genuine quotes have either (protocol.md section 5), so
anybody can write the evidence of another node in other bytes.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.binding import registration_report_data
from enclave.calls import AdmitReply, JudgeReply
from enigmacli import protobuf
from enigmacli.simulated_intel.tcb_documents import Validity
from tests.enclave.appraise import dcap_kit as kit
from tests.enigmacli.app.chain import ALICE, BOB, CAROL, Chain, Person, genesis
from tests.enigmacli.app.simulated_enclave import SimulatedEnclave
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, make
from tests.simulators.dcap_quote_factory import Form

NETWORK = b"n" * 32
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ISSUED = datetime(2026, 5, 20, tzinfo=UTC)
NEXT_UPDATE = datetime(2026, 6, 20, tzinfo=UTC)

FORMS = pytest.mark.parametrize("form", [SGX_V3, TDX_V4], ids=["sgx", "tdx"])


def other_s(signature: bytes) -> bytes:
    """r and n - s: the signature's twin."""
    s = int.from_bytes(signature[32:])
    return signature[:32] + (ORDER - s).to_bytes(32)


def certificate(form: Form, person: Person, *malleated: str) -> bytes:
    """A person's evidence; ``malleated`` names signatures that are replaced by their twin."""
    report_data = registration_report_data(person.node_id, NETWORK, person.address)
    evidence = make(
        form,
        body={"report_data": report_data},
        validity=Validity(ISSUED, NEXT_UPDATE),
        pck_crl={"this_update": ISSUED, "next_update": NEXT_UPDATE},
        parts=dict.fromkeys(malleated, other_s),
    )
    return evidence.container


def rules(form: Form) -> Policy:
    roots = [make(form).trust_root_entry]
    return kit.policy(form, trust_roots=roots, max_evidence_age_s=10**8, allow_debug=False)


@dataclass
class RealJudgement(SimulatedEnclave):
    """The simulated enclave with the real judgement of evidence."""

    form: Form = SGX_V3

    def judge(
        self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool = False
    ) -> JudgeReply:
        policy = rules(self.form)
        return judge_registration(certificate, owner, policy, NETWORK, at_us, catch_up=catch_up)

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        verdict = self.judge(certificate, owner, at_us)
        wrap = hashlib.sha384(self.seed + verdict.node_id).digest()
        kind, measurement = verdict.evidence_kind, verdict.measurement
        return AdmitReply(verdict.node_id, wrap, 0, kind, measurement, verdict.tcb_status)


def started(form: Form) -> Chain:
    document = genesis(network_policy=rules(form))
    return Chain(document, enclave=RealJudgement(form=form)).start()


def records(chain: Chain) -> dict[bytes, Any]:
    """Every node of the state, by its id, without what a renewal may change."""
    kept = ("encrypted_seed", "owner", "evidence_kind", "measurement", "tcb_status", "epoch")
    found = {}
    for person in (ALICE, BOB, CAROL):
        value = chain.store.get("register", b"\x01" + person.node_id)
        if value:
            record = protobuf.parse("enigma.registration.v1.NodeRecord", value)
            found[person.node_id] = {name: getattr(record, name) for name in kept}
    return found


def register(chain: Chain, person: Person, evidence: bytes) -> tuple[int, list[int]]:
    """The code of CheckTx, and those of the block that was made of it."""
    raw = chain.register(person, certificate=evidence, gas=600_000)
    checked = chain.check(raw)
    return checked.code, [one.code for one in chain.produce([raw]).tx_results]


@FORMS
@pytest.mark.parametrize(
    "which", [("signature",), ("qe_signature",), ("signature", "qe_signature")]
)
def test_a_malleated_quote_of_the_same_node_registers_nothing_new(
    form: Form, which: tuple[str, ...]
) -> None:
    chain = started(form)
    first, second = certificate(form, BOB), certificate(form, BOB, *which)

    assert register(chain, BOB, first) == (0, [0, 0])
    before = records(chain)
    assert register(chain, BOB, second) == (0, [0, 0])

    assert first != second
    assert before.keys() == {BOB.node_id}
    assert records(chain) == before


@FORMS
def test_the_judgement_is_the_same_for_either_signature(form: Form) -> None:
    judge = RealJudgement(form=form).judge
    at_us = Chain(genesis()).next_us

    plain = judge(certificate(form, BOB), BOB.address, at_us)

    assert judge(certificate(form, BOB, "signature"), BOB.address, at_us) == plain
    assert plain.node_id == BOB.node_id


@FORMS
def test_somebody_elses_malleated_evidence_is_bound_to_its_owner(form: Form) -> None:
    chain = started(form)
    register(chain, BOB, certificate(form, BOB))
    before = records(chain)

    raw = chain.register(CAROL, certificate=certificate(form, BOB, "signature"), gas=600_000)

    checked = chain.check(raw)
    assert (checked.codespace, checked.code) == ("register", 5)
    assert chain.prepare([raw]) == []
    assert records(chain) == before
