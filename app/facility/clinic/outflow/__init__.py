"""Out-flow prescriptions 处方外流: a reviewed sheet goes to the center instead of the cashier, and to a pharmacy the patient chooses.

Nouns: outflow (外配, a sheet's way to the center), its code (取药码). It goes asked → out → voiding → void; refused when the center
said no. The sheet is OUT meanwhile, and PASSED again when nothing was had of it.

Promises: sent once, whatever was lost on the way; what is out is not charged here; only while no pharmacy has it, it is taken back.
"""
