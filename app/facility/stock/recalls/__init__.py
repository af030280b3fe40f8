"""Recalls 召回 and holds 质量锁定: goods that must not be sold, at once and everywhere.

Nouns: recall (召回, our own or the center's), target (a product and lot a running recall means), place (a recall at one
facility), call (one try to reach a buyer, or a patient who got the goods at a clinic), hold (质量锁定, one lot on suspicion).

Promises: one act freezes every lot meant at every facility of the organization and tells the center for each; a lot that
arrives later is frozen as it comes in; whoever froze does not release; what the center recalled only the center's closing
releases; every change of a hold is a row with before, after and reason; buyers and
patients are shown masked.
"""
