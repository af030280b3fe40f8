"""Clinic 门诊: from registration to a settled visit, in a clinic of one doctor or of ten.

Nouns: patient (患者, of the whole organization), visit (就诊, one person, one doctor, one day), ticket (候诊号), record (门诊病历),
diagnosis (诊断), order (处方单、治疗单: what the doctor signed, one kind to a sheet), service (诊疗项目, a product that is never in
stock), bill (收费单), dispensing (发药), execution (治疗执行). People: practitioner (医师、护士、药师 with their rights), department
(科室), consulting room (诊室).

A visit goes BOOKED → WAITING → CALLED → IN_VISIT → SIGNED → CLOSED; PASSED is somebody who did not answer, CANCELLED ends it.
An order goes SIGNED → PASSED (or RETURNED, REFUSED) → CHARGED → DISPENSING → DONE; VOID ends it before it is paid; OUT is
one that a pharmacy elsewhere dispenses.

Promises: the prescriber is not the reviewer and the dispenser is not the checker; rights are looked at when the act is done;
what was signed is never edited, a change is a new version or a new sheet; one bill is settled once; nothing about a patient
stands in an address, a log or the browser's storage.

Rooms inside, above knows below: day > care | outflow > dispensing > charging > review > desk > reception | packages > patients > practice > terms.
"""
