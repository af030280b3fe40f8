"""The till 收银台: shifts, drawers, receipts and the queue of prescriptions to review.

Nouns: shift (班次), drawer movement (备用金存取), tender (收款方式, one row per means and document, never changed), receipt print
(打印记录), prescription (外配处方) and its review (审方).

Promises: a shift's expected cash is the sum of its float, its cash tenders and its drawer movements, nothing else; a
difference is explained by whoever closes, never hidden; every print after the first is marked as a reprint; nobody reviews
the prescription they entered.
"""
