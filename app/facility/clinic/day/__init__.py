"""Day's end 日结: what a clinic did in some days, by doctor, cashier, payer, medicine, service and person at work; its log of visits.

Nouns: summary (汇总表, one table over a range of days), log (门诊日志), what is still open (未结). Verb: close the day's visits (结束就诊).

Promises: every figure is read from what was settled, given back or signed, never kept beside it; what happens later belongs to
its own day, so that the summary of a past day says for ever the same. Persons are masked.
"""
