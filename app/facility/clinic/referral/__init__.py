"""Referrals 转诊: a doctor sends a patient on to another institution; others send theirs here.

Nouns: referral (转诊单), its letter (转诊原因 and 病情摘要), its answer (回复). One of ours goes asked → sent → accepted → closed;
refused when the center said no, declined or withdrawn on the way. Verbs: refer, withdraw; take on, decline, answer.

Promises: sent once, whatever was lost on the way; the center keeps the state, and here lies what was last heard of it; what
others send is asked of the center each time, and whole only once it was taken on.
"""
