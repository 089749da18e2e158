"""Authentic? Parsed evidence, trust roots and a time become a stronger type, or a reason."""
