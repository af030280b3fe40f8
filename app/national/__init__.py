"""The language both wings speak with the national platform (国家医保信息平台定点医药机构接口).

Envelope, field rules of all 212 transactions, code tables, signing, and the one client. Knows neither wing.
Wire values become product values only here: yuan texts become fen, `acct_pay` becomes own and mutual account apart.
"""
