"""Out-flow prescriptions at a pharmacy 取外配处方: read by the code the patient shows, taken on, reviewed again, sold at the counter.

What is taken on becomes a prescription of this pharmacy, valid as long as its lock; the sale's fact tells the center what was had.

Promises: only what the center has locked for this pharmacy is taken on; what is given back cannot be sold any more before the
center is told; asked again each act gives the same.
"""
