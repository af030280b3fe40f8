"""Who practises here and where: departments (科室), consulting rooms (诊室), practitioners and their rights (执业登记)."""
