"""Who practises here and where: departments (科室), consulting rooms (诊室), practitioners and their rights (执业登记).

A department names the service that a visit to it costs (诊查费), a doctor another one. It is told at registration and stands
on the desk when the visit begins; the doctor signs it or takes it off, and it is paid with everything else.
"""
