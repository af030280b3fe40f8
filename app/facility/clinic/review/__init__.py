"""Review 审方: a pharmacist looks at each sheet of medicines before it is charged, and says what becomes of it.

Nouns: sheet (处方单), check (审核项), concern (不合适的项), review (审方记录). Verbs: pass, pass with a note, return, refuse; a doctor lets
a sheet of an emergency through, which a pharmacist looks at afterwards.

Promises: never by who prescribed it; only by a pharmacist who practises here and is on duty at that moment; of two at once
one says it and the other is told; nothing on a sheet is changed here; what was said stays for good.
"""
