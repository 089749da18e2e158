"""Acceptable? Verified evidence and a policy become an attestation result, or a reason."""
