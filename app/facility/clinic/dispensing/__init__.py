"""Dispensing 发药与治疗: what was charged is handed over, given and noted, by two people, each pack by its code.

Nouns: handing (发药), check (复核), skin test (皮试), execution (治疗执行), pause (暂停), return (退药), substitution (换药: a proposal and
its answer). Verbs: open a pack, hand over, test, carry out, pause and go on, take back, propose, consent, decline, withdraw.

Promises: who puts it together is not who checks it; only what was paid leaves the shelf, once, and ends its reservation; another lot of
the same drug may go, with a coded reason where one that expires sooner stays; another drug never; nothing that needs a skin test leaves
without a negative one; what comes back goes to quarantine, for reasons on our side only.

Another product of the same drug (same generic name, form and strength, other maker or pack) goes only when a dispenser has proposed it with
a coded reason and the prescriber, who is somebody else, has consented; both have the right to do so at that moment, and both acts stand for
ever. The pharmacist's review stands with it; whatever else differs is a new prescription. The patient keeps the price that was paid: another
price, and for an insured bill another national code or class, goes back through the cashier and the doctor instead. From the consent on the
shelf holds the substitute for what is left of the line, a skin test made before counts no more (a positive one does), and labels, notes,
returns and the center's facts say what really went out and instead of what. While a proposal waits nothing of its line goes; the rest of
the sheet does. A pause keeps goods back, not an answer.
"""
