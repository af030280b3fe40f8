"""The shelf: what is on hand, seen from every side, with its labels and its prices (库存、标签、调价).

Nouns: a product's row on the shelf (place 货位, soonest expiry, on hand, days of supply, value at cost), a lot, a place, a
code and its passport (追溯码档案), the ledger of the whole facility (流水), turnover (周转), a label (标签) and its print, a
price change (调价单).
Verbs: look, search, export what is seen, print labels, change prices.

Promises: every list is read by key, never by offset, and answers within a tenth of a second over a million movements; what
is exported is what is seen, and says where it was cut. Nothing here moves stock. A price is a new row from a moment on,
never an edit; a label due for reprint is one whose price in force is not the price last printed here.
"""
