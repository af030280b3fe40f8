"""The counter 收银: sell over the counter for cash or by card, and take back by original line.

Nouns: basket (the open or held list on one station, kept on the server so that a browser may crash), sale (what was asked
for and settled, once, under the basket's id), pick (which lot and zone a line took from), refund (money back by original
line; what happens to the goods is a decision of its own).

Promises: one basket becomes at most one sale; nothing expired, held or reserved by another till is sold; a code is sold once
in this tenant; cash never waits for the center; an insured sale is settled at both wings or at neither; a refund never
gives back more than was sold. States of a sale: asked -> settled | refused; a refused sale's basket lives on under a new id.
"""
