"""Out-flow prescriptions 处方外流: signed and reviewed at a clinic, taken to a pharmacy of the patient's own choice.

Nouns: eprescription (外配处方), its lines, its code (取药码), lock (锁定: one pharmacy has taken it on), event.
It goes REVIEWED → LOCKED → DISPENSED (part of it) → CLOSED; VOID by who issued it; EXPIRED is seen when it is read.

Promises: what it says is told only to a pharmacy that holds its code; one pharmacy at a time holds it; only who issued it makes
it void, only who locked it lets it go; each sale on it counts once, because the fact of the sale is what tells of it.
"""
