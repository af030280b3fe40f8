"""The doctor's desk 医生站: one screen from greeting to signature.

Nouns: draft (草稿, what is being written, kept at the server with a version), record (门诊病历), diagnosis (诊断), sheet (处方单或
治疗单: western and patent medicine, herbs, infusions, treatments, tests). Signing writes all of it at once.

Promises: a draft survives the browser; what was signed is a version that stays; prices are those of the moment of signing.
"""
