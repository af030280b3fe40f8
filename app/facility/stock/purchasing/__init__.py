"""Purchasing 采购: what is running low, what was ordered, what the van brought, and what of it was taken in.

Nouns: proposal (补货建议), purchase order (采购订单), delivery with its note (随货同行单), acceptance (验收), opening stock (期初),
parent code (大码、中码: the code on a case or bundle). Verbs: set a shelf, save, place and close an order, open and save a
delivery, accept it, expand a code, bring a file in (a note, opening stock, a supplier's code file).

Promises: nothing is ordered or accepted from a supplier, or of a product, that the gate refuses; a delivery survives a crash
of the browser; what differs from the order and the note is shown before posting and kept; a special drug is accepted by two
people; goods that need cold are put away cold, with the record of their journey.
"""
