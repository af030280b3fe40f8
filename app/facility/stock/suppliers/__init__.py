"""Suppliers 供应商: from whom we buy, whether we may, and what we owe.

Nouns: supplier (供应商), paper (证照, a licence of a supplier, product, facility or person), approval (首营审批, of a supplier or a
product, by a second person), entry (往来明细, one line of a supplier's account), invoice (进项发票), payment (付款).

Promises: nothing is bought from whom, or of what, nobody but the buyer has approved (`queries.why_not_buy`); papers are
replaced, never edited; a supplier's balance always equals the sum of its entries, and entries are only added; phones, names
of contacts and bank accounts lie sealed and are shown masked.
"""
