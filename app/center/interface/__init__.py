"""Serves the national messages (定点医药机构接口): envelope, signature, field rules, dispatch. No rule of its own.

A refusal is an envelope with a sentence. What is not certain (a time-out, a bug) is never dressed up as a refusal: it
answers outside 200, and whoever asked asks again with the same bytes.
"""
