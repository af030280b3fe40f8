"""Referrals 转诊: a doctor sends a patient on to another institution, which takes them on or declines, and answers in the end.

Nouns: referral (转诊单), its state SENT, ACCEPTED, DECLINED, CLOSED, WITHDRAWN; EXPIRED is seen when it is read.
Promises: a referral is kept once however often it is sent; only the two institutions read it; the receiver learns whole who it
is when it takes the patient on; every step names who made it.
"""
