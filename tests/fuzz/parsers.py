"""Every parser of bytes that others wrote, by name."""

from types import MappingProxyType
from typing import Final

from tests.fuzz.chain_parsers import CHAIN_PARSERS
from tests.fuzz.dcap_parsers import DCAP_PARSERS
from tests.fuzz.evidence_parsers import EVIDENCE_PARSERS

PARSERS: Final = MappingProxyType({**EVIDENCE_PARSERS, **DCAP_PARSERS, **CHAIN_PARSERS})
