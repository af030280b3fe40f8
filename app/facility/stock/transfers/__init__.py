"""Transfers 调拨: goods that go from one facility of an organization to another, and from one zone of it to another.

Nouns: transfer (调拨单), its lines and codes, draft (what is being scanned, kept on the server), claim (差异, what did not
arrive and how that was settled), move (移库, between zones of one facility).

Verbs: send, receive, settle a claim; enter, change and drop a draft; move.

Promises: goods are in exactly one place at every moment: the sender's shelf, the sender's TRANSIT zone, the receiver's
shelf. Receiving takes them out of the one house and into the other in one transaction, and both houses tell the center,
each in its own stream, each naming the other. Only what was sent with a transfer can arrive with it. What did not arrive
stays in TRANSIT, named, until somebody says where it went; giving it up takes a second person.
"""
