"""Reception 挂号分诊: who comes, to whom, with which card; who waits, who is called.

Nouns: registration (挂号; at the center 2201, taken back by 2202), queue (候诊队列), duty (排班: when a doctor sees how many
booked people), wall (叫号屏).

Promises: a visit stands whether the center answers or not; an insured registration is asked once and its outcome becomes known; a
cancelled visit is cancelled at the center too, by the worker if need be; two people never call one patient at the same moment.
"""
