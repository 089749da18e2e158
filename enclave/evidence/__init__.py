"""Formats: bytes become frozen values. Nothing here is trusted, and nothing here trusts."""
