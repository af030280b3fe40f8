"""Registry (基础信息库): institutions, insured persons, coverage, accounts, the national catalog, code claims, officers.

Whoever settles asks here who the institution is and who the person is. Numbers of persons are sealed; a keyed hash finds
them. What has a date of effect is closed and followed by a new row, never edited.
"""
