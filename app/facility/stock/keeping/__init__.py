"""Keeping (在库养护与单据): everything that happens to goods inside the house besides purchase, transfer, count and sale.

Nouns: paper (库存单据), correction (更正), herb drawer (药斗), display check (养护检查), place and reading (温湿度), near
expiry (近效期), open pack (拆零). Verbs: ask, decide, withdraw, correct, check, read, sign.
Promises: a paper that needs a second person moves nothing before that person said yes, and everything is checked again
then; who held goods never releases them; nothing that was posted is edited, a correction is new rows with before and after.
"""
