"""Stocktake 盘点: people say what lies where, while the shop goes on selling; a second person approves the differences.

Nouns: count (盘点单), line (one lot in one zone on its list), entry (who counted how much of a line at which place, and what
the book said at that very moment), place (where in the house: a shelf, the back room), difference (盈亏). Verbs: open, enter,
find goods that are not on the list, close, explain, reopen, approve, withdraw.

Counting as of (边卖边盘). The book changes under the counters' hands, so a difference is never "counted minus what the list
said". Every entry keeps what the book said at its own moment and the number of the newest movement until then (its mark).
A line's entries at several places add up; the newest of one place stands. What moved between a line's first and last mark
may have come from a place counted already (then it has to be added to what was counted) or from one not yet counted (then
not): each movement may count or not, so the truth lies between two bounds. What a basket had reserved may have been in a
customer's hands: it widens the upper bound. Where zero lies between the bounds there is no difference; else the bound
nearer to zero is the difference, because that much is certain. The width of the bounds is shown as "unsure": counting the
line again at one go settles it. So sales and receipts during a count never become differences, and nothing is charged to
anybody that the figures do not prove. Corrections of the book that move no goods (another count, a correction, the loss of
a drawer) are no movements in this sense: they change what the book said, whenever they come.

Limits, told rather than hidden: an entry speaks of the moment it was sent; a box that a customer carries about unreserved
is not seen by anybody; boxes carried from one place to another between two entries must be counted again.

Promises: entries are only added; a lot in a zone stands in one unfinished count at a time; a blind count shows the book to
nobody who counts; who opened, closed or counted cannot approve; all gains and losses are posted in one transaction through
the ledger, under the count's number; afterwards the balance is what was counted plus what happened since.
"""
