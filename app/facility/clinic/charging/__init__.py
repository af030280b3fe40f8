"""Charging 收费: a visit's signed sheets become one bill, which is paid once.

Nouns: bill (收费单, one or several sheets of one visit), line (收费明细), pick (what the shelf holds for the patient until it is
dispensed), refund (退费, of a whole bill or of lines: what was not handed over, or came back).

A bill takes its sheets when it is opened: nobody else charges them and the doctor cannot change them until it is cancelled.
It goes open → asked → settled, or back to open when the center refuses; cancelled and refunded free the sheets again.
Medicines are held on the shelf from the moment the bill is asked for; `bill_pick` of the bill's version says where.

Promises: what is charged is what was signed; a bill is settled once, whoever presses; the split that is paid is the one that
was shown; self-paid lines of an insured person are agreed to before, by whom and when is kept.
"""
