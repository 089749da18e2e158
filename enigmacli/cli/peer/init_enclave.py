"""``init-enclave``: the registration key, and evidence of it."""

import hashlib
from pathlib import Path
from typing import Any

import click

from enigmacli.cli import attest_fetch, enclave
from enigmacli.cli.attestation_service import EPID, Fetched, kind_of, service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options, yes_option
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, say
from enigmacli.cli.peer.refusals import RefusedError, refused_option

REGISTRATION = "registration"


@declare("init-enclave", examples=("enigmacli init-enclave", "enigmacli init-enclave --reset -y"))
@click.option(
    "--out-dir", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR",
    help="Where the two files go [default: the current folder].",
)  # fmt: skip
@click.option(
    "--reset", "is_reset", is_flag=True,
    help="Put the sealed files aside in a dated folder first, as enclave reset does.",
)  # fmt: skip
@click.option("--no-epid", is_flag=True, help="Refuse if the provider's evidence is EPID.")
@click.option("--no-dcap", is_flag=True, help="Refuse if the provider's evidence is DCAP.")
@refused_option(
    "--migration", is_flag=True, hint="sealed files open in the enclave that made them, or in none"
)
@refused_option(
    "--unbound-attestation", is_flag=True,
    hint="what evidence binds is the policy's to say: see its member require_owner",
)  # fmt: skip
@yes_option
@service_options
@account_options
@pass_services
def command(
    services: Services, out_dir: Path, *, is_reset: bool, no_epid: bool, no_dcap: bool
) -> None:
    """Make the registration key where there is none, and fetch evidence of it.

    The evidence goes into the home, and to attestation_cert.der and attestation_combined.bin
    in the current folder: one piece of evidence under both names, so that a script may
    register either. Of which kind it is says --provider.

    The same as enclave keygen and attest fetch. Safe to repeat: a key is never overwritten.
    """
    _check_kind(services, no_epid=no_epid, no_dcap=no_dcap)
    if is_reset:
        say(services, enclave.reset_words(enclave.put_aside(services)))
    made = enclave.make_key(services)
    say(services, "the registration key is new" if made["created"] else "the key was there")
    fetched, facts = attest_fetch.fetch_own(services, REGISTRATION)
    paths = _write(services, fetched, out_dir)
    document = made | facts | {
        "evidence_kind": fetched.kind,
        "sha256": hashlib.sha256(fetched.certificate).hexdigest(),
        "files": [str(path) for path in paths],
    }  # fmt: skip
    emit(services, document, lambda: _text(document))


def _check_kind(services: Services, *, no_epid: bool, no_dcap: bool) -> None:
    """Refuse the kind that was excluded.

    Raises:
        RefusedError: the provider would give it.
    """
    kind = kind_of(services)
    if (no_epid and kind == EPID) or (no_dcap and kind != EPID):
        raise RefusedError(
            f"the provider {services.config.attestation.provider} gives {kind} evidence",
            "choose another one with --provider",
        )


def _write(services: Services, fetched: Fetched, out_dir: Path) -> list[Path]:
    from enigmacli import home as homes  # noqa: PLC0415 -- not paid by --help

    names = (attest_fetch.EPID_FILES[REGISTRATION], attest_fetch.DCAP_FILES[REGISTRATION])
    kept = attest_fetch.default_path(services, REGISTRATION, fetched.kind)
    paths = [kept, *(out_dir / name for name in names)]
    for path in paths:
        homes.replace(path, fetched.certificate)
    return paths


def _text(document: dict[str, Any]) -> str:
    wrote = "\n".join(f"wrote {path}" for path in document["files"])
    return f"node id {document['node_id']}\n{wrote}"
