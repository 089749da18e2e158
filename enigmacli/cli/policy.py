"""``policy``: for the people who write an appraisal policy; nothing here changes anything."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import chain_options, group
from enigmacli.cli.output import emit, table, working
from enigmacli.cli.parameters import INSTANT

if TYPE_CHECKING:
    from enclave.appraise.policy import Policy
    from enigmacli.policy_check import Reading
    from enigmacli.policy_what_if import Answer, NodeOutcome

EXIT_MALFORMED: Final = 5
EXIT_REFUSED: Final = 6
EXIT_UNJUDGED: Final = 7

_SHOWN_CHARACTERS: Final = 16

file_argument = click.argument("file", metavar="FILE")


@group(
    "policy",
    examples=("enigmacli policy check policy.json", "enigmacli policy diff old.json new.json"),
)
def command() -> None:
    """Appraisal policies: check, explain, compare, try.

    FILE is a policy in JSON, a genesis document, or '-' for standard input.
    """


# --- check ------------------------------------------------------------------------------------


@command.command(
    "check",
    examples=("enigmacli policy check policy.json", "enigmacli policy check policy.json -o json"),
)
@file_argument
@click.pass_context
@pass_services
def check(services: Services, ctx: click.Context, file: str) -> None:
    """Is FILE a policy, and does it say what was meant?

    Every problem is named, and every setting that is legal and dangerous. Exit code 0: a
    policy, with or without warnings; 5: none; 3: FILE cannot be read.
    """
    from enigmacli.cli.policy_files import read_file  # noqa: PLC0415 -- not paid by --help

    reading = read_file(file)
    document = _check_document(reading)
    click.echo(as_json(document) if services.json else printable(_check_text(document)))
    ctx.exit(0 if reading.policy else EXIT_MALFORMED)


def _check_document(reading: "Reading") -> dict[str, Any]:
    policy = reading.policy
    return {
        "valid": policy is not None,
        "sha256": hashlib.sha256(policy.encode()).hexdigest() if policy else None,
        "problems": [asdict(problem) for problem in reading.problems],
        "warnings": _warnings(policy) if policy else [],
    }


def _warnings(policy: "Policy") -> list[dict[str, str]]:
    from enigmacli.policy_warnings import policy_warnings  # noqa: PLC0415 -- not paid by --help

    return [asdict(warning) for warning in policy_warnings(policy)]


def _check_text(document: dict[str, Any]) -> str:
    lines = [_problem_line(problem) for problem in document["problems"]]
    lines += _warning_lines(document["warnings"])
    verdict = "the policy is well-formed" if document["valid"] else "this is NOT a policy"
    return "\n".join([*lines, verdict])


def _problem_line(problem: dict[str, str]) -> str:
    compared = [f"{word} {problem[word]}" for word in ("expected", "seen") if problem[word]]
    member, message = problem["member"], problem["message"]
    where = f"{member}: " if member and not message.startswith(member) else ""
    return f"problem  {where}{', '.join([message, *compared])}"


def _warning_lines(warnings: Sequence[dict[str, str]]) -> list[str]:
    return [f"warning  {warning['effect']:7}  {warning['message']}" for warning in warnings]


# --- explain ----------------------------------------------------------------------------------


@command.command("explain", examples=("enigmacli policy explain policy.json",))
@file_argument
@pass_services
def explain(services: Services, file: str) -> None:
    """What the policy in FILE accepts and refuses, member by member."""
    from enigmacli.cli.policy_files import load_policy  # noqa: PLC0415 -- not paid by --help
    from enigmacli.policy_words import explain_policy  # noqa: PLC0415

    policy = load_policy(file)
    document = {
        "members": [asdict(words) for words in explain_policy(policy)],
        "note": policy.note,
        "warnings": _warnings(policy),
    }
    emit(services, document, lambda: _explain_text(document))


def _explain_text(document: dict[str, Any]) -> str:
    blocks = [
        f"{words['member']}\n  accepts  {words['accepts']}\n  refuses  {words['refuses']}"
        for words in document["members"]
    ]
    if document["note"] is not None:
        blocks.append(f"note\n  {document['note']}")
    return "\n".join([*blocks, *_warning_lines(document["warnings"])])


# --- diff -------------------------------------------------------------------------------------


@command.command("diff", examples=("enigmacli policy diff old.json new.json",))
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@pass_services
def diff(services: Services, before: str, after: str) -> None:
    """What becomes stricter and what looser from the policy BEFORE to the policy AFTER.

    Any difference makes another network: its id is computed over the policy.
    """
    from enigmacli.cli.policy_files import load_policy  # noqa: PLC0415 -- not paid by --help
    from enigmacli.policy_diff import policy_changes  # noqa: PLC0415

    changes = [asdict(change) for change in policy_changes(load_policy(before), load_policy(after))]
    rows = [(change["effect"], change["member"], change["message"]) for change in changes]
    document = {"same": not changes, "changes": changes}
    emit(services, document, lambda: table(rows) if rows else "the policies are the same")


# --- what-if ----------------------------------------------------------------------------------


@command.command(
    "what-if",
    examples=(
        "enigmacli policy what-if --policy new.json",
        "enigmacli policy what-if --policy new.json --at 2027-01-31T12:00:00Z",
    ),
)
@click.option("--policy", "file", metavar="FILE", required=True, help="The policy to try.")
@click.option("--at", "at_us", type=INSTANT, metavar="RFC3339", help="In the place of now.")
@chain_options
@click.pass_context
@pass_services
def what_if(services: Services, ctx: click.Context, *, file: str, at_us: int | None) -> None:
    """Which nodes of the chain behind --node would not be admitted under FILE, and why.

    Every node is judged by the validators' own rules, at the time of its registration and
    now. Exit code 0: all would have been admitted when they registered; 6: some would not;
    7: none is refused, but the evidence of some was not to be had. The list of nodes is the
    asked node's word; what is judged is proven where this home has a genesis document.
    """
    from enigmacli import policy_what_if as flow  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.policy_files import load_policy  # noqa: PLC0415
    from enigmacli.cli.policy_network import asked_network  # noqa: PLC0415

    policy = load_policy(file)
    now_us = services.now_us() if at_us is None else at_us
    network = asked_network(services)
    with working(services, "judging every node"):
        outcomes = list(flow.what_if(network, policy, now_us))
    nodes = [_outcome(services, one) for one in outcomes]
    emit(services, {"now": _instant(now_us), "nodes": nodes}, lambda: _what_if_text(nodes))
    ctx.exit(_what_if_code(outcomes))


def _what_if_code(outcomes: Sequence["NodeOutcome"]) -> int:
    answers = [outcome.then for outcome in outcomes]
    if any(answer is not None and not answer.admitted for answer in answers):
        return EXIT_REFUSED
    return EXIT_UNJUDGED if None in answers else 0


def _outcome(services: Services, outcome: "NodeOutcome") -> dict[str, Any]:
    from enigmacli.chain.address import encode_address  # noqa: PLC0415 -- not paid by --help

    owned = any(outcome.owner)
    return {
        "node_id": outcome.node_id.hex(),
        "role": outcome.role,
        "owner": encode_address(services.prefix, outcome.owner) if owned else None,
        "height": outcome.height or None,
        "evidence_kind": outcome.evidence_kind or None,
        "judged_at": None if outcome.judged_at_us is None else _instant(outcome.judged_at_us),
        "proven": outcome.proven,
        "then": _answer(outcome.then),
        "now": _answer(outcome.now),
        "unjudged": outcome.unjudged or None,
    }


def _answer(answer: "Answer | None") -> dict[str, Any] | None:
    return None if answer is None else asdict(answer)


def _instant(at_us: int) -> str:
    from enclave.times import format_rfc3339  # noqa: PLC0415 -- not paid by --help

    return format_rfc3339(at_us)


def _what_if_text(nodes: Sequence[dict[str, Any]]) -> str:
    rows = [("node", "role", "height", "then", "now", "proven", "why")]
    rows += [
        (
            f"{node['node_id'][:_SHOWN_CHARACTERS]}…",
            node["role"],
            str(node["height"] or "-"),
            _code(node["then"]),
            _code(node["now"]),
            "yes" if node["proven"] else "no",
            _why(node),
        )
        for node in nodes
    ]
    return table(rows, heading=True) if nodes else "there is no node"


def _code(answer: dict[str, Any] | None) -> str:
    return "not judged" if answer is None else str(answer["code"])


def _why(node: dict[str, Any]) -> str:
    reasons = [answer["reason"] for answer in (node["then"], node["now"]) if answer is not None]
    return node["unjudged"] or next(filter(None, reasons), "")
