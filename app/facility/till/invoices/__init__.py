"""Sale invoices 发票: who asked for one, its number, and what became of it.

Nouns: invoice step (asked, issued, red, failed; one row each, the last one holds), buyer (a firm with its tax number, or a
private person, whose name is sealed), provider (who makes invoices: by hand, or an e-invoice platform later).

Promises: a sale has at most one invoice that holds; its number is known once in the organization; steps are only added.
"""
