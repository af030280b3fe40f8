"""What a doctor picks from: diagnoses, how often, by which way, how herbs are prepared, and what speaks against it.

Nouns: term (诊断术语, one entry of the national list, of Chinese medicine's diseases or its syndromes), use (常用诊断, how often a
doctor signed one), frequency (频次), route (给药途径), herb (中药饮片, with its usual grams), group (药物类别, such as penicillins).

The list of terms is the same for every organization: the owner of the database loads it, nobody else writes it. All other
knowledge here is plain values in, plain values out; each table says where its figures come from. It reminds, it does not
decide: whoever signs has the last word, and says why.
"""
