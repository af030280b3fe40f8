"""Stock 进销存: what lies where, how it came, and where every box went.

Nouns: lot (批号, what a maker made at once), zone (库区, where it lies and what may be done with it), balance (on hand and
reserved, per lot and zone), movement (库存流水, one line of the ledger), trace code (药品追溯码, one pack, one life), receipt (入库单).

Acts on goods follow one table (rulebook.py, docs/stock-rules.md) and one way (ledger.py). Rooms inside this room: suppliers,
purchasing, transfers, counts, keeping, recalls, shelf, overview.

Promises: movements are only added; a balance always equals the sum of its movements; one database function,
`post_movements`, changes stock and nothing else does; expired, held (frozen or recalled) or non-saleable stock is never
picked; a code of this tenant is in exactly one state.
"""
