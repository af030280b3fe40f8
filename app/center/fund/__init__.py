"""Fund settlement (基金结算): policies, adjudication, accounts, settlements.

Adjudication is data and pure functions: a policy is an ordered list of segments, published once and never edited; a
settlement keeps the version and every figure it was made with. Settlements and account entries are only added.
"""
