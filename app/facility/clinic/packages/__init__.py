"""Packages 套餐: services at one price together, of which every item keeps its own line and its own code for the insurance.

Nouns: package (套餐, not the 服务包 of a family doctor's contract), item (项目), version (a package as it holds from a day on).
The doctor puts a package's items on a sheet as from a formula; the cashier takes its price when all of them are signed and on
one bill. Nobody charges by a package what no doctor signed.

Promises: the items' shares add up to the package's price to the fen; a bill keeps the version it was charged by; one price for
insured and self-paid.
"""
