"""Patients 患者: one file for one person in the whole organization, found by citizen id, card, telephone, number or name.

Promises: two files of one citizen id cannot stand side by side; a merge keeps both files and says who did it; names, numbers
and addresses are sealed and shown masked, and looking at them whole needs a reason that is written down.
"""
