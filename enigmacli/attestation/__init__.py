"""Clients of attestation services; they fetch, and judge nothing."""
