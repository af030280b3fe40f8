"""The catalog 目录: which products the organization trades, in which units, at which price.

Nouns: product, price, import batch, import row, column mapping. Promises: a price is never edited, only followed by
another; an own code names one product; a barcode names one product on sale; an import happens whole or not at all and
can be undone while nobody has used what it brought. Insurance class and shares are for labels and estimates: what is
paid, the center says.
"""
