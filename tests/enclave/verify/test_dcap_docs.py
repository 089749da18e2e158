import re

from enclave import dcap_errors, dcap_pki_errors
from enclave.errors import BY_CODE
from tests.corpus import ROOT

TEXT = (ROOT / "docs" / "dcap.md").read_text()
MODULES = (dcap_errors.__name__, dcap_pki_errors.__name__)
CLASSES = [cls for cls in BY_CODE.values() if cls.__module__ in MODULES]


def test_every_rule_is_in_the_documentation_and_the_other_way_round() -> None:
    named = set(re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.MULTILINE))
    families = {cls.code for cls in CLASSES if cls.__subclasses__()}

    assert {cls.code for cls in CLASSES} - families == named - {
        "quote-malformed",
        "collateral-malformed",
    }
    assert all(f"`{code}`" in TEXT for code in families)


def test_every_rule_is_found_by_its_code() -> None:
    defined = [
        cls
        for module in (dcap_errors, dcap_pki_errors)
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ in MODULES
    ]

    assert set(CLASSES) == set(defined)
    assert len(CLASSES) > 60
