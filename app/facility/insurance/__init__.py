"""Insurance 医保结算: who stands at the counter, what their insurance pays, and the dangerous minute in between.

Nouns: identification (身份核验, one reading of a credential), attempt (one message to the center whose outcome must become
known: 2102, 2103), answer. The machine is written once and serves sales and refunds (and visits later): a document room
registers how it is confirmed and how it is released, and this room finds out which of the two it is.

Promises: an attempt's bytes are stored before they are sent and are the same each time; nobody holds a transaction while
asking; the outcome is written only by who still finds the attempt as they left it; what is unknown stays locked until a
definite answer; nothing is ever asked with another message id while an attempt of the document is open (ARCHITECTURE 6).
"""
