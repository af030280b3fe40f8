"""The bridge: numbered, hash-chained facts carried from a facility's database to the center's (数据流).

Nouns: a *stream* is one facility's sequence of facts, named by its national institution code; a *head* is the stream's
newest number and hash; an *epoch* is a stretch between two restores; the *outbox* holds facts at the facility, the
*inbox* at the center. Promises: numbers are the order of commit and none is skipped; a fact is done only when the
center itself has acknowledged it; the same fact twice changes nothing; an altered, missing or extra fact is found.

Knows nothing of pharmacies or clinics except the contract of bodies in `contract.py`. Imports neither `app` nor flask.
"""
