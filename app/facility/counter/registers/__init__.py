"""The registers 登记簿: what the law wants written down of sales, read from what happened.

Nouns: book (a register: prescription drugs sold, ephedrine compounds, special drugs, split packs, pharmacists on duty, near
expiry told, discounts), row, split check (拆零复核).

Promises: a book is read from sales, prescriptions, the ledger and attendance, nobody writes into it by hand; names and citizen
ids are masked until somebody gives a reason, which stays in the audit trail; a split is checked by another person than the
one who sold it.
"""
