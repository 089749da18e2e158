"""What is wrong with this machine, this home and its network: examinations that change nothing.

A probe (:mod:`enigmacli.doctor.probes`) gathers facts; a judgement, pure and one module per
group, turns facts into findings; :mod:`enigmacli.doctor.examination` runs both within a time
limit. Every finding that there can be is listed in :mod:`enigmacli.doctor.checks`.
"""
