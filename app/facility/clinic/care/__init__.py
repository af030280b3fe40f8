"""Care 慢病与家医: people with a lasting disease and people with a family doctor, so that nobody is lost between two visits.

Nouns: plan (病种: how often somebody with a disease is seen, and what is looked at), enrolment (纳入管理), follow-up (随访), package
(服务包), contract (家医签约), service done (履约). Verbs: enrol, follow up, sign, tick, end.

Promises: when somebody is next expected is read from what happened: a visit signed with a diagnosis of the plan moves it by
itself; follow-ups are only added to; a telephone number is opened for a reason that is written down; plans and packages are
data with the day from which they hold, and a contract keeps the package it was signed with.
"""
