"""Probes: each gathers the facts of one source, judges nothing and changes nothing.

A probe may raise whatever it meets and may take its time: that is caught and bounded by
:mod:`enigmacli.doctor.examination`. What it imports is imported when it runs, so nobody pays
for a probe that was not asked for.
"""
