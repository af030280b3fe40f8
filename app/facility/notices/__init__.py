"""Notices 消息: what the center told this facility, and what became of it.

Nouns: item (a piece of news: a recall, its end, a notice, a referral). Promises: everything that was taken is shown, newest first, also
what could not be carried out, with its reason; nothing here is changed by reading it.
"""
