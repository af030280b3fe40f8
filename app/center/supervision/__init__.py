"""What the center sees of the facilities: the life of a code, a lot, a product, a sale; streams and their proof (监管).

Nouns: a *movement* is a receipt, sale or refund at a facility; a *trace event* is one code in one movement; an *alert*
(预警) says that facts contradict each other, and never who is guilty. Promises: every row comes from one verified fact and
names its place in the stream; an alert is raised in the transaction that takes the fact; nothing here can be edited.
"""
