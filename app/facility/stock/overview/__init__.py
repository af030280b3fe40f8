"""The owner's page (总览): money near its end, stock-outs, licence dates, unsent facts, differences, takings, in one screen.

Every figure opens what it is made of. It only reads.
"""
